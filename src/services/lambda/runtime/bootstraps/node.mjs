// Runs a function's handler under Node: the client of the Runtime API that managed Node runtimes have. Plain JavaScript, so that it starts fast.

import { existsSync, readFileSync, writeSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { Socket } from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, types } from 'node:util'

const API = '/2018-06-01/runtime'
const MESSAGES = 4
/** The variables as the platform set them: the handler may change its own. */
const { _HANDLER, LAMBDA_TASK_ROOT, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_VERSION, AWS_LAMBDA_FUNCTION_MEMORY_SIZE, AWS_LAMBDA_LOG_GROUP_NAME, AWS_LAMBDA_LOG_STREAM_NAME } = process.env
const sdkDirectory = process.argv[2]
process.argv.length = 2

// The connection to the server. It keeps the process alive only between invocations, so that an empty event loop can be noticed during one.
const socket = new Socket({ fd: 3, readable: true, writable: true })
socket.on('end', () => process.exit(0))
socket.on('error', () => process.exit(0))
socket.on('data', onData)

let currentRequestId
let received = []
let receivedBytes = 0

// The console, as Lambda prints it: one log event for each call. Source: Lambda developer guide, "Log and monitor Node.js Lambda functions".
for (const [name, level] of [['log', 'INFO'], ['info', 'INFO'], ['debug', 'DEBUG'], ['warn', 'WARN'], ['error', 'ERROR']]) {
  console[name] = (...values) => print(level, format(...values))
}
console.trace = (...values) => {
  const holder = { name: 'Trace', message: format(...values) }
  Error.captureStackTrace(holder, console.trace)
  print('TRACE', holder.stack)
}
console.fatal = (...values) => print('FATAL', format(...values))

function print(level, text) {
  const message = Buffer.from(`____${new Date().toISOString()}\t${currentRequestId}\t${level}\t${text}\n`)
  message.writeUInt32BE(message.length - 4, 0)
  for (let at = 0; at < message.length;) at += writeSync(MESSAGES, message, at)
}

const requireOfSdk = createRequire(path.join(sdkDirectory, '_.js'))

// The SDK clients that come with the runtime, for functions that do not bring their own: for import and require alike.
registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context)
    } catch (error) {
      const isOffered = specifier.startsWith('@aws-sdk/') || specifier.startsWith('@smithy/')
      if (!isOffered || (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND')) throw error
      if (context.conditions?.includes('import')) return nextResolve(specifier, { ...context, parentURL: pathToFileURL(path.join(sdkDirectory, '_.js')).href })
      // Where require looks depends on the module that requires, whatever the context says.
      return { url: pathToFileURL(requireOfSdk.resolve(specifier)).href, shortCircuit: true }
    }
  },
})

class PlatformError extends Error {
  constructor(name, message) {
    super(message)
    this.name = name
  }
}

/** An error as the Runtime API takes it. */
function toResponse(error) {
  if (types.isNativeError(error) || (typeof error === 'object' && error !== null && typeof error.message === 'string' && typeof error.stack === 'string')) {
    return { errorType: String(error.name), errorMessage: String(error.message), trace: String(error.stack ?? '').split('\n'), ...extrasOf(error) }
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] }
}

/** What Lambda adds for promises that nobody handled. */
function extrasOf(error) {
  return error.name === 'Runtime.UnhandledPromiseRejection' ? { reason: error.reason, promise: {} } : {}
}

function toLogged(error) {
  if (!types.isNativeError(error)) return format(error)
  const own = Object.fromEntries(Object.entries(error).filter(([key]) => key !== 'name'))
  try {
    return JSON.stringify({ errorType: error.name, errorMessage: error.message, ...own, stack: String(error.stack).split('\n') })
  } catch {
    return format(error)
  }
}

// Finding the handler.

