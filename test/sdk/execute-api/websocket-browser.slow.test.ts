// A page of another origin that talks over a WebSocket: its address is presigned, as a browser cannot sign headers.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ApiGatewayManagementApiClient, DeleteConnectionCommand, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi'
import { presignQuery } from '#aws/sigv4/sign.ts'
import { openBrowser } from '#test/support/browser.ts'
import { startServer } from '#test/support/server.ts'
import { newSocketApi } from '#test/support/websocket-api.ts'

const mock = { IntegrationType: 'MOCK', RequestTemplates: { $default: '{"statusCode": 200}' } } as const

/** Shows what comes and how the connection ended, and says hello once it is open. */
const page = `<!doctype html><ul></ul><script>
  const show = (text) => document.querySelector('ul').append(Object.assign(document.createElement('li'), { textContent: text }))
  const socket = new WebSocket(decodeURIComponent(location.hash.slice(1)))
  socket.onopen = () => socket.send('hello')
  socket.onmessage = ({ data }) => show(data)
  socket.onclose = ({ code, wasClean }) => show(code + ' ' + wasClean)
</script>`

test('a page in a browser is refused unsigned, and with a presigned address is answered and pushed to', async (t) => {
  const browser = await openBrowser(t)
  if (!browser) return
  const server = await startServer(t)
  const { url } = await newSocketApi(server, {
    routes: { $connect: { ...mock, route: { AuthorizationType: 'AWS_IAM' } }, $default: { ...mock, isTwoWay: true, responses: { $default: '$context.connectionId hears you' } } },
  })
  const site = createServer((_incoming, outgoing) => outgoing.setHeader('Content-Type', 'text/html; charset=utf-8').end(page)).listen(0, '127.0.0.1')
  t.after(() => site.close())
  await once(site, 'listening')
  const show = async (address: string) => {
    const tab = await browser.newPage()
    await tab.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/#${encodeURIComponent(address)}`)
    return tab
  }
  /** The text of the item of that number, when there is one. */
  const item = async (tab: Awaited<ReturnType<typeof show>>, index: number) => await tab.locator('li').nth(index).textContent() ?? ''

  assert.equal(await item(await show(url), 0), '1006 false')
  const { host, pathname: path } = new URL(url)
  const query = presignQuery({ method: 'GET', path, rawQuery: '', headers: { Host: host }, body: Buffer.alloc(0), service: 'execute-api', region: 'us-east-1', credentials: server.credentials, nowMs: Date.now(), expiresSeconds: 60 })
  const tab = await show(`${url}?${query}`)
  const [, ConnectionId] = /^(\S{16}) hears you$/.exec(await item(tab, 0)) ?? assert.fail(await item(tab, 0))
  const management = new ApiGatewayManagementApiClient({ endpoint: url.replace('ws:', 'http:'), region: 'us-east-1', credentials: server.credentials })
  t.after(() => management.destroy())
  await management.send(new PostToConnectionCommand({ ConnectionId, Data: 'pushed' }))
  assert.equal(await item(tab, 1), 'pushed')
  await management.send(new DeleteConnectionCommand({ ConnectionId }))
  assert.equal(await item(tab, 2), '1000 true')
})
