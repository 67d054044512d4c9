// Lists in pages: `MaxResults` items from `NextToken` on.

import { errors } from './errors.ts'
import { PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX } from './limits.ts'

export interface PageRequest {
  MaxResults?: string | undefined
  NextToken?: string | undefined
}

/** The number of items that a request asks for, which travels as text. Ours: what is beyond the limits is cut. */
export function pageLimit({ MaxResults }: PageRequest): number {
  if (MaxResults === undefined || MaxResults === '') return PAGE_ITEMS_DEFAULT
  // Ours: the words.
  if (!/^\d{1,9}$/.test(MaxResults)) throw errors.BadRequestException('Invalid maxResults specified')
  return Math.min(Math.max(Number(MaxResults), 1), PAGE_ITEMS_MAX)
}

/** One page of items that are at hand, in their order; `keyOf` must be unique. An item that is gone ends no listing: the page starts after it. */
export function pageOf<Item>(items: readonly Item[], keyOf: (item: Item) => string, request: PageRequest): { Items: Item[], NextToken: string | undefined } {
  const after = decodeToken(request.NextToken)
  const sorted = [...items].sort((a, b) => keyOf(a) < keyOf(b) ? -1 : 1)
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after)
  const page = rest.slice(0, pageLimit(request))
  return { Items: page, NextToken: page.length < rest.length ? encodeToken(keyOf(page.at(-1)!)) : undefined }
}

/** A token is opaque to clients. */
export function encodeToken(key: string): string {
  return Buffer.from(key).toString('base64url')
}

export function decodeToken(token: string | undefined): string | undefined {
  if (token === undefined || token === '') return undefined
  const key = Buffer.from(token, 'base64url').toString()
  // Ours: the words.
  if (encodeToken(key) !== token) throw errors.BadRequestException('Invalid nextToken specified')
  return key
}
