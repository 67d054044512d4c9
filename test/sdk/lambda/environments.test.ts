// Environments: reused, bounded, replaced, killed in time, and gone when the server is.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import { absent } from '#test/support/programs.ts'
import { descendants, startProcess } from '#test/support/process.ts'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { archiveOf } from './deploy.ts'
import { startLambda } from './in-process.ts'

/** Tells which environment it is, and how often it was used; can take its time. */
const counting = {
  'index.mjs': `import { randomUUID } from 'node:crypto'
const environment = randomUUID()
let uses = 0
export const handler = async ({ ms, loop, exit }) => {
  uses++
  if (exit) process.exit(1)
  while (loop);
  if (ms) await new Promise((done) => setTimeout(done, ms))
  return { environment, uses }
}`,
}

describe('an environment', () => {
  test('serves one call after the other, and is started once', async (t) => {
    const { deploy, invoke } = await startLambda(t)
    const arn = await deploy('f', counting)
    const first = await invoke(arn)
    const second = await invoke(arn)
    assert.deepEqual(second.answer, { environment: first.answer.environment, uses: 2 })
  })

  test('is one of several when calls overlap, and these are reused', async (t) => {
    const { deploy, invoke } = await startLambda(t)
    const arn = await deploy('f', counting)
    const at = async () => new Set((await Promise.all([1, 2, 3].map(() => invoke(arn, { ms: 400 })))).map(({ answer }) => answer.environment))
    const before = await at()
    assert.equal(before.size, 3)
    assert.deepEqual(await at(), before)
  })

  test('that works too long is killed with everything it started; the next call gets another', async (t) => {
    const { deploy, invoke } = await startLambda(t)
    const arn = await deploy('f', counting, { Timeout: 1 })
    const { environment } = (await invoke(arn)).answer
    for (const event of [{ ms: 60_000 }, { loop: true }]) {
      const { functionError, answer, requestId, logTail } = await invoke(arn, event)
      assert.equal(functionError, 'Unhandled')
      // Observed: AWS, 25-11-2025, recorded by localstack's test_lambda_invoke_with_timeout.
      assert.deepEqual(answer, { errorType: 'Sandbox.Timedout', errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds` })
      assert.match(logTail.toString(), new RegExp(`\\n\\d{4}-.*Z ${requestId} Task timed out after 1.00 seconds\\n\\nEND RequestId: ${requestId}\\nREPORT .*\\tStatus: timeout\\t\\n$`))
      const after = await invoke(arn)
      assert.equal(after.functionError, undefined)
      assert.notEqual(after.answer.environment, environment)
    }
  })

  test('is replaced when code or settings change, after it has finished its work', async (t) => {
    const { deploy, invoke, run } = await startLambda(t)
    const arn = await deploy('f', counting)
    const before = (await invoke(arn)).answer.environment
    const atWork = invoke(arn, { ms: 300 })
    await run('UpdateFunctionConfiguration', { FunctionName: 'f', MemorySize: 256 })
    const after = await invoke(arn)
    assert.notEqual(after.answer.environment, before)
    assert.equal((await atWork).answer.environment, before)
    assert.equal((await invoke(arn)).answer.environment, after.answer.environment)
    await run('AddPermission', { FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' })
    assert.equal((await invoke(arn)).answer.environment, after.answer.environment, 'permissions change nothing about environments')
  })

  test('that nobody uses is stopped', async (t) => {
    const { deploy, invoke } = await startLambda(t, { idleMsMax: 200 })
    const arn = await deploy('f', counting)
    const before = (await invoke(arn)).answer.environment
    await sleep(1000)
    assert.notEqual((await invoke(arn)).answer.environment, before)
  })

  test('is not had for more calls at once than there may be: those wait for one, and are refused where none comes in time', async (t) => {
    const { deploy, invoke } = await startLambda(t, { environmentsMax: 2, waitingMsMax: 700 })
    const arn = await deploy('f', counting)
    await Promise.all([1, 2, 3, 4].map(() => invoke(arn, { ms: 100 })))
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => invoke(arn, { ms: 1500 })))
    const refused = results.flatMap((result) => result.status === 'rejected' ? [result.reason] : [])
    assert.equal(refused.length, 2)
    for (const error of refused) {
      // Observed: AWS, 25-11-2025, recorded by localstack's test_reserved_concurrency: the sentence.
      assert.deepEqual([error.code, error.status, error.message, error.members], ['TooManyRequestsException', 429, 'Rate Exceeded.', { Type: 'User', Reason: 'ConcurrentInvocationLimitExceeded', retryAfterSeconds: '1' }])
    }
    const other = await deploy('g', counting)
    assert.equal((await invoke(other)).answer.uses, 1, 'an idle environment makes room for another function')
  })

  test('is not waited for with more bytes than there may be in memory: those calls are refused', async (t) => {
    const { deploy, invoke } = await startLambda(t, { waitingBytesMax: 2_000 })
    const arn = await deploy('f', counting)
    const large = { ms: 10, padding: 'x'.repeat(1_000 - 22) }
    assert.equal(JSON.stringify(large).length, 1_000)
    // None is idle yet: all of them wait, as far as they may.
    const results = await Promise.allSettled([1, 2, 3].map(() => invoke(arn, large)))
    assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected'])
    assert.equal((results[2] as PromiseRejectedResult).reason.code, 'TooManyRequestsException')
    assert.equal((await Promise.all([1, 2].map(() => invoke(arn, large)))).length, 2, 'what no longer waits does not count')
  })

  test('is kept by a function that is fast, however many call at once', async (t) => {
    const { deploy, invoke } = await startLambda(t)
    const arn = await deploy('f', counting)
    await invoke(arn)
    const used = new Set((await Promise.all(Array.from({ length: 100 }, () => invoke(arn)))).map(({ answer }) => answer.environment))
    assert.ok(used.size < 50, `${used.size} environments`)
  })

  test('goes on when the one who called stops waiting', async (t) => {
    const { deploy, invoke, logged } = await startLambda(t)
    const arn = await deploy('f', counting)
    await invoke(arn)
    await assert.rejects(invoke(arn, { ms: 3000 }, { timeoutMs: 50 }), { code: 'ServiceException' })
    assert.deepEqual((await invoke(arn)).answer.uses, 1, 'it is at work, so another one serves')
    const ended = () => logged.flatMap(({ events }) => events).filter(({ message }) => message.startsWith('END')).length
    while (ended() < 3) await sleep(10)
  })
})

describe('services of this server', () => {
  test('invoke only where the function lets them, for the source it names', async (t) => {
    const { deploy, invoke, run, lambda } = await startLambda(t)
    const arn = await deploy('f', counting)
    const accountId = '000000000000'
    const principal = 'apigateway.amazonaws.com'
    const as = (changes: object = {}) => invoke(arn, {}, { caller: { is: 'service', principal, accountId, arn: principal, userId: principal }, sourceArn: `arn:aws:execute-api:us-east-1:${accountId}:abc/dev/GET/x`, ...changes })
    const refusal = { code: 'AccessDeniedException', status: 403, message: `User: ${principal} is not authorized to perform: lambda:InvokeFunction on resource: ${arn} because no resource-based policy allows the lambda:InvokeFunction action` }
    await assert.rejects(as(), refusal)
    await run('AddPermission', { FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: principal, SourceArn: `arn:aws:execute-api:us-east-1:${accountId}:abc/*/GET/*`, SourceAccount: accountId })
    assert.equal((await as()).answer.uses, 1)
    await assert.rejects(as({ sourceArn: `arn:aws:execute-api:us-east-1:${accountId}:abc/dev/POST/x` }), refusal)
    await assert.rejects(as({ sourceArn: undefined }), refusal)
    await assert.rejects(as({ caller: { is: 'service', principal, accountId: '111111111111', arn: principal, userId: principal } }), refusal)
    await assert.rejects(as({ caller: { is: 'service', principal: 'events.amazonaws.com', accountId, arn: 'events.amazonaws.com', userId: '' } }), { code: 'AccessDeniedException' })
    assert.equal(await lambda.functions.exists(arn), true)
    assert.equal(await lambda.functions.exists(`${arn}:1`), false)
    await run('RemovePermission', { FunctionName: 'f', StatementId: 's' })
    await assert.rejects(as(), refusal)
  })
})

describe('the end of the server', () => {
  const start = async (t: { after(hook: () => void | Promise<void>): void }) => {
    const server = await startProcess({ dataDir: keptDirectory() })
    t.after(async () => { server.child.kill('SIGKILL') })
    const config = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 }
    const [iam, lambda] = [new IAMClient(config), new LambdaClient(config)]
    const { Role } = await iam.send(new CreateRoleCommand({
      RoleName: 'r', AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }),
    }))
    await lambda.send(new CreateFunctionCommand({ FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: Role!.Arn, Timeout: 60, Code: { ZipFile: await archiveOf(counting) } }))
    await lambda.send(new InvokeCommand({ FunctionName: 'f' }))
    const busy = lambda.send(new InvokeCommand({ FunctionName: 'f', Payload: '{"loop":true}' })).catch(() => {})
    await lambda.send(new InvokeCommand({ FunctionName: 'f' }))
    const processes = descendants(server.child.pid!)
    assert.ok(processes.length >= 1)
    return { server, processes, busy }
  }
  const isAlive = (pid: number) => {
    try {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    } catch {
      return false
    }
  }
  const linux = { skip: readdirSync('/').includes('proc') ? false : 'absent: /proc' }

  test('leaves no process of a function behind, even one that never looks up', linux, async (t) => {
    const { server, processes, busy } = await start(t)
    assert.equal((await server.end('SIGTERM')).code, 0)
    assert.deepEqual(processes.filter(isAlive), [])
    await busy
  })

  // Below level A only setpriv can tie a process that never looks up to the server's life.
  test('leaves none behind when it is killed', { skip: absent('setpriv') }, async (t) => {
    const { server, processes, busy } = await start(t)
    await server.end('SIGKILL')
    while (processes.some(isAlive)) await sleep(20)
    await busy
  })
})
