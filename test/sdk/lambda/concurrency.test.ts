// Reserved and provisioned concurrency by the official client.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import {
  AddPermissionCommand, CreateAliasCommand, DeleteAliasCommand, DeleteFunctionConcurrencyCommand, DeleteFunctionCommand, DeleteProvisionedConcurrencyConfigCommand, GetAccountSettingsCommand,
  GetFunctionCommand, GetFunctionConcurrencyCommand, GetProvisionedConcurrencyConfigCommand, InvokeCommand, InvokeWithResponseStreamCommand, LambdaClient, ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand, PutFunctionConcurrencyCommand, PutProvisionedConcurrencyConfigCommand, UpdateAliasCommand, UpdateFunctionCodeCommand, type TooManyRequestsException,
} from '@aws-sdk/client-lambda'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { answerOf, archiveOf, deployNode, invoke } from './deploy.ts'

const account = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${account}:function:${name}`
const echo = 'export const handler = async (event) => event'
const reserve = (server: TestServer, FunctionName: string, ReservedConcurrentExecutions: number) => server.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }))
const provision = (server: TestServer, Qualifier: string, ProvisionedConcurrentExecutions: number, FunctionName = 'f') =>
  server.lambda.send(new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions }))
const provisioned = (server: TestServer, Qualifier: string, FunctionName = 'f') => server.lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
const unprovision = (server: TestServer, Qualifier: string, FunctionName = 'f') => server.lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
const publish = (server: TestServer) => server.lambda.send(new PublishVersionCommand({ FunctionName: 'f' }))

async function untilReady(server: TestServer, qualifier: string) {
  for (let tries = 0; tries < 600; tries++) {
    const found = await provisioned(server, qualifier)
    if (found.Status !== 'IN_PROGRESS') return found
    await sleep(25)
  }
  throw new Error('the environments were not ready in time')
}

/** A place where functions wait until the test lets them go: it knows how many are there. */
async function startGate(t: TestContext) {
  const waiting: (() => void)[] = []
  let isOpen = false
  const gate = createServer((_request, response) => {
    if (isOpen) response.end('{}')
    else waiting.push(() => response.end('{}'))
  })
  await new Promise<void>((ready) => gate.listen(0, '127.0.0.1', ready))
  t.after(() => { gate.close(); gate.closeAllConnections() })
  return {
    source: `export const handler = async () => { await fetch('http://127.0.0.1:${(gate.address() as { port: number }).port}/'); return 'went through' }`,
    waiting: () => waiting.length,
    async until(count: number) {
      for (let tries = 0; tries < 2_000 && waiting.length < count; tries++) await sleep(10)
      assert.equal(waiting.length, count)
    },
    open() {
      isOpen = true
      for (const go of waiting) go()
    },
  }
}

describe('reserved concurrency refuses', () => {
  // Observed: AWS, 20-11-2023, recorded by localstack's test_function_concurrency_exceptions.
  test('functions that are missing, and versions', async (t) => {
    const server = await startServer(t)
    await refuses(reserve(server, 'missing', 1), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('missing')}:$LATEST`)
    await refuses(reserve(server, 'missing', 0), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('missing')}:$LATEST`)
    await deployNode(server, 'f', echo)
    const sentence = 'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.'
    await refuses(reserve(server, `${arnOf('f')}:$LATEST`, 0), 400, 'InvalidParameterValueException', sentence)
    await refuses(server.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: `${arnOf('f')}:1` })), 400, 'InvalidParameterValueException', sentence)
    await refuses(server.lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: 'missing' })), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('missing')}`)
    await refuses(reserve(server, 'f', -1), 400, 'ValidationException', /Value '-1' at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 0/)
  })

  // Source: users of AWS report the sentence; Lambda quotas: 1,000, of which 100 cannot be reserved.
  test('more than the account can spare', async (t) => {
    const server = await startServer(t)
    for (const name of ['f', 'g']) await deployNode(server, name, echo)
    const sentence = 'Specified ReservedConcurrentExecutions for function decreases account\'s UnreservedConcurrentExecution below its minimum value of [100].'
    // Observed: AWS, 10-04-2024, recorded by localstack's test_function_concurrency_limits: without a Type.
    const { Type } = await refuses(reserve(server, 'f', 1_001), 400, 'InvalidParameterValueException', sentence) as { Type?: string }
    assert.equal(Type, undefined)
    await refuses(reserve(server, 'f', 901), 400, 'InvalidParameterValueException', sentence)
    assert.equal((await reserve(server, 'f', 900)).ReservedConcurrentExecutions, 900)
    await refuses(reserve(server, 'g', 1), 400, 'InvalidParameterValueException', sentence)
    assert.equal((await reserve(server, 'f', 899)).ReservedConcurrentExecutions, 899, 'what the function has itself is not in its way')
    assert.equal((await reserve(server, 'g', 1)).ReservedConcurrentExecutions, 1)
    const { AccountLimit } = await server.lambda.send(new GetAccountSettingsCommand({}))
    assert.deepEqual([AccountLimit!.ConcurrentExecutions, AccountLimit!.UnreservedConcurrentExecutions], [1_000, 100])
  })

  test('callers without permission', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', echo)
    const bob = server.clients(await server.user('bob', [{ Effect: 'Allow', Action: 'lambda:Get*', Resource: '*' }])) as TestServer
    await refuses(reserve(bob, 'f', 1), 403, 'AccessDeniedException', /lambda:PutFunctionConcurrency on resource: arn:aws:lambda:us-east-1:000000000000:function:f /)
    await refuses(provision(bob, '1', 1), 403, 'AccessDeniedException', /lambda:PutProvisionedConcurrencyConfig on resource: arn:aws:lambda:us-east-1:000000000000:function:f:1 /)
  })
})

