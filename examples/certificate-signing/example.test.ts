// The example as its README tells it: deployed by its own script into a real server, used by its page in a real browser.

import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate, webcrypto } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { DeleteUsagePlanKeyCommand, GetApiKeysCommand, GetDeploymentsCommand, GetRestApisCommand, GetUsagePlansCommand, UpdateApiKeyCommand } from '@aws-sdk/client-api-gateway'
import { GetFunctionCommand } from '@aws-sdk/client-lambda'
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension, type JsonGeneralName } from '@peculiar/x509'
import { readArchive } from '@countersign-examples/deployment'
import { openBrowser } from '../../test/support/browser.ts'
import { absent, runProgram } from '../../test/support/programs.ts'
import { startServer, type TestServer } from '../../test/support/server.ts'

const here = import.meta.dirname

interface Deployed {
  url: string
  key: string
  printed: string
}

async function deploy(server: TestServer, args: string[] = ['--rate', '1000', '--burst', '1000'], environment: NodeJS.ProcessEnv = {}): Promise<Deployed> {
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'deploy.ts'), ...args], { env: { ...server.environment(), ...environment } })
  assert.equal(code, 0, stderr)
  return { url: /^the signing page is at (\S+)$/m.exec(stdout)![1]!, key: /^the key for the page is (\S+)$/m.exec(stdout)![1]!, printed: stdout }
}

async function post(url: string, description: unknown, key?: string): Promise<{ status: number, body: any, headers: Headers }> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }) }, body: JSON.stringify({ description }) })
  return { status: response.status, body: await response.json(), headers: response.headers }
}

type KeyAlgorithm = Parameters<typeof webcrypto.subtle.generateKey>[0]
const rsa = (modulusLength: number) => ({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent: new Uint8Array([1, 0, 1]) })
const ec = (namedCurve: string) => ({ name: 'ECDSA', namedCurve, hash: 'SHA-256' })

async function request(name: string, algorithm: KeyAlgorithm & object = ec('P-256'), names: JsonGeneralName[] = []): Promise<{ pem: string, publicKey: Buffer }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as webcrypto.CryptoKeyPair
  const made = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm as never, extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [] })
  return { pem: made.toString('pem'), publicKey: Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey)) }
}

const publicKeyOf = (pem: string) => createPublicKey(pem).export({ type: 'spki', format: 'der' })

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'certificate-signing-'))
  t.after(() => { rmSync(directory, { recursive: true, force: true }) })
  return directory
}

