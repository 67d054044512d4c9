// Runs the cases of test/cases/policy: documents, conditions and decisions as data, each with a sentence and a source.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { compilePolicy } from './compile.ts'
import { compileConditions } from './conditions.ts'
import { listOf } from './document.ts'
import type { ConditionContext, Policy, PolicyDocument, PolicyKind, PolicyStatement } from './document.ts'
import { evaluate } from './evaluate.ts'
import type { PolicyLayer } from './evaluate.ts'
import type { Lookup } from './match.ts'
import { parsePolicy } from './parse.ts'
import type { Principal } from './principals.ts'

interface Case<Given, Expect> { says: string, source: string, given: Given, expect: Expect }

interface Situation {
  caller: string
  action: string
  resource: string
  keys?: ConditionContext
  identity?: Written[]
  boundary?: Written[]
  session?: Written[]
  policy?: Written[]
}

/** Whole documents, or statements that make one document together. */
type Written = PolicyDocument | PolicyStatement

function load<Given, Expect>(name: string): Case<Given, Expect>[] {
  return JSON.parse(readFileSync(new URL(`../../../test/cases/policy/${name}.json`, import.meta.url), 'utf8')) as Case<Given, Expect>[]
}

const callers = load('callers') as unknown as Record<string, Principal>

const lookupIn = (keys: ConditionContext = {}): Lookup => {
  const lower = new Map(Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value]))
  return (key) => lower.get(key)
}

function policies(written: Written[] | undefined, name: string): Policy[] {
  const documents = (written ?? []).filter((one): one is PolicyDocument => 'Statement' in one)
  const statements = (written ?? []).filter((one): one is PolicyStatement => !('Statement' in one))
  if (statements.length) documents.push({ Version: '2012-10-17', Statement: statements })
  return documents.map((document, index) => compilePolicy(document, `${name} ${index + 1}`))
}

describe('documents', () => {
  for (const { says, given, expect } of load<{ kind: PolicyKind, document: unknown }, string>('documents')) {
    test(says, () => {
      const text = typeof given.document === 'string' ? given.document : JSON.stringify(given.document)
      if (expect === 'accepted') assert.ok(parsePolicy(text, given.kind))
      else assert.throws(() => parsePolicy(text, given.kind), { name: 'MalformedPolicy', message: expect })
    })
  }
})

describe('conditions', () => {
  for (const { says, given, expect } of load<{ condition: PolicyStatement['Condition'], keys: ConditionContext }, boolean>('conditions')) {
    test(says, () => {
      const conditions = compileConditions(given.condition, { hasVariables: true })
      assert.equal(conditions.every(({ holds }) => holds(lookupIn(given.keys))), expect)
    })
  }
})

for (const file of ['identity-policies', 'boundaries-and-sessions', 'resource-policies']) {
  describe(file, () => {
    for (const { says, given, expect } of load<Situation, { outcome: string, because?: PolicyLayer }>(file)) {
      test(says, () => {
        const answer = evaluate({
          principal: callers[given.caller]!,
          action: given.action,
          resource: given.resource,
          resourceAccountId: '111111111111',
          lookup: lookupIn(given.keys),
        }, {
          identity: policies(given.identity, 'identity'),
          boundary: policies(given.boundary, 'boundary')[0],
          session: given.session && policies(given.session, 'session'),
          resource: policies(given.policy, 'resource')[0],
        })
        assert.deepEqual({ outcome: answer.outcome, because: answer.because }, { outcome: expect.outcome, because: expect.because })
      })
    }
  })
}

describe('evaluate()', () => {
  test('names every statement that matched, with its policy, layer and effect', () => {
    const [identity] = policies([
      { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' },
      { Sid: 'Other', Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Effect: 'Deny', Action: 'lambda:*', Resource: '*' },
    ], 'managed')
    const answer = evaluate(
      { principal: callers.alice!, action: 'lambda:GetFunction', resource: '*', resourceAccountId: '111111111111', lookup: () => undefined },
      { identity: listOf(identity) },
    )
    assert.deepEqual(answer.matched, [
      { layer: 'identity', policy: 'managed 1', sid: 'All', effect: 'Allow' },
      { layer: 'identity', policy: 'managed 1', sid: undefined, effect: 'Deny' },
    ])
  })

  test('a pattern made to be slow is not', () => {
    const [identity] = policies([{ Effect: 'Allow', Action: '*', Resource: `arn:aws:s3:::${'*a'.repeat(200)}b` }], 'hostile')
    const resource = `arn:aws:s3:::${'a'.repeat(5_000)}`
    const answer = evaluate(
      { principal: callers.alice!, action: 's3:GetObject', resource, resourceAccountId: '111111111111', lookup: () => undefined },
      { identity: listOf(identity) },
    )
    assert.equal(answer.outcome, 'implicit-deny')
  })
})
