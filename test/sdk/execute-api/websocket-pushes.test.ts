// Messages that backends send to connected clients: by the official clients, from inside a function with its own credentials, and at every address.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import {
  ApiGatewayManagementApiClient, DeleteConnectionCommand, GetConnectionCommand, GoneException, PayloadTooLargeException, PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi'
import { CreateApiMappingCommand, CreateDeploymentCommand, CreateDomainNameCommand, CreateStageCommand } from '@aws-sdk/client-apigatewayv2'
import { newAccount } from '#test/support/accounts.ts'
import { functionArnOf } from '#test/support/http-api.ts'
import { absent, aws, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type Credentials, type TestServer } from '#test/support/server.ts'
import { newSocketApi, Refused, type TestSocket, type TestSocketApi } from '#test/support/websocket-api.ts'
import { deployNode } from '../lambda/deploy.ts'

const mock = { IntegrationType: 'MOCK', RequestTemplates: { $default: '{"statusCode": 200}' } } as const
const answersId = { ...mock, isTwoWay: true, responses: { $default: '$context.connectionId' } }
const MESSAGE_BYTES_MAX = 128 * 1024

/** Sends to its caller's connection in the role's name, and answers what that answered; at $connect, so that the client is told the status. */
const pusher = `import aws4 from 'aws4'
export const handler = async ({ requestContext: { apiId, stage, connectionId, eventType } }) => {
  const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = process.env
  const url = new URL(AWS_ENDPOINT_URL + '/_aws/execute-api/' + apiId + '/' + stage + '/@connections/' + encodeURIComponent(connectionId))
  const signed = aws4.sign({ host: url.host, path: url.pathname, method: 'POST', service: 'execute-api', region: AWS_REGION, body: 'pushed', headers: { 'Content-Type': 'text/plain' } }, { accessKeyId, secretAccessKey, sessionToken })
  const { Host, 'Content-Length': length, ...headers } = signed.headers
  const answer = await fetch(url, { method: 'POST', headers, body: 'pushed' })
  return { statusCode: eventType === 'CONNECT' ? answer.status : 200, body: JSON.stringify([answer.status, answer.headers.get('x-amzn-errortype'), await answer.text()]) }
}`

let server: TestServer
let api: TestSocketApi
before(async () => {
  server = await startServer()
  api = await newSocketApi(server, { routes: { $connect: mock, $default: answersId } })
})
after(() => server.close())

/** A client of this API by the address's path form, or at any address, whose host need not be known to DNS. */
function managementOf(t: TestContext, { endpoint = api.url.replace('ws:', 'http:'), credentials = server.credentials, region = 'us-east-1' }: { endpoint?: string, credentials?: Credentials, region?: string } = {}): ApiGatewayManagementApiClient {
  const httpAgent = new Agent({ lookup: (_host, _options, done) => { done(null, [{ address: '127.0.0.1', family: 4 }]) } })
  const client = new ApiGatewayManagementApiClient({ endpoint, region, credentials, maxAttempts: 1, requestHandler: { httpAgent } })
  t.after(() => {
    client.destroy()
    httpAgent.destroy()
  })
  return client
}

const post = (ConnectionId: string, Data: string | Uint8Array) => new PostToConnectionCommand({ ConnectionId, Data })

function nextFrame({ socket }: TestSocket): Promise<{ data: Buffer, isBinary: boolean }> {
  return new Promise((resolve) => socket.once('message', (data: Buffer, isBinary) => resolve({ data, isBinary })))
}

