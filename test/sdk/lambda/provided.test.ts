// Functions that bring their own runtime: any program that speaks the Runtime API at the address that it is told.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CreateFunctionCommand, InvokeWithResponseStreamCommand } from '@aws-sdk/client-lambda'
import { absent } from '#test/support/programs.ts'
import { startServer } from '#test/support/server.ts'
import { answerOf, archiveOf, functionRole, invoke } from './deploy.ts'
import { startLambda } from './in-process.ts'

/** The one of AWS's tutorial, in fewer words: it reads the event with curl and answers with it. */
const shell = `#!/bin/sh
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  event=$(curl -sS -D "$TMP/headers" "$api/invocation/next")
  id=$(grep -Fi lambda-runtime-aws-request-id "$TMP/headers" | tr -d '[:space:]' | cut -d: -f2)
  echo "event of $id"
  case $event in
    *fail*) curl -sS -X POST -H "Lambda-Runtime-Function-Error-Type: Own.Error" "$api/invocation/$id/error" -d '{"errorType":"Own.Error","errorMessage":"no"}' > /dev/null ;;
    *stream*) (printf one; sleep 0.1; printf two) | curl -sS -X POST -H 'Lambda-Runtime-Function-Response-Mode: streaming' -H 'Transfer-Encoding: chunked' -T - "$api/invocation/$id/response" > /dev/null ;;
    *exit*) exit 3 ;;
    *) curl -sS -X POST "$api/invocation/$id/response" -d "[\\"$_HANDLER\\", $event]" > /dev/null ;;
  esac
done
`.replaceAll('$TMP', '/tmp')

/** A whole client of the Runtime API over a socket of its own, in the language of machines. */
const compiled = `
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static char in[65536], out[66000];
static int length(const char *head) { const char *at = strcasestr(head, "content-length:"); return at ? atoi(at + 15) : 0; }
static char *receive(int s) {
  int got = 0;
  for (;;) {
    int n = read(s, in + got, sizeof in - 1 - got);
    if (n <= 0) exit(0);
    in[got += n] = 0;
    char *end = strstr(in, "\\r\\n\\r\\n");
    if (end && got >= end + 4 - in + length(in)) return end + 4;
  }
}
int main(void) {
  char host[64]; strcpy(host, getenv("AWS_LAMBDA_RUNTIME_API"));
  char *port = strchr(host, ':'); *port++ = 0;
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) }; inet_pton(AF_INET, host, &to.sin_addr);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(s, (struct sockaddr *) &to, sizeof to)) return 9;
  for (;;) {
    dprintf(s, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n", host);
    char *event = strdup(receive(s)), id[64];
    sscanf(strcasestr(in, "lambda-runtime-aws-request-id:") + 30, " %63[^\\r]", id);
    int n = sprintf(out, "{\\"compiled\\":%s}", event);
    dprintf(s, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: %s\\r\\nContent-Length: %d\\r\\n\\r\\n%s", id, host, n, out);
    receive(s);
    free(event);
  }
}
`

