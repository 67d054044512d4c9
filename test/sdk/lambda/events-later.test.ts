// What becomes of events whose functions fail, are throttled or are gone: minutes and hours later, on a clock that is put forward.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AwsError } from '#aws/errors.ts'
import type { LambdaOptions, ShownEvent } from '#services/lambda/index.ts'
import { steppedClock, type SteppedClock } from '#test/support/stepped-clock.ts'
import { startLambda, type LambdaInProcess } from './in-process.ts'

const account = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${account}:function:${name}`

/** Says what it got; fails when told to. */
const says = `export const handler = async (event, context) => {
  console.log("GOT " + context.awsRequestId + " " + JSON.stringify(event))
  if (event.fail) throw new TypeError(event.fail)
  return { done: event }
}`

interface Later extends LambdaInProcess {
  clock: SteppedClock
  /** Deploys a function that any function's role may invoke. */
  deployOpen(name: string, source?: string, rest?: object): Promise<string>
  /** Has an event accepted. Answers its id. */
  send(name: string, event?: unknown): Promise<string>
  /** What functions said they got, in order. */
  got(): { id: string, event: any }[]
  /** Waits until so many things have been got. */
  untilGot(count: number): Promise<void>
  listed(): Promise<ShownEvent[]>
  /** Waits until an event is listed like this. */
  untilListed(id: string, state: ShownEvent['state'], attempts?: number): Promise<ShownEvent>
}

async function startLater(t: TestContext, options: Partial<LambdaOptions> = {}): Promise<Later> {
  const clock = steppedClock()
  const inProcess = await startLambda(t, { clock, ...options })
  const { lambda, logged, run } = inProcess
  const until = async <Found>(what: string, find: () => Promise<Found | undefined> | Found | undefined): Promise<Found> => {
    for (let tries = 0; tries < 1_000; tries++) {
      const found = await find()
      if (found !== undefined) return found
      await sleep(10)
    }
    throw new Error(`${what}: ${JSON.stringify(await lambda.events.list(account, 100))}`)
  }
  const got = () => logged.flatMap(({ events }) => events.flatMap(({ message }) => {
    const found = /GOT (\S+) (\{.*\})/.exec(message)
    return found ? [{ id: found[1]!, event: JSON.parse(found[2]!) }] : []
  }))
  const later: Later = {
    ...inProcess, clock, got,
    async deployOpen(name, source = says, rest = {}) {
      const arn = await inProcess.deploy(name, { 'index.mjs': source }, rest)
      await run('AddPermission', { FunctionName: name, StatementId: 'roles', Action: 'lambda:InvokeFunction', Principal: `arn:aws:iam::${account}:role/function` })
      return arn
    },
    async send(name, event = {}) {
      const { status, payload, requestId } = await lambda.invoker.invoke({ functionArn: arnOf(name), payload: Buffer.from(JSON.stringify(event)), type: 'Event', caller: { is: 'root', accountId: account, arn: '', userId: account, accessKeyId: '' } })
      assert.deepEqual([status, payload.length], [202, 0])
      return requestId
    },
    async untilGot(count) { await until(`${count} events`, () => got().length >= count ? true : undefined) },
    listed: () => lambda.events.list(account, 100),
    untilListed: (id, state, attempts) => until(`${id} ${state} ${attempts}`, async () => (await lambda.events.list(account, 100))
      .find((event) => event.requestId === id && event.state === state && (attempts === undefined || event.attempts === attempts))),
  }
  return later
}

const dueIn = (event: ShownEvent, clock: SteppedClock) => Math.round((Date.parse(event.dueAt!) - clock.now()) / 1_000)

describe('an event', () => {
  test('whose function fails is tried again after one and after two minutes, under the same id, and then given up', async (t) => {
    const { clock, deployOpen, send, untilListed, got, listed } = await startLater(t)
    await deployOpen('f')
    const id = await send('f', { fail: 'oh' })
    // Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".
    const first = await untilListed(id, 'waiting', 1)
    assert.ok(dueIn(first, clock) > 50 && dueIn(first, clock) <= 60, String(dueIn(first, clock)))
    assert.equal(first.lastError, 'TypeError: oh')
    assert.equal(first.functionArn, `${arnOf('f')}:$LATEST`)
    clock.step(60_000)
    const second = await untilListed(id, 'waiting', 2)
    assert.ok(dueIn(second, clock) > 110 && dueIn(second, clock) <= 120, String(dueIn(second, clock)))
    clock.step(120_000)
    const last = await untilListed(id, 'given up', 3)
    assert.deepEqual([last.condition, last.lastError], ['RetriesExhausted', 'TypeError: oh'])
    assert.deepEqual(got().map((one) => one.id), [id, id, id])
    assert.equal((await listed()).length, 1)
  })

  test('is tried as often as its function says', async (t) => {
    const { clock, run, deployOpen, send, untilListed, got } = await startLater(t)
    await deployOpen('f')
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 0 })
    const never = await send('f', { fail: 'a' })
    assert.equal((await untilListed(never, 'given up')).attempts, 1)
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 1 })
    const once = await send('f', { fail: 'b' })
    await untilListed(once, 'waiting', 1)
    clock.step(60_000)
    assert.equal((await untilListed(once, 'given up')).attempts, 2)
    assert.equal(got().length, 3)
  })

  test('that would be too old at its next attempt is given up now', async (t) => {
    const { run, deployOpen, send, untilListed } = await startLater(t)
    await deployOpen('f')
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumEventAgeInSeconds: 60 })
    const id = await send('f', { fail: 'a' })
    // Observed: AWS, 22-03-2023, recorded by localstack's test_maxeventage.
    assert.deepEqual((await untilListed(id, 'given up')).condition, 'EventAgeExceeded')
  })

  test('that finds no room waits longer each time, for hours, and is then too old', async (t) => {
    const { clock, run, deployOpen, deploy, send, untilListed, untilGot, got } = await startLater(t)
    await deployOpen('failures')
    await deploy('f', { 'index.mjs': 'export const handler = async () => new Promise((r) => setTimeout(r, 600_000))' }, { Timeout: 900 })
    await run('PutFunctionConcurrency', { FunctionName: 'f', ReservedConcurrentExecutions: 1 })
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', DestinationConfig: { OnFailure: { Destination: arnOf('failures') } } })
    const running = await send('f')
    await untilListed(running, 'running')
    const id = await send('f', { n: 2 })
    const first = await untilListed(id, 'waiting', 0)
    assert.ok(dueIn(first, clock) <= 300)
    clock.step(6 * 3_600_000 + 1_000)
    const last = await untilListed(id, 'given up')
    assert.deepEqual([last.condition, last.attempts], ['EventAgeExceeded', 0])
    await untilGot(1)
    assert.partialDeepStrictEqual(got()[0]!.event, { requestContext: { requestId: id, condition: 'EventAgeExceeded', approximateInvokeCount: 0 }, requestPayload: { n: 2 } })
  })

  test('of a function without any reserved concurrency is given up at once', async (t) => {
    const { run, deployOpen, send, untilListed } = await startLater(t)
    await deployOpen('f')
    await run('PutFunctionConcurrency', { FunctionName: 'f', ReservedConcurrentExecutions: 0 })
    const id = await send('f')
    // Source: Lambda developer guide, asynchronous error handling: it goes to the dead-letter queue or the on-failure destination without retries.
    assert.deepEqual((await untilListed(id, 'given up')).condition, 'ZeroReservedConcurrency')
  })

  test('whose function is gone is given up', async (t) => {
    const { clock, run, deployOpen, send, untilListed } = await startLater(t)
    await deployOpen('f')
    const id = await send('f', { fail: 'a' })
    await untilListed(id, 'waiting', 1)
    await run('DeleteFunction', { FunctionName: 'f' })
    clock.step(60_000)
    assert.match((await untilListed(id, 'given up')).lastError!, /^Function not found: /)
  })

  test('that was given up can be sent again', async (t) => {
    const { lambda, run, deployOpen, send, untilListed, untilGot, got } = await startLater(t)
    await deployOpen('f', 'export const handler = async (event, context) => { console.log("GOT " + context.awsRequestId + " " + JSON.stringify(event)); throw new Error("first") }')
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 0 })
    const id = await send('f', { n: 1 })
    await untilListed(id, 'given up')
    assert.equal(await lambda.events.retry('111111111111', id), undefined, 'it is nobody else\'s')
    assert.equal(await lambda.events.find('111111111111', id), undefined)
    assert.equal((await lambda.events.find(account, id))!.payload, '{"n":1}')
    assert.equal((await lambda.events.retry(account, id))!.state, 'waiting')
    await untilGot(2)
    assert.deepEqual(got().map((one) => one.id), [id, id])
  })
})

describe('the record of an event', () => {
  test('goes to the destination of success with what the function answered', async (t) => {
    const { run, deployOpen, send, untilGot, got, listed } = await startLater(t)
    await deployOpen('f')
    await deployOpen('successes')
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', DestinationConfig: { OnSuccess: { Destination: arnOf('successes') } } })
    const id = await send('f', { n: 12345678901234567890n.toString() })
    await untilGot(2)
    const { event, id: own } = got()[1]!
    assert.notEqual(own, id)
    // Observed: AWS, 21-03-2024, recorded by localstack's test_assess_lambda_destination_invocation.
    assert.match(event.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual({ ...event, timestamp: '' }, {
      version: '1.0', timestamp: '',
      requestContext: { requestId: id, functionArn: `${arnOf('f')}:$LATEST`, condition: 'Success', approximateInvokeCount: 1 },
      requestPayload: { n: '12345678901234567890' },
      responseContext: { statusCode: 200, executedVersion: '$LATEST' },
      responsePayload: { done: { n: '12345678901234567890' } },
    })
    for (let tries = 0; tries < 100 && (await listed()).length > 0; tries++) await sleep(20)
    assert.deepEqual(await listed(), [], 'what is done with is not kept')
  })

  test('goes to the destination of failure with the error, and to the dead-letter target', async (t) => {
    const { run, deployOpen, send, untilGot, got, untilListed } = await startLater(t)
    await deployOpen('failures')
    await deployOpen('letters')
    await deployOpen('f', says, { DeadLetterConfig: { TargetArn: arnOf('letters') } })
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: arnOf('failures') } } })
    const id = await send('f', { fail: 'oh' })
    await untilListed(id, 'given up')
    await untilGot(3)
    for (const { event } of got().slice(1)) {
      // Observed: AWS, 21-03-2024, recorded by localstack's test_lambda_destination_default_retries.
      assert.partialDeepStrictEqual(event, {
        version: '1.0',
        requestContext: { requestId: id, functionArn: `${arnOf('f')}:$LATEST`, condition: 'RetriesExhausted', approximateInvokeCount: 1 },
        requestPayload: { fail: 'oh' },
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        responsePayload: { errorType: 'TypeError', errorMessage: 'oh' },
      })
    }
  })

  test('that cannot be handed over is noted with the event, and counted', async (t) => {
    const { lambda, run, deployOpen, send, untilListed } = await startLater(t)
    await deployOpen('failures')
    await deployOpen('f')
    await run('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: arnOf('failures') } } })
    await run('RemovePermission', { FunctionName: 'failures', StatementId: 'roles' })
    const denied = await untilListed(await send('f', { fail: 'oh' }), 'given up')
    assert.deepEqual(denied.undelivered, [`the function's role may not invoke ${arnOf('failures')}`])
    await run('DeleteFunction', { FunctionName: 'failures' })
    const missing = await untilListed(await send('f', { fail: 'oh' }), 'given up')
    assert.deepEqual(missing.undelivered, [`${arnOf('failures')} does not exist`])
    const [measured] = [...lambda.measurements.all()].filter(([labels]) => labels.function === 'f').map(([, counted]) => counted)
    assert.deepEqual([measured!.destinationDeliveryFailures, measured!.asyncEventsReceived, measured!.asyncEventsDropped, measured!.errors], [2, 2, 2, 2])
  })
})