describe('a backend that sends', () => {
  test('is refused without permission, from elsewhere, for what is too large, and for a connection of another stage or API', async (t) => {
    await using client = await api.connect()
    const id = await client.ask('id')
    const { apigatewayv2 } = server
    await apigatewayv2.send(new CreateStageCommand({ ApiId: api.ApiId, StageName: 'dev' }))
    await apigatewayv2.send(new CreateDeploymentCommand({ ApiId: api.ApiId, StageName: 'dev' }))
    const other = await newSocketApi(server, { routes: { $default: mock } })
    for (const url of [api.url.replace('/prod', '/dev'), other.url]) {
      const management = managementOf(t, { endpoint: url.replace('ws:', 'http:') })
      for (const command of [post(id, 'x'), new GetConnectionCommand({ ConnectionId: id }), new DeleteConnectionCommand({ ConnectionId: id })]) {
        await assert.rejects(management.send(command as PostToConnectionCommand), GoneException)
      }
    }
    await assert.rejects(managementOf(t).send(post(id, Buffer.alloc(MESSAGE_BYTES_MAX + 1, 'a'))), PayloadTooLargeException)
    const invoker = await server.user('invoker', [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }])
    await refuses(managementOf(t, { credentials: invoker }).send(post(id, 'x')), 403, 'AccessDeniedException', /^User: arn:aws:iam::000000000000:user\/invoker is not authorized to perform: execute-api:ManageConnections/)
    await refuses(managementOf(t, { credentials: (await newAccount(server)).credentials }).send(post(id, 'x')), 403, 'AccessDeniedException', /is not authorized/)
    await refuses(managementOf(t, { region: 'eu-west-1' }).send(post(id, 'x')), 403, 'InvalidSignatureException', /^Credential should be scoped to a valid region/)
    assert.equal(await client.ask('nothing came before'), id)
  })

  test('reaches the client by every address, whole, as text and as bytes, and ends it', async (t) => {
    const { apigatewayv2, port } = server
    const domainName = 'ws.example.com'
    await apigatewayv2.send(new CreateDomainNameCommand({ DomainName: domainName, DomainNameConfigurations: [{ CertificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/a', EndpointType: 'REGIONAL' }] }))
    await apigatewayv2.send(new CreateApiMappingCommand({ DomainName: domainName, ApiId: api.ApiId, Stage: 'prod', ApiMappingKey: 'chat/v1' }))
    await using client = await api.connect({ headers: { 'User-Agent': 'tested/1.0' } })
    const id = await client.ask('id')
    for (const endpoint of [api.url.replace('ws:', 'http:'), `http://${api.host}/prod`, `http://${domainName}:${port}/chat/v1`]) {
      await managementOf(t, { endpoint }).send(post(id, `héllo from ${endpoint}`))
      assert.equal(await client.next(), `héllo from ${endpoint}`)
      await assert.rejects(managementOf(t, { endpoint }).send(post('AAAAAAAAAAAAAAA=', 'x')), GoneException)
    }
    const management = managementOf(t)
    const large = Buffer.from(Array.from({ length: MESSAGE_BYTES_MAX }, (_, index) => 97 + index % 26))
    let frame = nextFrame(client)
    await management.send(post(id, large))
    assert.equal(await client.next(), large.toString())
    assert.equal((await frame).isBinary, false)
    frame = nextFrame(client)
    await management.send(post(id, Buffer.from([0, 255, 254, 1])))
    assert.deepEqual(await frame, { data: Buffer.from([0, 255, 254, 1]), isBinary: true })
    await client.next()
    const { Identity, ConnectedAt, LastActiveAt } = await management.send(new GetConnectionCommand({ ConnectionId: id }))
    assert.deepEqual(Identity, { SourceIp: '127.0.0.1', UserAgent: 'tested/1.0' })
    assert.ok(ConnectedAt! <= LastActiveAt!)
    await management.send(new DeleteConnectionCommand({ ConnectionId: id }))
    assert.equal((await client.closed).code, 1000)
    await assert.rejects(management.send(new GetConnectionCommand({ ConnectionId: id })), GoneException)
  })

  test('may be a function, with the permission of its role, but not before $connect is answered', async () => {
    const aws4 = Object.fromEntries(['aws4.js', 'lru.js', 'package.json'].map((name) => [`node_modules/aws4/${name}`, readFileSync(`node_modules/aws4/${name}`, 'utf8')]))
    const Role = await server.role('pushing', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'execute-api:ManageConnections', Resource: 'arn:aws:execute-api:us-east-1:000000000000:*/prod/POST/@connections/*' }])
    await Promise.all([deployNode(server, 'pusher', { 'index.mjs': pusher, ...aws4 }, { Role }), deployNode(server, 'powerless', { 'index.mjs': pusher, ...aws4 })])
    const functionOf = (name: string) => ({ IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf(name), isTwoWay: true } as const)
    const pushing = await newSocketApi(server, { routes: { $default: functionOf('pusher'), powerless: functionOf('powerless') } })
    const early = await newSocketApi(server, { routes: { $connect: { ...functionOf('pusher'), isTwoWay: false } } })
    await Promise.all([pushing.permit('pusher'), pushing.permit('powerless'), early.permit('pusher')])
    await assert.rejects(early.connect(), (error) => error instanceof Refused && error.status === 410)
    await using client = await pushing.connect()
    const [status, type, text] = JSON.parse(await client.ask({ action: 'powerless' }))
    assert.deepEqual([status, type], [403, 'AccessDeniedException'])
    assert.match(text, /^\{"message":"User: arn:aws:sts::000000000000:assumed-role\/function\/powerless is not authorized to perform: execute-api:ManageConnections on resource: /i)
    assert.deepEqual([await client.ask('go'), await client.next()], ['pushed', '[200,null,""]'])
  })

  test('may be the AWS CLI', { skip: absent('aws') }, async () => {
    await using client = await api.connect()
    const id = await client.ask('id')
    const file = join(server.dataDir, 'message')
    writeFileSync(file, 'from the command line')
    const environment = { ...server.environment(), AWS_ENDPOINT_URL: api.url.replace('ws:', 'http:') }
    await aws(environment, ['apigatewaymanagementapi', 'post-to-connection', '--connection-id', id, '--data', `fileb://${file}`])
    assert.equal(await client.next(), 'from the command line')
  })

  test('may be boto3', { skip: absent('boto3') }, async () => {
    await using client = await api.connect()
    const id = await client.ask('id')
    const told = await python({ ...server.environment(), AWS_ENDPOINT_URL: api.url.replace('ws:', 'http:') }, `
api = client('apigatewaymanagementapi')
api.post_to_connection(ConnectionId='${id}', Data=b'from python')
ip = api.get_connection(ConnectionId='${id}')['Identity']['SourceIp']
api.delete_connection(ConnectionId='${id}')
try:
    api.post_to_connection(ConnectionId='${id}', Data=b'x')
except api.exceptions.GoneException as e:
    print(json.dumps([ip, e.response['ResponseMetadata']['HTTPStatusCode']]))
`)
    assert.deepEqual([told, await client.next(), (await client.closed).code], [['127.0.0.1', 410], 'from python', 1000])
  })
})
