// Streamed answers: written by Node functions, read by the official clients while they are made.

import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { InvokeWithResponseStreamCommand, type InvokeWithResponseStreamCommandInput } from '@aws-sdk/client-lambda'
import { absent, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode, deployPython, invoke } from './deploy.ts'
import { startLambda } from './in-process.ts'

interface Streamed {
  chunks: string[]
  complete: { ErrorCode?: string | undefined, ErrorDetails?: string | undefined, LogResult?: string | undefined } | undefined
  contentType: string | undefined
  version: string | undefined
}

async function stream({ lambda }: Pick<TestServer, 'lambda'>, FunctionName: string, event: unknown = {}, rest: Partial<InvokeWithResponseStreamCommandInput> = {}, onChunk?: () => void): Promise<Streamed> {
  const { EventStream, ResponseStreamContentType, ExecutedVersion } = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName, Payload: JSON.stringify(event), ...rest }))
  const answer: Streamed = { chunks: [], complete: undefined, contentType: ResponseStreamContentType, version: ExecutedVersion }
  for await (const { PayloadChunk, InvokeComplete } of EventStream!) {
    if (PayloadChunk) {
      answer.chunks.push(Buffer.from(PayloadChunk.Payload!).toString('latin1'))
      onChunk?.()
    }
    if (InvokeComplete) answer.complete = InvokeComplete
  }
  return answer
}

const streaming = `
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
let gate
export const open = () => gate()
export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event.type) stream.setContentType(event.type)
  if (event.http) stream = awslambda.HttpResponseStream.from(stream, event.http)
  if (event.early) throw new TypeError('before')
  for (const part of event.parts ?? []) {
    stream.write(part)
    await new Promise((done) => setTimeout(done, event.ms ?? 0))
  }
  if (event.late) throw new TypeError('within')
  if (event.reject) void Promise.reject(new TypeError('aside'))
  if (event.wait) await new Promise((done) => setTimeout(done, event.wait))
  if (event.bytes) await pipeline(Readable.from((function* () { for (let left = event.bytes; left > 0; left -= 65536) yield Buffer.alloc(Math.min(left, 65536), 'x') })()), stream)
  if (event.open) return
  if (event.object) stream.write({ any: 'value' })
  if (!event.bytes) stream.end(event.last)
})`

