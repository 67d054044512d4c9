// Signs what an OAuth endpoint wants signed: HMAC-SHA256 over secret, callback, client and time. Prints nothing: its event holds a secret.

import { createHmac } from 'node:crypto'

export interface SignatureEvent {
  callback: string
  clientid: string
  clientsecret: string
}

export interface SignatureAnswer extends SignatureEvent {
  /** Seconds since 1970, as text. */
  timestamp: string
  /** Base64. */
  signature: string
}

export function signatureOf({ callback, clientid, clientsecret }: SignatureEvent, timestamp: string): string {
  return createHmac('sha256', clientsecret).update(clientsecret + callback + clientid + timestamp, 'utf8').digest('base64')
}

const members = ['callback', 'clientid', 'clientsecret'] as const

export async function lambda_handler(event: Partial<Record<keyof SignatureEvent, unknown>> | null): Promise<SignatureAnswer> {
  const missing = members.find((name) => event?.[name] === undefined || event[name] === null)
  if (missing !== undefined) throw new Error(`The field ${missing} is missing.`)
  const [callback, clientid, clientsecret] = members.map((name) => String(event![name])) as [string, string, string]
  const timestamp = String(Math.floor(Date.now() / 1000))
  return { callback, clientid, clientsecret, timestamp, signature: signatureOf({ callback, clientid, clientsecret }, timestamp) }
}
