// Extensions: programs beside the runtime, told of invocations and of the end, and sent what is logged.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { absent } from '#test/support/programs.ts'
import { launchFunction } from './launched.ts'

/** A client of the Extensions API in Python, and what the test lets it do. */
const python = (body: string) => `#!/usr/bin/env python3
import json, os, sys, urllib.request, urllib.error
API = "http://%s/" % os.environ["AWS_LAMBDA_RUNTIME_API"]
def call(method, path, body=None, **headers):
    request = urllib.request.Request(API + path, method=method, data=None if body is None else json.dumps(body).encode(), headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict((name.lower(), value) for name, value in answer.headers.items()), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read().decode()
def say(*values):
    print(*values, flush=True)
def register(events, name=os.path.basename(sys.argv[0]), **more):
    status, headers, body = call("POST", "2020-01-01/extension/register", {"events": events}, Lambda_Extension_Name=name, **more)
    return headers.get("lambda-extension-identifier"), status, body
def next_event(identifier):
    return json.loads(call("GET", "2020-01-01/extension/event/next", Lambda_Extension_Identifier=identifier)[2])
${body}
`

const handler = { 'index.mjs': 'export const handler = async (event) => { console.log("handled"); return event }' }
const settings = { timeoutSeconds: 20, memoryMb: 512 }

