// What a stage of a WebSocket API logs of each event, in its own format, read back from CloudWatch Logs.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { signHeaders } from '#aws/sigv4/sign.ts'
import { functionArnOf } from '#test/support/http-api.ts'
import { allowLogging } from '#test/support/logging-role.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { newSocketApi, type SocketApiGiven, type TestSocketApi } from '#test/support/websocket-api.ts'
import { deployNode } from '../lambda/deploy.ts'

/**
 * Source: API Gateway developer guide, "Configure logging for WebSocket APIs in API Gateway", the table, without what stands for Cognito and WAF. In two
 * halves: a format has at most 1,024 characters.
 */
const always = [
  'eventType', 'routeKey', 'status', 'error.message', 'error.messageString', 'error.responseType', 'integration.error', 'integration.integrationStatus', 'integration.latency',
  'integration.status', 'integrationLatency', 'requestId', 'apiId', 'domainName', 'stage', 'identity.sourceIp',
] as const
const ofCallers = [
  ...always, 'authenticate.error', 'authenticate.latency', 'authenticate.status', 'authorize.error', 'authorize.latency', 'authorize.status', 'connectedAt', 'connectionId',
  'identity.accountId', 'identity.caller', 'identity.user', 'identity.userAgent', 'identity.userArn', 'requestTime', 'requestTimeEpoch',
] as const
const ofAuthorizers = [
  ...always, 'authorizer.error', 'authorizer.integrationLatency', 'authorizer.integrationStatus', 'authorizer.latency', 'authorizer.requestId', 'authorizer.status',
  'authorizer.principalId', 'authorizer.team', 'error.validationErrorString', 'extendedRequestId', 'identity.apiKey', 'identity.apiKeyId', 'integration.requestId', 'messageId',
] as const

type Line = Record<string, string>

const account = '000000000000'
const GROUP = '/sockets/access'
const DestinationArn = `arn:aws:logs:us-east-1:${account}:log-group:${GROUP}`
let server: TestServer
before(async () => {
  server = await startServer()
  await allowLogging(server)
  await server.logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }))
  await deployNode(server, 'both', `export const handler = async ({ type, headers, methodArn, body }) => {
    if (type === 'REQUEST') return { principalId: 'me', context: { team: 'blue' }, policyDocument: { Version: '2012-10-17', Statement: [{ Effect: headers.effect ?? 'Allow', Action: 'execute-api:Invoke', Resource: methodArn }] } }
    if (body === 'fail') throw new Error('out of order')
    return { statusCode: body ? 201 : 200, body: 'answer' }
  }`)
})
after(() => server.close())

async function logged(names: readonly string[], given: Pick<SocketApiGiven, 'authorizers' | 'routes'>): Promise<TestSocketApi & { lines(count: number): Promise<Line[]> }> {
  const Format = names.map((name) => `$context.${name}`).join('|')
  const api = await newSocketApi(server, { ...given, stage: { AccessLogSettings: { DestinationArn, Format } } })
  await api.permit('both')
  return {
    ...api,
    /** Waits until there are so many of this API, oldest first. */
    async lines(count) {
      for (;;) {
        const { events = [] } = await server.logs.send(new FilterLogEventsCommand({ logGroupName: GROUP, filterPattern: `"${api.ApiId}"` }))
        if (events.length >= count) return events.map(({ message }) => Object.fromEntries(message!.split('|').map((value, index) => [names[index], value])) as Line)
      }
    },
  }
}

/** Those that are not `-`, without the latencies and ids that are different every time, which must look like such. */
function shown(line: Line): Line {
  const known = Object.entries(line).filter(([, value]) => value !== '-')
  return Object.fromEntries(known.filter(([name, value]) => {
    if (/latency$/i.test(name)) return assert.match(value, /^\d+$/, name)
    if (/requestId$/i.test(name) && name.includes('.')) return assert.match(value, /^[0-9a-f-]{36}$/, name)
    if (/^(extendedR|r)equestId$|^messageId$|^connectionId$/.test(name)) return assert.match(value, /^[\w-]{15}=$/, name)
    if (name === 'requestTimeEpoch' || name === 'connectedAt') return assert.match(value, /^\d{13}$/, name)
    if (name === 'requestTime') return assert.match(value, /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/)
    return true
  }))
}

const proxy = { IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf('both') } as const

