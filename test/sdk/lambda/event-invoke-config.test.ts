// How a function's events are to be treated, by the official client.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateAliasCommand, DeleteAliasCommand, DeleteFunctionCommand, DeleteFunctionEventInvokeConfigCommand, GetFunctionEventInvokeConfigCommand,
  ListFunctionEventInvokeConfigsCommand, PublishVersionCommand, PutFunctionEventInvokeConfigCommand, UpdateFunctionEventInvokeConfigCommand,
  type PutFunctionEventInvokeConfigCommandInput,
} from '@aws-sdk/client-lambda'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from './deploy.ts'

const account = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${account}:function:${name}`
const echo = 'export const handler = async (event) => event'
type Input = Partial<PutFunctionEventInvokeConfigCommandInput>
const put = (server: TestServer, input: Input) => server.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'f', ...input }))
const update = (server: TestServer, input: Input) => server.lambda.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName: 'f', ...input }))
const get = (server: TestServer, input: Input = {}) => server.lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: 'f', ...input }))
const remove = (server: TestServer, input: Input = {}) => server.lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: 'f', ...input }))
const list = (server: TestServer, input: object = {}) => server.lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: 'f', ...input }))
const success = (Destination: string): Input => ({ DestinationConfig: { OnSuccess: { Destination } } })
const failure = (Destination: string): Input => ({ DestinationConfig: { OnFailure: { Destination } } })

/** A server with `f`, version 1 of it under the alias `live`, and `other`, all of whose roles may invoke everything. */
async function start(t: { after(hook: () => Promise<void>): void }): Promise<TestServer> {
  const server = await startServer(t)
  const Role = await server.role('invokes', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }])
  for (const name of ['f', 'other']) await deployNode(server, name, echo, { Role })
  await server.lambda.send(new PublishVersionCommand({ FunctionName: 'f' }))
  await server.lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '1' }))
  return server
}

// Observed, unless said otherwise: AWS, 20-11-2023, recorded by localstack's test_lambda_eventinvokeconfig_exceptions.
describe('PutFunctionEventInvokeConfig refuses', () => {
  test('nothing at all, before it looks for the function', async (t) => {
    const server = await startServer(t)
    await refuses(put(server, { FunctionName: 'missing' }), 400, 'InvalidParameterValueException', 'You must specify at least one of error handling or destination setting.')
    await refuses(put(server, { FunctionName: 'missing', MaximumRetryAttempts: 1 }), 404, 'ResourceNotFoundException', 'The function doesn\'t exist.')
    await refuses(put(server, { FunctionName: arnOf('missing'), MaximumRetryAttempts: 1 }), 404, 'ResourceNotFoundException', 'The function doesn\'t exist.')
  })

  test('numbers outside their ranges', async (t) => {
    const server = await start(t)
    // Source: the service model.
    for (const [input, message] of [
      [{ MaximumRetryAttempts: 3 }, /Value '3' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 2/],
      [{ MaximumRetryAttempts: -1 }, /greater than or equal to 0/],
      [{ MaximumEventAgeInSeconds: 59 }, /Value '59' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60/],
      [{ MaximumEventAgeInSeconds: 21_601 }, /less than or equal to 21600/],
    ] as const) await refuses(put(server, input), 400, 'ValidationException', message)
  })

  test('destinations that are no functions, by name, and what no destination can be', async (t) => {
    const server = await start(t)
    for (const [arn, what] of [['arn:aws:sqs:us-east-1:000000000000:q', 'an SQS queue'], ['arn:aws:sns:us-east-1:000000000000:t', 'an SNS topic'], ['arn:aws:events:us-east-1:000000000000:event-bus/b', 'an EventBridge event bus']] as const) {
      await refuses(put(server, failure(arn)), 501, 'NotImplemented', new RegExp(`PutFunctionEventInvokeConfig with ${what} as a destination \\(${arn}; name a function\\)`))
      await refuses(put(server, success(arn)), 501, 'NotImplemented', new RegExp(what))
    }
    await refuses(put(server, failure('arn:aws:s3:::bucket')), 501, 'NotImplemented', /an S3 bucket/)
    const iam = arnOf('f').replace(':lambda:', ':iam:')
    await refuses(put(server, success(iam)), 400, 'InvalidParameterValueException', `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${iam}), onFailure=null) is invalid.`)
    await refuses(put(server, success('arn:aws:s3:::bucket')), 400, 'InvalidParameterValueException', /^The provided destination config /)
    await refuses(put(server, failure(arnOf('f').replace(':lambda:', ':_-/!lambda:'))), 400, 'ValidationException', /^1 validation error detected: Value '[^']*' at 'destinationConfig\.onFailure\.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: /)
  })

  test('a function that is missing, the function itself, and one that its role may not invoke', async (t) => {
    const server = await start(t)
    await refuses(put(server, success(arnOf('missing'))), 400, 'InvalidParameterValueException', `The destination ARN ${arnOf('missing')} is invalid.`)
    await refuses(put(server, success(arnOf('f'))), 400, 'InvalidParameterValueException', 'You can\'t specify the function as a destination for itself.')
    await deployNode(server, 'powerless', echo)
    // Source: users of AWS report the sentence for queues and topics.
    await refuses(put(server, { FunctionName: 'powerless', ...success(arnOf('other')) }), 400, 'InvalidParameterValueException', `The function's execution role does not have permissions to call InvokeFunction on ${arnOf('other')}`)
  })

  test('qualifiers that are not there or contradict the name', async (t) => {
    const server = await start(t)
    await refuses(put(server, { Qualifier: 'missing', MaximumRetryAttempts: 1 }), 404, 'ResourceNotFoundException', 'The function doesn\'t exist.')
    await refuses(put(server, { FunctionName: 'f:live', Qualifier: '1', MaximumRetryAttempts: 1 }), 400, 'InvalidParameterValueException', 'The derived qualifier from the function name does not match the specified qualifier.')
    await refuses(put(server, { FunctionName: 'f:1', Qualifier: '$LATEST', MaximumRetryAttempts: 1 }), 400, 'InvalidParameterValueException', 'The derived qualifier from the function name does not match the specified qualifier.')
  })

  test('callers without permission', async (t) => {
    const server = await start(t)
    const bob = server.clients(await server.user('bob', [{ Effect: 'Allow', Action: 'lambda:PutFunctionConcurrency', Resource: '*' }])) as TestServer
    await refuses(put(bob, { MaximumRetryAttempts: 1 }), 403, 'AccessDeniedException', /not authorized to perform: lambda:PutFunctionEventInvokeConfig on resource: arn:aws:lambda:us-east-1:000000000000:function:f /)
    await refuses(get(bob), 403, 'AccessDeniedException', /lambda:GetFunctionEventInvokeConfig/)
    await refuses(list(bob), 403, 'AccessDeniedException', /lambda:ListFunctionEventInvokeConfigs/)
  })
})

