// Asynchronous invocation by the official client and by hand: what is accepted, what is refused, and that it runs.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { AddPermissionCommand, CreateAliasCommand, InvokeAsyncCommand, InvokeCommand, PublishVersionCommand, PutFunctionConcurrencyCommand, type InvokeCommandInput } from '@aws-sdk/client-lambda'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { deployNode } from './deploy.ts'

const account = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${account}:function:${name}`
/** Says what it got. */
const says = 'export const handler = async (event, context) => { console.log("GOT " + JSON.stringify({ event, id: context.awsRequestId, arn: context.invokedFunctionArn, client: context.clientContext })) }'
const send = (server: Pick<TestServer, 'lambda'>, FunctionName: string, Payload: string | undefined, rest: Partial<InvokeCommandInput> = {}) =>
  server.lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', ...(Payload === undefined ? {} : { Payload }), ...rest }))

/** What a function said it got, once it is so much. */
async function got(server: TestServer, name: string, count: number): Promise<any[]> {
  for (let tries = 0; tries < 500; tries++) {
    const { events = [] } = await server.logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, filterPattern: 'GOT' })).catch(() => ({ events: [] }))
    if (events.length >= count) return events.map(({ message }) => JSON.parse(/GOT (\{.*\})/.exec(message!)![1]!))
    await sleep(20)
  }
  throw new Error(`${name} did not get ${count} events`)
}

describe('an event is refused', () => {
  test('for functions and versions that are not there, before anything is kept', async (t) => {
    const server = await startServer(t)
    await refuses(send(server, 'missing', '{}'), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('missing')}`)
    await deployNode(server, 'f', says)
    await refuses(send(server, 'f', '{}', { Qualifier: '7' }), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('f')}:7`)
  })

  test('when it is no JSON, or larger than one megabyte', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    await refuses(send(server, 'f', 'notjson'), 400, 'InvalidRequestContentException', /^Could not parse request body into json: /)
    const text = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`
    // Source: users of AWS report the sentence (hyp3 issue 2241); Lambda quotas, asynchronous payload: 1 MB.
    await refuses(send(server, 'f', text(1_048_577)), 413, 'RequestEntityTooLargeException', '1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)')
    // Source: users of AWS report the sentence (streetwarp-web issue 14).
    await refuses(send(server, 'f', text(6_291_457)), 413, 'RequestEntityTooLargeException', 'Request must be smaller than 6291456 bytes for the InvokeFunction operation')
    assert.equal((await send(server, 'f', text(1_048_576))).StatusCode, 202)
  })

  test('from callers without permission, unless the function lets them in', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    const bob = server.clients(await server.user('bob', [{ Effect: 'Allow', Action: 'lambda:InvokeAsync', Resource: '*' }]))
    const denied = `User: arn:aws:iam::${account}:user/bob is not authorized to perform: lambda:InvokeFunction on resource: ${arnOf('f')} because no identity-based policy allows the lambda:InvokeFunction action`
    await refuses(send(bob, 'f', '{}'), 403, 'AccessDeniedException', denied)
    // Source: aws/aws-sdk-ruby pull request 706: what AWS answers to whoever may only lambda:InvokeAsync.
    await refuses(bob.lambda.send(new InvokeAsyncCommand({ FunctionName: 'f', InvokeArgs: '{}' })), 403, 'AccessDeniedException', denied)
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 'bob', Action: 'lambda:InvokeFunction', Principal: `arn:aws:iam::${account}:user/bob` }))
    assert.equal((await send(bob, 'f', '{}')).StatusCode, 202)
    assert.equal((await bob.lambda.send(new InvokeAsyncCommand({ FunctionName: 'f', InvokeArgs: '{}' }))).Status, 202)
  })
})

