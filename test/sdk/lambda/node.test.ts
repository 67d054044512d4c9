// Node functions: module kinds, handlers, contexts, errors.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startServer } from '#test/support/server.ts'
import { answerOf, deployNode, invoke } from './deploy.ts'

const account = '000000000000'

describe('a Node function', () => {
  test('is found as ES module, CommonJS module, in folders, and with its own type', async (t) => {
    const server = await startServer(t)
    const kinds: Record<string, { files: Record<string, string>, Handler?: string }> = {
      mjs: { files: { 'index.mjs': 'export const handler = async () => import.meta.url.endsWith("index.mjs")' } },
      cjs: { files: { 'index.cjs': 'exports.handler = async () => typeof require === "function"' } },
      js: { files: { 'index.js': 'exports.handler = async () => typeof module === "object"' } },
      typed: { files: { 'package.json': '{"type":"module"}', 'index.js': 'export const handler = async () => typeof module === "undefined"' } },
      folder: { files: { 'src/deep/app.mjs': 'export const run = async () => true' }, Handler: 'src/deep/app.run' },
      nested: { files: { 'index.js': 'exports.api = { get: async () => true }' }, Handler: 'index.api.get' },
      waits: { files: { 'index.mjs': 'const value = await new Promise((done) => setTimeout(done, 20, true))\nexport const handler = async () => value' } },
      relative: { files: { 'index.mjs': 'import { value } from "./lib/value.js"\nexport const handler = async () => value', 'lib/value.js': 'export const value = true', 'package.json': '{"type":"module"}' } },
      package: { files: { 'index.mjs': 'import value from "own"\nexport const handler = async () => value', 'node_modules/own/index.js': 'module.exports = true', 'node_modules/own/package.json': '{"name":"own","main":"index.js"}' } },
    }
    for (const [name, { files, Handler = 'index.handler' }] of Object.entries(kinds)) {
      await deployNode(server, name, files, { Handler })
      assert.equal(await answerOf(server, name), true, name)
    }
  })

  test('may answer through a callback, once its event loop is empty or at once', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'callback', { 'index.js': `
      let later = 0
      exports.handler = (event, context, callback) => {
        if (event.never) return
        if (event.fail) return callback(new TypeError('refused'))
        if (event.now) context.callbackWaitsForEmptyEventLoop = false
        setTimeout(() => { later++ }, 50)
        callback(null, { later })
      }` })
    assert.deepEqual(await answerOf(server, 'callback'), { later: 0 })
    assert.deepEqual(await answerOf(server, 'callback', { now: true }), { later: 1 })
    const { payload, functionError } = await invoke(server, 'callback', { fail: true })
    assert.deepEqual([functionError, payload.errorType, payload.errorMessage], ['Unhandled', 'TypeError', 'refused'])
    assert.equal(await answerOf(server, 'callback', { never: true }), null)
  })

  test('has its context', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'context', `export const handler = async (event, c) => [c.functionName, c.functionVersion, c.memoryLimitInMB, c.invokedFunctionArn, c.logGroupName,
      c.callbackWaitsForEmptyEventLoop, c.getRemainingTimeInMillis() > 1000 && c.getRemainingTimeInMillis() <= 5000]`, { Timeout: 5 })
    const arn = `arn:aws:lambda:us-east-1:${account}:function:context`
    assert.deepEqual(await answerOf(server, 'context'), ['context', '$LATEST', '128', arn, '/aws/lambda/context', true, true])
    const { payload } = await invoke(server, 'context', {}, { Qualifier: '$LATEST' })
    assert.equal(payload[3], `${arn}:$LATEST`)
  })

  test('has the documented variables and nothing of the server', async (t) => {
    process.env.OF_THE_SERVER = 'secret'
    t.after(() => { delete process.env.OF_THE_SERVER })
    const server = await startServer(t)
    await deployNode(server, 'vars', 'export const handler = async () => process.env', { Environment: { Variables: { OWN: 'value' } }, MemorySize: 256 })
    const variables = await answerOf(server, 'vars') as Record<string, string>
    assert.equal(variables.OF_THE_SERVER, undefined)
    // Observed: AWS, 18-02-2026, recorded by localstack's test_lambda_init_environment: only where logs are JSON.
    assert.equal(variables.AWS_LAMBDA_LOG_FORMAT, undefined)
    assert.equal(Object.keys(variables).some((name) => name.startsWith('COUNTERSIGN')), false)
    // Source: Lambda developer guide, "Defined runtime environment variables".
    const expected: Record<string, string | RegExp> = {
      OWN: 'value', _HANDLER: 'index.handler', _X_AMZN_TRACE_ID: /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/,
      AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-1', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x', AWS_LAMBDA_FUNCTION_NAME: 'vars',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256', AWS_LAMBDA_FUNCTION_VERSION: '$LATEST', AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/vars', AWS_LAMBDA_LOG_STREAM_NAME: /\[\$LATEST\]/, AWS_ACCESS_KEY_ID: /^ASIA/, AWS_SECRET_ACCESS_KEY: /./,
      AWS_SESSION_TOKEN: /./, AWS_LAMBDA_RUNTIME_API: /^127\.0\.0\.1:\d+$/, LAMBDA_TASK_ROOT: /^\//, LAMBDA_RUNTIME_DIR: /^\//, LANG: 'en_US.UTF-8', TZ: ':UTC', SHLVL: '0',
      PATH: /\/usr\/local\/bin/, LD_LIBRARY_PATH: /\/opt\/lib/, NODE_PATH: /\/opt\/nodejs\/node22\/node_modules:.*\/opt\/nodejs\/node_modules/, AWS_ENDPOINT_URL: server.endpoint,
    }
    for (const [name, value] of Object.entries(expected)) {
      if (typeof value === 'string') assert.equal(variables[name], value, name)
      else assert.match(variables[name] ?? '', value, name)
    }
  })

  test('that throws is answered with type, message and trace, and logged', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'throws', 'class Own extends Error { name = "Own" }\nexport const handler = async (event) => { if (event.text) throw "text"; throw new Own("refused") }')
    const { functionError, payload, log, requestId } = await invoke(server, 'throws')
    assert.equal(functionError, 'Unhandled')
    assert.deepEqual(Object.keys(payload), ['errorType', 'errorMessage', 'trace'])
    assert.deepEqual([payload.errorType, payload.errorMessage], ['Own', 'refused'])
    assert.match(payload.trace[1], /index\.mjs:2/)
    assert.match(log, new RegExp(`\\t${requestId}\\tERROR\\tInvoke Error \\t\\{"errorType":"Own","errorMessage":"refused","stack":\\[`))
    const text = await invoke(server, 'throws', { text: true })
    assert.deepEqual(text.payload, { errorType: 'string', errorMessage: 'text', trace: [] })
  })

  test('that cannot be loaded says why', async (t) => {
    const server = await startServer(t)
    const failing = async (name: string, files: Record<string, string>, Handler = 'index.handler') => {
      await deployNode(server, name, files, { Handler })
      const { functionError, payload, log } = await invoke(server, name)
      assert.equal(functionError, 'Unhandled')
      assert.match(log, /REPORT .*Status: error\tError Type: /)
      return payload
    }
    const missing = await failing('missing', { 'other.js': '' })
    assert.deepEqual([missing.errorType, missing.errorMessage], ['Runtime.ImportModuleError', "Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/index.mjs"])
    const requires = await failing('requires', { 'index.js': 'require("nothing-like-this")' })
    assert.equal(requires.errorType, 'Runtime.ImportModuleError')
    assert.match(requires.errorMessage, /^Error: Cannot find module 'nothing-like-this'\nRequire stack:\n/)
    const lacks = await failing('lacks', { 'index.js': 'exports.other = 1' })
    assert.deepEqual([lacks.errorType, lacks.errorMessage], ['Runtime.HandlerNotFound', 'index.handler is undefined or not exported'])
    assert.deepEqual((await failing('spells', { 'index.js': 'exports.handler = (' })).errorType, 'Runtime.UserCodeSyntaxError')
    const throws = await failing('raises', { 'index.js': 'throw new RangeError("at start")' })
    assert.deepEqual([throws.errorType, throws.errorMessage], ['RangeError', 'at start'])
    const exits = await failing('exits', { 'index.js': 'process.exit(5)' })
    assert.equal(exits.errorType, 'Runtime.ExitError')
    assert.match(exits.errorMessage, /^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 5$/)
  })

  test('that dies is answered, and the next call is served', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'dies', `export const handler = async (event) => {
      if ('exit' in event) process.exit(event.exit)
      if (event.kill) process.kill(process.pid, event.kill)
      if (event.throws) setTimeout(() => { throw new Error('nobody caught') })
      if (event.rejects) void Promise.reject(new Error('nobody handled'))
      if (Object.keys(event).length > 0) await new Promise((done) => setTimeout(done, 10_000))
      return 'alive'
    }`, { Timeout: 10 })
    const dying = async (event: object) => {
      const { functionError, payload, requestId } = await invoke(server, 'dies', event)
      assert.equal(functionError, 'Unhandled')
      assert.equal(await answerOf(server, 'dies'), 'alive')
      return [payload.errorType, payload.errorMessage.replace(requestId, 'ID')]
    }
    assert.deepEqual(await dying({ exit: 7 }), ['Runtime.ExitError', 'RequestId: ID Error: Runtime exited with error: exit status 7'])
    assert.deepEqual(await dying({ exit: 0 }), ['Runtime.ExitError', 'RequestId: ID Error: Runtime exited without providing a reason'])
    assert.deepEqual(await dying({ kill: 'SIGKILL' }), ['Runtime.ExitError', 'RequestId: ID Error: Runtime exited with error: signal: killed'])
    assert.deepEqual(await dying({ throws: true }), ['Error', 'nobody caught'])
    assert.deepEqual(await dying({ rejects: true }), ['Runtime.UnhandledPromiseRejection', 'Error: nobody handled'])
  })
})