describe('an external extension', { skip: absent('python3') }, () => {
  test('is told of each invocation and of the end', async (t) => {
    const { invoke, log, stop } = await launchFunction(t, {
      code: handler, settings,
      layers: [{ 'extensions/told': python(`
identifier, status, body = register(["INVOKE", "SHUTDOWN"], Lambda_Extension_Accept_Feature="accountId")
say("registered", status, body.strip())
while True:
    event = next_event(identifier)
    say("event", json.dumps(event, sort_keys=True))
    if event["eventType"] == "SHUTDOWN":
        break
`) }],
    })
    const first = await invoke({ n: 1 })
    assert.deepEqual(first.answer, { n: 1 })
    const second = await invoke({ n: 2 })
    await stop()
    const lines = log().split('\n')
    assert.ok(lines.includes('registered 200 {"functionName":"f","functionVersion":"$LATEST","handler":"index.handler","accountId":"000000000000"}'), log())
    // Source: AWS's runtime interface emulator.
    assert.ok(lines.includes('EXTENSION\tName: told\tState: Ready\tEvents: [INVOKE,SHUTDOWN]'))
    const events = lines.filter((line) => line.startsWith('event ')).map((line) => JSON.parse(line.slice(6)))
    // Source: Lambda developer guide, "Using the Lambda Extensions API", Next.
    assert.deepEqual(events.map(({ eventType, requestId }) => [eventType, requestId]), [['INVOKE', first.requestId], ['INVOKE', second.requestId], ['SHUTDOWN', undefined]])
    assert.deepEqual(Object.keys(events[0]), ['deadlineMs', 'eventType', 'invokedFunctionArn', 'requestId', 'tracing'])
    assert.equal(events[2].shutdownReason, 'spindown')
  })

  test('keeps the environment busy until it asks for the next event', async (t) => {
    const { invoke } = await launchFunction(t, {
      code: handler, settings,
      layers: [{ 'extensions/slow': python(`
import time
identifier, *_ = register(["INVOKE"])
while True:
    next_event(identifier)
    time.sleep(0.3)
`) }],
    })
    const startedAt = performance.now()
    for (let n = 0; n < 3; n++) assert.equal((await invoke(n)).answer, n)
    assert.ok(performance.now() - startedAt > 600)
  })

  test('is refused in the words of the API', async (t) => {
    const { invoke, log } = await launchFunction(t, {
      code: handler, settings,
      layers: [{ 'extensions/asks': python(`
say(call("POST", "2020-01-01/extension/register", {"events": []})[2].strip())
say(register(["OTHER"])[2].strip())
say(call("GET", "2020-01-01/extension/event/next")[2].strip())
say(call("GET", "2020-01-01/extension/event/next", Lambda_Extension_Identifier="x")[2].strip())
identifier, *_ = register(["INVOKE"])
say(register(["INVOKE"])[2].strip())
say(call("POST", "2020-01-01/extension/init/error", {}, Lambda_Extension_Identifier=identifier)[2].strip())
say(register(["SHUTDOWN"], "internal")[2].strip())
while True: next_event(identifier)
`) }],
    })
    await invoke()
    // Source: AWS's runtime interface emulator.
    for (const [errorType, errorMessage] of [
      ['Extension.InvalidExtensionName', 'Empty extension name'],
      ['Extension.InvalidEventType', 'OTHER: InvalidEventType'],
      ['Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header'],
      ['Extension.InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier'],
      ['Extension.InvalidExtensionState', 'State transition from Registered to Registered failed for extension asks. Error: State transition is not allowed'],
      ['Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found'],
      ['Extension.InvalidEventType', 'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension'],
    ]) assert.ok(log().includes(JSON.stringify({ errorMessage, errorType })), `${errorType}\n${log()}`)
  })

  test('fails the function when it fails', async (t) => {
    const failing = async (script: string) => {
      const { invoke, log } = await launchFunction(t, { code: handler, settings, layers: [{ 'extensions/fails': script }] })
      const { answer, functionError, requestId } = await invoke()
      assert.equal(functionError, 'Unhandled')
      return { type: answer.errorType, message: answer.errorMessage.replace(requestId, 'ID'), log: log() }
    }
    const crash = await failing(python('register(["INVOKE"])\nsys.exit(3)'))
    assert.deepEqual([crash.type, crash.message], ['Extension.Crash', 'RequestId: ID Error: exit status 3'])
    const early = await failing('#!/bin/sh\nexit 4')
    assert.deepEqual([early.type, early.message], ['Extension.Crash', 'RequestId: ID Error: exit status 4'])
    const told = await failing(python('identifier, *_ = register([])\ncall("POST", "2020-01-01/extension/init/error", {}, Lambda_Extension_Identifier=identifier, Lambda_Extension_Function_Error_Type="Extension.Own")\nimport time\ntime.sleep(60)'))
    assert.deepEqual([told.type, told.message], ['Extension.InitError', 'RequestId: ID Error: Extension.Own'])
    assert.match(told.log, /INIT_REPORT .*Phase: init\tStatus: error\tError Type: Extension.InitError/)
    const closed = await failing('echo not executable')
    assert.deepEqual([closed.type, closed.message], ['Extension.LaunchError', 'RequestId: ID Error: fork/exec /opt/extensions/fails: permission denied'])
  })

  test('has time after a timeout, and the runtime is asked to end first', async (t) => {
    const { invoke, log } = await launchFunction(t, {
      settings: { ...settings, timeoutSeconds: 1 }, code: { 'index.mjs': 'process.on("SIGTERM", () => { console.log("asked to end"); process.exit(0) })\nexport const handler = async ({ ms }) => new Promise((done) => setTimeout(done, ms))' },
      layers: [{ 'extensions/last': python(`
identifier, *_ = register(["SHUTDOWN"])
event = next_event(identifier)
say("shut down:", event["shutdownReason"])
`) }],
    })
    await invoke({ ms: 1 })
    const { answer } = await invoke({ ms: 60_000 })
    assert.equal(answer.errorType, 'Sandbox.Timedout')
    for (const left of ['asked to end', 'shut down: timeout']) while (!log().includes(left)) await new Promise((done) => setTimeout(done, 10))
  })
})

describe('an internal extension', () => {
  test('registers from the runtime, and lets it have SIGTERM', async (t) => {
    const { invoke, log, stop } = await launchFunction(t, {
      settings, code: { 'index.mjs': `const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension'
const register = (name) => fetch(api + '/register', { method: 'POST', headers: { 'Lambda-Extension-Name': name }, body: '{"events":["INVOKE"]}' })
const id = (await register('inside')).headers.get('lambda-extension-identifier')
const events = []
const listen = async () => { for (;;) events.push((await (await fetch(api + '/event/next', { headers: { 'Lambda-Extension-Identifier': id } })).json()).eventType) }
listen().catch(() => {})
process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0) })
export const handler = async () => { await new Promise((done) => setTimeout(done, 50)); return [events.length, await (await register('late')).json()] }` },
    })
    // Source: AWS's runtime interface emulator.
    assert.deepEqual((await invoke()).answer, [1, { errorMessage: 'Extension registration closed already', errorType: 'Extension.RegistrationClosed' }])
    await stop()
    assert.match(log(), /\tINFO\tasked to end\n/)
  })
})

