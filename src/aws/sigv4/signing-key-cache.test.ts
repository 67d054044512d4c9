// Signing keys: derived as published, kept within bounds, never given for another secret.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSigningKeyCache, deriveSigningKey } from './signing-key-cache.ts'

const scope = { date: '20150830', region: 'us-east-1', service: 'iam' }

test('a key is derived as the documentation derives it', () => {
  // Source: AWS General Reference, "Calculate the signature for AWS Signature Version 4", the example.
  const key = deriveSigningKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', scope)
  assert.equal(key.export().toString('hex'), 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9')
})

test('a kept key is given again, but never for another secret', () => {
  const cache = createSigningKeyCache(10)
  const key = cache.get('a/20150830/us-east-1/iam/aws4_request', 'secret', scope)
  assert.equal(cache.get('a/20150830/us-east-1/iam/aws4_request', 'secret', scope), key)
  const other = cache.get('a/20150830/us-east-1/iam/aws4_request', 'another', scope)
  assert.ok(!other.equals(key))
  assert.ok(other.equals(deriveSigningKey('another', scope)))
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
