// Patch operations (`UpdateX`): a table of paths per record, applied in order, with AWS's refusals for everything else.

import { errors } from './errors.ts'

export interface PatchOperation {
  op?: string | undefined
  path?: string | undefined
  value?: string | undefined
  from?: string | undefined
}

type Verb = 'add' | 'replace' | 'remove'

/** `value` is empty when the operation has none; `name` is what stood for the `{…}` segment of the path. */
export type PatchChange<Target> = (target: Target, value: string, name: string) => void

/** A path that may be patched, with what each operation does. A segment in braces stands for one segment, with `~1` for `/` and `~0` for `~`. */
export type PatchRule<Target> = { path: string } & { readonly [V in Verb]?: PatchChange<Target> }

/**
 * How a record refuses. Observed: AWS, 2024 and 2025, recorded by localstack's test_apigateway_api.
 * - `listed`: names the operation and the paths that it has (resources, models, validators).
 * - `plain`: names the path, or the operations that the path has (APIs, methods, integrations).
 * - `path`: always names the path (gateway responses).
 */
export type PatchStyle = 'listed' | 'plain' | 'path'

/** Applies the operations in order. The target is a copy that is dropped when one of them is refused. */
export function applyPatches<Target>(
  target: Target, operations: readonly PatchOperation[] | undefined, rules: readonly PatchRule<Target>[], style: PatchStyle,
): void {
  for (const operation of operations ?? []) {
    const { op = '', path, value } = operation
    const match = path === undefined ? undefined : findRule(rules, path)
    const change = match?.rule[op as Verb]
    if (!match || !change) throw refusal(operation, rules, style, match?.rule)
    change(target, value ?? '', match.name)
  }
}

/** What a segment of a patch path stands for. Source: RFC 6901, section 4. */
export function unescapeSegment(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}

function findRule<Target>(rules: readonly PatchRule<Target>[], path: string): { rule: PatchRule<Target>, name: string } | undefined {
  const segments = path.split('/')
  for (const rule of rules) {
    const wanted = rule.path.split('/')
    if (wanted.length !== segments.length) continue
    const isMatch = wanted.every((part, index) => part.startsWith('{') ? segments[index] !== '' : part === segments[index])
    if (isMatch) return { rule, name: unescapeSegment(segments[wanted.findIndex((part) => part.startsWith('{'))] ?? '') }
  }
  return undefined
}

function refusal<Target>({ op, path }: PatchOperation, rules: readonly PatchRule<Target>[], style: PatchStyle, known: PatchRule<Target> | undefined) {
  if (style === 'listed') {
    const paths = rules.filter((rule) => rule[op as Verb]).map((rule) => rule.path)
    const choice = paths.length === 0 ? 'Please choose supported operations' : `Must be one of: [${paths.join(', ')}]`
    // The two spaces are AWS's.
    return errors.BadRequestException(`Invalid patch path  '${path ?? null}' specified for op '${op}'. ${choice}`)
  }
  if (!known || style === 'path') return errors.BadRequestException(`Invalid patch path ${path ?? null}`)
  const verbs = (['add', 'remove', 'replace'] as const).filter((verb) => known[verb])
  return errors.BadRequestException(verbs.length === 1
    ? `Invalid patch operation specified. Must be one of: [${verbs[0]}]`
    : `Invalid patch operation specified. Must be ${verbs.map((verb) => `'${verb}'`).join('|')}`)
}

/** A map without one entry; undefined when it was the last, so that the member disappears as it does on AWS. */
export function without<Value>(map: Record<string, Value> | undefined, name: string): Record<string, Value> | undefined {
  const entries = Object.entries(map ?? {}).filter(([key]) => key !== name)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** Anything but `true` is false. Observed: AWS, 15-04-2024, recorded by localstack's test_update_method_validation. */
export const booleanOf = (value: string): boolean => value.toLowerCase() === 'true'
