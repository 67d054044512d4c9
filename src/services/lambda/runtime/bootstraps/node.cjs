// Runs a function's handler under Node: the client of the Runtime API that managed Node runtimes have. Plain JavaScript, and no module, so that it starts fast.

const { existsSync, fstatSync, readFileSync, writeSync } = require('node:fs')
const { createRequire, registerHooks } = require('node:module')
const { connect, Socket } = require('node:net')
const path = require('node:path')
const { Writable } = require('node:stream')
const { pathToFileURL } = require('node:url')
const { format, types } = require('node:util')

const API = '/2018-06-01/runtime'
const CONNECTION = 3
const MESSAGES = 4
/** The variables as the platform set them: the handler may change its own. */
const { _HANDLER, LAMBDA_TASK_ROOT, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_VERSION, AWS_LAMBDA_FUNCTION_MEMORY_SIZE, AWS_LAMBDA_LOG_GROUP_NAME, AWS_LAMBDA_LOG_STREAM_NAME, AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_LOG_FORMAT, AWS_LAMBDA_LOG_LEVEL, NODE_PATH } = process.env
const [, , sdkDirectory] = process.argv
process.argv.length = 2

// The connection to the server. It keeps the process alive only between invocations, so that an empty event loop can be noticed during one.
// A wrapper script may have lost what it inherited; then the address is asked, and messages are printed.
const isInherited = isSocket(CONNECTION)
const messages = isSocket(MESSAGES) ? MESSAGES : 1
const socket = isInherited ? new Socket({ fd: CONNECTION, readable: true, writable: true }) : connect(...AWS_LAMBDA_RUNTIME_API.split(':').reverse())
socket.on('end', () => process.exit(0))
socket.on('error', () => process.exit(0))
socket.on('data', onData)

function isSocket(descriptor) {
  try {
    return fstatSync(descriptor).isSocket()
  } catch {
    return false
  }
}

let currentRequestId
let received = []
let receivedBytes = 0

// The console, as Lambda prints it: one log event for each call. Source: Lambda developer guide, "Log and monitor Node.js Lambda functions".
const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const isJson = AWS_LAMBDA_LOG_FORMAT === 'JSON'
const lowest = Math.max(0, levels.indexOf(AWS_LAMBDA_LOG_LEVEL?.toUpperCase()))
const silent = () => {}

for (const [name, level] of [['trace', 'TRACE'], ['log', 'INFO'], ['info', 'INFO'], ['debug', 'DEBUG'], ['warn', 'WARN'], ['error', 'ERROR'], ['fatal', 'FATAL']]) {
  if (levels.indexOf(level) < lowest) console[name] = silent
  else if (isJson) console[name] = (...values) => printMessage(`${toJson(level, values)}\n`)
  else if (name !== 'trace') console[name] = (...values) => print(level, format(...values))
}
if (!isJson && lowest === 0) {
  console.trace = (...values) => {
    const holder = { name: 'Trace', message: format(...values) }
    Error.captureStackTrace(holder, console.trace)
    print('TRACE', holder.stack)
  }
}

function print(level, text) {
  printMessage(`${new Date().toISOString()}\t${currentRequestId}\t${level}\t${text}\n`)
}

function printMessage(text) {
  const isFramed = messages === MESSAGES
  const message = Buffer.from(isFramed ? `____${text}` : text)
  if (isFramed) message.writeUInt32BE(message.length - 4, 0)
  for (let at = 0; at < message.length;) at += writeSync(messages, message, at)
}

/** Source: Lambda developer guide, "Using Lambda advanced logging controls with Node.js". */
function toJson(level, values) {
  const line = { timestamp: new Date().toISOString(), level, requestId: currentRequestId }
  if (values.length === 1) {
    try {
      return JSON.stringify({ ...line, message: values[0] }, (_, value) => types.isNativeError(value) ? describeError(value) : value)
    } catch {
      return JSON.stringify({ ...line, message: format(values[0]) })
    }
  }
  const error = values.slice(1).find((value) => types.isNativeError(value))
  const { errorType, errorMessage, stackTrace } = error ? describeError(error) : {}
  return JSON.stringify({ ...line, message: format(...values), errorType, errorMessage, stackTrace })
}