describe('a function with a bootstrap of its own', () => {
  test('may be a shell script', { skip: absent('curl') }, async (t) => {
    const server = await startServer(t)
    await server.lambda.send(new CreateFunctionCommand({
      FunctionName: 'sh', Runtime: 'provided.al2023', Handler: 'some.thing', Role: await functionRole(server), Timeout: 20, Code: { ZipFile: await archiveOf({ bootstrap: shell.replaceAll('/tmp/', '"${TMPDIR:-/tmp}"/') }) },
    }))
    assert.deepEqual(await answerOf(server, 'sh', { a: 'ä' }), ['some.thing', { a: 'ä' }])
    const { log, requestId } = await invoke(server, 'sh', { a: 1 })
    assert.match(log, new RegExp(`^START RequestId: ${requestId} Version: \\$LATEST\nevent of ${requestId}\nEND RequestId: ${requestId}\nREPORT .*Max Memory Used: [1-9]\\d* MB\t\n$`))
    const failed = await invoke(server, 'sh', 'fail')
    assert.deepEqual([failed.functionError, failed.payload], ['Unhandled', { errorType: 'Own.Error', errorMessage: 'no' }])
    assert.equal((await startedStream(server, 'sh')), 'onetwo')
    const gone = await invoke(server, 'sh', 'exit')
    assert.deepEqual([gone.functionError, gone.payload.errorType, gone.payload.errorMessage], ['Unhandled', 'Runtime.ExitError', `RequestId: ${gone.requestId} Error: Runtime exited with error: exit status 3`])
    assert.deepEqual(await answerOf(server, 'sh', 1), ['some.thing', 1])
  })

  test('may be a script of any interpreter', { skip: existsSync('/usr/bin/node') ? false : 'absent: /usr/bin/node' }, async (t) => {
    const { deploy, invoke: run } = await startLambda(t)
    const arn = await deploy('f', { bootstrap: `#!/usr/bin/env node
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime'
async function main() {
  for (;;) {
    const next = await fetch(api + '/invocation/next')
    const id = next.headers.get('lambda-runtime-aws-request-id')
    const event = await next.json()
    const { AWS_EXECUTION_ENV, LAMBDA_TASK_ROOT, _HANDLER } = process.env
    const facts = { arn: next.headers.get('lambda-runtime-invoked-function-arn'), deadline: Number(next.headers.get('lambda-runtime-deadline-ms')) > Date.now(), trace: next.headers.get('lambda-runtime-trace-id').length > 20, event, AWS_EXECUTION_ENV, _HANDLER }
    for (const answer of [await fetch(api + '/invocation/nobody/response', { method: 'POST', body: '1' }), await fetch(api + '/nothing')]) console.log(answer.status, (await answer.text()).trim())
    await fetch(api + '/invocation/' + id + '/response', { method: 'POST', body: JSON.stringify(facts) })
  }
}
main()
` }, { Timeout: 10 })
    const { answer, requestId } = await run(arn, { a: 1 })
    assert.deepEqual(answer, { arn, deadline: true, trace: true, event: { a: 1 }, _HANDLER: 'own' })
    assert.ok(requestId)
    const { logTail } = await run(arn, { a: 2 })
    // Source: AWS's runtime interface emulator.
    assert.match(logTail.toString(), /^400 \{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"\}\n404 404 page not found$/m)
  })

  test('may be a program for this machine', { skip: absent('gcc') }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'countersign-c-'))
    t.after(() => { rmSync(directory, { recursive: true }) })
    writeFileSync(join(directory, 'main.c'), compiled)
    const { status, stderr } = spawnSync('gcc', ['-D_GNU_SOURCE', '-O1', '-o', join(directory, 'bootstrap'), join(directory, 'main.c')], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    const { deploy, invoke: run } = await startLambda(t)
    const arn = await deploy('f', { bootstrap: readFileSync(join(directory, 'bootstrap')) })
    for (let n = 0; n < 3; n++) assert.deepEqual((await run(arn, { n })).answer, { compiled: { n } })
  })

  test('may give up waiting and ask again', { skip: absent('curl') }, async (t) => {
    const { deploy, invoke: run } = await startLambda(t)
    const arn = await deploy('f', { bootstrap: `#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  event=$(curl -sS -m 0.3 -D "\${TMPDIR:-/tmp}/headers" "$api/next" 2>/dev/null) || continue
  id=$(grep -Fi lambda-runtime-aws-request-id "\${TMPDIR:-/tmp}/headers" | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -X POST "$api/$id/response" -d "$event" > /dev/null
done
` }, { Timeout: 10 })
    assert.equal((await run(arn, 1)).answer, 1)
    for (let n = 2; n < 5; n++) {
      await new Promise((done) => setTimeout(done, 350))
      assert.equal((await run(arn, n)).answer, n)
    }
  })

  test('is told why it cannot run', async (t) => {
    const { deploy, invoke: run } = await startLambda(t)
    const failing = async (name: string, files: Record<string, string>) => {
      const { answer, functionError, requestId } = await run(await deploy(name, files, { Runtime: 'provided.al2', Handler: 'x' }))
      assert.equal(functionError, 'Unhandled')
      return [answer.errorType, answer.errorMessage.replace(requestId, 'ID')]
    }
    // Source: AWS's runtime interface emulator.
    assert.deepEqual(await failing('none', { other: 'x' }), ['Runtime.InvalidEntrypoint', 'RequestId: ID Error: Couldn\'t find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]'])
    assert.deepEqual(await failing('closed', { bootstrap: 'echo' }), ['Runtime.InvalidEntrypoint', 'RequestId: ID Error: fork/exec /var/task/bootstrap: permission denied'])
    assert.deepEqual(await failing('foreign', { bootstrap: '\x7fELF\x02\x01\x01' }), ['Runtime.InvalidEntrypoint', 'RequestId: ID Error: fork/exec /var/task/bootstrap: exec format error'])
    assert.deepEqual(await failing('exits', { bootstrap: '#!/bin/sh\nexit 7' }), ['Runtime.ExitError', 'RequestId: ID Error: Runtime exited with error: exit status 7'])
  })
})

