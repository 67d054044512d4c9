// Lists in pages: `Marker` and `MaxItems`.

import { errors } from './errors.ts'

/** What a list asks the store for: one item more than fits the page says whether there is another page. */
export interface PageRequest {
  limit: number
  /** The key of the last item of the page before. */
  after: string | undefined
}

/** @throws InvalidParameterValueException for a marker of another server. */
export function pageRequest({ Marker, MaxItems }: { Marker: string | undefined, MaxItems: number | undefined }, itemsMax: number): PageRequest {
  const limit = Math.min(MaxItems ?? itemsMax, itemsMax)
  if (Marker === undefined || Marker === '') return { limit, after: undefined }
  const text = Buffer.from(Marker, 'base64url').toString('utf8')
  // Ours: the sentence; a marker of AWS's means nothing here either.
  if (!text.startsWith(PREFIX)) throw errors.InvalidParameterValueException('The provided marker is invalid.')
  return { limit, after: text.slice(PREFIX.length) }
}

const PREFIX = 'after:'

/** The page out of what the store found, and where the next one begins. */
export function pageOf<Item>(found: readonly Item[], limit: number, keyOf: (item: Item) => string): { items: Item[], next: { NextMarker?: string } } {
  const items = found.slice(0, limit)
  return { items, next: found.length > limit ? { NextMarker: Buffer.from(`${PREFIX}${keyOf(items.at(-1)!)}`).toString('base64url') } : {} }
}
