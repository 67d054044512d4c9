// The example as its README tells it: the function deployed into a real server, invoked by requests that are signed by hand.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { absent, runProgram, type Finished } from '../../test/support/programs.ts'
import { startServer, type TestServer } from '../../test/support/server.ts'
import { sign } from './signing.ts'

const here = import.meta.dirname

async function deployed(t: TestContext, args: string[] = []): Promise<TestServer> {
  const server = await startServer(t)
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'deploy.ts'), ...args], { env: server.environment() })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^the function is hello-reinvent$/m)
  return server
}

type Client = (server: TestServer, environment?: Record<string, string>) => Promise<Finished>
const typescript: Client = (server, environment = {}) => runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'invoke_async.ts')], { env: { ...server.environment(), ...environment } })
const python: Client = (server, environment = {}) => runProgram('python3', [join(here, 'invoke_async.py'), 'hello-reinvent'], { env: { ...server.environment(), ...environment } })

async function shows(server: TestServer, client: Client): Promise<void> {
  const { accessKeyId, secretAccessKey } = server.credentials
  const wrong = await client(server, { AWS_ACCESS_KEY: accessKeyId, AWS_SECRET_KEY: `${secretAccessKey}x` })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stdout, /Response code: 403/)
  const { message } = JSON.parse(wrong.stdout.split('\n').findLast((line) => line.startsWith('{'))!) as { message: string }
  assert.match(message, /^The request signature we calculated does not match the signature you provided\. Check your AWS Secret Access Key and signing method\. Consult the service documentation for details\.\n\nThe Canonical String for this request should have been\n'POST\n\/2014-11-13\/functions\/hello-reinvent\/invoke-async\/\n\ncontent-type:application\/x-amz-json-1\.0\nhost:127\.0\.0\.1:\d+\nx-amz-date:\d{8}T\d{6}Z\n\ncontent-type;host;x-amz-date\n[0-9a-f]{64}'/)

  // The names that the document reads its keys from go before those of today.
  const right = await client(server, { AWS_ACCESS_KEY: accessKeyId, AWS_SECRET_KEY: secretAccessKey, AWS_ACCESS_KEY_ID: 'AKIANOBODY', AWS_SECRET_ACCESS_KEY: 'nothing' })
  assert.equal(right.code, 0, right.stderr)
  const hash = createHash('sha256').update('{}').digest('hex')
  assert.match(right.stdout, new RegExp(`^POST\n/2014-11-13/functions/hello-reinvent/invoke-async/\n\ncontent-type:application/x-amz-json-1\\.0\nhost:127\\.0\\.0\\.1:${server.port}\nx-amz-date:\\d{8}T\\d{6}Z\n\ncontent-type;host;x-amz-date\n${hash}\nAWS4-HMAC-SHA256\n`))
  assert.match(right.stdout, /\nResponse code: 202\n\n\{"Status":202\}\n$/)
  assert.match(await logLine(server), /^hello from [0-9a-f-]{36}: \{\}$/)
  assert.equal((await client(server)).code, 0)
}

async function logLine(server: TestServer): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { events } = await server.logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/hello-reinvent', filterPattern: 'hello' })).catch(() => ({ events: [] }))
    const line = events?.map(({ message }) => /hello from .*/.exec(message ?? '')?.[0]).find((found) => found !== undefined)
    if (line !== undefined) return line
    await sleep(100)
  }
  throw new Error('the function did not run')
}

describe('invoke-async', () => {
  test('signs what the document signs', () => {
    const { canonicalRequest, stringToSign, headers } = sign({
      method: 'POST', host: 'lambda.us-east-1.amazonaws.com', path: '/2014-11-13/functions/hello-reinvent/invoke-async/', contentType: 'application/x-amz-json-1.0', body: '{}',
      region: 'us-east-1', service: 'lambda', amzDate: '20141215T104432Z',
    }, { accessKey: 'AKIDEXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' })
    assert.deepEqual(canonicalRequest.split('\n').slice(0, -1), [
      'POST', '/2014-11-13/functions/hello-reinvent/invoke-async/', '', 'content-type:application/x-amz-json-1.0', 'host:lambda.us-east-1.amazonaws.com', 'x-amz-date:20141215T104432Z', '',
      'content-type;host;x-amz-date',
    ])
    assert.deepEqual(stringToSign.split('\n').slice(0, -1), ['AWS4-HMAC-SHA256', '20141215T104432Z', '20141215/us-east-1/lambda/aws4_request'])
    assert.deepEqual(Object.keys(headers), ['Content-Type', 'Host', 'X-Amz-Date', 'Authorization'])
  })

  test('unsigned, it is refused with and without the slash at the end', async (t) => {
    const server = await deployed(t)
    for (const path of ['invoke-async/', 'invoke-async']) {
      const response = await fetch(`${server.endpoint}/2014-11-13/functions/hello-reinvent/${path}`, { method: 'POST', body: '{}' })
      assert.deepEqual([response.status, await response.text()], [403, '{"message":"Missing Authentication Token"}'])
    }
  })

  test('from TypeScript: a wrong secret is explained, a right one is accepted, and the function runs', async (t) => {
    const server = await deployed(t)
    await shows(server, typescript)
    const { code, stdout, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'scenario.ts'), 'hello-reinvent'], { env: server.environment() })
    assert.equal(code, 0, stderr + stdout)
    assert.match(stdout, /^unsigned: 403 \{"message":"Missing Authentication Token"\}\nwrong secret: 403 The request signature we calculated does not match .*\nResponse code: 202\nthe function ran: hello from /)
  })

  test('from Python: the same', { skip: absent('python3') }, async (t) => {
    await shows(await deployed(t, ['--python']), python)
  })

  test('without keys it says so', async (t) => {
    const server = await startServer(t)
    for (const [program, args] of [[process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'invoke_async.ts')]]] as const) {
      const { code, stderr } = await runProgram(program, args, { env: { PATH: process.env.PATH, AWS_ENDPOINT_URL: server.endpoint } })
      assert.deepEqual([code, stderr], [1, 'No access key is available.\n'])
    }
  })
})