describe('the access log of a WebSocket API', () => {
  test('tells of refused handshakes, whom it refused and why', async () => {
    const { connect, lines, ApiId, host } = await logged(ofCallers, { routes: { $connect: { ...proxy, route: { AuthorizationType: 'AWS_IAM' } } } })
    const nobody = await server.user('nobody', [{ Effect: 'Allow', Action: 'lambda:*', Resource: '*' }])
    const signed = (credentials: typeof nobody) => signHeaders({ method: 'GET', path: '/prod', rawQuery: '', headers: { Host: host }, body: Buffer.alloc(0), service: 'execute-api', region: 'us-east-1', credentials, nowMs: Date.now() })
    const url = `ws://127.0.0.1:${server.port}/prod`
    await assert.rejects(connect({ url, headers: { 'Host': host, 'User-Agent': 'tested/1.0' } }))
    await assert.rejects(connect({ url, headers: signed(nobody) }))
    await (await connect({ url, headers: signed(server.credentials) }))[Symbol.asyncDispose]()
    const written = (await lines(3)).slice(0, 3)
    const timed = ['authenticate.latency', 'authorize.latency', 'integration.latency', 'integrationLatency'] as const
    assert.deepEqual(written.map((line) => timed.map((name) => line[name] !== '-')), [[true, false, false, false], [true, true, false, false], [true, true, true, true]])
    const [unsigned, denied, welcome] = written.map(shown)
    const all = { 'apiId': ApiId, 'domainName': host.replace(/:\d+$/, ''), 'eventType': 'CONNECT', 'identity.sourceIp': '127.0.0.1', 'routeKey': '$connect', 'stage': 'prod' }
    assert.deepEqual(unsigned, {
      ...all, 'authenticate.error': 'Missing Authentication Token', 'authenticate.status': '403', 'error.message': 'Missing Authentication Token', 'error.messageString': '"Missing Authentication Token"',
      'error.responseType': 'MISSING_AUTHENTICATION_TOKEN', 'identity.userAgent': 'tested/1.0', 'status': '403',
    })
    const refusal = `User: arn:aws:iam::${account}:user/nobody is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:${ApiId}/prod/$connect`
    assert.partialDeepStrictEqual(denied, { ...all, 'authenticate.status': '200', 'authorize.status': '403', 'error.responseType': 'ACCESS_DENIED', 'status': '403' })
    for (const name of ['authorize.error', 'error.message']) assert.ok(denied![name]?.startsWith(refusal), String(denied![name]))
    assert.deepEqual(welcome, {
      ...all, 'authenticate.status': '200', 'authorize.status': '200', 'identity.accountId': account, 'identity.caller': account, 'identity.user': account, 'identity.userArn': `arn:aws:iam::${account}:root`,
      'integration.integrationStatus': '200', 'integration.status': '200', 'status': '200',
    })
  })

  test('tells of every event of a connection, and of what stood behind it', async () => {
    const AuthorizerUri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArnOf('both')}/invocations`
    const { connect, lines, ApiId } = await logged(ofAuthorizers, {
      authorizers: { keeper: { AuthorizerType: 'REQUEST', AuthorizerUri, IdentitySource: [] } },
      routes: { $connect: { ...proxy, route: { AuthorizationType: 'CUSTOM', authorizer: 'keeper' } }, $default: { ...proxy, isTwoWay: true }, $disconnect: proxy },
    })
    await assert.rejects(connect({ headers: { effect: 'Deny' } }))
    const client = await connect()
    await client.ask('hello')
    await client.ask('fail')
    await client[Symbol.asyncDispose]()
    const [denied, connected, answered, failed, ended] = (await lines(5)).map(shown)
    const all = { 'apiId': ApiId, 'domainName': '127.0.0.1', 'identity.sourceIp': '127.0.0.1', 'stage': 'prod', 'authorizer.principalId': 'me', 'authorizer.team': 'blue' }
    const asked = { 'authorizer.integrationStatus': '200', 'eventType': 'CONNECT', 'routeKey': '$connect' }
    const message = 'User is not authorized to access this resource with an explicit deny in an identity-based policy'
    assert.deepEqual(denied, {
      ...all, ...asked, 'authorizer.status': '403', 'authorizer.error': message, 'error.message': message, 'error.messageString': `"${message}"`, 'error.responseType': 'ACCESS_DENIED', 'status': '403',
    })
    const worked = { 'integration.integrationStatus': '200', 'integration.status': '200', 'status': '200' }
    assert.deepEqual(connected, { ...all, ...asked, ...worked, 'authorizer.status': '200' })
    assert.deepEqual(answered, { ...all, ...worked, 'integration.status': '201', eventType: 'MESSAGE', routeKey: '$default' })
    const { 'integration.error': reason, ...refused } = failed!
    assert.deepEqual(refused, {
      ...all, 'eventType': 'MESSAGE', 'routeKey': '$default', 'error.message': 'Internal server error', 'error.messageString': '"Internal server error"', 'error.responseType': 'INTEGRATION_FAILURE',
      'integration.integrationStatus': '200', 'status': '502',
    })
    assert.match(reason!, /out of order/)
    assert.deepEqual(ended, { ...all, ...worked, eventType: 'DISCONNECT', routeKey: '$disconnect' })
  })
})
