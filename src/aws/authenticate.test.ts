// Refusals in AWS's order and words, and that no body is read for a caller who is refused before.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { createAuthenticator, SignatureRefusal, type SignatureFault } from './authenticate.ts'
import type { Identity } from './identity.ts'
import { presignQuery, signHeaders, type SigningRequest } from './sigv4/sign.ts'

interface Case {
  says: string
  source: string
  given: { service: string, query: string, headers: [string, string][] }
  expect: { fault: SignatureFault, message: string }
}

const NOW_MS = Date.UTC(2015, 7, 30, 12, 36, 0)
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const refused = JSON.parse(readFileSync(new URL('../../test/cases/sigv4/refused.json', import.meta.url), 'utf8')) as Case[]

const caller = { is: 'root', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', accessKeyId: 'AKIDEXAMPLE' } as const

const identity: Pick<Identity, 'findCredential'> = {
  findCredential: async (accessKeyId, token) => {
    if (accessKeyId === 'AKIDEXAMPLE' && token === undefined) return { secretAccessKey: SECRET, caller }
    if (accessKeyId === 'AKIAINACTIVE') return { refused: 'inactive key' }
    if (accessKeyId === 'AKIADELETED') return { refused: 'principal deleted' }
    if (accessKeyId !== 'ASIASESSION') return { refused: 'unknown key' }
    if (token === undefined) return { refused: 'token missing' }
    if (token === 'expired') return { refused: 'token expired' }
    return token === 'token+/=' ? { secretAccessKey: SECRET, caller: { ...caller, accessKeyId } } : { refused: 'token invalid' }
  },
}

function requestOf(part: Partial<HttpRequest>): HttpRequest {
  return {
    method: 'POST', path: '/', rawQuery: '', headers: headersFromRaw([]), remoteAddress: '127.0.0.1', isSecure: false,
    body: () => Promise.reject(new Error('the authenticator must never read the body')),
    ...part,
  }
}

const authenticator = createAuthenticator({ identity, clock: { now: () => NOW_MS } })

describe('refuses before a body is read', () => {
  for (const { says, given, expect } of refused) {
    test(says, async () => {
      const request = requestOf({ rawQuery: given.query, headers: headersFromRaw([['Host', 'localhost:4566'], ...given.headers].flat()) })
      await assert.rejects(authenticator.begin(request, { services: [given.service] }), { name: 'SignatureRefusal', ...expect })
    })
  }
})

const unsigned: SigningRequest = {
  method: 'POST', path: '/dev/catalog', rawQuery: 'a=1', headers: { Host: 'localhost:4566', 'X-Api-Version': '2' }, body: Buffer.from('{"a":1}'),
  service: 'execute-api', region: 'eu-central-1', nowMs: NOW_MS, credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET },
}

/** Signs, changes what is sent, and judges. */
async function judge(signing: Partial<SigningRequest>, change: { headers?: Record<string, string>, body?: Buffer } & Partial<Pick<HttpRequest, 'path' | 'rawQuery' | 'method'>> = {}): Promise<void> {
  const { body = signing.body ?? unsigned.body, headers = {}, ...line } = change
  const request = { ...unsigned, ...signing }
  const sent = requestOf({
    method: request.method, path: request.path, rawQuery: request.rawQuery, ...line,
    headers: headersFromRaw(Object.entries({ ...signHeaders(request), ...headers }).flat()),
  })
  const claim = await authenticator.begin(sent, { services: ['execute-api'] })
  assert.equal(claim.caller.accountId, '123456789012')
  assert.equal(claim.region, request.region)
  assert.equal(claim.service, 'execute-api')
  claim.finish(body)
}

