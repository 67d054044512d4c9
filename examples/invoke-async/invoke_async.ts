// Invokes a function asynchronously with a request that is signed by hand: prints what is signed, and the answer.
//
// usage: node invoke_async.ts [FUNCTION]
// Keys from AWS_ACCESS_KEY and AWS_SECRET_KEY, or from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. AWS_ENDPOINT_URL leads elsewhere than to AWS.

import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { sign } from './signing.ts'

const accessKey = process.env.AWS_ACCESS_KEY ?? process.env.AWS_ACCESS_KEY_ID
const secretKey = process.env.AWS_SECRET_KEY ?? process.env.AWS_SECRET_ACCESS_KEY
if (!accessKey || !secretKey) {
  console.error('No access key is available.')
  process.exit(1)
}
const region = process.env.AWS_REGION ?? 'us-east-1'
const endpoint = new URL(process.env.AWS_ENDPOINT_URL ?? `https://lambda.${region}.amazonaws.com`)
const path = `/2014-11-13/functions/${process.argv[2] ?? 'hello-reinvent'}/invoke-async/`
const body = '{}'

const { canonicalRequest, stringToSign, headers } = sign({
  method: 'POST', host: endpoint.host, path, contentType: 'application/x-amz-json-1.0', body, region, service: 'lambda',
  amzDate: new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, ''),
}, { accessKey, secretKey })
console.log(canonicalRequest)
console.log(stringToSign)

console.log('\nBEGIN REQUEST++++++++++++++++++++++++++++++++++++')
console.log(`Request URL = ${endpoint.origin}`)
const send = endpoint.protocol === 'https:' ? httpsRequest : httpRequest
const outgoing = send({ hostname: endpoint.hostname.replace(/^\[|\]$/g, ''), port: endpoint.port, path, method: 'POST', headers: { ...headers, 'Content-Length': Buffer.byteLength(body) } }, async (response) => {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  console.log('\nRESPONSE++++++++++++++++++++++++++++++++++++')
  console.log(`Response code: ${response.statusCode}\n`)
  console.log(Buffer.concat(chunks).toString('utf8'))
  process.exitCode = response.statusCode === 202 ? 0 : 1
})
outgoing.on('error', (error) => {
  console.error(`${endpoint.origin} cannot be reached: ${error.message}`)
  process.exitCode = 1
})
outgoing.end(body)
