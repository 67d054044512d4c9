// The example as its README tells it: deployed by its own script into a real server, called by its form.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { GetApiKeysCommand, GetRestApisCommand, UpdateApiKeyCommand } from '@aws-sdk/client-api-gateway'
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { absent, runProgram } from '../../test/support/programs.ts'
import { startServer, type TestServer } from '../../test/support/server.ts'
import { signatureOf } from './functions/hmac_signature.ts'
import { askForSignature } from './web/client.ts'

const here = import.meta.dirname
const parameters = { callback: 'https://apoorva.com', clientid: 'LfmvNs1g14p0C7AR3IKyfoCxO6i2zKAJ', clientsecret: 'S6meLXlUY00YVML3' }

async function deploy(server: TestServer, args: string[] = []): Promise<{ url: string, key: string, printed: string }> {
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'deploy.ts'), ...args], { env: server.environment() })
  assert.equal(code, 0, stderr)
  return { url: /^the endpoint is at (\S+)$/m.exec(stdout)![1]!, key: /^the key of the endpoint is (\S+)$/m.exec(stdout)![1]!, printed: stdout }
}

/** Runs the form on a free port. Answers its address, and what it wrote to its log so far. */
async function form(t: TestContext, environment: Record<string, string>): Promise<{ address: string, log: () => string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'web', 'server.ts')], { env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((done) => child.once('exit', done))
  t.after(async () => {
    child.kill()
    await ended
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { log += text })
  const address = await new Promise<string>((done) => child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text
    const found = /^the form is at (\S+)$/m.exec(log)?.[1]
    if (found !== undefined) done(found)
  }))
  return { address, log: () => log }
}

async function submit(address: string, fields: Record<string, string>): Promise<{ status: number, text: string }> {
  const response = await fetch(`${address}lambdasubmit`, { method: 'POST', body: new URLSearchParams(fields) })
  return { status: response.status, text: await response.text() }
}

const filled = { Callback: parameters.callback, ClientID: parameters.clientid, ClientSecret: parameters.clientsecret }

async function answersExactly(url: string, key: string): Promise<void> {
  for (const [status, wrong] of [[403, undefined], [403, 'wrong'], [403, `${key}x`]] as const) {
    const refused = await askForSignature(url, wrong, parameters)
    assert.deepEqual([refused.status, refused.text], [status, '{"message":"Forbidden"}'])
  }
  const { status, text } = await askForSignature(url, key, parameters)
  assert.equal(status, 200, text)
  const answer = JSON.parse(text) as Record<string, unknown>
  assert.deepEqual(Object.keys(answer).toSorted(), ['callback', 'clientid', 'clientsecret', 'signature', 'timestamp'])
  const { timestamp, signature, ...rest } = answer
  assert.deepEqual(rest, parameters)
  assert.match(timestamp as string, /^\d{10}$/)
  assert.equal(signature, signatureOf(parameters, timestamp as string))
  const missing = await fetch(url, { method: 'POST', headers: { 'x-api-key': key }, body: JSON.stringify({ callback: 'x', clientid: 'y' }) })
  assert.deepEqual([missing.status, await missing.json()], [400, { message: 'The field clientsecret is missing.' }])
}

describe('the HMAC signature', () => {
  test("is the document's for the document's sample", () => {
    assert.equal(signatureOf(parameters, '1444762678'), 'WRfKcxY3ddRv/mi8gi1OaU4Yd+yVL+L8tbwjqP8bMlQ=')
  })

  test("in Python, too, is the document's", { skip: absent('python3') }, async () => {
    const code = `import hmac_signature, json, sys; print(hmac_signature.signature_of(timestamp='1444762678', **json.loads(sys.argv[1])))`
    const { stdout, stderr } = await runProgram('python3', ['-B', '-c', code, JSON.stringify(parameters)], { cwd: join(here, 'python') })
    assert.equal(stdout, 'WRfKcxY3ddRv/mi8gi1OaU4Yd+yVL+L8tbwjqP8bMlQ=\n', stderr)
  })

  test('is answered under a key, deployed once, and its secret is in no log', async (t) => {
    const server = await startServer(t)
    const { url, key } = await deploy(server)
    assert.equal((await deploy(server)).printed, `the key of the endpoint is ${key}\nthe endpoint is at ${url}\n`)
    assert.equal((await server.apigateway.send(new GetRestApisCommand({}))).items!.length, 1)
    assert.match(url, /\/prod\/HMAC-Gen-For-Apigee-Lambda-Sample$/)
    await answersExactly(url, key)
    const { events } = await server.logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/HMAC-Gen-For-Apigee-Lambda-Sample' }))
    assert.ok(events!.length > 0)
    assert.ok(!JSON.stringify(events).includes(parameters.clientsecret))
    const { stdout, stderr, code } = await runProgram(process.execPath, [join(here, 'scenario.ts'), url, key], { env: server.environment() })
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'without a key: 403 {"message":"Forbidden"}\nwith the key: callback, clientid, clientsecret, signature, timestamp; the signature is right\n')
  })

  test('from the Python function is the same', { skip: absent('python3') }, async (t) => {
    const server = await startServer(t)
    const { url, key } = await deploy(server, ['--python'])
    await answersExactly(url, key)
  })

  test('is shown by the form, and so is everything that goes wrong', async (t) => {
    const server = await startServer(t)
    const { url, key } = await deploy(server)
    const { address, log } = await form(t, { GATEWAY_URL: url, API_KEY: key })
    assert.match(await (await fetch(address)).text(), /<form action="\/lambdasubmit" method="post"/)

    for (const name of Object.keys(filled)) {
      const missing = await submit(address, { ...filled, [name]: ' ' })
      assert.deepEqual([missing.status, missing.text.includes(`Fill in ${name}.`)], [400, true])
    }
    assert.equal((await submit(address, { ...filled, Callback: 'x'.repeat(20_000) })).status, 413)
    assert.equal((await fetch(`${address}elsewhere`)).status, 404)
    const shown = await submit(address, { ...filled, Callback: 'https://a.example/<b>' })
    assert.equal(shown.status, 200)
    assert.match(shown.text, /<dd>https:\/\/a\.example\/&lt;b&gt;<\/dd>/)
    const timestamp = /<dt>timestamp<\/dt><dd>(\d+)<\/dd>/.exec(shown.text)![1]!
    assert.ok(shown.text.includes(`<dd>${signatureOf({ ...parameters, callback: 'https://a.example/<b>' }, timestamp).replaceAll('&', '&amp;')}</dd>`))

    const { items } = await server.apigateway.send(new GetApiKeysCommand({}))
    await server.apigateway.send(new UpdateApiKeyCommand({ apiKey: items![0]!.id, patchOperations: [{ op: 'replace', path: '/enabled', value: 'false' }] }))
    const refused = await submit(address, filled)
    assert.deepEqual([refused.status, refused.text.includes('The gateway refused the key')], [502, true])
    await server.close()
    const down = await submit(address, filled)
    assert.deepEqual([down.status, down.text.includes('The gateway does not answer')], [502, true])
    assert.ok(!log().includes(parameters.clientsecret) && !log().includes(key))
  })

  test("has the document's numbers in its task definition", () => {
    const { family, containerDefinitions: [container] } = JSON.parse(readFileSync(join(here, 'web', 'task-definition.json'), 'utf8')) as { family: string, containerDefinitions: Record<string, unknown>[] }
    assert.deepEqual([family, container!.name, container!.memory, container!.cpu, container!.essential, container!.portMappings], ['apigee', 'apigee', 500, 10, true, [{ containerPort: 80, hostPort: 80 }]])
  })
})
