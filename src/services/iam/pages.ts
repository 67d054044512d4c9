// Lists in pages: MaxItems, Marker and IsTruncated.

import { errors } from './errors.ts'

/** Source: IAM API reference, ListUsers, MaxItems. */
const ITEMS_DEFAULT = 100

export interface PageRequest {
  Marker?: string | undefined
  MaxItems?: number | undefined
}

export interface PageInfo {
  IsTruncated: boolean
  Marker?: string
}

/** What to read for a page: everything after a name, and one more item than fits, to know whether another page follows. */
export function sliceFor({ Marker, MaxItems = ITEMS_DEFAULT }: PageRequest): { after: string, limit: number } {
  return { after: Marker === undefined ? '' : readMarker(Marker), limit: MaxItems + 1 }
}

/** The items that fit, of one more than that, and what a client needs for the next page. */
export function pageOf<Item>(items: readonly Item[], nameOf: (item: Item) => string, { MaxItems = ITEMS_DEFAULT }: PageRequest): { page: Item[], info: PageInfo } {
  const page = items.slice(0, MaxItems)
  if (items.length <= MaxItems) return { page, info: { IsTruncated: false } }
  return { page, info: { IsTruncated: true, Marker: Buffer.from(`1${nameOf(page.at(-1)!)}`).toString('base64url') } }
}

/** A page of a list that is at hand whole, in order of name. */
export function pageOfAll<Item>(items: readonly Item[], nameOf: (item: Item) => string, request: PageRequest): { page: Item[], info: PageInfo } {
  const { after, limit } = sliceFor(request)
  return pageOf(items.filter((item) => nameOf(item) > after).slice(0, limit), nameOf, request)
}

/** Ours: the sentence; AWS's is not documented. */
function readMarker(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString('utf8')
  if (!text.startsWith('1')) throw errors.ValidationError(`Invalid Marker: ${marker}`)
  return text.slice(1)
}
