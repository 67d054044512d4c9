// What a stage of a WebSocket API logs of its connections' events by level, read back from CloudWatch Logs, and the role that it needs.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { UpdateStageCommand, type CreateStageCommandInput, type RouteSettings } from '@aws-sdk/client-apigatewayv2'
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { functionArnOf } from '#test/support/http-api.ts'
import { allowLogging, namesRole } from '#test/support/logging-role.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { newSocketApi, Refused, type TestSocketApi } from '#test/support/websocket-api.ts'
import { deployNode } from '../lambda/deploy.ts'

let server: TestServer
before(async () => {
  server = await startServer()
  await deployNode(server, 'logged', `export const handler = async ({ type, methodArn, body }) => {
    if (type === 'REQUEST') return { principalId: 'me', policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: methodArn }] } }
    if (body === 'fail') throw new Error('out of order')
    return { statusCode: 200, body: 'answer' }
  }`)
})
after(() => server.close())

const proxy = { IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf('logged') } as const
const AuthorizerUri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArnOf('logged')}/invocations`

async function logged(stage: Partial<CreateStageCommandInput>): Promise<TestSocketApi & { lines(isThere: (lines: string[]) => boolean): Promise<string[]> }> {
  const api = await newSocketApi(server, {
    authorizers: { keeper: { AuthorizerType: 'REQUEST', AuthorizerUri, IdentitySource: ['route.request.querystring.token'] } },
    routes: { $connect: { ...proxy, route: { AuthorizationType: 'CUSTOM', authorizer: 'keeper' } }, $default: { ...proxy, isTwoWay: true }, $disconnect: proxy },
    stage,
  })
  await api.permit('logged')
  return {
    ...api,
    /** Waits until they are. */
    async lines(isThere) {
      for (;;) {
        const { events = [] } = await server.logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/apigateway/${api.ApiId}/prod` })).catch((error: Error) => {
          if (error.name === 'ResourceNotFoundException') return { events: [] }
          throw error
        })
        const lines = events.map(({ message }) => message!)
        if (isThere(lines)) return lines
      }
    },
  }
}

const token = 'eyJhbGciOiJIUzI1NiJ9.secret.sealed'

async function visit({ connect }: TestSocketApi): Promise<void> {
  const client = await connect({ query: `token=${token}`, headers: { 'User-Agent': 'tested/1.0' } })
  await client.ask('hello')
  await client.ask('fail')
  await client[Symbol.asyncDispose]()
}

/** Without the request's id, and with a word for every id and time that is another each time. */
const told = (lines: readonly string[], { ApiId }: TestSocketApi): string[] => lines.map((line) => line
  .replace(/^\([\w-]{15}=\) /, '').replaceAll(ApiId, 'API').replace(/(Connection Id: )[\w-]+=?/, '$1ID').replace(/(request(?: Id)?: )[\w-]{15}=/i, '$1ID').replace(/(R|r)equest(Id :| id:) [0-9a-f-]{36}/, '$1equest$2 UUID'))

const setting = (settings: RouteSettings): Partial<CreateStageCommandInput> => ({ DefaultRouteSettings: settings })

