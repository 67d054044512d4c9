// AWS's published signatures, and what is tolerated beyond them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { createAuthenticator, SignatureRefusal, type Authenticator } from '#aws/authenticate.ts'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { signHeaders } from './sign.ts'

interface Case {
  says: string
  source: string
  given: { service: string, method: string, path: string, query: string, headers: [string, string][], body: string, sessionToken?: string }
}

const NOW_MS = Date.UTC(2015, 7, 30, 12, 36, 0)
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const cases = JSON.parse(readFileSync(new URL('../../../test/cases/sigv4/accepted.json', import.meta.url), 'utf8')) as Case[]

/** Text as the server reads it from the wire: one character a byte. */
const wire = (text: string): string => Buffer.from(text).toString('latin1')

function requestOf({ given }: Case): HttpRequest {
  return {
    method: given.method,
    path: wire(given.path),
    rawQuery: wire(given.query),
    headers: headersFromRaw(given.headers.flat().map(wire)),
    remoteAddress: '127.0.0.1',
    isSecure: false,
    body: () => Promise.reject(new Error('begin() must not read the body')),
  }
}

function authenticatorFor(sessionToken: string | undefined): Authenticator {
  return createAuthenticator({
    clock: { now: () => NOW_MS },
    identity: {
      findCredential: async (accessKeyId, token) => accessKeyId === 'AKIDEXAMPLE' && token === sessionToken
        ? { secretAccessKey: SECRET, caller: { is: 'root', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', accessKeyId } }
        : { refused: 'unknown key' },
    },
  })
}

describe("AWS's published signatures", () => {
  for (const one of cases) {
    test(`are accepted: ${one.says}`, async () => {
      const claim = await authenticatorFor(one.given.sessionToken).begin(requestOf(one), { services: [one.given.service] })
      assert.equal(claim.region, 'us-east-1')
      claim.finish(Buffer.from(one.given.body))
    })
  }

  test('are refused over any other body', async () => {
    for (const one of cases) {
      const claim = await authenticatorFor(one.given.sessionToken).begin(requestOf(one), { services: [one.given.service] })
      assert.throws(() => claim.finish(Buffer.from(`${one.given.body}.`)), isMismatch, one.says)
    }
  })

  test('are refused with any other method', async () => {
    for (const one of cases) {
      const claim = await authenticatorFor(one.given.sessionToken).begin({ ...requestOf(one), method: 'PUT' }, { services: [one.given.service] })
      assert.throws(() => claim.finish(Buffer.from(one.given.body)), isMismatch, one.says)
    }
  })
})

describe('the host', () => {
  /** What is sent, what was signed, and whether the connection was TLS. */
  const acceptance = async (sent: string, signed: string, isSecure = false): Promise<void> => {
    const headers = signHeaders({
      method: 'GET', path: '/dev/catalog', rawQuery: '', headers: { Host: signed }, body: Buffer.alloc(0),
      service: 'execute-api', region: 'eu-west-3', nowMs: NOW_MS, credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET },
    })
    const request: HttpRequest = {
      method: 'GET', path: '/dev/catalog', rawQuery: '', headers: headersFromRaw(Object.entries({ ...headers, Host: sent }).flat()),
      remoteAddress: '127.0.0.1', isSecure, body: () => Promise.reject(new Error('not read')),
    }
    const claim = await authenticatorFor(undefined).begin(request, { services: ['execute-api'] })
    assert.equal(claim.region, 'eu-west-3')
    claim.finish(Buffer.alloc(0))
  }

  test('is refused with another name or another port', async () => {
    await assert.rejects(acceptance('localhost:4566', 'localhost:4567'), isMismatch)
    await assert.rejects(acceptance('localhost:4566', 'example.com'), isMismatch)
    await assert.rejects(acceptance('localhost:4566', 'localhost:443'), isMismatch)
    await assert.rejects(acceptance('localhost', 'localhost:4566'), isMismatch)
    await assert.rejects(acceptance('localhost', 'localhost:443', false), isMismatch)
    await assert.rejects(acceptance('', ':80'), isMismatch)
  })

  test('may be signed without the port that is sent', async () => {
    await acceptance('localhost:4566', 'localhost:4566')
    await acceptance('localhost:4566', 'localhost')
    await acceptance('127.0.0.1:4566', '127.0.0.1')
    await acceptance('abc123.execute-api.us-east-1.localhost:4566', 'abc123.execute-api.us-east-1.localhost')
    await acceptance('[::1]:4566', '[::1]')
  })

  test("may be signed with the scheme's own port when it is sent without one", async () => {
    await acceptance('api.example.com', 'api.example.com:443', true)
    await acceptance('api.example.com', 'api.example.com:80', false)
  })
})

function isMismatch(error: unknown): boolean {
  return error instanceof SignatureRefusal && error.fault === 'mismatch'
}
