// Randomness, as the rest of the program sees it: identifiers and secrets are made here and nowhere else.

import { randomBytes, randomUUID } from 'node:crypto'

export interface RandomSource {
  bytes(length: number): Buffer
  uuid(): string
  /** `length` characters of `alphabet`, each equally likely. */
  text(length: number, alphabet: string): string
}

/** The alphabets of AWS's identifiers. */
export const alphabets = {
  /** Key and principal ids (`AKIA…`, `AROA…`) after their prefix. Source: IAM user guide, "IAM identifiers", unique identifiers. */
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  /** API Gateway ids. Observed in every published example: lower-case letters and digits. */
  lowerAlphanumeric: 'abcdefghijklmnopqrstuvwxyz0123456789',
  /** Secret access keys. Source: IAM user guide, "Manage access keys", examples. */
  secret: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
} as const

export const systemRandom: RandomSource = {
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
  text: (length, alphabet) => {
    let text = ''
    // Bytes past the last whole multiple of the alphabet's size would make some characters likelier.
    const usable = 256 - (256 % alphabet.length)
    while (text.length < length) {
      for (const byte of randomBytes(length * 2)) {
        if (byte < usable && text.length < length) text += alphabet[byte % alphabet.length]
      }
    }
    return text
  },
}