async function loadHandler() {
  const base = path.basename(_HANDLER)
  const directory = path.join(LAMBDA_TASK_ROOT, _HANDLER.slice(0, -base.length))
  const found = /^([^.]*)\.(.*)$/.exec(base)
  if (_HANDLER.includes('..') || !found) throw new PlatformError('Runtime.MalformedHandlerName', _HANDLER.includes('..') ? `'${_HANDLER}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.` : 'Bad handler')
  const [, moduleName, property] = found
  const module = await loadModule(directory, moduleName)
  const handler = property.split('.').reduce((value, name) => value?.[name], module) ?? property.split('.').reduce((value, name) => value?.[name], module?.default)
  if (handler === undefined || handler === null) throw new PlatformError('Runtime.HandlerNotFound', `${_HANDLER} is undefined or not exported`)
  if (typeof handler !== 'function') throw new PlatformError('Runtime.HandlerNotFound', `${_HANDLER} is not a function`)
  return handler
}

/** Tries the endings in Lambda's order. */
async function loadModule(directory, name) {
  const file = path.join(directory, name)
  const require = createRequire(import.meta.url)
  try {
    if (existsSync(`${file}.js`)) return isModule(directory) ? await import(pathToFileURL(`${file}.js`)) : require(`${file}.js`)
    if (existsSync(`${file}.mjs`)) return await import(pathToFileURL(`${file}.mjs`))
    if (existsSync(`${file}.cjs`)) return require(`${file}.cjs`)
    return require(file)
  } catch (error) {
    if (error instanceof SyntaxError) throw wrapped('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error)
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      const isOurs = error.code === 'MODULE_NOT_FOUND' && error.message.startsWith(`Cannot find module '${file}'`)
      const message = isOurs ? `Cannot find module '${name}'\nRequire stack:\n- /var/runtime/index.mjs` : error.message
      throw wrapped('Runtime.ImportModuleError', `Error: ${message}`, error)
    }
    throw error
  }
}

function wrapped(name, message, cause) {
  const error = new PlatformError(name, message)
  error.stack = `${name}: ${message}\n${String(cause.stack).split('\n').filter((line) => line.startsWith('    at ')).join('\n')}`
  return error
}

/** What the nearest package.json says about `.js` files. */
function isModule(directory) {
  for (let at = directory; ; at = path.dirname(at)) {
    const file = path.join(at, 'package.json')
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).type === 'module'
    if (at === LAMBDA_TASK_ROOT || at === path.dirname(at)) return false
  }
}

// Talking to the server.

const NEXT = `GET ${API}/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n`

/** Posts an answer and asks for the next event in one message: the server answers in order. */
function post(target, body, { errorType, thenNext }) {
  const payload = Buffer.from(body)
  const head = `POST ${API}${target} HTTP/1.1\r\nHost: runtime\r\nContent-Type: application/json\r\nContent-Length: ${payload.length}\r\n`
    + `${memoryField()}${errorType === undefined ? '' : `Lambda-Runtime-Function-Error-Type: ${printable(errorType)}\r\n`}\r\n`
  currentRequestId = undefined
  if (payload.length < 65536) {
    socket.write(Buffer.concat([Buffer.from(head, 'latin1'), payload, Buffer.from(thenNext ? NEXT : '', 'latin1')]))
  } else {
    socket.write(head, 'latin1')
    socket.write(payload)
    if (thenNext) socket.write(NEXT, 'latin1')
  }
}

const memoryField = () => `Countersign-Memory: ${process.memoryUsage.rss()}\r\n`
const printable = (text) => text.replace(/[^\x20-\x7e]/g, '?')

function onData(chunk) {
  received.push(chunk)
  receivedBytes += chunk.length
  while (readAnswer());
}

/** Reads one HTTP answer of the server. Only those to `next` have a request id; the others only say that an answer was taken. */
function readAnswer() {
  if (received.length > 1 && receivedBytes >= neededBytes) received = [Buffer.concat(received)]
  const bytes = received[0]
  if (bytes === undefined || receivedBytes < neededBytes) return false
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) {
    neededBytes = receivedBytes + 1
    return false
  }
  const headers = {}
  for (const line of bytes.latin1Slice(0, end).split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const total = end + 4 + Number(headers['content-length'])
  if (receivedBytes < total) {
    neededBytes = total
    return false
  }
  neededBytes = 0
  if (bytes.length < total) received = [Buffer.concat(received)]
  const all = received[0]
  receivedBytes -= total
  received = receivedBytes === 0 ? [] : [all.subarray(total)]
  if (headers['lambda-runtime-aws-request-id'] !== undefined) handle(headers, all.subarray(end + 4, total))
  return true
}

