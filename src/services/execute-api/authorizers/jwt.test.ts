// Tokens of a real issuer, judged.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generateKeyPair, SignJWT } from 'jose'
import { systemClock } from '#lib/clock.ts'
import { createIssuerKeys } from '#lib/issuer-keys.ts'
import { startIssuer, type Issuer } from '#test/support/issuer.ts'
import { createJwtVerifier, scopesOf, type JwtVerdict } from './jwt.ts'

const audience = 'countersign-tests'
const because = (verdict: JwtVerdict) => verdict.is === 'refused' ? verdict.because : verdict.is

describe('a token', () => {
  let issuer: Issuer
  const verifier = createJwtVerifier({ issuerKeys: createIssuerKeys({ clock: systemClock }), clock: systemClock })
  const judge = async (claims: Record<string, unknown>, audiences: string[] | undefined = [audience]) =>
    because(await verifier.verify(await issuer.token(claims), { issuer: { url: issuer.url }, audiences }))
  const now = Math.floor(Date.now() / 1000)
  before(async () => { issuer = await startIssuer() })
  after(() => issuer.close())

  test('is refused when it is none, or signed otherwise than with RSA', async () => {
    const rules = { issuer: { url: issuer.url } }
    for (const text of ['', 'abc', 'a.b.c', `${'x'.repeat(16 * 1024)}.y.z`]) assert.equal(because(await verifier.verify(text, rules)), 'malformed')
    const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef')
    const symmetric = await new SignJWT({ iss: issuer.url, exp: now + 60 }).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(secret)
    assert.equal(because(await verifier.verify(symmetric, rules)), 'algorithm')
    const [, payload] = (await issuer.token()).split('.')
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    assert.equal(because(await verifier.verify(unsigned, rules)), 'algorithm')
  })

  test('is refused of another issuer, and with a key that the issuer does not publish', async () => {
    assert.equal(await judge({ iss: 'https://elsewhere.example' }), 'issuer')
    const { privateKey } = await generateKeyPair('RS256')
    const sign = (header: object) => new SignJWT({ iss: issuer.url, aud: audience, exp: now + 60 }).setProtectedHeader({ alg: 'RS256', ...header }).sign(privateKey)
    const rules = { issuer: { url: issuer.url }, audiences: [audience] }
    assert.equal(because(await verifier.verify(await sign({}), rules)), 'no key id')
    assert.equal(because(await verifier.verify(await sign({ kid: 'nobody' }), rules)), 'unknown key')
    assert.equal(because(await verifier.verify(await sign({ kid: 'key-1' }), rules)), 'signature')
  })

  test('is refused out of its time: exp without grace, nbf and iat with half a minute', async () => {
    assert.equal(await judge({ exp: now - 1 }), 'expired')
    assert.equal(await judge({ exp: undefined }), 'no expiry')
    for (const claim of ['nbf', 'iat']) {
      assert.equal(await judge({ [claim]: now + 60 }), 'not yet valid')
      assert.equal(await judge({ [claim]: now + 20 }), 'valid')
    }
  })

  test('is refused for another audience; client_id counts only without aud, and nothing where none is asked for', async () => {
    assert.equal(await judge({ aud: 'other' }), 'audience')
    assert.equal(await judge({ aud: ['other', audience] }), 'valid')
    assert.equal(await judge({ aud: undefined, client_id: audience }), 'valid')
    assert.equal(await judge({ aud: 'other', client_id: audience }), 'audience')
    assert.equal(await judge({ aud: undefined }), 'audience')
    assert.equal(because(await verifier.verify(await issuer.token({ aud: 'other' }), { issuer: { url: issuer.url } })), 'valid')
  })

  test('tells its claims and scopes', async () => {
    const verdict = await verifier.verify(await issuer.token({ scope: 'a b' }), { issuer: { url: issuer.url } })
    assert.ok(verdict.is === 'valid' && verdict.claims.sub === 'service-7')
    assert.deepEqual(scopesOf(verdict.claims), ['a', 'b'])
    assert.deepEqual(scopesOf({ scp: ['c', 'd'] }), ['c', 'd'])
    assert.deepEqual(scopesOf({}), [])
  })

  test('is refused when the issuer cannot be asked', async () => {
    const away = 'http://127.0.0.1:1'
    const verdict = await verifier.verify(await issuer.token({ iss: away }), { issuer: { url: away } })
    assert.equal(because(verdict), 'issuer unreachable')
  })
})

test('a token under a new key is valid once its issuer is asked again', async () => {
  const issuer = await startIssuer()
  const clock = { ms: Date.now(), now: () => clock.ms }
  const verifier = createJwtVerifier({ issuerKeys: createIssuerKeys({ clock }), clock })
  const judge = async () => because(await verifier.verify(await issuer.token({}, { nowMs: clock.ms }), { issuer: { url: issuer.url } }))
  assert.equal(await judge(), 'valid')
  await issuer.rotate()
  assert.equal(await judge(), 'unknown key')
  clock.ms += 10_000
  assert.equal(await judge(), 'valid')
  assert.equal(issuer.asked(), 2)
  issuer.close()
})