function describeError(error) {
  return { errorType: error.constructor?.name ?? 'UnknownError', errorMessage: error.message, stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : [], ...error }
}

/** An error that the platform reports, in the form of the log. */
function logError(label, error) {
  if (isJson) console.error(types.isNativeError(error) ? error : new Error(String(error)))
  else console.error(`${label} \t${toLogged(error)}`)
}

const requireOfSdk = createRequire(path.join(sdkDirectory, '_.js'))

// The SDK clients that come with the runtime, for functions that do not bring their own: for import and require alike.
registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context)
    } catch (error) {
      const found = error.code === 'ERR_MODULE_NOT_FOUND' && isBare(specifier) ? inNodePath(specifier, context, nextResolve) : undefined
      if (found) return found
      const isOffered = specifier.startsWith('@aws-sdk/') || specifier.startsWith('@smithy/')
      if (!isOffered || (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND')) throw error
      if (context.conditions?.includes('import')) return nextResolve(specifier, { ...context, parentURL: pathToFileURL(path.join(sdkDirectory, '_.js')).href })
      // Where require looks depends on the module that requires, whatever the context says.
      return { url: pathToFileURL(requireOfSdk.resolve(specifier)).href, shortCircuit: true }
    }
  },
})

const isBare = (specifier) => !/^(\.|\/|#|[a-z]+:)/.test(specifier)

/** Modules find packages in layers like scripts do. Source: AWS News, "Node.js 18 runtime now available": ES modules by NODE_PATH. */
function inNodePath(specifier, context, nextResolve) {
  for (const directory of (NODE_PATH ?? '').split(':')) {
    if (!directory.endsWith('/node_modules') || !existsSync(path.join(directory, specifier.split('/')[0]))) continue
    try {
      return nextResolve(specifier, { ...context, parentURL: pathToFileURL(path.join(path.dirname(directory), '_.js')).href })
    } catch {
      // Perhaps in the next one.
    }
  }
  return undefined
}

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

// Streaming. Source: Lambda developer guide, "Writing response streaming-enabled Lambda functions"; AWS's runtime interface client for names.

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')
const HTTP_INTEGRATION_RESPONSE = 'application/vnd.awslambda.http-integration-response'

globalThis.awslambda = {
  ...globalThis.awslambda,
  streamifyResponse(own, options) {
    own[STREAMING] = 'response'
    if (typeof options?.highWaterMark === 'number') own[HIGH_WATER_MARK] = options.highWaterMark
    return own
  },
  HttpResponseStream: class HttpResponseStream {
    static from(stream, prelude) {
      stream.setContentType(HTTP_INTEGRATION_RESPONSE)
      const head = JSON.stringify(prelude)
      stream._onBeforeFirstWrite = (write) => {
        write(head)
        write(new Uint8Array(8))
      }
      return stream
    }
  },
}

/** The answer of a streaming handler: chunks of one HTTP request, the way it ended in its trailers. */
class ResponseStream extends Writable {
  #requestId
  #contentType = 'application/octet-stream'
  #hasBegun = false
  #isOver = false
  #failure
  #onOver

  constructor(requestId, { highWaterMark, onOver }) {
    super({ ...(highWaterMark === undefined ? {} : { highWaterMark }), decodeStrings: true })
    this.#requestId = requestId
    this.#onOver = onOver
  }

  setContentType(contentType) {
    if (this.#hasBegun) throw new PlatformError('InvalidStreamingOperation', 'Cannot set content-type, too late.')
    this.#contentType = contentType
  }

  write(chunk, ...rest) {
    const isBytes = typeof chunk === 'string' || chunk instanceof Uint8Array
    this.#begin()
    return super.write(isBytes ? chunk : JSON.stringify(chunk), ...rest)
  }

  end(chunk, ...rest) {
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
      this.write(chunk)
      return super.end(...rest)
    }
    return super.end(chunk, ...rest)
  }

  #begin() {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this._onBeforeFirstWrite?.((chunk) => super.write(chunk))
  }

  #head() {
    return `POST ${API}/invocation/${this.#requestId}/response HTTP/1.1\r\nHost: runtime\r\nContent-Type: ${printable(this.#contentType)}\r\n`
      + 'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n'
  }

  #isHeadSent = false

  #send(chunks, done) {
    const frames = this.#isHeadSent ? [] : [Buffer.from(this.#head(), 'latin1')]
    this.#isHeadSent = true
    for (const chunk of chunks) if (chunk.length > 0) frames.push(Buffer.from(`${chunk.length.toString(16)}\r\n`, 'latin1'), chunk, Buffer.from('\r\n', 'latin1'))
    if (frames.length === 0) done()
    else socket.write(Buffer.concat(frames), done)
  }

  _write(chunk, _encoding, done) {
    if (this.#isOver) done()
    else this.#send([chunk], done)
  }

  _writev(entries, done) {
    if (this.#isOver) done()
    else this.#send(entries.map(({ chunk }) => chunk), done)
  }

  _final(done) {
    this.#finish()
    done()
  }

  /** Ends the answer as failed. What the handler still writes goes nowhere. */
  fail(error) {
    this.#failure = toResponse(error)
    this.#finish()
  }

  #finish() {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#isHeadSent) this.#send([], () => {})
    const failure = this.#failure
    const trailers = failure === undefined ? ''
      : `Lambda-Runtime-Function-Error-Type: ${printable(failure.errorType)}\r\nLambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(failure)).toString('base64')}\r\n`
    socket.write(`0\r\n${trailers}${memoryField()}\r\n`, 'latin1')
    this.#onOver()
  }
}

