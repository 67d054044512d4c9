// Signing keys: derived by four HMACs from a secret and a scope, and kept, because a client signs all day with one.

import { createHmac, hash } from 'node:crypto'
import { TERMINATOR } from './canonical.ts'

/** The part of a scope from which a key is derived. */
export interface KeyScope {
  /** `YYYYMMDD`. */
  date: string
  region: string
  service: string
}

/** A key as HMAC uses it: each pad with the key over it, made once. */
export interface SigningKey {
  inner: Buffer
  outer: Buffer
}

const BLOCK_BYTES = 64
const HASH_BYTES = 32

/** Source: IAM user guide, "Create a signed AWS API request", step 5. */
export function deriveSigningKey(secretAccessKey: string, { date, region, service }: KeyScope): SigningKey {
  let key: Buffer = hmac(`AWS4${secretAccessKey}`, date)
  for (const part of [region, service, TERMINATOR]) key = hmac(key, part)
  return { inner: padded(key, 0x36), outer: Buffer.concat([padded(key, 0x5c), Buffer.alloc(HASH_BYTES)]) }
}

function padded(key: Buffer, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, pad)
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad
  return block
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/**
 * The signature of a string to sign (one character a byte), lower-case hexadecimal: HMAC-SHA256 by its definition, because two plain
 * hashes over prepared pads take half the time of an `Hmac` object. Source: RFC 2104, 2 and 4.
 */
export function signatureOf({ inner, outer }: SigningKey, text: string): string {
  const message = Buffer.allocUnsafe(BLOCK_BYTES + text.length)
  inner.copy(message)
  message.write(text, BLOCK_BYTES, 'latin1')
  outer.write(hash('sha256', message, 'hex'), BLOCK_BYTES, 'hex')
  return hash('sha256', outer, 'hex')
}

export interface SigningKeyCache {
  /**
   * The key for a credential, `accessKeyId/date/region/service/aws4_request`, whose secret is known. A kept key is only
   * given for the secret that it was derived from.
   */
  get(credential: string, secretAccessKey: string, scope: KeyScope): SigningKey
  readonly size: number
}

/** Keeps at most `keysMax` keys; the least recently used goes first. */
export function createSigningKeyCache(keysMax: number): SigningKeyCache {
  const kept = new Map<string, { secretAccessKey: string, key: SigningKey }>()
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