describe('refuses a signature', () => {
  test('of another secret, with what should have been signed and without any key or signature', async () => {
    await assert.rejects(judge({ credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wrong' } }), (error: unknown) => {
      assert.ok(error instanceof SignatureRefusal)
      assert.equal(error.fault, 'mismatch')
      // Observed: execute-api, in many public bug reports, for example mhart/aws4 issue 33.
      assert.equal(error.message, 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. '
        + 'Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'
        + "'POST\n/dev/catalog\na=1\nhost:localhost:4566\nx-amz-date:20150830T123600Z\nx-api-version:2\n\nhost;x-amz-date;x-api-version\n"
        + "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862'\n\n"
        + "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/eu-central-1/execute-api/aws4_request\n"
        + "7954844bbb66e30b39115b38c74a4f16a917d15204460c9a7b4c51c28defe39c'\n")
      return true
    })
  })

  test('over another body, path, query, method or signed header', async () => {
    await assert.rejects(judge({}, { body: Buffer.from('{"a":2}') }), isMismatch)
    await assert.rejects(judge({}, { body: Buffer.alloc(0) }), isMismatch)
    await assert.rejects(judge({}, { path: '/dev/catalogue' }), isMismatch)
    await assert.rejects(judge({}, { path: '/dev/catalog/' }), isMismatch)
    await assert.rejects(judge({}, { rawQuery: 'a=2' }), isMismatch)
    await assert.rejects(judge({}, { rawQuery: 'a=1&b' }), isMismatch)
    await assert.rejects(judge({}, { rawQuery: '' }), isMismatch)
    await assert.rejects(judge({}, { method: 'PUT' }), isMismatch)
    await assert.rejects(judge({}, { headers: { 'X-Api-Version': '3' } }), isMismatch)
  })

  test('that covers a payload which is not signed', async () => {
    // Source: only S3 takes UNSIGNED-PAYLOAD; for the others the body's hash is signed whatever the header says.
    const headers = { ...unsigned.headers, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' }
    await judge({ headers })
    await assert.rejects(judge({ headers }, { body: Buffer.from('other') }), isMismatch)
  })

  test('beside a payload hash of another body', async () => {
    const wrong = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    await assert.rejects(judge({}, { headers: { 'X-Amz-Content-Sha256': wrong } }), isMismatch)
    await assert.rejects(judge({ headers: { ...unsigned.headers, 'X-Amz-Content-Sha256': wrong } }), isMismatch)
    await judge({ body: Buffer.alloc(0) }, { headers: { 'X-Amz-Content-Sha256': wrong } })
  })
})

describe('accepts a signature', () => {
  test('in any region', async () => {
    for (const region of ['us-east-1', 'eu-isoe-west-1', 'local', 'mars-north-7']) await judge({ region })
  })

  test('up to the edge of the clock window', async () => {
    await judge({ nowMs: NOW_MS - 300_000 })
    await judge({ nowMs: NOW_MS + 300_000 })
  })

  test('with unsigned headers beside it', async () => {
    // Source: Signature Version 4 test suite, post-sts-header-after: headers added after signing do not matter.
    await judge({}, { headers: { 'X-Amz-Meta': 'added', 'User-Agent': 'changed' } })
  })

  test('of a session with its token', async () => {
    const credentials = { accessKeyId: 'ASIASESSION', secretAccessKey: SECRET, sessionToken: 'token+/=' }
    await judge({ credentials })
    await judge({ credentials: { accessKeyId: 'ASIASESSION', secretAccessKey: SECRET } }, { headers: { 'X-Amz-Security-Token': 'token+/=' } })
  })

  test('for any of the expected services', async () => {
    const headers = signHeaders({ ...unsigned, service: 'dynamodb' })
    const request = requestOf({ path: unsigned.path, rawQuery: unsigned.rawQuery, headers: headersFromRaw(Object.entries(headers).flat()) })
    const claim = await authenticator.begin(request, { services: ['execute-api', 'dynamodb'] })
    assert.equal(claim.service, 'dynamodb')
    claim.finish(unsigned.body)
  })

  test('for the expected region and no other, where one is expected', async () => {
    const request = requestOf({ path: unsigned.path, rawQuery: unsigned.rawQuery, headers: headersFromRaw(Object.entries(signHeaders(unsigned)).flat()) })
    const claim = await authenticator.begin(request, { services: ['execute-api'], region: 'eu-central-1' })
    claim.finish(unsigned.body)
    // Source: Kong/insomnia issue 713, an API's custom domain.
    await assert.rejects(authenticator.begin(request, { services: ['lambda'], region: 'eu-west-1' }), {
      fault: 'scope', message: "Credential should be scoped to a valid region, not 'eu-central-1'. Credential should be scoped to correct service: 'lambda'. ",
    })
  })

  test('that is dated by the Date header', async () => {
    // Made with botocore 1.43.11, which writes RFC 2822 dates.
    const request = requestOf({
      method: 'GET',
      headers: headersFromRaw([
        'Host', 'localhost:4566', 'Date', 'Sun, 30 Aug 2015 12:36:00 -0000',
        'Authorization', 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request, SignedHeaders=date;host, '
          + 'Signature=4f6717678f573c673cdacf3e66ac64a23d5a19d58d56a642e8d5e8beb7fcf2d6',
      ]),
    })
    const claim = await authenticator.begin(request, { services: ['execute-api'] })
    claim.finish(Buffer.alloc(0))
  })
})

describe('a presigned request', () => {
  /** Presigns at `nowMs`, changes what is sent, and judges at the test's time. */
  async function judgePresigned(signing: Partial<SigningRequest> & { expiresSeconds: number }, added = ''): Promise<void> {
    const request = { ...unsigned, method: 'GET', body: Buffer.alloc(0), ...signing }
    const sent = requestOf({
      method: 'GET', path: request.path, rawQuery: presignQuery(request) + added,
      headers: headersFromRaw(Object.entries(request.headers).flat()),
    })
    const claim = await authenticator.begin(sent, { services: ['execute-api'] })
    claim.finish(request.body)
  }

  test('is refused with a parameter or a token that was not there', async () => {
    await assert.rejects(judgePresigned({ expiresSeconds: 60 }, '&b=2'), isMismatch)
    await assert.rejects(judgePresigned({ expiresSeconds: 60 }, '&X-Amz-Expires=600'), isMismatch)
    await assert.rejects(judgePresigned({ expiresSeconds: 60 }, '&X-Amz-Security-Token=x'), { fault: 'unknown-key' })
  })

  test('lives as long as it says, a week at most', async () => {
    await judgePresigned({ expiresSeconds: 1 })
    await judgePresigned({ expiresSeconds: 3600, nowMs: NOW_MS - 3_600_000 })
    await assert.rejects(judgePresigned({ expiresSeconds: 3600, nowMs: NOW_MS - 3_601_000 }), { fault: 'expired' })
    await judgePresigned({ expiresSeconds: 604_800, nowMs: NOW_MS - 604_800_000 })
  })

  test('carries a session token, signed or added at the end', async () => {
    const keys = { accessKeyId: 'ASIASESSION', secretAccessKey: SECRET }
    await judgePresigned({ expiresSeconds: 60, credentials: { ...keys, sessionToken: 'token+/=' } })
    await judgePresigned({ expiresSeconds: 60, credentials: keys }, `&X-Amz-Security-Token=${encodeURIComponent('token+/=')}`)
  })
})

test('a key that gets another secret is judged by the new one', async () => {
  let secretAccessKey = SECRET
  const changing = createAuthenticator({ clock: { now: () => NOW_MS }, identity: { findCredential: async () => ({ secretAccessKey, caller }) } })
  const begin = (secret: string) => changing.begin(requestOf({
    path: unsigned.path, rawQuery: unsigned.rawQuery,
    headers: headersFromRaw(Object.entries(signHeaders({ ...unsigned, credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: secret } })).flat()),
  }), { services: ['execute-api'] })
  ;(await begin(SECRET)).finish(unsigned.body)
  secretAccessKey = 'another secret'
  const old = await begin(SECRET)
  assert.throws(() => old.finish(unsigned.body), isMismatch)
  ;(await begin('another secret')).finish(unsigned.body)
})

test('a key id that no key can have is not even looked up, so that nobody remembers it', async () => {
  const asked: string[] = []
  const noting = createAuthenticator({ clock: { now: () => NOW_MS }, identity: { findCredential: async (id) => { asked.push(id); return { refused: 'unknown key' } } } })
  for (const accessKeyId of ['A'.repeat(129), 'AKIA.', 'x y']) {
    const headers = signHeaders({ ...unsigned, credentials: { accessKeyId, secretAccessKey: SECRET } })
    await assert.rejects(noting.begin(requestOf({ headers: headersFromRaw(Object.entries(headers).flat()) }), { services: ['execute-api'] }), SignatureRefusal)
  }
  assert.deepEqual(asked, [])
  const headers = signHeaders({ ...unsigned, credentials: { accessKeyId: 'A'.repeat(128), secretAccessKey: SECRET } })
  await assert.rejects(noting.begin(requestOf({ headers: headersFromRaw(Object.entries(headers).flat()) }), { services: ['execute-api'] }), { fault: 'unknown-key' })
  assert.deepEqual(asked, ['A'.repeat(128)])
})

function isMismatch(error: unknown): boolean {
  return error instanceof SignatureRefusal && error.fault === 'mismatch'
}