/** Runs a streaming handler. The invocation is over when its promise is fulfilled and its stream has ended. */
function handleStreaming(headers, payload) {
  const requestId = headers['lambda-runtime-aws-request-id']
  let isReturned = false
  let isStreamed = false
  let isDone = false
  const proceed = () => {
    if (isDone || !isReturned || !isStreamed) return
    isDone = true
    onEmptyLoop = undefined
    currentStream = undefined
    currentRequestId = undefined
    socket.ref()
    socket.write(NEXT, 'latin1')
  }
  const stream = currentStream = new ResponseStream(requestId, { highWaterMark: handler[HIGH_WATER_MARK], onOver: () => {
    isStreamed = true
    proceed()
  } })
  const fail = (error) => {
    isReturned = true
    if (!isStreamed) logError('Invoke Error', error)
    stream.fail(error)
    proceed()
  }
  stream.on('error', fail)
  onEmptyLoop = () => fail(new Error('Response stream is not finished.'))
  try {
    const result = handler(parseEvent(payload), stream, contextOf(headers, requestId))
    if (typeof result?.then !== 'function') throw new Error('Streaming does not support non-async handlers.')
    result.then((value) => {
      if (value !== undefined) console.warn('Streaming handlers ignore return values.')
      isReturned = true
      proceed()
    }, fail)
  } catch (error) {
    fail(error)
  }
}

let currentStream

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
  if (handler[STREAMING] === 'response') return handleStreaming(headers, payload)
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
    const result = handler(parseEvent(payload), context, callback)
    if (typeof result?.then === 'function') result.then(succeed, fail)
  } catch (error) {
    fail(error)
  }
}

function parseEvent(payload) {
  return payload.length === 0 ? {} : JSON.parse(payload.toString('utf8'))
}

function contextOf(headers, requestId) {
  const client = headers['lambda-runtime-client-context']
  const identity = headers['lambda-runtime-cognito-identity']
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  return {
    getRemainingTimeInMillis: () => deadline - Date.now(),
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
  logError('Invoke Error', error)
  const response = toResponse(error)
  post(`/invocation/${requestId}/error`, JSON.stringify(response), { errorType: response.errorType, thenNext: true })
}

/** Errors that nobody caught end the environment. The one of the invocation under way is its answer. */
function die(error, label, status) {
  logError(label, error)
  if (currentStream) {
    currentStream.fail(error)
    return socket.write('', () => process.exit(status))
  }
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

async function main() {
  try {
    process.chdir(LAMBDA_TASK_ROOT)
    handler = await loadHandler()
    socket.write(NEXT.replace('Host: runtime\r\n', `$&${memoryField()}`), 'latin1')
  } catch (error) {
    logError('Uncaught Exception', error)
    const response = toResponse(error)
    post('/init/error', JSON.stringify(response), { errorType: response.errorType, thenNext: false })
    socket.write('', () => process.exit(1))
  }
}

void main()
