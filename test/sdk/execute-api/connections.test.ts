// The `@connections` API through the official clients: what they read from its answers, and what class each refusal has there.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  ApiGatewayManagementApiClient, DeleteConnectionCommand, ForbiddenException, GetConnectionCommand, GoneException, LimitExceededException, PayloadTooLargeException, PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi'
import { serve } from '#lib/http-server.ts'
import { addressOf } from '#services/execute-api/address.ts'
import { managementOver, type HeldConnection, type Managed } from '#services/execute-api/websocket/management.testing.ts'
import { absent, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'

const ID = 'L0SM9cOFvHcCIhw='
const NEVER = 'AAAAAAAAAAAAAAA='
const allowed = { Effect: 'Allow', Action: 'execute-api:ManageConnections', Resource: 'arn:aws:execute-api:us-east-1:111111111111:api123/prod/*/@connections/*' }

interface Held extends Managed {
  connection: HeldConnection
  endpoint: string
  clientOf(user: string, stage?: string): ApiGatewayManagementApiClient
}

async function managed(t: TestContext): Promise<Held> {
  const connection: HeldConnection = { connectedAtMs: Date.UTC(2020, 3, 30, 20, 10, 33, 236), lastActiveAtMs: Date.UTC(2020, 3, 30, 20, 10, 42, 997), sourceIp: '192.0.2.1', userAgent: 'wscat', received: [] }
  const all = managementOver({ users: { owner: [allowed], nobody: [] }, held: new Map([[`api123/prod/${ID}`, connection]]) })
  const server = await serve({
    hosts: ['127.0.0.1'], port: 0, onError: (error) => { throw error },
    handle: (request) => {
      const { apiId, stageName, path } = addressOf(request)!
      assert.ok(all.management.matches(path), path)
      return all.management.handle(request, { apiId, stageName, path })
    },
  })
  t.after(() => server.close(0))
  const endpoint = `http://127.0.0.1:${server.port}/_aws/execute-api/api123`
  return {
    ...all, connection, endpoint,
    clientOf(user, stage = 'prod') {
      const client = new ApiGatewayManagementApiClient({ endpoint: `${endpoint}/${stage}`, region: 'us-east-1', credentials: all.keyOf(user), maxAttempts: 1 })
      t.after(() => client.destroy())
      return client
    },
  }
}

describe('the management API of WebSocket APIs, by the SDK', () => {
  test('refuses in classes that the SDK knows, and in names for the others', async (t) => {
    const { clientOf, connection } = await managed(t)
    const owner = clientOf('owner')
    const post = (ConnectionId: string, Data: string | Uint8Array = 'x') => new PostToConnectionCommand({ ConnectionId, Data })
    await assert.rejects(owner.send(post(NEVER)), (error) => error instanceof GoneException && error.$metadata.httpStatusCode === 410)
    await assert.rejects(owner.send(new GetConnectionCommand({ ConnectionId: NEVER })), GoneException)
    await assert.rejects(owner.send(new DeleteConnectionCommand({ ConnectionId: NEVER })), GoneException)
    await assert.rejects(owner.send(post(ID, new Uint8Array(128 * 1024 + 1))), (error) => error instanceof PayloadTooLargeException && error.message === 'Message too long')
    await assert.rejects(clientOf('owner', 'nowhere').send(post(ID)), (error) => error instanceof ForbiddenException && error.$metadata.httpStatusCode === 403)
    await refuses(owner.send(post('cjy8i76bx002884le6n17d49b')), 400, 'BadRequestException', 'Invalid connectionId: cjy8i76bx002884le6n17d49b')
    await refuses(clientOf('nobody').send(post(ID)), 403, 'AccessDeniedException',
      /^User: arn:aws:iam::111111111111:user\/nobody is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:\*{8}1111:api123\/prod\/POST\/@connections\/\{connectionId\}/)
    connection.isFull = true
    await assert.rejects(owner.send(post(ID)), (error) => error instanceof LimitExceededException && error.$metadata.httpStatusCode === 429)
    assert.deepEqual(connection.received, [])
  })

  test('sends, describes and ends', async (t) => {
    const { clientOf, connection, held } = await managed(t)
    const owner = clientOf('owner')
    const sent = await owner.send(new PostToConnectionCommand({ ConnectionId: ID, Data: '{"héllo":1}' }))
    assert.deepEqual([sent.$metadata.httpStatusCode, connection.received.map(String)], [200, ['{"héllo":1}']])
    assert.match(sent.$metadata.requestId!, /^[0-9a-f-]{36}$/)
    const { $metadata: _, ...described } = await owner.send(new GetConnectionCommand({ ConnectionId: ID }))
    // Source: AWS CLI reference, get-connection, its example.
    assert.deepEqual(described, { ConnectedAt: new Date('2020-04-30T20:10:33.236Z'), Identity: { SourceIp: '192.0.2.1', UserAgent: 'wscat' }, LastActiveAt: new Date('2020-04-30T20:10:42.997Z') })
    assert.equal((await owner.send(new DeleteConnectionCommand({ ConnectionId: ID }))).$metadata.httpStatusCode, 204)
    assert.equal(held.size, 0)
  })
})

describe('the management API of WebSocket APIs, by boto3', () => {
  test('sends, describes, ends, and is told that a connection is gone', { skip: absent('boto3') }, async (t) => {
    const { endpoint, keyOf, connection } = await managed(t)
    const { accessKeyId, secretAccessKey } = keyOf('owner')
    const env = {
      PATH: process.env.PATH, HOME: process.env.HOME, AWS_ENDPOINT_URL: `${endpoint}/prod`, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1',
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PYENV|PYTHON)/.test(name))),
    }
    const told = await python(env, `
from botocore.exceptions import ClientError
api = client('apigatewaymanagementapi')
def error(call, **given):
    try:
        call(**given)
    except ClientError as e:
        return [type(e).__name__, e.response['Error'].get('Code'), e.response['Error'].get('Message'), e.response['ResponseMetadata']['HTTPStatusCode']]
api.post_to_connection(ConnectionId='${ID}', Data=b'from python')
found = api.get_connection(ConnectionId='${ID}')
out = [found['ConnectedAt'].isoformat(), found['Identity'], error(api.post_to_connection, ConnectionId='x', Data=b'')]
api.delete_connection(ConnectionId='${ID}')
print(json.dumps(out + [error(api.post_to_connection, ConnectionId='${ID}', Data=b'x')]))
`)
    assert.deepEqual(told, [
      '2020-04-30T20:10:33.236000+00:00', { SourceIp: '192.0.2.1', UserAgent: 'wscat' },
      ['ClientError', 'BadRequestException', 'Invalid connectionId: x', 400], ['GoneException', 'GoneException', '', 410],
    ])
    assert.deepEqual(connection.received.map(String), ['from python'])
  })
})
