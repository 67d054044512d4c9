// Lists in pages: `limit` items from `position` on.

import { errors } from './errors.ts'
import { PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX } from './limits.ts'

export interface PageRequest {
  position?: string | undefined
  limit?: number | undefined
}

/** The number of items that a request asks for. Source: API Gateway API reference, GetResources, `limit`. Ours: what is beyond is cut. */
export function pageLimit({ limit }: PageRequest): number {
  if (limit === undefined) return PAGE_ITEMS_DEFAULT
  return Math.min(Math.max(Math.trunc(limit), 1), PAGE_ITEMS_MAX)
}

/** One page of items that are at hand, in their order; `keyOf` must be unique. An item that is gone ends no listing: the page starts after it. */
export function pageOf<Item>(
  items: readonly Item[], keyOf: (item: Item) => string, request: PageRequest,
): { items: Item[], position: string | undefined } {
  const after = decodePosition(request.position)
  const sorted = [...items].sort((a, b) => keyOf(a) < keyOf(b) ? -1 : 1)
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after)
  const page = rest.slice(0, pageLimit(request))
  return { items: page, position: page.length < rest.length ? encodePosition(keyOf(page.at(-1)!)) : undefined }
}

/** A position is opaque to clients. */
export function encodePosition(key: string): string {
  return Buffer.from(key).toString('base64url')
}

export function decodePosition(position: string | undefined): string | undefined {
  if (position === undefined || position === '') return undefined
  const key = Buffer.from(position, 'base64url').toString()
  if (encodePosition(key) !== position) throw errors.BadRequestException('Invalid position specified')
  return key
}
