// Signs as clients without a library do: host, date and token, joined by hand.

import { createHash, createHmac } from 'node:crypto'
import type { Credentials } from './server.ts'

/** Signs a GET without query and body. Its text can be made part of a function's code, after an import of `createHash` and `createHmac`. */
export function signedHeaders({ host, path, region, credentials, nowMs }: { host: string, path: string, region: string, credentials: Credentials, nowMs: number }): Record<string, string> {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const amzDate = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = amzDate.slice(0, 8)
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const names = sessionToken === undefined ? 'host;x-amz-date' : 'host;x-amz-date;x-amz-security-token'
  const token = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`
  const canonical = `GET\n${path}\n\nhost:${host}\nx-amz-date:${amzDate}\n${token}\n${names}\n${sha256('')}`
  const scope = `${day}/${region}/execute-api/aws4_request`
  const key = ['execute-api', 'aws4_request'].reduce(hmac as (key: Buffer, text: string) => Buffer, hmac(hmac(`AWS4${secretAccessKey}`, day), region))
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256(canonical)}`).toString('hex')
  return {
    Host: host, 'X-Amz-Date': amzDate, ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
    Authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}