describe('what is not configured', () => {
  test('is not found, of a function that is missing as well', async (t) => {
    const server = await start(t)
    const none = (arn: string) => `The function ${arn} doesn't have an EventInvokeConfig`
    for (const ask of [get, remove]) {
      await refuses(ask(server), 404, 'ResourceNotFoundException', none(`${arnOf('f')}:$LATEST`))
      await refuses(ask(server, { FunctionName: 'missing' }), 404, 'ResourceNotFoundException', none(`${arnOf('missing')}:$LATEST`))
      await refuses(ask(server, { Qualifier: 'missing' }), 404, 'ResourceNotFoundException', none(`${arnOf('f')}:missing`))
    }
    await refuses(update(server, { MaximumRetryAttempts: 0 }), 404, 'ResourceNotFoundException', none(`${arnOf('f')}:$LATEST`))
    await refuses(update(server, { FunctionName: `${arnOf('f')}:live`, MaximumRetryAttempts: 0 }), 404, 'ResourceNotFoundException', none(`${arnOf('f')}:live`))
    await refuses(update(server, { FunctionName: 'missing', MaximumRetryAttempts: 0 }), 404, 'ResourceNotFoundException', 'The function doesn\'t exist.')
    await refuses(update(server, { FunctionName: 'f' }), 400, 'InvalidParameterValueException', 'You must specify at least one of error handling or destination setting.')
    await refuses(list(server, { FunctionName: 'missing' }), 404, 'ResourceNotFoundException', 'The function doesn\'t exist.')
    assert.deepEqual((await list(server)).FunctionEventInvokeConfigs, [])
  })
})