describe('reserved concurrency', () => {
  test('is kept, shown and taken away', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', echo)
    const get = async () => (await server.lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: 'f' }))).ReservedConcurrentExecutions
    assert.equal(await get(), undefined)
    assert.equal((await reserve(server, 'f', 0)).ReservedConcurrentExecutions, 0)
    assert.equal((await reserve(server, 'f', 3)).ReservedConcurrentExecutions, 3)
    assert.equal(await get(), 3)
    assert.deepEqual((await server.lambda.send(new GetFunctionCommand({ FunctionName: 'f' }))).Concurrency, { ReservedConcurrentExecutions: 3 })
    const deleted = await server.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'f' }))
    assert.equal(deleted.$metadata.httpStatusCode, 204)
    assert.equal(await get(), undefined)
    await reserve(server, 'f', 3)
    await server.lambda.send(new DeleteFunctionCommand({ FunctionName: 'f' }))
    await deployNode(server, 'f', echo)
    assert.equal(await get(), undefined, 'a function made later is another one')
  })

  test('of 0 lets nothing in, by any way, until it is changed', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', echo)
    await reserve(server, 'f', 0)
    // Observed: AWS, 25-11-2025, recorded by localstack's test_reserved_concurrency.
    const error = await refuses(invoke(server, 'f'), 429, 'TooManyRequestsException', 'Rate Exceeded.') as TooManyRequestsException
    assert.deepEqual([error.Reason, error.retryAfterSeconds, error.Type], ['ReservedFunctionConcurrentInvocationLimitExceeded', undefined, 'User'])
    await refuses(server.lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' })), 429, 'TooManyRequestsException', 'Rate Exceeded.')
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }))
    const integration = { type: 'aws_proxy', httpMethod: 'POST', uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arnOf('f')}/invocations` }
    const definition = { swagger: '2.0', info: { title: 'x', version: '1' }, paths: { '/': { get: { responses: {}, 'x-amazon-apigateway-integration': integration } } } }
    const { id } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }))
    await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
    // Source: API Gateway developer guide, "Gateway response types", INTEGRATION_FAILURE.
    assert.equal((await fetch(`${server.endpoint}/_aws/execute-api/${id}/dev/`)).status, 500)
    await server.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'f' }))
    assert.deepEqual(await answerOf(server, 'f', { a: 1 }), { a: 1 })
  })

  test('lets in exactly so many at once, of all versions together, and refuses the rest', async (t) => {
    const server = await startServer(t)
    const gate = await startGate(t)
    await deployNode(server, 'f', gate.source, { Timeout: 60 })
    await publish(server)
    await reserve(server, 'f', 4)
    const client = new LambdaClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1, requestHandler: { httpAgent: { maxSockets: 100 } } })
    t.after(() => client.destroy())
    const calls = Array.from({ length: 60 }, async (_, at) => {
      try {
        const { FunctionError } = await client.send(new InvokeCommand({ FunctionName: 'f', ...(at % 2 === 0 ? {} : { Qualifier: '1' }) }))
        return FunctionError ?? 'answered'
      } catch (error) {
        return (error as TooManyRequestsException).Reason!
      }
    })
    await gate.until(4)
    for (let tries = 0; tries < 1_000; tries++) {
      const text = await (await fetch(`${server.endpoint}/_countersign/metrics`)).text()
      if (/^countersign_lambda_throttles_total\{[^}]*function="f"\} 56$/m.test(text)) break
      await sleep(20)
    }
    assert.equal(gate.waiting(), 4)
    gate.open()
    const results = Map.groupBy(await Promise.all(calls), (result) => result)
    assert.deepEqual([results.get('answered')?.length, results.get('ReservedFunctionConcurrentInvocationLimitExceeded')?.length], [4, 56])
    assert.equal(await answerOf(server, 'f'), 'went through', 'every place has been given back')
    const text = await (await fetch(`${server.endpoint}/_countersign/metrics`)).text()
    assert.match(text, /^countersign_lambda_concurrent_executions\{[^}]*function="f"\} 0$/m)
  })

  test('gives its places back when functions time out, exit or are replaced', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', 'export const handler = async (event) => { if (event.exit) process.exit(1); if (event.hang) await new Promise((r) => setTimeout(r, 60_000)); return 1 }', { Timeout: 1 })
    await reserve(server, 'f', 1)
    for (const event of [{ hang: true }, { exit: true }, { hang: true }]) assert.equal((await invoke(server, 'f', event)).functionError, 'Unhandled')
    assert.equal(await answerOf(server, 'f'), 1)
    await server.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile: await archiveOf({ 'index.mjs': 'export const handler = async () => 2' }) }))
    assert.equal(await answerOf(server, 'f'), 2)
  })
})

// Source: LocalStack's provider, whose tests compare it with AWS.
describe('provisioned concurrency refuses', () => {
  test('what is no version or alias', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', echo)
    await publish(server)
    await refuses(provision(server, '$LATEST', 1), 400, 'InvalidParameterValueException', 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.')
    for (const ask of [provisioned, unprovision]) {
      await refuses(ask(server, '$LATEST'), 400, 'InvalidParameterValueException', 'The function resource provided must be an alias or a published version.')
    }
    for (const ask of [(...args: [TestServer, string, string?]) => provision(args[0], args[1], 1, args[2]), provisioned, unprovision]) {
      await refuses(ask(server, 'noalias'), 404, 'ResourceNotFoundException', `Cannot find alias arn: ${arnOf('f')}:noalias`)
      await refuses(ask(server, '10'), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('f')}:10`)
      await refuses(ask(server, '1', 'missing'), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('missing')}:1`)
    }
    await refuses(provisioned(server, '1'), 404, 'ProvisionedConcurrencyConfigNotFoundException', 'No Provisioned Concurrency Config found for this function')
    assert.equal((await unprovision(server, '1')).$metadata.httpStatusCode, 204, 'what is not there can be deleted')
    await refuses(server.lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'missing' })), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('missing')}`)
    assert.deepEqual((await server.lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'f' }))).ProvisionedConcurrencyConfigs, [])
  })

  test('more than the account or the function has', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', echo)
    await publish(server)
    await refuses(provision(server, '1', 0), 400, 'ValidationException', /Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1/)
    // Observed: AWS, 10-04-2024, recorded by localstack's test_provisioned_concurrency_limits: this and the next without a Type.
    const above = await refuses(provision(server, '1', 1_001), 400, 'InvalidParameterValueException', 'Specified ConcurrentExecutions for function is greater than account\'s unreserved concurrency [1000].')
    const below = await refuses(provision(server, '1', 901), 400, 'InvalidParameterValueException', 'Specified ConcurrentExecutions for function decreases account\'s UnreservedConcurrentExecution below its minimum value of [100].')
    for (const { Type } of [above, below] as { Type?: string }[]) assert.equal(Type, undefined)
    await reserve(server, 'f', 2)
    await refuses(provision(server, '1', 3), 400, 'InvalidParameterValueException', 'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function')
    await provision(server, '1', 2)
    // Observed: AWS, 24-11-2025, recorded by localstack's test_reserved_provisioned_overlap: without a Type, either.
    const lower = await refuses(reserve(server, 'f', 1), 400, 'InvalidParameterValueException', ' ReservedConcurrentExecutions  1 should not be lower than function\'s total provisioned concurrency [2].')
    assert.equal((lower as { Type?: string }).Type, undefined)
  })

  test('a version and its alias both', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', echo)
    await publish(server)
    await server.lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '1' }))
    await provision(server, '1', 1)
    await refuses(provision(server, 'live', 1), 409, 'ResourceConflictException', 'Alias can\'t be used for Provisioned Concurrency configuration on an already Provisioned version')
    await unprovision(server, '1')
    await provision(server, 'live', 1)
    await refuses(provision(server, '1', 1), 409, 'ResourceConflictException', 'Version is pointed by a Provisioned Concurrency alias')
    await server.lambda.send(new DeleteAliasCommand({ FunctionName: 'f', Name: 'live' }))
    assert.deepEqual((await server.lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'f' }))).ProvisionedConcurrencyConfigs, [], 'it goes with its alias')
  })
})