describe('the address of an environment', () => {
  const levels = [['A', absent('bwrap')], ['B', process.getuid?.() === 0 ? false : 'absent: root'], ['C', false]] as const
  for (const [level, skip] of levels) {
    test(`serves its own processes alone, at level ${level}`, { skip: skip || (process.platform === 'linux' ? false : 'absent: /proc') }, async (t) => {
      const { deploy, invoke: run } = await startLambda(t, { minIsolation: level, maxIsolation: level })
      const agent = { 'index.mjs': `import net from 'node:net'
import { execFileSync } from 'node:child_process'
const ask = (address) => new Promise((done) => {
  const socket = net.connect(...address.split(':').reverse(), () => { socket.write('GET /2018-06-01/ping HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n') })
  let text = ''
  socket.on('data', (chunk) => { text += chunk; if (text.includes('pong')) { socket.destroy(); done('pong') } })
  socket.on('error', (error) => done(error.code))
  socket.on('close', () => done('closed'))
})
export const handler = async ({ address, child }) => address === undefined ? process.env.AWS_LAMBDA_RUNTIME_API
  : child ? execFileSync(process.execPath, ['-e', 'const [host, port] = process.argv[1].split(":"); fetch("http://" + host + ":" + port + "/2018-06-01/ping").then((r) => r.text()).then(console.log, () => console.log("refused"))', address], { encoding: 'utf8' }).trim()
  : ask(address)` }
      const [one, two] = [await deploy('one', agent, { Timeout: 20, MemorySize: 256 }), await deploy('two', agent, { Timeout: 20, MemorySize: 256 })]
      const address = (await run(one)).answer as string
      assert.equal((await run(one, { address })).answer, 'pong')
      assert.equal((await run(one, { address, child: true })).answer, 'pong')
      assert.match((await run(two, { address })).answer, /^(closed|ECONNRESET)$/)
      assert.equal((await run(two, { address, child: true })).answer, 'refused')
      const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
      socket.on('error', () => {})
      await new Promise((done) => { socket.once('close', done) })
      assert.equal(socket.bytesRead, 0, 'nor a process of the machine')
    })
  }
})

async function startedStream(server: Parameters<typeof invoke>[0], FunctionName: string): Promise<string> {
  const { EventStream } = await server.lambda.send(new InvokeWithResponseStreamCommand({ FunctionName, Payload: '"stream"' }))
  let text = ''
  for await (const { PayloadChunk } of EventStream!) if (PayloadChunk) text += Buffer.from(PayloadChunk.Payload!).toString()
  return text
}