describe('an event invoke config', () => {
  test('is replaced by a new one, and changed by an update', async (t) => {
    const server = await start(t)
    const shown = ({ $metadata: { httpStatusCode }, LastModified, ...rest }: Awaited<ReturnType<typeof get>>) => {
      assert.equal(httpStatusCode, 200)
      assert.ok(Math.abs(LastModified!.getTime() - Date.now()) < 60_000)
      return rest
    }
    const basic = { FunctionArn: `${arnOf('f')}:$LATEST`, DestinationConfig: { OnFailure: {}, OnSuccess: {} } }
    assert.deepEqual(shown(await put(server, { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 })), { ...basic, MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 })
    assert.deepEqual(shown(await put(server, { MaximumRetryAttempts: 0 })), { ...basic, MaximumRetryAttempts: 0 })
    assert.deepEqual(shown(await get(server, { Qualifier: '$LATEST' })), { ...basic, MaximumRetryAttempts: 0 })
    assert.deepEqual(shown(await update(server, { MaximumEventAgeInSeconds: 21_600 })), { ...basic, MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 21_600 })
    const destinations = { OnSuccess: { Destination: arnOf('other') }, OnFailure: {} }
    assert.deepEqual(shown(await update(server, { DestinationConfig: { OnSuccess: destinations.OnSuccess } })), { ...basic, MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 21_600, DestinationConfig: destinations })
    assert.deepEqual(shown(await update(server, { MaximumRetryAttempts: 1 })).DestinationConfig, destinations)
    assert.deepEqual(shown(await put(server, { DestinationConfig: { OnSuccess: {} } })), basic)
  })

  test('belongs to a version or an alias, however that is named, and goes with it', async (t) => {
    const server = await start(t)
    const arns = async () => (await list(server)).FunctionEventInvokeConfigs!.map(({ FunctionArn }) => FunctionArn)
    assert.equal((await put(server, { Qualifier: '1', MaximumRetryAttempts: 1 })).FunctionArn, `${arnOf('f')}:1`)
    for (const FunctionName of ['f:live', `${arnOf('f')}:live`]) assert.equal((await put(server, { FunctionName, MaximumRetryAttempts: 1 })).FunctionArn, `${arnOf('f')}:live`)
    await put(server, { MaximumRetryAttempts: 1 })
    assert.deepEqual(await arns(), [`${arnOf('f')}:$LATEST`, `${arnOf('f')}:1`, `${arnOf('f')}:live`])
    const first = await list(server, { MaxItems: 2 })
    assert.equal(first.FunctionEventInvokeConfigs!.length, 2)
    assert.deepEqual((await list(server, { MaxItems: 2, Marker: first.NextMarker })).FunctionEventInvokeConfigs!.map(({ FunctionArn }) => FunctionArn), [`${arnOf('f')}:live`])
    assert.equal((await remove(server, { Qualifier: '$LATEST' })).$metadata.httpStatusCode, 204)
    await server.lambda.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }))
    assert.deepEqual(await arns(), [`${arnOf('f')}:1`])
    await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' }))
    await deployNode(server, 'f', echo)
    assert.deepEqual(await arns(), [], 'a function made later is another one')
  })
})
