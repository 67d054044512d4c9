// Signing keys: derived by four HMACs from a secret and a scope, and kept, because a client signs all day with one.

import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { TERMINATOR } from './canonical.ts'

/** The part of a scope from which a key is derived. */
export interface KeyScope {
  /** `YYYYMMDD`. */
  date: string
  region: string
  service: string
}

/** Source: IAM user guide, "Create a signed AWS API request", step 5. */
export function deriveSigningKey(secretAccessKey: string, { date, region, service }: KeyScope): KeyObject {
  let key: Buffer = hmac(`AWS4${secretAccessKey}`, date)
  for (const part of [region, service, TERMINATOR]) key = hmac(key, part)
  return createSecretKey(key)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** The signature of a string to sign, lower-case hexadecimal. */
export function signatureOf(signingKey: KeyObject, text: string): string {
  return createHmac('sha256', signingKey).update(text, 'latin1').digest('hex')
}

export interface SigningKeyCache {
  /**
   * The key for a credential, `accessKeyId/date/region/service/aws4_request`, whose secret is known. A kept key is only
   * given for the secret that it was derived from.
   */
  get(credential: string, secretAccessKey: string, scope: KeyScope): KeyObject
  readonly size: number
}

/** Keeps at most `keysMax` keys; the least recently used goes first. */
export function createSigningKeyCache(keysMax: number): SigningKeyCache {
  const kept = new Map<string, { secretAccessKey: string, key: KeyObject }>()
  return {
    get(credential, secretAccessKey, scope) {
      const found = kept.get(credential)
      // A map remembers the order of insertion: what is used moves to the end.
      if (found) kept.delete(credential)
      const entry = found?.secretAccessKey === secretAccessKey ? found : { secretAccessKey, key: deriveSigningKey(secretAccessKey, scope) }
      kept.set(credential, entry)
      if (kept.size > keysMax) kept.delete(kept.keys().next().value!)
      return entry.key
    },
    get size() { return kept.size },
  }
}
