// The tags that a request brings, as condition keys: `aws:RequestTag/…` and `aws:TagKeys`.

import type { ConditionContext } from './policy/document.ts'

/**
 * Every service here spells them alike: `Tags` or `tags`, a list of keys and values or a map, and `TagKeys` or `tagKeys`.
 * Source: IAM user guide, "AWS global condition context keys", aws:RequestTag and aws:TagKeys.
 */
export function requestTagKeys({ Tags, tags = Tags, TagKeys, tagKeys = TagKeys }: Readonly<Record<string, unknown>>): ConditionContext {
  const given = entriesOf(tags)
  const keys = [...given.map(([key]) => key), ...(Array.isArray(tagKeys) ? tagKeys.filter((key) => typeof key === 'string') : [])]
  if (keys.length === 0) return {}
  return { ...Object.fromEntries(given.map(([key, value]) => [`aws:RequestTag/${key}`, value])), 'aws:TagKeys': keys }
}

function entriesOf(tags: unknown): [key: string, value: string][] {
  if (typeof tags !== 'object' || tags === null) return []
  const entries: [unknown, unknown][] = Array.isArray(tags)
    ? (tags as { Key?: unknown, Value?: unknown }[]).map(({ Key, Value }) => [Key, Value])
    : Object.entries(tags)
  return entries.filter((entry): entry is [string, string] => entry.every((part) => typeof part === 'string'))
}
