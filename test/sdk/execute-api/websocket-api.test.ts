// WebSocket APIs as backends and clients meet them: real functions, a real client, and answers sent by the management API.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { ApiGatewayManagementApiClient, DeleteConnectionCommand, GetConnectionCommand, GoneException, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi'
import { functionArnOf } from '#test/support/http-api.ts'
import { deployNode } from '../lambda/deploy.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { newSocketApi, Refused, type TestSocketApi } from '#test/support/websocket-api.ts'

/** Answers what the query or the message asks for, the event itself otherwise. */
const echo = `export const handler = async (event) => {
  const { answer } = event.queryStringParameters ?? (event.body?.startsWith('{') ? JSON.parse(event.body) : {}) ?? {}
  if (answer === 'fail') throw new Error('no')
  if (answer === 'nothing') return
  return answer === undefined ? { statusCode: 200, body: JSON.stringify(event) } : JSON.parse(answer)
}`

const integration = { IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf('echo') } as const

async function echoing(t: TestContext): Promise<{ server: TestServer } & TestSocketApi> {
  const server = await startServer(t)
  await deployNode(server, 'echo', echo)
  const api = await newSocketApi(server, {
    routes: { $connect: integration, $disconnect: integration, $default: { ...integration, isTwoWay: true }, quiet: integration },
    stage: { StageVariables: { color: 'blue' } },
  })
  return { server, ...api }
}

describe('a WebSocket API before a function', () => {
  test('turns clients away as $connect says, and answers messages of two-way routes', async (t) => {
    const { connect, permit, ApiId, server, url } = await echoing(t)
    await assert.rejects(connect(), (error) => error instanceof Refused && error.status === 500 && JSON.parse(error.body).message === 'Internal server error')
    await permit('echo')
    const refusal = async (answer: string) => connect({ query: `answer=${encodeURIComponent(answer)}` }).then(() => 'connected', (error: Refused) => error.status)
    assert.equal(await refusal('{"statusCode":401}'), 401)
    assert.equal(await refusal('{"statusCode":418}'), 418)
    assert.equal(await refusal('fail'), 502)
    assert.equal(await refusal('nothing'), 502)
    await using client = await connect({ query: 'a=1&a=2' })
    const event = JSON.parse(await client.ask('hello'))
    assert.equal(event.body, 'hello')
    const { connectionId } = event.requestContext
    assert.match(connectionId, /^[A-Za-z0-9_-]{15}=$/)
    const failed = JSON.parse(await client.ask({ action: 'quiet', answer: 'fail' }))
    assert.deepEqual(Object.keys(failed), ['message', 'connectionId', 'requestId'])
    assert.equal(failed.message, 'Internal server error')

    const management = new ApiGatewayManagementApiClient({ endpoint: url.replace('ws:', 'http:'), region: 'us-east-1', credentials: server.credentials })
    t.after(() => management.destroy())
    await management.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: 'pushed' }))
    assert.equal(await client.next(), 'pushed')
    const { Identity } = await management.send(new GetConnectionCommand({ ConnectionId: connectionId }))
    assert.equal(Identity?.SourceIp, '127.0.0.1')
    await management.send(new DeleteConnectionCommand({ ConnectionId: connectionId }))
    assert.equal((await client.closed).code, 1000)
    await assert.rejects(management.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: 'x' })), GoneException)
    assert.ok(ApiId)
  })
})
