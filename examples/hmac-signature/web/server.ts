// The microservice: a form that asks for a signature, submitted by the server itself, so that the browser never sees the API key.
//
// usage: GATEWAY_URL=… API_KEY=… [PORT=80] [HOST=0.0.0.0] node server.ts

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { askForSignature, type Answer } from './client.ts'
import { failurePage, formPage, resultPage } from './pages.ts'

const { GATEWAY_URL: gatewayUrl, API_KEY: key, PORT = '80', HOST = '0.0.0.0' } = process.env
if (!gatewayUrl || !key) {
  console.error('Set GATEWAY_URL to the address of the endpoint and API_KEY to its key.')
  process.exit(1)
}

/** Bytes. A form of three short fields. */
const FORM_BYTES_MAX = 16 * 1024
const fields = { Callback: 'callback', ClientID: 'clientid', ClientSecret: 'clientsecret' } as const

interface Page {
  status: number
  html: string
}

const server = createServer(async (request, response) => {
  const { status, html } = await pageFor(request).catch((error: unknown): Page => {
    console.error(error)
    return { status: 500, html: failurePage('Something went wrong', 'The form could not be handled.') }
  })
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', ...(request.complete ? {} : { connection: 'close' }) }).end(html)
})
server.requestTimeout = 30_000
server.listen(Number(PORT), HOST, () => {
  const { address, port } = server.address() as AddressInfo
  console.log(`the form is at http://${address.includes(':') ? `[${address}]` : address}:${port}/`)
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    server.close()
    server.closeAllConnections()
  })
}

async function pageFor(request: IncomingMessage): Promise<Page> {
  const { pathname } = new URL(request.url ?? '/', 'http://form')
  if (pathname === '/' && request.method === 'GET') return { status: 200, html: formPage }
  if (pathname === '/lambdasubmit' && request.method === 'POST') return submit(request)
  return { status: 404, html: failurePage('Not here', 'There is a form at the root of this server, and nothing else.') }
}

async function submit(request: IncomingMessage): Promise<Page> {
  const body = await bodyOf(request)
  if (body === undefined) return { status: 413, html: failurePage('Too long', `A form has at most ${FORM_BYTES_MAX.toLocaleString('en-US')} bytes.`) }
  const form = new URLSearchParams(body)
  const missing = Object.keys(fields).filter((name) => (form.get(name) ?? '').trim() === '')
  if (missing.length > 0) return { status: 400, html: failurePage('Something is missing', `Fill in ${missing.join(', ')}.`) }
  const parameters = { callback: form.get('Callback')!, clientid: form.get('ClientID')!, clientsecret: form.get('ClientSecret')! }
  let answer: Answer
  try {
    answer = await askForSignature(gatewayUrl!, key, parameters)
  } catch (error) {
    console.error(`no answer from the gateway: ${(error as Error).message}`)
    return { status: 502, html: failurePage('The gateway does not answer', 'The form is fine, but nobody could be asked for the signature. Try again later.') }
  }
  if (answer.status === 200) return { status: 200, html: resultPage(JSON.parse(answer.text) as Record<string, unknown>) }
  console.error(`the gateway answered ${answer.status}`)
  if (answer.status === 403) return { status: 502, html: failurePage('The gateway refused the key', 'The API key of this service is missing, wrong or disabled. Whoever runs the service must set another one.') }
  if (answer.status === 429) return { status: 503, html: failurePage('Too many signatures', 'The API key has reached the limit of its usage plan. Try again later.') }
  return { status: 502, html: failurePage(`The gateway answered ${answer.status}`, answer.text.slice(0, 1000)) }
}

/** Undefined for a body that is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > FORM_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
