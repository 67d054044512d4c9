// Signing keys: derived as published, kept within bounds, never given for another secret.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { createSigningKeyCache, deriveSigningKey, signatureOf, type SigningKey } from './signing-key-cache.ts'

const scope = { date: '20150830', region: 'us-east-1', service: 'iam' }

test('a key is derived as the documentation derives it', () => {
  // Source: AWS General Reference, "Calculate the signature for AWS Signature Version 4", the example.
  const key = deriveSigningKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', scope)
  assert.equal(rawOf(key).toString('hex'), 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9')
})

test('a signature is the HMAC of its text, whatever its length', () => {
  const key = deriveSigningKey('secret', scope)
  const raw = rawOf(key)
  for (const text of ['', 'a', 'x'.repeat(200), 'é\xff', 'y'.repeat(5000)]) {
    assert.equal(signatureOf(key, text), createHmac('sha256', raw).update(text, 'latin1').digest('hex'))
  }
})

test('a kept key is given again, but never for another secret', () => {
  const cache = createSigningKeyCache(10)
  const key = cache.get('a/20150830/us-east-1/iam/aws4_request', 'secret', scope)
  assert.equal(cache.get('a/20150830/us-east-1/iam/aws4_request', 'secret', scope), key)
  const other = cache.get('a/20150830/us-east-1/iam/aws4_request', 'another', scope)
  assert.notEqual(signatureOf(other, 'text'), signatureOf(key, 'text'))
  assert.equal(signatureOf(other, 'text'), signatureOf(deriveSigningKey('another', scope), 'text'))
  assert.equal(cache.size, 1)
})

test('the least recently used key goes first', () => {
  const cache = createSigningKeyCache(2)
  const first = cache.get('first', 'secret', scope)
  const second = cache.get('second', 'secret', scope)
  assert.equal(cache.get('first', 'secret', scope), first)
  cache.get('third', 'secret', scope)
  assert.equal(cache.size, 2)
  assert.equal(cache.get('first', 'secret', scope), first)
  assert.notEqual(cache.get('second', 'secret', scope), second)
})

function rawOf({ inner }: SigningKey): Buffer {
  return Buffer.from(inner.subarray(0, 32).map((byte) => byte ^ 0x36))
}