describe('events', () => {
  test('that never end leave others their turn', async (t) => {
    const { deployOpen, deploy, run, send, untilGot } = await startLater(t)
    await deploy('endless', { 'index.mjs': 'export const handler = async () => new Promise((r) => setTimeout(r, 600_000))' }, { Timeout: 900 })
    await run('PutFunctionConcurrency', { FunctionName: 'endless', ReservedConcurrentExecutions: 2 })
    await deployOpen('poisoned')
    await deployOpen('f')
    for (let n = 0; n < 60; n++) await send('endless')
    for (let n = 0; n < 20; n++) await send('poisoned', { fail: 'again' })
    for (let n = 0; n < 20; n++) await send('f', { n })
    await untilGot(40)
  })

  test('that wait are bounded for each function: more are refused until there are fewer', async (t) => {
    const { run, deployOpen, send, listed } = await startLater(t, { eventsWaitingMax: 2 })
    await deployOpen('f', 'export const handler = async () => new Promise((r) => setTimeout(r, 600_000))', { Timeout: 900 })
    await deployOpen('g')
    await send('f')
    await send('f')
    await assert.rejects(send('f'), ({ code, status, message, members }: AwsError) => {
      assert.deepEqual([code, status, message, members['Reason']], ['TooManyRequestsException', 429, 'Rate Exceeded.', 'CallerRateLimitExceeded'])
      return true
    })
    await send('g')
    assert.ok((await listed()).length >= 2)
    await run('DeleteFunction', { FunctionName: 'f' })
  })
})