describe('provisioned concurrency', () => {
  const counting = `let uses = 0; export const handler = async () => ({ uses: ++uses, type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE })`

  test('keeps environments ready, which are used first, and only for their version', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', counting)
    await publish(server)
    const { $metadata, LastModified, ...put } = await provision(server, '1', 2)
    assert.equal($metadata.httpStatusCode, 202)
    assert.deepEqual(put, { Status: 'IN_PROGRESS', RequestedProvisionedConcurrentExecutions: 2, AvailableProvisionedConcurrentExecutions: 0, AllocatedProvisionedConcurrentExecutions: 0 })
    assert.match(LastModified!, /^\d{4}-\d\d-\d\dT[\d:.]+\+0000$/)
    const { $metadata: _, LastModified: __, ...ready } = await untilReady(server, '1')
    assert.deepEqual(ready, { Status: 'READY', RequestedProvisionedConcurrentExecutions: 2, AvailableProvisionedConcurrentExecutions: 2, AllocatedProvisionedConcurrentExecutions: 2 })
    assert.deepEqual((await invoke(server, 'f', {}, { Qualifier: '1' })).payload, { uses: 1, type: 'provisioned-concurrency' })
    assert.deepEqual((await invoke(server, 'f')).payload, { uses: 1, type: 'on-demand' })
    const { ProvisionedConcurrencyConfigs } = await server.lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'f' }))
    assert.deepEqual(ProvisionedConcurrencyConfigs!.map(({ FunctionArn, Status }) => [FunctionArn, Status]), [[`${arnOf('f')}:1`, 'READY']])
  })

  test('is the whole of a reservation that is no larger: nothing else of the function runs', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', counting)
    await publish(server)
    await provision(server, '1', 1)
    await reserve(server, 'f', 1)
    // Source: localstack's test_reserved_provisioned_overlap, which runs against AWS.
    await refuses(invoke(server, 'f'), 429, 'TooManyRequestsException', 'Rate Exceeded.')
    assert.equal((await invoke(server, 'f', {}, { Qualifier: '1' })).status, 200)
  })

  test('survives the end of an environment, and follows an alias', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', 'export const handler = async (event) => { if (event.exit) process.exit(1); return process.env.AWS_LAMBDA_FUNCTION_VERSION + process.env.AWS_LAMBDA_INITIALIZATION_TYPE }')
    await publish(server)
    await server.lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '1' }))
    await provision(server, 'live', 1)
    await untilReady(server, 'live')
    assert.equal((await invoke(server, 'f', { exit: true }, { Qualifier: 'live' })).functionError, 'Unhandled')
    await untilReady(server, 'live')
    assert.equal((await invoke(server, 'f', {}, { Qualifier: 'live' })).payload, '1provisioned-concurrency')
    await server.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile: await archiveOf({ 'index.mjs': 'export const handler = async () => "second " + process.env.AWS_LAMBDA_INITIALIZATION_TYPE' }), Publish: true }))
    await server.lambda.send(new UpdateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '2' }))
    await untilReady(server, 'live')
    assert.equal((await invoke(server, 'f', {}, { Qualifier: 'live' })).payload, 'second provisioned-concurrency')
  })

  test('that cannot be had is FAILED, with the reason', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', 'throw new Error("never starts")')
    await publish(server)
    await provision(server, '1', 1)
    const { Status, StatusReason } = await untilReady(server, '1')
    assert.deepEqual([Status, StatusReason], ['FAILED', 'FUNCTION_ERROR_INIT_FAILURE'])
  })

  test('is there again after a restart', async () => {
    const dataDir = keptDirectory()
    const first = await startServer(undefined, { dataDir })
    await deployNode(first, 'f', counting)
    await publish(first)
    await provision(first, '1', 1)
    await first.close()
    await using second = await startServer(undefined, { dataDir })
    assert.equal((await untilReady(second, '1')).Status, 'READY')
  })
})
