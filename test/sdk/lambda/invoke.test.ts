// Invoke over the wire: what callers are answered, and what the log tells.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { InvokeCommand } from '@aws-sdk/client-lambda'
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { absent } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'
import { answerOf, deployNode, deployPython, invoke } from './deploy.ts'

const account = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${account}:function:${name}`
const echo = 'export const handler = async (event) => event'

describe('Invoke refuses', () => {
  test('functions and versions that are not there', async (t) => {
    const server = await startServer(t)
    // Observed: AWS, 11-08-2023, recorded by localstack's test_invoke_exceptions.
    await refuses(invoke(server, 'doesnotexist'), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('doesnotexist')}`)
    await deployNode(server, 'echo', echo)
    await refuses(invoke(server, 'echo', {}, { Qualifier: '7' }), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('echo')}:7`)
    await refuses(invoke(server, 'absent', {}, { InvocationType: 'DryRun' }), 404, 'ResourceNotFoundException', `Function not found: ${arnOf('absent')}`)
  })

  test('payloads that are no JSON or too large', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'echo', echo)
    const send = (Payload: string) => server.lambda.send(new InvokeCommand({ FunctionName: 'echo', Payload }))
    await refuses(send('notjson'), 400, 'InvalidRequestContentException',
      /^Could not parse request body into json: Could not parse payload into json: Unrecognized token 'notjson': was expecting \(JSON String, Number, Array, Object or token 'null', 'true' or 'false'\)\n at \[Source: /)
    await refuses(send('{"a":'), 400, 'InvalidRequestContentException', /^Could not parse request body into json: Could not parse payload into json: Unexpected end-of-input/)
    // Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_invoke_payload_encoding_error.
    const place = (column: number) => `\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: 1, column: ${column}]`
    for (const [bytes, sentence, column] of [
      ['6e8772', 'Invalid UTF-8 start byte 0x87', 3],
      ['99eb2c', 'Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, Object or token \'null\', \'true\' or \'false\')', 1],
    ] as const) {
      await refuses(server.lambda.send(new InvokeCommand({ FunctionName: 'echo', Payload: Buffer.from(bytes, 'hex') })), 400, 'InvalidRequestContentException',
        `Could not parse request body into json: Could not parse payload into json: ${sentence}${place(column)}`)
    }
    const size = 6_291_457
    // Source: users of AWS report the sentence (streetwarp-web issue 14).
    await refuses(send(`"${'x'.repeat(size - 2)}"`), 413, 'RequestEntityTooLargeException', 'Request must be smaller than 6291456 bytes for the InvokeFunction operation')
  })

  test('a caller without permission, unless the function itself lets the caller in', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'echo', echo)
    const bob = server.clients(await server.user('bob', [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]))
    await refuses(invoke(bob, 'echo'), 403, 'AccessDeniedException',
      `User: arn:aws:iam::${account}:user/bob is not authorized to perform: lambda:InvokeFunction on resource: ${arnOf('echo')} because no identity-based policy allows the lambda:InvokeFunction action`)
    const { AddPermissionCommand } = await import('@aws-sdk/client-lambda')
    await server.lambda.send(new AddPermissionCommand({ FunctionName: 'echo', StatementId: 'bob', Action: 'lambda:InvokeFunction', Principal: `arn:aws:iam::${account}:user/bob` }))
    assert.deepEqual(await answerOf(bob, 'echo', { a: 1 }), { a: 1 })
    await refuses(invoke(bob, 'echo', {}, { Qualifier: '$LATEST' }), 403, 'AccessDeniedException', /function:echo:\$LATEST/)
  })
})

describe('Invoke', () => {
  test('answers with payload, version, request id and the end of the log', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'hello', 'export const handler = async (event, context) => { console.log("one\\ntwo"); process.stdout.write("raw\\n"); return { event, id: context.awsRequestId } }')
    const first = await invoke(server, 'hello', { a: 'ä' })
    assert.equal(first.status, 200)
    assert.equal(first.functionError, undefined)
    assert.equal(first.version, '$LATEST')
    assert.deepEqual(first.payload, { event: { a: 'ä' }, id: first.requestId })
    const id = first.requestId!
    // Observed: AWS, 24-11-2025, recorded by localstack's test_invocation_with_logs: the lines and their ends.
    assert.match(first.log, new RegExp(`^START RequestId: ${id} Version: \\$LATEST\\n`))
    assert.match(first.log, new RegExp(`\\d\\dT[\\d:.]+Z\\t${id}\\tINFO\\tone\\ntwo\\n`))
    assert.match(first.log, /^raw$/m)
    assert.match(first.log, new RegExp(`END RequestId: ${id}\\nREPORT RequestId: ${id}\\tDuration: [\\d.]+ ms\\tBilled Duration: \\d+ ms\\tMemory Size: 128 MB\\tMax Memory Used: [1-9]\\d* MB\\tInit Duration: [\\d.]+ ms\\t\\n$`))
    const second = await invoke(server, 'hello')
    assert.match(second.log, /Max Memory Used: \d+ MB\t\n$/)
    const quiet = await server.lambda.send(new InvokeCommand({ FunctionName: 'hello', Payload: '{}' }))
    assert.equal(quiet.LogResult, undefined)
  })

  test('takes an empty payload for {} and answers null for nothing', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'hello', 'export const handler = async (event) => { if (JSON.stringify(event) !== "{}") return "no" }')
    const { Payload } = await server.lambda.send(new InvokeCommand({ FunctionName: 'hello' }))
    assert.equal(Buffer.from(Payload!).toString(), 'null')
  })

  test('DryRun runs nothing', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'hello', echo)
    const { status, payload } = await invoke(server, 'hello', {}, { InvocationType: 'DryRun' })
    assert.equal(status, 204)
    assert.equal(payload, undefined)
  })

  test('hands over six megabytes and no more back', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'echo', 'export const handler = async (event) => event.size ? "x".repeat(event.size) : event', { MemorySize: 512 })
    const large = 'y'.repeat(6_291_454)
    assert.equal(await answerOf(server, 'echo', large), large)
    assert.equal((await answerOf(server, 'echo', { size: 6_291_554 })).length, 6_291_554)
    // Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_too_large_response.
    const { functionError, payload } = await invoke(server, 'echo', { size: 6_291_555 })
    assert.equal(functionError, 'Unhandled')
    assert.deepEqual(payload, { errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).', errorType: 'Function.ResponseSizeTooLarge' })
    assert.equal((await answerOf(server, 'echo', { size: 1 })), 'x')
  })

  test('gives the client context to the function', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'hello', 'export const handler = async (event, context) => context.clientContext')
    const { payload } = await invoke(server, 'hello', {}, { ClientContext: Buffer.from('{"custom":{"a":"ü"}}').toString('base64') })
    assert.deepEqual(payload, { custom: { a: 'ü' } })
  })

  test('logs into the group and stream of the function', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'hello', 'console.log("while starting")\nexport const handler = async (event, context) => { console.log("two\\nlines"); return context.logStreamName }')
    const first = await invoke(server, 'hello')
    await invoke(server, 'hello')
    assert.match(first.payload, /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/)
    const messages = async () => (await server.logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/hello', logStreamNames: [first.payload] }))).events!.map(({ message }) => message!)
    let found: string[] = []
    while (found.filter((line) => line.startsWith('REPORT')).length < 2) found = await messages().catch(() => [])
    const kinds = found.map((line) => line.split(/[ \t]/)[0]!.replace(/^\d{4}-.*/, line.split('\t')[3] ?? ''))
    assert.deepEqual(kinds, ['INIT_START', 'while starting\n', 'START', 'two\nlines\n', 'END', 'REPORT', 'START', 'two\nlines\n', 'END', 'REPORT'])
  })
})

describe('a Python function', { skip: absent('python3') }, () => {
  test('prints, logs, and answers', async (t) => {
    const server = await startServer(t)
    await deployPython(server, 'hello', [
      'import logging', 'logging.getLogger().setLevel(logging.INFO)',
      'def lambda_handler(event, context):', '    print("printed")', '    logging.info("told\\nin two lines")', '    return {"event": event, "id": context.aws_request_id}',
    ].join('\n'))
    const { payload, log, requestId } = await invoke(server, 'hello', { a: 'ä' })
    assert.deepEqual(payload, { event: { a: 'ä' }, id: requestId })
    assert.match(log, /^printed$/m)
    assert.match(log, new RegExp(`^\\[INFO\\]\\t\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z\\t${requestId}\\ttold\\nin two lines$`, 'm'))
  })

  test('that raises is answered with message, type, request id and trace', async (t) => {
    const server = await startServer(t)
    await deployPython(server, 'fails', 'def lambda_handler(event, context):\n    raise KeyError("missing") if event else ValueError("wrong")\n')
    const { functionError, payload, log, requestId } = await invoke(server, 'fails')
    assert.equal(functionError, 'Unhandled')
    assert.deepEqual(Object.keys(payload), ['errorMessage', 'errorType', 'requestId', 'stackTrace'])
    assert.deepEqual([payload.errorMessage, payload.errorType, payload.requestId], ['wrong', 'ValueError', requestId])
    assert.match(payload.stackTrace[0], /^ {2}File ".*\/lambda_function\.py", line 2, in lambda_handler\n {4}raise /)
    // Observed: AWS, 04-09-2023 and 21-03-2024, recorded by localstack's test_invocation_type_event_error and test_dead_letter_queue.
    const lines = log.slice(log.indexOf('[ERROR]'), log.indexOf('END RequestId')).split('\n')
    assert.deepEqual(lines.slice(0, 2), ['[ERROR] ValueError: wrong', 'Traceback (most recent call last):'])
    assert.match(lines[2]!, /^\u00a0\u00a0File ".*\/lambda_function\.py", line 2, in lambda_handler$/)
    assert.match(lines[3]!, /^\u00a0{4}raise /)
    assert.ok(lines.slice(3).every((line) => line !== '' && !line.startsWith(' ')), 'no line of the trace is empty, and END follows without a line end')
    assert.equal((await invoke(server, 'fails', { a: 1 })).payload.errorMessage, "'missing'")
  })

  test('that cannot be imported says why, without a request id', async (t) => {
    const server = await startServer(t)
    const failing = async (name: string, source: string, Handler = 'lambda_function.lambda_handler') => {
      await deployPython(server, name, source, { Handler })
      const { functionError, payload } = await invoke(server, name)
      assert.equal(functionError, 'Unhandled')
      return payload
    }
    // Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_runtime_error: an empty request id.
    const raised = await failing('raises', 'raise Exception("Runtime startup fails")')
    assert.deepEqual([raised.errorMessage, raised.errorType, raised.requestId], ['Runtime startup fails', 'Exception', ''])
    assert.equal(raised.stackTrace.length, 1)
    assert.deepEqual(await failing('imports', 'import nothing_like_this'), {
      errorMessage: "Unable to import module 'lambda_function': No module named 'nothing_like_this'", errorType: 'Runtime.ImportModuleError', requestId: '', stackTrace: [],
    })
    assert.deepEqual(await failing('lacks', 'x = 1'), {
      errorMessage: "Handler 'lambda_handler' missing on module 'lambda_function'", errorType: 'Runtime.HandlerNotFound', requestId: '', stackTrace: [],
    })
    assert.equal((await failing('spells', 'def x(:')).errorType, 'Runtime.UserCodeSyntaxError')
    assert.deepEqual(await failing('names', 'x = 1', 'lambda_function'), {
      errorMessage: "Bad handler 'lambda_function': not enough values to unpack (expected 2, got 1)", errorType: 'Runtime.MalformedHandlerName', requestId: '', stackTrace: [],
    })
  })

  test('that answers what is no JSON, or exits, is an error, and the next call is none', async (t) => {
    const server = await startServer(t)
    await deployPython(server, 'odd', 'import sys\nfrom decimal import Decimal\ndef lambda_handler(event, context):\n    if event.get("exit"): sys.exit(3)\n    return Decimal(1) if event.get("decimal") else "fine"')
    const decimal = await invoke(server, 'odd', { decimal: true })
    assert.deepEqual([decimal.payload.errorType, decimal.payload.errorMessage], ['Runtime.MarshalError', 'Unable to marshal response: Object of type Decimal is not JSON serializable'])
    const exit = await invoke(server, 'odd', { exit: true })
    assert.deepEqual(exit.payload, { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${exit.requestId} Error: Runtime exited with error: exit status 3` })
    assert.equal(await answerOf(server, 'odd'), 'fine')
  })

  test('has its context and finds handlers in folders', async (t) => {
    const server = await startServer(t)
    await deployPython(server, 'context', {
      'folder/__init__.py': '', 'folder/code.py': [
        'def run(event, context):', '    return [context.function_name, context.function_version, context.memory_limit_in_mb, context.invoked_function_arn,',
        '        context.log_group_name, context.client_context, context.get_remaining_time_in_millis() > 1000]',
      ].join('\n'),
    }, { Handler: 'folder/code.run', MemorySize: 192 })
    assert.deepEqual(await answerOf(server, 'context'), ['context', '$LATEST', '192', arnOf('context'), '/aws/lambda/context', null, true])
  })
})