describe('the execution log of a WebSocket API', () => {
  test('needs the role that the account names, when a stage is made and when it is changed; so do access logs', async () => {
    const refusal = [400, 'BadRequestException', 'CloudWatch Logs role ARN must be set in account settings to enable logging'] as const
    for (const settings of [
      setting({ LoggingLevel: 'ERROR' }), { RouteSettings: { $default: { LoggingLevel: 'INFO' } } },
      { AccessLogSettings: { DestinationArn: 'arn:aws:logs:us-east-1:000000000000:log-group:access', Format: '$context.requestId' } },
    ] satisfies Partial<CreateStageCommandInput>[]) {
      await refuses(logged(settings), ...refusal)
      const { ApiId } = await logged(setting({ LoggingLevel: 'OFF', DataTraceEnabled: true }))
      await refuses(server.apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: 'prod', ...settings })), ...refusal)
    }
    await allowLogging(server)
    const { ApiId } = await logged(setting({ LoggingLevel: 'ERROR' }))
    await server.apigateway.send(namesRole(''))
    await server.apigatewayv2.send(new UpdateStageCommand({ ApiId, StageName: 'prod', Description: 'what does not log more needs none' }))
    await server.apigateway.send(namesRole('arn:aws:iam::000000000000:role/logging'))
  })

  test('tells at ERROR of failures alone, and nothing when it is OFF', async () => {
    const silent = await logged(setting({ LoggingLevel: 'OFF', DataTraceEnabled: true }))
    await visit(silent)
    const api = await logged(setting({ LoggingLevel: 'ERROR', DataTraceEnabled: true }))
    await visit(api)
    await assert.rejects(api.connect(), Refused)
    const lines = told(await api.lines((all) => all.some((line) => line.includes('Unauthorized'))), api)
    assert.deepEqual(lines.map((line) => line.replace(/(customer function error: ).*/, '$1…')), [
      'Extended Request Id: ID', 'Lambda execution failed with status 200 due to customer function error: …', 'Method completed with status: 502',
      'Extended Request Id: ID', 'Unauthorized request: ID', 'Method completed with status: 401',
    ])
    assert.deepEqual(await silent.lines(() => true), [])
  })

  test('tells at INFO how each event began and ended', async () => {
    const api = await logged(setting({ LoggingLevel: 'INFO' }))
    await visit(api)
    const lines = told(await api.lines((all) => all.some((line) => line.includes('Close reason')) && all.length >= 24), api)
    assert.deepEqual(lines.map((line) => line.replace(/(customer function error: ).*/, '$1…').replace(/(authorizer: )\w+/, '$1AUTH')), [
      'Extended Request Id: ID', 'Starting authorizer: AUTH for request: ID', 'Using valid authorizer policy for principal: **', 'Successfully completed authorizer execution',
      'Starting execution for request: ID', 'WebSocket Request Route: [$connect]', 'Client [UserAgent: tested/1.0, SourceIp: 127.0.0.1] is connecting to WebSocket API [API].',
      'Client [Connection Id: ID] connected to API [API] successfully.', 'AWS Integration Endpoint RequestId : UUID',
      'Extended Request Id: ID', 'Starting execution for request: ID', 'WebSocket Request Route: [$default]', 'WebSocket API [API] received message from client [Connection Id: ID].',
      'Message from client [Connection Id: ID] sent to API [API] with response status code [200].', 'AWS Integration Endpoint RequestId : UUID',
      'Extended Request Id: ID', 'Starting execution for request: ID', 'WebSocket Request Route: [$default]', 'WebSocket API [API] received message from client [Connection Id: ID].',
      'Lambda execution failed with status 200 due to customer function error: …', 'Method completed with status: 502', 'AWS Integration Endpoint RequestId : UUID',
      'Extended Request Id: ID', 'Starting execution for request: ID', 'WebSocket Request Route: [$disconnect]',
      'Client [Connection Id: ID] disconnected from API [API] with integration response status code [200]. Close reason: [1005: Client-side close frame status not set]',
      'AWS Integration Endpoint RequestId : UUID',
    ])
  })

  test('tells messages and payloads with data tracing, of the route that has it, and never what an authorizer looked at', async () => {
    const api = await logged({ ...setting({ LoggingLevel: 'INFO', DataTraceEnabled: true }), RouteSettings: { $disconnect: { LoggingLevel: 'OFF' } } })
    await visit(api)
    const lines = await api.lines((all) => all.some((line) => line.includes('out of order')))
    const text = lines.join('\n')
    for (const line of [
      /Incoming identity: \*+sealed$/m, /Authorizer result body before parsing: \{"principalId":"me"/, /Method request body before transformations: hello$/m, /Endpoint request URI: https:\/\/lambda\.us-east-1\.amazonaws\.com\//,
      /Endpoint request body after transformations: \{"headers":.*"eventType":"CONNECT"|Endpoint request body after transformations: \{"headers":.*\[TRUNCATED\]$/m, /Sending request to https:\/\/lambda\./,
      /Received response\. Status: 200, Integration latency: \d+ ms$/m, /Endpoint response body before transformations: \{"statusCode":200,"body":"answer"\}$/m,
    ]) assert.match(text, line)
    assert.doesNotMatch(text, /eyJhbGciOiJIUzI1NiJ9|Close reason/)
  })
})