describe('telemetry', { skip: absent('python3') }, () => {
  const collecting = (subscription: string) => python(`
import http.server, threading
class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for event in json.loads(self.rfile.read(int(self.headers["content-length"]))):
            if event["type"] not in ("extension", "platform.extension"): sys.stderr.write("took " + json.dumps(event) + "\\n"); sys.stderr.flush()
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Taker)
threading.Thread(target=server.serve_forever, daemon=True).start()
identifier, *_ = register(["SHUTDOWN"])
PORT = server.server_port
${subscription}
next_event(identifier)
`)

  test('is sent to who subscribed, by type', async (t) => {
    const { invoke, log, stop } = await launchFunction(t, {
      settings, code: handler,
      layers: [{ 'extensions/takes': collecting(`
say(call("PUT", "2022-07-01/telemetry", {"schemaVersion": "2022-12-13", "types": ["nothing"]}, Lambda_Extension_Identifier=identifier)[0])
say(call("PUT", "2022-07-01/telemetry", {"schemaVersion": "2022-12-13", "types": ["platform", "function"], "buffering": {"timeoutMs": 25}, "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:%d/x" % PORT}}, Lambda_Extension_Identifier=identifier)[::2])
say(call("PUT", "2020-08-15/logs", {"schemaVersion": "2020-08-15", "types": ["platform"], "destination": {"protocol": "HTTP", "URI": "http://sandbox:%d" % PORT}}, Lambda_Extension_Identifier=identifier)[0])
`) }],
    })
    const { requestId } = await invoke()
    await stop()
    assert.match(log(), /^400\n(TELEMETRY.*\n)?\(200, 'OK'\)\n(TELEMETRY.*\n)?400\n/m)
    assert.doesNotMatch(log(), /Terminated/)
    assert.match(log(), /^TELEMETRY\tName: takes\tState: Subscribed\tTypes: \[platform, function\]\n/m)
    const events = log().split('\n').filter((line) => line.startsWith('took ')).map((line) => JSON.parse(line.slice(5)) as { type: string, time: string, record: any })
    const of = (type: string) => events.find((event) => event.type === type)?.record
    // Source: Lambda developer guide, "Lambda Telemetry API Event schema reference".
    assert.equal(of('platform.initStart').initializationType, 'on-demand', 'what was said before somebody subscribed is sent, too')
    assert.deepEqual(Object.keys(of('platform.initReport')), ['initializationType', 'phase', 'status', 'metrics'])
    assert.deepEqual(of('platform.start'), { requestId, version: '$LATEST', tracing: { type: 'X-Amzn-Trace-Id', value: 'Root=1' } })
    assert.equal(of('platform.runtimeDone').status, 'success')
    assert.deepEqual(Object.keys(of('platform.report').metrics), ['durationMs', 'billedDurationMs', 'memorySizeMB', 'maxMemoryUsedMB', 'initDurationMs'])
    assert.match(of('function'), /\tINFO\thandled\n$/)
    assert.ok(events.every(({ time }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time)))
  })

  test('has fewer members in the Logs API', async (t) => {
    const { invoke, log, stop } = await launchFunction(t, {
      settings, code: handler,
      layers: [{ 'extensions/takes': collecting('call("PUT", "2020-08-15/logs", {"schemaVersion": "2020-08-15", "types": ["platform"], "buffering": {"timeoutMs": 25}, "destination": {"protocol": "HTTP", "URI": "http://sandbox:%d" % PORT}}, Lambda_Extension_Identifier=identifier)') }],
    })
    const { requestId } = await invoke()
    await stop()
    assert.match(log(), /^LOGS\tName: takes\tState: Subscribed\tTypes: \[platform\]\n/m)
    assert.ok(log().includes(`"type": "platform.start", "record": {"requestId": "${requestId}", "version": "$LATEST"}}`), log())
  })
})
