// Opaque `nextToken`s: what a listing needs to go on, in one piece.

import { badToken } from './errors.ts'

type Parts = readonly (string | number)[]

export function writeToken(parts: Parts): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** @throws InvalidParameterException for anything that `writeToken` did not make. */
export function readToken(token: string | undefined): string[] | undefined {
  if (token === undefined) return undefined
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (Array.isArray(parts) && writeToken(parts as Parts) === token) return parts.map(String)
  } catch {
    // Said below.
  }
  throw badToken()
}

/** A number in a token that was read. */
export function numberIn(part: string | undefined): number {
  if (part === undefined || !/^\d{1,15}$/.test(part)) throw badToken()
  return Number(part)
}
