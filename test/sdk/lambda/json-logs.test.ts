// Logs in JSON: of the platform, of Node and Python functions, and their levels.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { absent } from '#test/support/programs.ts'
import { launchFunction } from './launched.ts'

const linesOf = (log: string) => log.trimEnd().split('\n').map((line) => line.startsWith('{') ? JSON.parse(line) : line)
const json = { logFormat: 'JSON' } as const

describe('the platform, in JSON', () => {
  const code = { 'index.mjs': 'export const handler = async ({ exit }) => { if (exit) process.exit(2) }' }

  // Source: Lambda developer guide, "Lambda Telemetry API Event schema reference", and "Log-level filtering", system log level event mapping.
  test('has events instead of lines', async (t) => {
    const { invoke, log } = await launchFunction(t, { code, settings: json })
    const { requestId } = await invoke()
    const [initStart, start, report, ...rest] = linesOf(log())
    assert.deepEqual(rest, [])
    assert.deepEqual([initStart.type, start.type, report.type], ['platform.initStart', 'platform.start', 'platform.report'])
    assert.match(start.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(start.record, { requestId, version: '$LATEST', tracing: { type: 'X-Amzn-Trace-Id', value: 'Root=1' } })
    assert.deepEqual([report.record.requestId, report.record.status, report.record.metrics.memorySizeMB], [requestId, 'success', 128])
    assert.ok(report.record.metrics.initDurationMs > 0)
    const { errorType } = (await invoke({ exit: true })).answer
    assert.equal(errorType, 'Runtime.ExitError')
    assert.deepEqual(linesOf(log()).slice(-2).map(({ type, record }) => [type, record.status, record.errorType]), [['platform.runtimeDone', 'error', 'Runtime.ExitError'], ['platform.report', 'error', 'Runtime.ExitError']])
  })

  test('says as much as its level lets it', async (t) => {
    const debug = await launchFunction(t, { code, settings: { ...json, systemLogLevel: 'DEBUG' } })
    await debug.invoke()
    assert.deepEqual(linesOf(debug.log()).map(({ type }) => type), ['platform.initStart', 'platform.initRuntimeDone', 'platform.initReport', 'platform.start', 'platform.runtimeDone', 'platform.report'])
    const warn = await launchFunction(t, { code, settings: { ...json, systemLogLevel: 'WARN' } })
    await warn.invoke()
    assert.equal(warn.log(), '')
  })
})

describe('a Node function, in JSON', () => {
  // Source: Lambda developer guide, "Using Lambda advanced logging controls with Node.js"; AWS's Node.js runtime interface client.
  test('has an object for each call of the console', async (t) => {
    const { invoke, log } = await launchFunction(t, {
      settings: { ...json, systemLogLevel: 'WARN' },
      code: { 'index.mjs': `export const handler = async () => {
  console.log('text')
  console.info('with %d', 1)
  console.warn({ own: 'object' })
  console.debug('not seen')
  console.error('failed', new TypeError('no'))
  console.error(new RangeError('alone'))
  process.stdout.write('plain\\n')
  throw new SyntaxError('thrown')
}` },
    })
    const { requestId } = await invoke()
    const lines = linesOf(log())
    // Output streams travel beside messages.
    assert.ok(lines.includes('plain'))
    const messages = lines.filter((line) => line !== 'plain')
    assert.ok(messages.every((line) => line.requestId === requestId && /^\d{4}-.*Z$/.test(line.timestamp)))
    assert.deepEqual(messages.map(({ level, message }) => [level, message.errorType ?? message]), [['INFO', 'text'], ['INFO', 'with 1'], ['WARN', { own: 'object' }], ['ERROR', messages[3].message], ['ERROR', 'RangeError'], ['ERROR', 'SyntaxError']])
    assert.deepEqual([messages[3].errorType, messages[3].errorMessage], ['TypeError', 'no'])
    assert.match(messages[3].stackTrace[1], /index\.mjs/)
    assert.deepEqual(Object.keys(messages[0]), ['timestamp', 'level', 'requestId', 'message'])
  })

  test('says no more than its level lets it, on its output as well', async (t) => {
    const { invoke, log } = await launchFunction(t, {
      settings: { ...json, systemLogLevel: 'WARN', applicationLogLevel: 'WARN' },
      code: { 'index.mjs': `export const handler = async () => {
  console.info('no'); console.warn('yes')
  process.stdout.write('{"level":"debug","message":"no"}\\n{"level":"error","message":"yes"}\\nno\\n')
  return [process.env.AWS_LAMBDA_LOG_FORMAT, process.env.AWS_LAMBDA_LOG_LEVEL]
}` },
    })
    assert.deepEqual((await invoke()).answer, ['JSON', 'WARN'])
    assert.deepEqual(linesOf(log()).map(({ message }) => message), ['yes', 'yes'])
  })
})

describe('a Python function, in JSON', { skip: absent('python3') }, () => {
  // Source: Lambda developer guide, "Using Lambda advanced logging controls with Python"; AWS's Python runtime interface client.
  test('has an object for each record, and the root logger has the level', async (t) => {
    const { invoke, log } = await launchFunction(t, {
      settings: { ...json, systemLogLevel: 'WARN', applicationLogLevel: 'DEBUG' },
      code: { 'lambda_function.py': [
        'import logging', 'logger = logging.getLogger("own")', 'def lambda_handler(event, context):', '    logger.debug("seen %d", 1, extra={"more": "said"})',
        '    try:', '        raise KeyError("k")', '    except KeyError:', '        logger.exception("failed")', '    raise ValueError("thrown")',
      ].join('\n') },
    })
    const { requestId } = await invoke()
    const [seen, failed, thrown] = linesOf(log())
    assert.deepEqual(seen, { timestamp: seen.timestamp, level: 'DEBUG', message: 'seen 1', logger: 'own', requestId, more: 'said' })
    assert.match(seen.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual([failed.level, failed.errorType, failed.errorMessage, failed.stackTrace.length], ['ERROR', 'KeyError', '\'k\'', 1])
    assert.match(failed.location, /lambda_function\.py:lambda_handler:8$/)
    assert.deepEqual([thrown.level, thrown.errorType, thrown.errorMessage, thrown.requestId], ['ERROR', 'ValueError', 'thrown', requestId])
  })
})

test('a crash of the Python interpreter leaves its traceback', { skip: absent('python3') }, async (t) => {
  const { invoke } = await launchFunction(t, { code: { 'lambda_function.py': 'import ctypes\ndef lambda_handler(event, context): ctypes.string_at(0)' } })
  const { answer, log } = await invoke()
  assert.match(answer.errorMessage, /Runtime exited with error: signal: segmentation fault$/)
  assert.match(log, /^Fatal Python error: Segmentation fault$/m)
  assert.match(log, /lambda_function\.py", line 2 in lambda_handler$/m)
})
