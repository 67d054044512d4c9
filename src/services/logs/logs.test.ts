// The operations of CloudWatch Logs on every engine, called as the dispatcher calls them.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startTrace } from '#aws/trace.ts'
import type { Call } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import { createLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import type { Store } from '#storage/database.ts'
import { eachDatabase } from '#test/support/each-database.ts'
import { createLogs, type LogsLimits } from './index.ts'
import { migrations } from './migrations.ts'
import { sweep } from './retention.ts'
import { findUsedBytes } from './store.ts'

const scope = { accountId: '000000000000', region: 'us-east-1' }
const dayMs = 24 * 3_600_000

/** A clock that stands until told. Nobody who sleeps on it wakes before the end, so that nothing happens in the background. */
function fakeClock(nowMs: number): Clock & { advance(ms: number): void } {
  let now = nowMs
  return {
    now: () => now,
    monotonic: () => now,
    // Short pauses between the steps of a sweep are not waited for.
    sleep: (ms, signal) => ms < 100 ? Promise.resolve() : new Promise((resolve) => {
      if (signal?.aborted) resolve()
      signal?.addEventListener('abort', () => resolve())
    }),
    advance(ms) { now += ms },
  }
}

async function start(t: TestContext, open: () => Promise<Store>, limits: Partial<LogsLimits> = {}) {
  const clock = fakeClock(Date.parse('2026-11-21T12:00:00Z'))
  const database = await open()
  const logs = createLogs({ database, clock, random: systemRandom, log: createLog('silent'), limits })
  t.after(() => logs.close())
  const call = (): Call => ({
    requestId: 'r', scope, atMs: clock.now(), trace: startTrace('r', () => 0), require: async () => {},
    caller: { is: 'root', accountId: scope.accountId, arn: 'arn:aws:iam::000000000000:root', userId: scope.accountId, accessKeyId: 'AKIA' },
    request: { remoteAddress: '127.0.0.1', isSecure: false, headers: { get: () => undefined, all: () => [], entries: () => [] } },
  })
  const run = async (name: string, input: Record<string, unknown>): Promise<any> => logs.definition.operations[name]!.run(input, call(), logs.definition.service)
  return { clock, database, logs, run }
}

const refuses = (code: string, message: string | RegExp) => (error: Error) => {
  assert.equal(error.name, code, error.message)
  if (typeof message === 'string') assert.equal(error.message, message)
  else assert.match(error.message, message)
  return true
}

const group = { logGroupName: '/aws/lambda/echo' }
const stream = { ...group, logStreamName: '2026/11/21/[$LATEST]abc' }

eachDatabase('CloudWatch Logs', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  test('refuses what exists already and what does not exist', async (t) => {
    const { run } = await start(t, open)
    await run('CreateLogGroup', group)
    await assert.rejects(run('CreateLogGroup', group), refuses('ResourceAlreadyExistsException', 'The specified log group already exists'))
    await assert.rejects(run('CreateLogStream', { ...stream, logGroupName: 'none' }), refuses('ResourceNotFoundException', 'The specified log group does not exist.'))
    await run('CreateLogStream', stream)
    await assert.rejects(run('CreateLogStream', stream), refuses('ResourceAlreadyExistsException', 'The specified log stream already exists'))
    const events = [{ timestamp: Date.parse('2026-11-21T12:00:00Z'), message: 'x' }]
    await assert.rejects(run('PutLogEvents', { ...stream, logStreamName: 'none', logEvents: events }), refuses('ResourceNotFoundException', 'The specified log stream does not exist.'))
    await assert.rejects(run('GetLogEvents', { logGroupName: 'none', logStreamName: 'x' }), refuses('ResourceNotFoundException', 'The specified log group does not exist.'))
    await assert.rejects(run('FilterLogEvents', { ...group, logStreamNames: ['none'] }), refuses('ResourceNotFoundException', 'The specified log stream does not exist.'))
    await assert.rejects(run('DeleteLogGroup', { logGroupName: 'none' }), refuses('ResourceNotFoundException', 'The specified log group does not exist.'))
    await assert.rejects(run('DeleteLogStream', { ...stream, logStreamName: 'none' }), refuses('ResourceNotFoundException', 'The specified log stream does not exist.'))
    await assert.rejects(run('ListTagsLogGroup', { logGroupName: 'none' }), refuses('ResourceNotFoundException', 'The specified log group does not exist.'))
  })

  test('refuses parameters that make no sense, in AWS\'s words', async (t) => {
    const { run } = await start(t, open)
    await run('CreateLogGroup', group)
    await run('CreateLogStream', stream)
    await assert.rejects(run('CreateLogGroup', { logGroupName: 'a'.repeat(513) }), refuses('InvalidParameterException', 'Invalid LogGroup or LogStream, both must have length less than or equal to 512.'))
    await assert.rejects(run('CreateLogGroup', { logGroupName: 'k', kmsKeyId: 'arn:aws:kms:us-east-1:000000000000:key/x' }), refuses('InvalidParameterException', 'The specified KMS Key Id could not be found.'))
    await assert.rejects(run('DescribeLogGroups', { logGroupNamePrefix: 'a', logGroupNamePattern: 'a' }),
      refuses('InvalidParameterException', 'LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.'))
    await assert.rejects(run('DescribeLogStreams', { ...group, logGroupIdentifier: group.logGroupName }),
      refuses('ValidationException', 'LogGroup name and LogGroup ARN are mutually exclusive parameters.'))
    await assert.rejects(run('DescribeLogStreams', { ...group, orderBy: 'LastEventTime', logStreamNamePrefix: 'a' }),
      refuses('InvalidParameterException', 'Cannot order by LastEventTime with a logStreamNamePrefix.'))
    await assert.rejects(run('GetLogEvents', { ...stream, nextToken: 'invalid-token' }), refuses('InvalidParameterException', 'The specified nextToken is invalid.'))
    await assert.rejects(run('FilterLogEvents', { ...group, nextToken: 'invalid-token' }), refuses('InvalidParameterException', 'The specified nextToken is invalid.'))
    await assert.rejects(run('FilterLogEvents', { ...group, filterPattern: 'a(b' }), refuses('InvalidParameterException', "Invalid character(s) in term '('"))
    await assert.rejects(run('PutRetentionPolicy', { ...group, retentionInDays: 2 }), refuses('InvalidParameterException', /Value '2' at 'retentionInDays'/))
  })

  test('refuses a batch out of order, too large or over too long a time', async (t) => {
    const { clock, run } = await start(t, open)
    await run('CreateLogGroup', group)
    await run('CreateLogStream', stream)
    const put = (...logEvents: { timestamp: number, message: string }[]) => run('PutLogEvents', { ...stream, logEvents })
    const now = clock.now()
    await assert.rejects(put({ timestamp: now, message: 'b' }, { timestamp: now - 1, message: 'a' }),
      refuses('InvalidParameterException', 'Log events in a single PutLogEvents request must be in chronological order.'))
    await put({ timestamp: now, message: 'x'.repeat(1_048_576 - 26) })
    await assert.rejects(put({ timestamp: now, message: 'x'.repeat(1_048_576 - 25) }), refuses('InvalidParameterException', /Upload too large/))
    await put({ timestamp: now - dayMs, message: 'a' }, { timestamp: now, message: 'b' })
    await assert.rejects(put({ timestamp: now - dayMs - 1, message: 'a' }, { timestamp: now, message: 'b' }), refuses('InvalidParameterException', /24 hours/))
  })

  test('tells which events of a batch are too old, expired or too new, and keeps the others', async (t) => {
    const { clock, run } = await start(t, open)
    await run('CreateLogGroup', group)
    await run('CreateLogStream', stream)
    const now = clock.now()
    const put = (...times: number[]) => run('PutLogEvents', { ...stream, logEvents: times.map((timestamp) => ({ timestamp, message: String(timestamp) })) })
    assert.deepEqual((await put(now - 14 * dayMs - 1, now - 14 * dayMs)).rejectedLogEventsInfo, { tooOldLogEventEndIndex: 1 })
    assert.deepEqual((await put(now + 2 * 3_600_000, now + 2 * 3_600_000 + 1)).rejectedLogEventsInfo, { tooNewLogEventStartIndex: 1 })
    await run('PutRetentionPolicy', { ...group, retentionInDays: 1 })
    assert.deepEqual((await put(now - dayMs - 1, now - dayMs)).rejectedLogEventsInfo, { expiredLogEventEndIndex: 1 })
    assert.equal((await put(now)).rejectedLogEventsInfo, undefined)
    await run('DeleteRetentionPolicy', group)
    const { events } = await run('GetLogEvents', { ...stream, startFromHead: true })
    assert.deepEqual(events.map(({ timestamp }: any) => timestamp - now), [-14 * dayMs, -dayMs, 0, 2 * 3_600_000])
  })

  test('describes groups and streams, in pages', async (t) => {
    const { clock, run } = await start(t, open)
    for (const name of ['b', 'a', 'A', 'a/1', 'a_1']) await run('CreateLogGroup', { logGroupName: name })
    const first = await run('DescribeLogGroups', { limit: 2 })
    assert.deepEqual(first.logGroups[0], {
      logGroupName: 'A', creationTime: clock.now(), metricFilterCount: 0, arn: 'arn:aws:logs:us-east-1:000000000000:log-group:A:*', storedBytes: 0,
      logGroupClass: 'STANDARD', logGroupArn: 'arn:aws:logs:us-east-1:000000000000:log-group:A', deletionProtectionEnabled: false,
    })
    const names = async (input: object) => (await run('DescribeLogGroups', { ...input })).logGroups.map(({ logGroupName }: any) => logGroupName)
    assert.deepEqual(await names({ nextToken: first.nextToken }), ['a/1', 'a_1', 'b'])
    assert.deepEqual(await names({ logGroupNamePrefix: 'a' }), ['a', 'a/1', 'a_1'])
    assert.deepEqual(await names({ logGroupNamePattern: '_' }), ['a_1'], 'an underscore is no wildcard')
    assert.deepEqual(await names({ logGroupIdentifiers: ['b', 'arn:aws:logs:us-east-1:000000000000:log-group:A'] }), ['b', 'A'])
    for (const logStreamName of ['s1', 's2', 's3']) await run('CreateLogStream', { logGroupName: 'a', logStreamName })
    await run('PutLogEvents', { logGroupName: 'a', logStreamName: 's1', logEvents: [{ timestamp: clock.now() - 5, message: 'é' }, { timestamp: clock.now(), message: 'x' }] })
    const page = await run('DescribeLogStreams', { logGroupName: 'a', orderBy: 'LastEventTime', descending: true, limit: 1 })
    assert.partialDeepStrictEqual(page.logStreams, [{ logStreamName: 's1', firstEventTimestamp: clock.now() - 5, lastEventTimestamp: clock.now(), lastIngestionTime: clock.now(), storedBytes: 0 }])
    const rest = await run('DescribeLogStreams', { logGroupName: 'a', orderBy: 'LastEventTime', descending: true, nextToken: page.nextToken })
    assert.deepEqual(rest.logStreams.map((one: any) => one.logStreamName), ['s3', 's2'])
    assert.deepEqual((await run('DescribeLogStreams', { logGroupIdentifier: 'a', logStreamNamePrefix: 's2' })).logStreams, [{
      logStreamName: 's2', creationTime: clock.now(), arn: 'arn:aws:logs:us-east-1:000000000000:log-group:a:log-stream:s2', storedBytes: 0,
    }])
    assert.equal((await run('DescribeLogGroups', { logGroupNamePrefix: 'a' })).logGroups[0].storedBytes, 2 + 1 + 2 * 26)
  })

  test('pages through a stream forwards and backwards, and a token stays good when events come later', async (t) => {
    const { clock, run } = await start(t, open)
    await run('CreateLogGroup', group)
    await run('CreateLogStream', stream)
    const now = clock.now()
    const empty = await run('GetLogEvents', stream)
    assert.deepEqual(empty.events, [])
    // Several at one time: their order is that of the call.
    await run('PutLogEvents', { ...stream, logEvents: [0, 1, 2, 3, 4, 5, 6].map((n) => ({ timestamp: now + Math.floor(n / 3), message: String(n) })) })
    const text = ({ events }: any) => events.map(({ message }: any) => message).join('')
    const get = (input: object) => run('GetLogEvents', { ...stream, limit: 3, ...input })
    const latest = await get({})
    assert.equal(text(latest), '456')
    const before = await get({ nextToken: latest.nextBackwardToken })
    assert.equal(text(before), '123')
    const first = await get({ nextToken: before.nextBackwardToken })
    assert.equal(text(first), '0')
    const none = await get({ nextToken: first.nextBackwardToken })
    assert.equal(text(none), '')
    assert.equal(none.nextBackwardToken, first.nextBackwardToken, 'the end answers the token it was asked with')
    assert.equal(text(await get({ nextToken: none.nextForwardToken })), '012')
    const end = await get({ nextToken: latest.nextForwardToken })
    assert.deepEqual([text(end), end.nextForwardToken], ['', latest.nextForwardToken])
    await run('PutLogEvents', { ...stream, logEvents: [{ timestamp: now + 9, message: 'later' }] })
    assert.equal(text(await get({ nextToken: end.nextForwardToken })), 'later')
    assert.equal(text(await get({ nextToken: empty.nextForwardToken })), '012')
    assert.equal(text(await get({ startFromHead: true, startTime: now + 1, endTime: now + 2, limit: 10 })), '345', 'the end is exclusive')
  })

  test('an answer is at most a megabyte, and at least one event', async (t) => {
    const { clock, run } = await start(t, open)
    await run('CreateLogGroup', group)
    await run('CreateLogStream', stream)
    for (const letter of 'abc') await run('PutLogEvents', { ...stream, logEvents: [{ timestamp: clock.now(), message: letter.repeat(700_000) }] })
    const seen = []
    let nextToken: string | undefined
    do {
      const page = await run('FilterLogEvents', { ...group, nextToken })
      seen.push(page.events.map(({ message }: any) => message[0]).join(''))
      nextToken = page.nextToken
    } while (nextToken)
    assert.deepEqual(seen.filter((page) => page !== ''), ['a', 'b', 'c'])
    assert.equal((await run('GetLogEvents', stream)).events[0].message[0], 'c')
  })

  test('filters over streams in the order of time', async (t) => {
    const { clock, run } = await start(t, open)
    await run('CreateLogGroup', group)
    const now = clock.now()
    for (const name of ['one', 'two', 'three']) await run('CreateLogStream', { ...group, logStreamName: name })
    await run('PutLogEvents', { ...group, logStreamName: 'one', logEvents: [{ timestamp: now, message: 'ERROR a' }, { timestamp: now + 20, message: 'fine' }] })
    await run('PutLogEvents', { ...group, logStreamName: 'two', logEvents: [{ timestamp: now + 10, message: '{"level":"ERROR","n":2}' }, { timestamp: now + 30, message: 'ERROR b' }] })
    const filter = async (input: object) => (await run('FilterLogEvents', { ...group, ...input })).events.map(({ message }: any) => message)
    assert.deepEqual(await filter({}), ['ERROR a', '{"level":"ERROR","n":2}', 'fine', 'ERROR b'])
    assert.deepEqual(await filter({ filterPattern: 'ERROR -b' }), ['ERROR a', '{"level":"ERROR","n":2}'])
    assert.deepEqual(await filter({ filterPattern: '{ $.n = 2 }' }), ['{"level":"ERROR","n":2}'])
    assert.deepEqual(await filter({ logStreamNames: ['two'] }), ['{"level":"ERROR","n":2}', 'ERROR b'])
    assert.deepEqual(await filter({ logStreamNamePrefix: 't', filterPattern: 'b' }), ['ERROR b'])
    assert.deepEqual(await filter({ logStreamNamePrefix: 'nothing' }), [])
    assert.deepEqual(await filter({ startTime: now + 10, endTime: now + 20 }), ['{"level":"ERROR","n":2}', 'fine'], 'the end is inclusive')
    const page = await run('FilterLogEvents', { ...group, filterPattern: 'ERROR', limit: 2 })
    assert.deepEqual(Object.keys(page.events[0]), ['logStreamName', 'timestamp', 'message', 'ingestionTime', 'eventId'])
    assert.deepEqual(await filter({ filterPattern: 'ERROR', limit: 2, nextToken: page.nextToken }), ['ERROR b'])
    const ids = (await run('FilterLogEvents', group)).events.map(({ eventId }: any) => eventId)
    assert.equal(new Set(ids).size, 4)
  })

  test('tags are one set, however they are named', async (t) => {
    const { run } = await start(t, open)
    await run('CreateLogGroup', { ...group, tags: { env: 'test' } })
    const resourceArn = `arn:aws:logs:us-east-1:000000000000:log-group:${group.logGroupName}`
    await run('TagResource', { resourceArn, tags: { a: '1', env: 'x' } })
    await run('TagLogGroup', { ...group, tags: { b: '2' } })
    assert.deepEqual(await run('ListTagsLogGroup', group), { tags: { env: 'x', a: '1', b: '2' } })
    await run('UntagLogGroup', { ...group, tags: ['env'] })
    await run('UntagResource', { resourceArn: `${resourceArn}:*`, tagKeys: ['a'] })
    assert.deepEqual(await run('ListTagsForResource', { resourceArn }), { tags: { b: '2' } })
    const tooMany = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, '']))
    await assert.rejects(run('TagResource', { resourceArn, tags: tooMany }), refuses('TooManyTagsException', /50/))
  })

  test('retention hides expired events at once and deletes them in the sweep', async (t) => {
    const { clock, database, run } = await start(t, open)
    await run('CreateLogGroup', group)
    await run('CreateLogStream', stream)
    await run('PutLogEvents', { ...stream, logEvents: [{ timestamp: clock.now() - 1000, message: 'old' }, { timestamp: clock.now(), message: 'new' }] })
    await run('PutRetentionPolicy', { ...group, retentionInDays: 1 })
    clock.advance(dayMs)
    const texts = async () => (await run('FilterLogEvents', group)).events.map(({ message }: any) => message)
    assert.deepEqual(await texts(), ['new'])
    assert.equal(await findUsedBytes(database), 2 * 29)
    await sweep({ database, clock })
    assert.equal(await findUsedBytes(database), 29)
    await run('DeleteRetentionPolicy', group)
    assert.deepEqual(await texts(), ['new'])
    const { logStreams } = await run('DescribeLogStreams', group)
    assert.equal(logStreams[0].firstEventTimestamp, clock.now() - dayMs)
  })

  test('a deleted group or stream is gone at once, and its events with the sweep', async (t) => {
    const { clock, database, run } = await start(t, open)
    for (const name of ['a', 'b']) {
      await run('CreateLogGroup', { logGroupName: name })
      await run('CreateLogStream', { logGroupName: name, logStreamName: 's' })
      await run('PutLogEvents', { logGroupName: name, logStreamName: 's', logEvents: Array.from({ length: 30 }, () => ({ timestamp: clock.now(), message: 'x' })) })
    }
    await run('DeleteLogGroup', { logGroupName: 'a' })
    await run('DeleteLogStream', { logGroupName: 'b', logStreamName: 's' })
    await run('CreateLogGroup', { logGroupName: 'a' })
    assert.deepEqual((await run('DescribeLogStreams', { logGroupName: 'a' })).logStreams, [])
    assert.deepEqual((await run('FilterLogEvents', { logGroupName: 'b' })).events, [])
    await sweep({ database, clock })
    assert.equal(await findUsedBytes(database), 0)
    assert.equal((await run('DescribeLogGroups', { logGroupNamePrefix: 'b' })).logGroups[0].storedBytes, 0)
  })

  test('a protected group is not deleted', async (t) => {
    const { run } = await start(t, open)
    await run('CreateLogGroup', { ...group, deletionProtectionEnabled: true })
    await assert.rejects(run('DeleteLogGroup', group), refuses('ValidationException', /deletion protection/))
  })

  test('beyond the limit the oldest events go', async (t) => {
    const { clock, database, run } = await start(t, open, { eventBytesMax: 100_000 })
    await run('CreateLogGroup', group)
    await run('CreateLogStream', stream)
    const put = (message: string, count: number) => run('PutLogEvents', { ...stream, logEvents: Array.from({ length: count }, () => ({ timestamp: clock.now(), message })) })
    await put('a'.repeat(10), 2500)
    await put('b'.repeat(10), 1500)
    assert.ok(await findUsedBytes(database) <= 100_000)
    const { events } = await run('FilterLogEvents', group)
    assert.equal(events.filter(({ message }: any) => message.startsWith('b')).length, 1500)
  })

  test('what services log is there for the next reader, its group and stream made on demand', async (t) => {
    const { clock, logs, run } = await start(t, open)
    const line = (message: string) => ({ timestampMs: clock.now(), message })
    const entry = { ...scope, group: group.logGroupName, stream: stream.logStreamName }
    logs.sink.append({ ...entry, events: [line('START'), line('a\0b\ud800')] })
    logs.sink.append({ ...entry, events: [line(''), line('END')] })
    const { events } = await run('GetLogEvents', stream)
    assert.deepEqual(events.map(({ message }: any) => message), ['START', 'a\ufffdb\ufffd', 'END'])
    assert.deepEqual(logs.dropped(), { events: 0, traces: 0 })
  })

  test('what the buffer cannot hold is dropped and counted', async (t) => {
    const { clock, logs } = await start(t, open)
    const events = Array.from({ length: 10 }, () => ({ timestampMs: clock.now(), message: 'x'.repeat(250_000) }))
    for (let index = 0; index < 10; index++) logs.sink.append({ ...scope, group: 'g', stream: 's', events })
    assert.ok(logs.dropped().events > 0 && logs.dropped().events < 100, String(logs.dropped().events))
  })

  test('traces are found by request, listed by account, and the oldest go first', async (t) => {
    const { clock, logs } = await start(t, open, { tracesMax: 5 })
    const record = (id: string, accountId: string | undefined) => {
      const trace = startTrace(id, () => clock.now())
      trace.add('authentication', { key: 'AKIA\0' })
      logs.traces.record(trace, { atMs: clock.now(), accountId, ...{ status: 200 } })
    }
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) record(id, id === 'd' ? '111111111111' : scope.accountId)
    record('nobody', undefined)
    assert.deepEqual(await logs.traces.find('f'), {
      requestId: 'f', at: '2026-11-21T12:00:00.000Z', accountId: scope.accountId, status: 200, steps: [{ atMs: 0, step: 'authentication', facts: { key: 'AKIA\ufffd' } }],
    })
    assert.equal(await logs.traces.find('a'), undefined)
    assert.deepEqual((await logs.traces.latest(scope.accountId, 10)).map(({ requestId }) => requestId), ['f', 'e', 'c'])
    assert.deepEqual((await logs.traces.latest(scope.accountId, 1)).map(({ requestId }) => requestId), ['f'])
  })

  test('traces are bounded in bytes too', async (t) => {
    const { clock, logs } = await start(t, open, { traceBytesMax: 50_000 })
    for (let index = 0; index < 100; index++) {
      const trace = startTrace(`t${index}`, () => clock.now())
      trace.add('x', { text: 'x'.repeat(1000) })
      logs.traces.record(trace, { atMs: clock.now(), accountId: scope.accountId })
    }
    assert.equal(await logs.traces.find('t0'), undefined)
    assert.ok(await logs.traces.find('t99'))
  })
})