describe('an event', () => {
  test('is answered with 202 and nothing else, and runs under the id of that answer', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    const ClientContext = Buffer.from('{"custom":{"a":"1"}}').toString('base64')
    const { $metadata, StatusCode, Payload, ExecutedVersion, FunctionError, LogResult } = await send(server, 'f', '{"n":12345678901234567890}', { LogType: 'Tail', ClientContext })
    // Observed: AWS, 24-11-2025, recorded by localstack's test_invocation_type_event.
    assert.deepEqual([StatusCode, $metadata.httpStatusCode, Payload?.length ?? 0, ExecutedVersion, FunctionError, LogResult], [202, 202, 0, undefined, undefined, undefined])
    const [said] = await got(server, 'f', 1)
    assert.deepEqual([said.id, said.arn, said.client], [$metadata.requestId, arnOf('f'), { custom: { a: '1' } }])
    await send(server, 'f', undefined)
    assert.deepEqual((await got(server, 'f', 2))[1].event, {}, 'nothing stands for an empty event')
  })

  test('goes to the version or alias that was named', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    await server.lambda.send(new PublishVersionCommand({ FunctionName: 'f' }))
    await server.lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '1' }))
    await send(server, 'f', '1', { Qualifier: 'live' })
    await send(server, `${arnOf('f')}:1`, '2')
    const arns = (await got(server, 'f', 2)).map(({ arn }) => arn)
    assert.deepEqual(new Set(arns), new Set([`${arnOf('f')}:1`, `${arnOf('f')}:live`]))
  })

  test('is accepted while nothing of its function may run', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    await server.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 0 }))
    assert.equal((await send(server, 'f', '{}')).StatusCode, 202)
  })

  test('that a server had accepted runs when the next one has started', async () => {
    const dataDir = keptDirectory()
    const first = await startServer(undefined, { dataDir })
    await deployNode(first, 'f', `${says}\nawait new Promise((r) => setTimeout(r, 700))`)
    const ids = (await Promise.all([1, 2, 3].map((n) => send(first, 'f', String(n))))).map(({ $metadata }) => $metadata.requestId)
    await first.close()
    await using second = await startServer(undefined, { dataDir })
    assert.deepEqual(new Set((await got(second, 'f', 3)).map(({ id }) => id)), new Set(ids))
  })

  test('may come from an API\'s method', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }))
    // Source: API Gateway developer guide, "Set up asynchronous invocation of the backend Lambda function".
    const integration = {
      type: 'aws', httpMethod: 'POST', uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arnOf('f')}/invocations`,
      requestParameters: { 'integration.request.header.X-Amz-Invocation-Type': '\'Event\'' }, responses: { default: { statusCode: '200' } },
    }
    const definition = { swagger: '2.0', info: { title: 'x', version: '1' }, paths: { '/': { post: { responses: { 200: { description: 'fine' } }, 'x-amazon-apigateway-integration': integration } } } }
    const { id } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }))
    await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
    const answer = await fetch(`${server.endpoint}/_aws/execute-api/${id}/dev/`, { method: 'POST', body: '{"from":"api"}', headers: { 'content-type': 'application/json' } })
    assert.deepEqual([answer.status, await answer.text()], [200, ''])
    assert.deepEqual((await got(server, 'f', 1))[0].event, { from: 'api' })
  })
})

describe('InvokeAsync', () => {
  const post = (server: TestServer, path: string, { body = '{"a":1}', contentType = 'application/x-amz-json-1.0', credentials = server.credentials } = {}) =>
    sendRaw(signRaw(rawRequest({ method: 'POST', target: path, host: `127.0.0.1:${server.port}`, headers: { 'Content-Type': contentType }, body }), { credentials, service: 'lambda' }), { port: server.port })

  test('refuses as Invoke does', async (t) => {
    const server = await startServer(t)
    const unsigned = await sendRaw(rawRequest({ method: 'POST', target: '/2014-11-13/functions/f/invoke-async/', host: `127.0.0.1:${server.port}`, body: '{}' }), { port: server.port })
    // Source: the gist of 2014 that calls it by hand, in its comments.
    assert.deepEqual([unsigned.status, unsigned.text], [403, '{"message":"Missing Authentication Token"}'])
    const missing = await post(server, '/2014-11-13/functions/f/invoke-async')
    assert.deepEqual([missing.status, missing.headers['x-amzn-errortype'], JSON.parse(missing.text).Message], [404, 'ResourceNotFoundException', `Function not found: ${arnOf('f')}`])
    await deployNode(server, 'f', says)
    const broken = await post(server, '/2014-11-13/functions/f/invoke-async', { body: '{' })
    assert.deepEqual([broken.status, broken.headers['x-amzn-errortype']], [400, 'InvalidRequestContentException'])
    await refuses(server.lambda.send(new InvokeAsyncCommand({ FunctionName: 'f', InvokeArgs: `"${'x'.repeat(1_048_575)}"` })), 413, 'RequestEntityTooLargeException', /^1048577 byte payload is too large for the Event invocation type/)
  })

  test('answers {"Status":202}, with and without a slash at the end, whatever the content type', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    for (const path of ['/2014-11-13/functions/f/invoke-async/', '/2014-11-13/functions/f/invoke-async']) {
      for (const contentType of ['application/x-amz-json-1.0', 'application/json', 'text/plain']) {
        const answer = await post(server, path, { contentType })
        assert.deepEqual([answer.status, answer.text], [202, '{"Status":202}'])
      }
    }
    assert.equal((await server.lambda.send(new InvokeAsyncCommand({ FunctionName: 'f', InvokeArgs: '{"a":1}' }))).Status, 202)
    assert.deepEqual((await got(server, 'f', 7)).map(({ event }) => event), Array.from({ length: 7 }, () => ({ a: 1 })))
  })
})
