// In account A: assumes the role of account B, signs a GET by hand with the session's keys and token, and answers what the API answered.

import { createHash, createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'

export interface CallAnswer {
  statusCode: number
  body: string
}

const sts = new STSClient({})

export async function lambda_handler(): Promise<CallAnswer> {
  // Where the API answers, what is sent as its host, and what of it is called.
  const { ROLE_ARN, API_URL, API_HOST = new URL(API_URL!).host, API_REGION, EXTERNAL_ID } = process.env
  const { Credentials: session } = await sts.send(new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: 'AssumedRoleSession', ...(EXTERNAL_ID ? { ExternalId: EXTERNAL_ID } : {}) }))
  const url = new URL(`${API_URL}/hello`)
  const amzDate = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const date = amzDate.slice(0, 8)

  const signed = { 'host': API_HOST, 'x-amz-date': amzDate, 'x-amz-security-token': session!.SessionToken! }
  const signedHeaders = Object.keys(signed).join(';')
  const canonicalHeaders = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`).join('')
  const canonicalRequest = ['GET', url.pathname, '', canonicalHeaders, signedHeaders, sha256('')].join('\n')
  const scope = `${date}/${API_REGION}/execute-api/aws4_request`
  const stringToSign = ['AWS4-HMAC-SHA256', amzDate, scope, sha256(canonicalRequest)].join('\n')
  const signingKey = [date, API_REGION!, 'execute-api', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${session!.SecretAccessKey}`)
  const Authorization = `AWS4-HMAC-SHA256 Credential=${session!.AccessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${hmac(signingKey, stringToSign).toString('hex')}`

  const answer = await get(url, { ...signed, Authorization })
  console.log(`${answer.statusCode} ${answer.body}`)
  return answer
}

/** Node's own client: it sends the Host that was signed, wherever the connection goes. */
function get(url: URL, headers: Record<string, string>): Promise<CallAnswer> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { headers, timeout: 10_000 }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      resolve({ statusCode: response.statusCode!, body: Buffer.concat(chunks).toString('utf8') })
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url.host} does not answer`)))
    outgoing.on('error', reject)
    outgoing.end()
  })
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
