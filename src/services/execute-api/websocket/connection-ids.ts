// The ids of connections: 11 bytes as AWS's are, of which the first three say which process holds the connection.

import type { RandomSource } from '#lib/random.ts'

/** Bytes. */
const NODE_TAG_BYTES = 3
const ID_BYTES = 11

/** Source: connection ids that users publish (`L0SM9cOFvHcCIhw=`): 15 characters of base64url and an equals sign. */
const wellFormed = /^[A-Za-z0-9_-]{15}=$/

export function isConnectionId(text: string): boolean {
  return wellFormed.test(text)
}

/** Four characters of base64url. */
export function newNodeTag(random: RandomSource): string {
  return random.bytes(NODE_TAG_BYTES).toString('base64url')
}

export function newConnectionId(nodeTag: string, random: RandomSource): string {
  return `${nodeTag}${random.bytes(ID_BYTES - NODE_TAG_BYTES).toString('base64url')}=`
}

export function nodeTagOf(connectionId: string): string {
  return connectionId.slice(0, NODE_TAG_BYTES * 4 / 3)
}