describe('InvokeWithResponseStream', () => {
  test('refuses a function that is not there, a caller who may not, and an event that is no JSON', async (t) => {
    const server = await startServer(t)
    await refuses(server.lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'nothing' })), 404, 'ResourceNotFoundException', /^Function not found: arn:aws:lambda:us-east-1:000000000000:function:nothing$/)
    await deployNode(server, 'f', streaming)
    const { lambda } = server.clients(await server.user('other', [{ Effect: 'Allow', Action: 'lambda:GetFunction', Resource: '*' }]))
    await refuses(lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f' })), 403, 'AccessDeniedException', /is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:f /)
    await refuses(server.lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f', Payload: '{' })), 400, 'InvalidRequestContentException', /^Could not parse request body into json/)
    const { $metadata } = await server.lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f', InvocationType: 'DryRun' }))
    assert.equal($metadata.httpStatusCode, 204)
  })

  test('hands chunks on as they are written, and says how it ended', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', streaming)
    const { chunks, complete, contentType, version } = await stream(server, 'f', { parts: ['one', 'two'], ms: 100, last: 'end' }, { LogType: 'Tail' })
    assert.equal(chunks.join(''), 'onetwoend')
    assert.ok(chunks.length >= 2, chunks.join('|'))
    assert.deepEqual([contentType, version], ['application/vnd.amazon.eventstream', '$LATEST'])
    assert.equal(complete!.ErrorCode, undefined)
    assert.match(Buffer.from(complete!.LogResult!, 'base64').toString(), /^START RequestId: .*\nEND RequestId: .*\nREPORT /s)
    assert.deepEqual((await stream(server, 'f', { object: true })).chunks.join(''), '{"any":"value"}')
    assert.deepEqual((await stream(server, 'f', {})).chunks.join(''), '')
    // The environment serves on, buffered as well.
    const { lambda } = server
    const { payload } = await invoke({ lambda }, 'f', { parts: ['"a', 'b"'] })
    assert.equal(payload, 'ab')
  })

  test('writes the head of an HTTP answer in front', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', streaming)
    const { chunks } = await stream(server, 'f', { http: { statusCode: 201, headers: { 'x-a': 'b' }, cookies: ['c=d'] }, parts: ['body'] })
    assert.equal(chunks.join(''), `{"statusCode":201,"headers":{"x-a":"b"},"cookies":["c=d"]}${'\0'.repeat(8)}body`)
  })

  test('says how a function failed: before, within, beside and too late', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', streaming, { Timeout: 1 })
    for (const [event, before, type, message] of [
      [{ early: true }, /^\{"errorType":"TypeError","errorMessage":"before"/, 'TypeError', 'before'],
      [{ parts: ['some'], late: true }, /^some$/, 'TypeError', 'within'],
      [{ parts: ['some'], reject: true, wait: 500 }, /^some$/, 'Runtime.UnhandledPromiseRejection', 'TypeError: aside'],
      [{ parts: ['some'], open: true }, /^some$/, 'Error', 'Response stream is not finished.'],
      [{ parts: ['some'], wait: 60_000 }, /^some$/, 'Sandbox.Timedout', /^RequestId: \S+ Error: Task timed out after 1.00 seconds$/],
    ] as const) {
      const { chunks, complete } = await stream(server, 'f', event)
      assert.match(chunks.join(''), before)
      assert.equal(complete!.ErrorCode, 'Unhandled')
      const { errorType, errorMessage } = JSON.parse(complete!.ErrorDetails!)
      assert.equal(errorType, type)
      if (typeof message === 'string') assert.equal(errorMessage, message)
      else assert.match(errorMessage, message)
    }
    const { functionError, payload } = await invoke(server, 'f', { parts: ['some'], late: true })
    assert.deepEqual([functionError, payload.errorType], ['Unhandled', 'TypeError'])
  })

  test('takes more than a buffered answer may have, and waits for who reads slowly', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', streaming, { Timeout: 30, MemorySize: 256 })
    let chunks = 0
    const { chunks: read } = await stream(server, 'f', { bytes: 20 * 1024 * 1024 }, {}, () => { chunks++ })
    assert.equal(read.reduce((bytes, chunk) => bytes + chunk.length, 0), 20 * 1024 * 1024)
    assert.ok(chunks > 10)
    // Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_too_large_response, for a buffered one.
    const { payload, functionError } = await invoke(server, 'f', { bytes: 7 * 1024 * 1024 })
    assert.deepEqual([functionError, payload.errorType], ['Unhandled', 'Function.ResponseSizeTooLarge'])
    const gone = await server.lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'f', Payload: JSON.stringify({ bytes: 20 * 1024 * 1024 }) }))
    for await (const event of gone.EventStream!) if (event.PayloadChunk) break
    assert.equal((await stream(server, 'f', { parts: ['next'] })).chunks.join(''), 'next')
  })

  test('has one chunk of a function that does not stream', { skip: absent('python3') }, async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'node', 'export const handler = async ({ fail }) => { if (fail) throw new TypeError("no"); return [1, 2] }')
    await deployPython(server, 'python', 'def lambda_handler(event, context): return {"a": event["a"]}')
    assert.deepEqual((await stream(server, 'node')).chunks, ['[1,2]'])
    assert.deepEqual((await stream(server, 'python', { a: 'b' })).chunks, ['{"a": "b"}'])
    const { chunks, complete } = await stream(server, 'node', { fail: true })
    assert.equal(JSON.parse(chunks.join('')).errorMessage, 'no')
    assert.deepEqual([complete!.ErrorCode, complete!.ErrorDetails], ['Unhandled', chunks.join('')])
  })

  test('is read by boto3', { skip: absent('boto3') }, async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', streaming)
    const events = await python(server.environment(), [
      'answer = client("lambda").invoke_with_response_stream(FunctionName="f", Payload=json.dumps({"parts": ["one", "two"], "late": True}))',
      'events = [{name: value["Payload"].decode() if name == "PayloadChunk" else value for name, value in event.items()} for event in answer["EventStream"]]',
      'print(json.dumps([answer["StatusCode"], events]))',
    ].join('\n'))
    assert.equal(events[0], 200)
    assert.equal(events[1].slice(0, -1).map(({ PayloadChunk }: { PayloadChunk: string }) => PayloadChunk).join(''), 'onetwo')
    assert.equal(events[1].at(-1).InvokeComplete.ErrorCode, 'Unhandled')
  })
})

describe('invokeStreaming()', () => {
  test('separates the head of an HTTP answer where it is asked for', async (t) => {
    const { deploy, lambda } = await startLambda(t)
    const functionArn = await deploy('f', { 'index.mjs': streaming })
    const caller = { is: 'root', accountId: '000000000000', arn: 'arn:aws:iam::000000000000:root', userId: '000000000000', accessKeyId: 'AKIAEXAMPLEEXAMPLE00' } as const
    const run = (event: object) => lambda.invoker.invokeStreaming({ functionArn, payload: Buffer.from(JSON.stringify(event)), type: 'RequestResponse', caller, prelude: 'separate' })
    const answered = await run({ http: { statusCode: 404, headers: { a: 'b' } }, parts: ['x'.repeat(10), 'y'], ms: 20 })
    assert.deepEqual([answered.metadata, answered.contentType, answered.isStreamed], [{ statusCode: 404, headers: { a: 'b' } }, 'application/vnd.awslambda.http-integration-response', true])
    assert.equal((await buffer(answered.stream)).toString(), 'xxxxxxxxxxy')
    assert.equal((await answered.ended).functionError, undefined)
    const plain = await run({ type: 'text/plain', parts: ['z'] })
    assert.deepEqual([plain.metadata, plain.contentType, (await buffer(plain.stream)).toString()], [undefined, 'text/plain', 'z'])
    const empty = await run({ http: { statusCode: 204 } })
    assert.equal(empty.metadata, undefined, 'without a write there is no head')
    empty.stream.resume()
    await assert.rejects(lambda.invoker.invokeStreaming({ functionArn: `${functionArn}x`, payload: Buffer.alloc(0), type: 'RequestResponse', caller }), { code: 'ResourceNotFoundException' })
  })
})
