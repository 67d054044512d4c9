// Sends what only looks like signed requests to a real server, for any number of them.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import fc from 'fast-check'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import type { HttpRequest } from '#lib/http.ts'
import { forgeries } from '#test/support/signed-requests.ts'
import type { TestServer } from '#test/support/server.ts'

const definition = JSON.stringify({ swagger: '2.0', info: { title: 'x', version: '1' }, paths: { '/{proxy+}': { 'x-amazon-apigateway-any-method': {
  responses: { 200: { description: 'fine' } }, 'x-amazon-apigateway-auth': { type: 'aws_iam' },
  'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200' } } },
} } } })

/** Statuses with which a request that nobody signed may be answered; 501 is a service by a made-up name. */
const refusals = new Set([400, 403, 404, 405, 413, 414, 415, 431, 501])

/** Whatever is sent, to a service or to a deployed API, is refused: no 2xx, and no failure of ours. */
export async function refusesWhateverLooksSigned(server: TestServer, runs: number): Promise<void> {
  const { id } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(definition) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
  const doors = fc.constantFrom(
    { path: '/', more: ['X-Amz-Target: DynamoDB_20120810.ListTables', 'Content-Type: application/x-amz-json-1.0'] },
    { path: '/', more: ['Content-Type: application/x-www-form-urlencoded'], body: 'Action=GetCallerIdentity&Version=2011-06-15' },
    { path: '/2015-03-31/functions', more: [] },
    { path: '/restapis', more: [] },
    { path: '/_countersign/accounts', more: [] },
    { path: '/_countersign/traces/x', more: [] },
    { path: `/_aws/execute-api/${id}/dev/a`, more: [] },
    { path: `/restapis/${id}/dev/_user_request_/a`, more: [] },
    // The path that was drawn.
    { path: undefined, more: [`X-Api: ${id}`] },
  )
  await fc.assert(fc.asyncProperty(forgeries, doors, fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), fc.constantFrom(server.credentials.accessKeyId, undefined), async (request, { path, more, body = '' }, method, accessKeyId) => {
    // Half of the requests name a key that exists.
    const withKey = (text: string) => accessKeyId === undefined ? text : text.replaceAll('AKIAIOSFODNN7EXAMPLE', accessKeyId)
    const bytes = Buffer.from(withKey(bytesOf(request, { method, path, more, body })), 'latin1')
    const status = await statusOf(bytes, server.port)
    assert.ok(refusals.has(status), `${status} to ${JSON.stringify(bytes.toString('latin1'))}`)
  }), { numRuns: runs })
}

/** Everything that HTTP itself would not carry is left out of lines; what is left is sent as it is. */
function bytesOf({ path: drawn, rawQuery, headers }: HttpRequest, { method, path, more, body }: { method: string, path: string | undefined, more: readonly string[], body: string }): string {
  const drawnTarget = `${path ?? drawn}${rawQuery === '' ? '' : `?${rawQuery}`}`
  const target = Array.from(drawnTarget, (character) => /[!-"$-~]/.test(character) ? character : encodeURIComponent(character)).join('')
  const lines = headers.entries().map(([name, value]) => `${name}: ${Array.from(value).filter((character) => /[\t -~\u0080-\u00ff]/.test(character)).join('')}`)
  return `${method} ${target} HTTP/1.1\r\n${[...lines, ...more, `Content-Length: ${body.length}`, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`
}

function statusOf(bytes: Buffer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let head = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${JSON.stringify(bytes.toString('latin1'))}`)))
    socket.setEncoding('latin1').on('data', (text: string) => { head += text })
    socket.on('error', (error) => { if (head === '') reject(error) })
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)))
  })
}