describe('certificate signing', () => {
  test('deployed twice deploys once, keeps its authority, and its scenario runs', async (t) => {
    const server = await startServer(t)
    const first = await deploy(server, [])
    const again = await deploy(server, [])
    assert.equal(again.printed, `the key for the page is ${first.key}\nthe signing page is at ${first.url}\n`)
    const { items } = await server.apigateway.send(new GetRestApisCommand({}))
    assert.deepEqual(items!.map(({ name }) => name), ['certificate_signing'])
    assert.equal((await server.apigateway.send(new GetDeploymentsCommand({ restApiId: items![0]!.id }))).items!.length, 1)
    const [plan] = (await server.apigateway.send(new GetUsagePlansCommand({}))).items!
    assert.deepEqual([plan!.throttle, plan!.quota], [{ burstLimit: 2, rateLimit: 1 }, { limit: 50, offset: 0, period: 'DAY' }])

    const { stdout, stderr, code } = await runProgram(process.execPath, [join(here, 'scenario.ts'), first.url, first.key], { env: server.environment() })
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'without a key: 403 Forbidden\nwith the key: a certificate for CN=orders.example, signed by CN=Certificate Signing Example CA: the signature is right\n')
  })

  test('the key of the authority is encrypted in the archive, and nowhere in the repository', async (t) => {
    const server = await startServer(t)
    await deploy(server, [], { CA_PASSPHRASE: 'of the person who deploys' })
    const { Code, Configuration } = await server.lambda.send(new GetFunctionCommand({ FunctionName: 'CertSigningAPIGW' }))
    const files = await readArchive(Buffer.from(await (await fetch(Code!.Location!)).arrayBuffer()), ['signing-ca.key', 'signing-ca.crt'])
    assert.match(files.get('signing-ca.key')!.toString(), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
    assert.equal(Configuration!.Environment!.Variables!.CA_PASSPHRASE, 'of the person who deploys')
    assert.match(new X509Certificate(files.get('signing-ca.crt')!).subject, /Certificate Signing Example CA/)
  })

  test('a request is refused in words that say why', async (t) => {
    const server = await startServer(t)
    const { url, key } = await deploy(server)
    const { pem } = await request('CN=orders.example')
    const bytes = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
    const at = bytes.indexOf('orders')
    bytes.write('0rders', at)
    const tampered = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----`
    const refusals: [description: unknown, message: string | RegExp][] = [
      [undefined, 'Request refused: paste a certificate signing request in PEM form.'],
      ['  ', 'Request refused: paste a certificate signing request in PEM form.'],
      [{}, 'Request refused: paste a certificate signing request in PEM form.'],
      ['hello', /^Request refused: this is no PEM of a certificate signing request/],
      ['-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----', 'Request refused: between its first and last line there is no certificate signing request (PKCS #10).'],
      ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', 'Request refused: this holds a private key. Never send it to anybody; paste the request alone.'],
      ['x'.repeat(16_385), 'Request refused: it is longer than 16,384 characters.'],
      [tampered, 'Request refused: its signature does not fit its public key; it was changed after it was made.'],
      [(await request('CN=weak.example', rsa(1024))).pem, 'Request refused: its RSA key is too weak: it has 1024 bits, at least 2048 are needed.'],
      [(await request('')).pem, 'Request refused: its subject is empty: it names nobody whom the certificate could be for.'],
      [(await request(`CN=${'a'.repeat(65)}`)).pem, 'Request refused: the CN of its subject is too long: it has 65 characters, at most 64 are taken.'],
      [(await request(Array.from({ length: 12 }, (_, n) => `OU=${String(n).padEnd(60, 'x')}`).join(', '))).pem, /^Request refused: its subject is too long: it has \d+ characters, at most 500 are taken\.$/],
      [(await request('CN=a.example', ec('P-256'), [{ type: 'url', value: 'https://a.example/' }])).pem, 'Request refused: alternative names of the kind url are not signed here.'],
    ]
    for (const [description, message] of refusals) {
      const { status, body, headers } = await post(url, description, key)
      assert.equal(status, 400, JSON.stringify(body))
      if (typeof message === 'string') assert.equal(body.message, message)
      else assert.match(body.message, message)
      assert.equal(headers.get('access-control-allow-origin'), '*')
    }
    assert.equal((await post(url, (await request(`CN=${'a'.repeat(64)}`)).pem, key)).status, 200)
  })

  test('the key is needed to sign, and only to sign; a page of any origin can read the refusals', async (t) => {
    const server = await startServer(t)
    const { url, key } = await deploy(server, ['--rate', '1000', '--burst', '1000', '--quota', '3'])
    const { pem } = await request('CN=orders.example')
    for (const wrong of [undefined, '', `${key}x`, key.toLowerCase()]) {
      const { status, body, headers } = await post(url, pem, wrong)
      assert.deepEqual([status, body, headers.get('access-control-allow-origin')], [403, { message: 'Forbidden' }, '*'])
    }
    assert.equal((await fetch(url)).status, 200)
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-api-key' } })
    assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-headers')], [200, 'content-type,x-api-key'])

    assert.equal((await post(url, pem, key)).status, 200)
    const { items } = await server.apigateway.send(new GetApiKeysCommand({}))
    const switched = (value: string) => server.apigateway.send(new UpdateApiKeyCommand({ apiKey: items![0]!.id, patchOperations: [{ op: 'replace', path: '/enabled', value }] }))
    await switched('false')
    assert.equal((await post(url, pem, key)).status, 403)
    await switched('true')
    assert.equal((await post(url, pem, key)).status, 200)
    assert.equal((await post(url, pem, key)).status, 200)
    const exhausted = await post(url, pem, key)
    assert.deepEqual([exhausted.status, exhausted.body, exhausted.headers.get('access-control-allow-origin')], [429, { message: 'Limit Exceeded' }, '*'])
    const { items: plans } = await server.apigateway.send(new GetUsagePlansCommand({}))
    await server.apigateway.send(new DeleteUsagePlanKeyCommand({ usagePlanId: plans![0]!.id, keyId: items![0]!.id }))
    assert.equal((await post(url, pem, key)).status, 403)
  })

  test('the text is what OpenSSL prints, and OpenSSL verifies the certificate', { skip: absent('openssl') }, async (t) => {
    const server = await startServer(t)
    const { url, key } = await deploy(server)
    const directory = scratch(t)
    const authorityFile = join(directory, 'ca.pem')
    writeFileSync(authorityFile, await (await fetch(url.replace(/sign$/, 'ca'))).text())
    const wanted: [name: string, algorithm: KeyAlgorithm & object, names?: JsonGeneralName[]][] = [
      ['C=PL, ST=Mazowieckie, L=Warszawa, O="Kowalski, Nowak+Co", OU=IT, CN=żółw.example', rsa(2048), [{ type: 'dns', value: 'a.example' }, { type: 'ip', value: '10.0.0.1' }, { type: 'email', value: 'a@b.example' }]],
      ['CN=big.example', rsa(4096)],
      ['CN=p256.example, E=a@b.example', ec('P-256')],
      ['CN=p384.example', ec('P-384')],
      ['CN=p521.example', ec('P-521')],
      ['CN=ed.example', { name: 'Ed25519' }, [{ type: 'ip', value: '2001:db8::1' }]],
    ]
    for (const [name, algorithm, names] of wanted) {
      const { pem, publicKey } = await request(name, algorithm, names)
      const { status, body } = await post(url, pem, key)
      assert.equal(status, 200, JSON.stringify(body))
      assert.ok(publicKeyOf(body.crt_pem).equals(publicKey), name)
      const file = join(directory, 'crt.pem')
      writeFileSync(file, body.crt_pem)
      const printed = await runProgram('openssl', ['x509', '-in', file, '-noout', '-text'])
      assert.equal(body.crt_text, asOpenSsl3(printed.stdout), name)
      const verified = await runProgram('openssl', ['verify', '-CAfile', authorityFile, file])
      assert.equal(verified.stdout, `${file}: OK\n`, verified.stderr)
    }
  })

  test('in a browser, the page signs from the host form, the path form and another origin, and shows what goes wrong', async (t) => {
    const browser = await openBrowser(t)
    if (!browser) return
    const server = await startServer(t)
    const { url, key } = await deploy(server, ['--rate', '1000', '--burst', '1000', '--quota', '3'])
    const apiId = /execute-api\/(\w+)|\/\/(\w+)\.execute-api/.exec(url)!.slice(1).find((id) => id !== undefined)!
    const pathForm = `${server.endpoint}/_aws/execute-api/${apiId}/prod/sign`
    const hostForm = `http://${apiId}.execute-api.us-east-1.localhost:${server.port}/prod/sign`
    const elsewhere = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(readFileSync(join(here, 'page.html'))))
    await new Promise<void>((done) => elsewhere.listen(0, '127.0.0.1', done))
    t.after(() => { elsewhere.close() })
    const otherOrigin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`

    const page = await browser.newPage()
    const asked: string[] = []
    page.on('request', (one) => asked.push(one.url()))
    const send = async (address: string, pem: string, apiKey: string) => {
      await page.goto(address)
      await page.fill('#description', pem)
      await page.fill('#api-key', apiKey)
      if (address === otherOrigin) await page.fill('#address', pathForm)
      await page.click('#send')
      await page.locator('#failure[open], #post-result pre').first().waitFor({ state: 'visible' })
      return { shown: await page.locator('#post-result pre').allTextContents(), failure: await page.locator('#failure[open]').allInnerTexts() }
    }

    const { pem, publicKey } = await request('CN=<b>bold</b>.example')
    assert.match((await send(pathForm, pem, 'wrong')).failure[0]!, /Not allowed \(403\)\s+Forbidden: the API key is missing, wrong/)
    assert.match((await send(otherOrigin, pem, 'wrong')).failure[0]!, /Not allowed \(403\)/)
    assert.match((await send(pathForm, 'no request', key)).failure[0]!, /not signed \(400\)\s+Request refused: this is no PEM/)
    for (const address of [hostForm, otherOrigin]) {
      const { shown, failure } = await send(address, pem, key)
      assert.deepEqual(failure, [], address)
      assert.match(shown[0]!, /Subject: CN = "<b>bold<\/b>\.example"/)
      assert.ok(publicKeyOf(shown[1]!).equals(publicKey))
    }
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true })
    const exhausted = await send(pathForm, pem, key)
    if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}.failure.png` })
    assert.match(exhausted.failure[0]!, /Too much \(429\)\s+Limit Exceeded/)
    const origins = new Set([new URL(pathForm).origin, new URL(hostForm).origin, new URL(otherOrigin).origin])
    assert.deepEqual(asked.filter((one) => !origins.has(new URL(one).origin)), [], 'nothing is loaded from anywhere else')
  })
})

/** Since 3.2 there are no blanks around the equals signs of a name. */
function asOpenSsl3(text: string): string {
  return text.replaceAll(/^( +(?:Subject|Issuer): )(.*)$/gm, (_, head: string, name: string) => head + name.replaceAll(/(^|[,+] )([A-Za-z]+)=/g, '$1$2 = '))
}