let neededBytes = 0

// Invoking the handler.

let handler
/** Answers the invocation under way when the event loop has run empty. */
let onEmptyLoop

process.on('beforeExit', () => {
  const answer = onEmptyLoop
  if (!answer) return
  onEmptyLoop = undefined
  answer()
})

function handle(headers, payload) {
  const requestId = headers['lambda-runtime-aws-request-id']
  currentRequestId = requestId
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id']
  socket.unref()
  let isAnswered = false

  const finish = (send) => {
    if (isAnswered) return
    isAnswered = true
    onEmptyLoop = undefined
    socket.ref()
    send()
  }
  const succeed = (value) => finish(() => {
    let body
    try {
      body = JSON.stringify(value === undefined ? null : value) ?? 'null'
    } catch (error) {
      return sendError(requestId, new Error('Unable to stringify response body', { cause: error }))
    }
    post(`/invocation/${requestId}/response`, body, { thenNext: true })
  })
  const fail = (error) => finish(() => sendError(requestId, error))

  const context = contextOf(headers, requestId)
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  context.getRemainingTimeInMillis = () => deadline - Date.now()
  const callback = (error, value) => {
    const answer = () => (error === undefined || error === null ? succeed(value) : fail(error))
    if (context.callbackWaitsForEmptyEventLoop) onEmptyLoop = answer
    else answer()
  }
  context.done = callback
  context.succeed = (value) => { succeed(value) }
  context.fail = (error) => { fail(error ?? 'handled') }

  // A handler that ends without an answer and leaves nothing to wait for has answered null.
  onEmptyLoop = () => succeed(null)
  try {
    const event = payload.length === 0 ? {} : JSON.parse(payload.toString('utf8'))
    const result = handler(event, context, callback)
    if (typeof result?.then === 'function') result.then(succeed, fail)
  } catch (error) {
    fail(error)
  }
}

function contextOf(headers, requestId) {
  const client = headers['lambda-runtime-client-context']
  const identity = headers['lambda-runtime-cognito-identity']
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: AWS_LAMBDA_FUNCTION_VERSION,
    functionName: AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client === undefined ? undefined : JSON.parse(client),
    identity: identity === undefined ? undefined : JSON.parse(identity),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: requestId,
  }
}

function sendError(requestId, error) {
  console.error(`Invoke Error \t${toLogged(error)}`)
  const response = toResponse(error)
  post(`/invocation/${requestId}/error`, JSON.stringify(response), { errorType: response.errorType, thenNext: true })
}

/** Errors that nobody caught end the environment. The one of the invocation under way is its answer. */
function die(error, label, status) {
  console.error(`${label} \t${toLogged(error)}`)
  const requestId = currentRequestId
  const response = toResponse(error)
  const target = requestId === undefined ? '/init/error' : `/invocation/${requestId}/error`
  // Between invocations there is nobody to tell.
  if (requestId === undefined && handler !== undefined) return process.exit(status)
  post(target, JSON.stringify(response), { errorType: response.errorType, thenNext: false })
  socket.write('', () => process.exit(status))
}

process.on('uncaughtException', (error) => die(error, 'Uncaught Exception', 129))
process.on('unhandledRejection', (reason) => {
  const error = new PlatformError('Runtime.UnhandledPromiseRejection', String(reason))
  error.reason = types.isNativeError(reason) ? { errorType: reason.name, errorMessage: reason.message, stack: String(reason.stack).split('\n') } : reason
  error.promise = {}
  die(error, 'Unhandled Promise Rejection', 128)
})

try {
  process.chdir(LAMBDA_TASK_ROOT)
  handler = await loadHandler()
  socket.write(NEXT.replace('Host: runtime\r\n', `$&${memoryField()}`), 'latin1')
} catch (error) {
  console.error(`Uncaught Exception \t${toLogged(error)}`)
  const response = toResponse(error)
  post('/init/error', JSON.stringify(response), { errorType: response.errorType, thenNext: false })
  socket.write('', () => process.exit(1))
}
