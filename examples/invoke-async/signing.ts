// Signature Version 4 of one request to Lambda, step by step, as the document takes them.

import { createHash, createHmac } from 'node:crypto'

export interface Keys {
  accessKey: string
  secretKey: string
}

export interface RequestToSign {
  method: string
  /** As the Host header will say it. */
  host: string
  path: string
  contentType: string
  body: string
  region: string
  service: string
  /** `20141215T104432Z`. */
  amzDate: string
}

export interface Signed {
  canonicalRequest: string
  stringToSign: string
  headers: Record<string, string>
}

export function sign({ method, host, path, contentType, body, region, service, amzDate }: RequestToSign, { accessKey, secretKey }: Keys): Signed {
  const date = amzDate.slice(0, 8)

  // Task 1: the canonical request. The content type is among the signed headers; there is no query.
  const signedHeaders = 'content-type;host;x-amz-date'
  const canonicalHeaders = `content-type:${contentType}\nhost:${host}\nx-amz-date:${amzDate}\n`
  const canonicalRequest = [method, path, '', canonicalHeaders, signedHeaders, sha256(body)].join('\n')

  // Task 2: the string to sign.
  const scope = `${date}/${region}/${service}/aws4_request`
  const stringToSign = ['AWS4-HMAC-SHA256', amzDate, scope, sha256(canonicalRequest)].join('\n')

  // Task 3: the signature, with a key for this day, region and service.
  const signingKey = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretKey}`)
  const signature = hmac(signingKey, stringToSign).toString('hex')

  // Task 4: what the request carries.
  return {
    canonicalRequest,
    stringToSign,
    headers: {
      'Content-Type': contentType,
      Host: host,
      'X-Amz-Date': amzDate,
      Authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    },
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
