// Whatever way a signed route of an HTTP API is reached, only who may call it does: random paths, encodings, addresses and signatures.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createAuthenticator } from '#aws/authenticate.ts'
import { createAuthorizer } from '#aws/authorize.ts'
import type { UserCaller } from '#aws/caller.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import { signHeaders, type SigningCredentials } from '#aws/sigv4/sign.ts'
import { systemClock } from '#lib/clock.ts'
import { accountId, API_HOST, gatewayOver, requestOf, snapshotOf, sourceOf } from './gateway.testing.ts'

const nowMs = Date.UTC(2026, 4, 1, 10)

/** Routes that ask for a signature, each with a function of its own name, and one that asks for nothing. */
const signedRoutes = ['GET /secret', 'ANY /secret/{proxy+}', 'ANY /items/{id}', 'POST /items/{id}/notes', '$default']
const openRoutes = ['GET /public', 'ANY /public/{proxy+}']

const isSigned = (routeKey: string): boolean => signedRoutes.includes(routeKey)

const snapshot = snapshotOf(Object.fromEntries([...signedRoutes, ...openRoutes].map((routeKey, index) => [routeKey, {
  route: { authorizationType: isSigned(routeKey) ? 'AWS_IAM' : 'NONE' },
  integration: { payloadFormatVersion: index % 2 === 0 ? '2.0' : '1.0', integrationUri: `arn:aws:lambda:us-east-1:${accountId}:function:${isSigned(routeKey) ? 'signed' : 'open'}` },
}])))

const user = (name: string, account: string): UserCaller =>
  ({ is: 'user', accountId: account, userName: name, arn: `arn:aws:iam::${account}:user/${name}`, userId: `AIDA${name.toUpperCase()}`, accessKeyId: `AKIA${name.toUpperCase()}` })

const invoke = (Effect: 'Allow' | 'Deny', ...Resource: string[]) => ({ Effect, Action: 'execute-api:Invoke', Resource })
const anything = 'arn:aws:execute-api:*:*:*'
const api = `arn:aws:execute-api:us-east-1:${accountId}:api123`

/** Callers by name, with their policies. */
const callers: Readonly<Record<string, { caller: UserCaller, statements: object[] }>> = {
  nobody: { caller: user('nobody', accountId), statements: [] },
  stranger: { caller: user('stranger', '222222222222'), statements: [invoke('Allow', anything)] },
  // A pattern's `*` takes slashes too: none may stand before what it names.
  elsewhere: {
    caller: user('elsewhere', accountId),
    statements: [invoke('Allow', `${api}/$default/GET/public/*`, `${api}/prod/GET/public/*`, `arn:aws:execute-api:us-east-1:${accountId}:other/*`, 'arn:aws:execute-api:us-east-1:222222222222:*')],
  },
  // May do everything but reach what stands below /secret and /items, on any stage and by any method.
  denied: {
    caller: user('denied', accountId),
    statements: [invoke('Allow', anything), invoke('Deny', `${api}/*/*/secret`, `${api}/*/*/secret/*`, `${api}/*/*/items/*`)],
  },
  owner: { caller: user('owner', accountId), statements: [invoke('Allow', anything)] },
}

const compiledPolicies = new Map(Object.entries(callers).map(([name, { caller, statements }]) =>
  [caller.accessKeyId, statements.length === 0 ? [] : [compilePolicy(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'identity'), name)]]))

const secretOf = (accessKeyId: string): string => `secret of ${accessKeyId}`

const identity = {
  findCredential: async (accessKeyId: string) => {
    const known = Object.values(callers).find(({ caller }) => caller.accessKeyId === accessKeyId)
    return known ? { caller: known.caller, secretAccessKey: secretOf(accessKeyId) } : { refused: 'unknown key' as const }
  },
  policiesFor: async (caller: { is: string, accessKeyId?: string }) => ({ identity: compiledPolicies.get(caller.accessKeyId ?? '') ?? [] }),
}

const clock = { ...systemClock, now: () => nowMs }

interface Attempt {
  method: string
  path: string
  query: string
  host: string
  headers: Record<string, string>
}

/** The status and body, and which functions were invoked. */
async function attempt({ method, path, query, host, headers }: Attempt): Promise<{ status: number, body: string, invoked: string[] }> {
  const { gateway, invocations } = gatewayOver(sourceOf(() => snapshot), { clock, authenticator: createAuthenticator({ identity, clock }), authorizer: createAuthorizer({ identity, clock }) })
  const request = requestOf({ method, path, query, host, headers })
  assert.ok(gateway.matches(request) || await gateway.isForCustomDomain(request))
  const { status, body } = await gateway.handle(request)
  return { status, body: String(body ?? ''), invoked: invocations.map(({ functionArn }) => functionArn.split(':').at(-1)!) }
}

/** Every way to one path: the stage by name or by default, in the host, in the path, or behind a domain of one's own. */
const addresses: Readonly<Record<string, (path: string) => Pick<Attempt, 'host' | 'path'>>> = {
  'host form': (path) => ({ host: API_HOST, path }),
  'host form, named stage': (path) => ({ host: API_HOST, path: `/prod${path}` }),
  'host form, encoded stage': (path) => ({ host: API_HOST, path: `/p%72od${path}` }),
  'host in capitals': (path) => ({ host: API_HOST.toUpperCase(), path }),
  'path form': (path) => ({ host: 'localhost:4566', path: `/_aws/execute-api/api123${path}` }),
  'path form, named stage': (path) => ({ host: 'localhost:4566', path: `/_aws/execute-api/api123/prod${path}` }),
  'LocalStack\'s form': (path) => ({ host: 'localhost:4566', path: `/restapis/api123/prod/_user_request_${path}` }),
  'LocalStack\'s form, $default': (path) => ({ host: 'localhost:4566', path: `/restapis/api123/$default/_user_request_${path}` }),
  'custom domain': (path) => ({ host: 'api.example.com', path }),
  'custom domain, mapped key': (path) => ({ host: 'api.example.com', path: `/v1${path}` }),
}

const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS')

/** Letters of a segment, some of them percent-encoded in either case. */
const oddly = (word: string) => fc.array(fc.constantFrom('plain', 'upper', 'lower'), { minLength: word.length, maxLength: word.length }).map((how) => Array.from(word).map((letter, index) => {
  const hex = letter.charCodeAt(0).toString(16)
  return how[index] === 'plain' ? letter : `%${how[index] === 'upper' ? hex.toUpperCase() : hex}`
}).join(''))

/** Segments as a request brings them: `.` and `..` were resolved before. */
const more = fc.oneof(
  fc.constantFrom('', '%', '%zz', '%2', '%2F', '%2e%2e', '%5C', '%3F', '%23', '%00', '*', '%3f', ':', '$default', 'public', '%C3%A9', '%ff'),
  fc.string({ unit: fc.constantFrom(...Array.from('abc019-_.~%2F')), maxLength: 8 }),
).filter((segment) => segment !== '.' && segment !== '..')

/** Paths that lead to a signed route, however they are spelled, or to `$default`. */
const paths = fc.oneof(
  oddly('secret').map((word) => `/${word}`),
  fc.tuple(oddly('secret'), fc.array(more, { minLength: 1, maxLength: 3 })).map(([word, rest]) => `/${word}/${rest.join('/')}`),
  fc.tuple(oddly('items'), more).map(([word, id]) => `/${word}/${id === '' ? 'x' : id}`),
  fc.tuple(oddly('items'), oddly('notes')).map(([word, notes]) => `/${word}/7/${notes}`),
  fc.array(more, { minLength: 1, maxLength: 3 }).map((rest) => `/${rest.join('/')}`).filter((path) => !path.startsWith('/public')),
)

type Signing = (attempt: Attempt) => Attempt

const signedAs = (credentials: SigningCredentials, changes: { service?: string, region?: string, atMs?: number, signed?: Partial<Attempt> } = {}): Signing => (one) => {
  const { host, path, method, query: rawQuery } = { ...one, ...changes.signed }
  const headers = signHeaders({
    method, path, rawQuery, headers: { Host: host }, body: Buffer.alloc(0), service: changes.service ?? 'execute-api', region: changes.region ?? 'us-east-1', credentials, nowMs: changes.atMs ?? nowMs,
  })
  return { ...one, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'Host')) }
}

const keyOf = (name: string): SigningCredentials => {
  const { accessKeyId } = callers[name]!.caller
  return { accessKeyId, secretAccessKey: secretOf(accessKeyId) }
}

/** Everything that is no signature of somebody who may call. */
const refusals: Readonly<Record<string, Signing>> = {
  'no signature': (one) => one,
  'a bearer token': (one) => ({ ...one, headers: { Authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' } }),
  'half a signature': (one) => ({ ...one, headers: { Authorization: `AWS4-HMAC-SHA256 Credential=${keyOf('owner').accessKeyId}` } }),
  'a key that is not known': signedAs({ accessKeyId: 'AKIANONE', secretAccessKey: 'x' }),
  'another secret': signedAs({ ...keyOf('owner'), secretAccessKey: 'x' }),
  'a signature of another service': signedAs(keyOf('owner'), { service: 'lambda' }),
  'a signature of another region': signedAs(keyOf('owner'), { region: 'eu-west-1' }),
  'a signature of last week': signedAs(keyOf('owner'), { atMs: nowMs - 7 * 86_400_000 }),
  'a signature of another path': signedAs(keyOf('owner'), { signed: { path: '/public' } }),
  'a signature of another method': (one) => signedAs(keyOf('owner'), { signed: { method: one.method === 'GET' ? 'POST' : 'GET' } })(one),
  'a signature of another host': signedAs(keyOf('owner'), { signed: { host: 'other.execute-api.us-east-1.amazonaws.com' } }),
  'a caller without permission': signedAs(keyOf('nobody')),
  'a caller of another account': signedAs(keyOf('stranger')),
  'a caller who may call something else': signedAs(keyOf('elsewhere')),
}

const FORBIDDEN = { status: 403, body: '{"message":"Forbidden"}', invoked: [] }

describe('a signed route of an HTTP API', () => {
  test('refuses whoever may not call it, by any method, address and encoding, in one word', async () => {
    const ways = fc.record({ method: methods, path: paths, address: fc.constantFrom(...Object.keys(addresses)), refusal: fc.constantFrom(...Object.keys(refusals)), query: fc.constantFrom('', 'a=1', 'X-Amz-Signature=0') })
    await fc.assert(fc.asyncProperty(ways, async ({ method, path, address, refusal, query }) => {
      // Behind a domain of one's own, such a request is the other service's.
      fc.pre(!(address.startsWith('custom domain') && refusal === 'a signature of another service'))
      const one = refusals[refusal]!({ method, query, headers: {}, ...addresses[address]!(path) })
      assert.deepEqual(await attempt(one), FORBIDDEN)
    }), { numRuns: 1_500 })
  })

  test('a Deny holds for every spelling of the path that leads to the route', async () => {
    const spellings = fc.oneof(
      oddly('secret').map((word) => ({ method: 'GET', path: `/${word}` })),
      fc.tuple(methods, oddly('secret'), fc.array(more, { minLength: 1, maxLength: 3 })).map(([method, word, rest]) => ({ method, path: `/${word}/${rest.join('/')}` })),
      fc.tuple(methods, oddly('items'), more).map(([method, word, id]) => ({ method, path: `/${word}/${id === '' ? 'x' : id}` })),
    )
    await fc.assert(fc.asyncProperty(spellings, fc.constantFrom(...Object.keys(addresses)), async ({ method, path }, address) => {
      const one = signedAs(keyOf('denied'))({ method, query: '', headers: {}, ...addresses[address]!(path) })
      assert.deepEqual(await attempt(one), FORBIDDEN)
    }), { numRuns: 1_000 })
  })

  test('lets its owner in by each of these ways', async () => {
    await fc.assert(fc.asyncProperty(methods, paths, fc.constantFrom(...Object.keys(addresses)), async (method, path, address) => {
      const one = signedAs(keyOf('owner'))({ method, query: '', headers: {}, ...addresses[address]!(path) })
      assert.deepEqual(await attempt(one), { status: 200, body: 'called', invoked: ['signed'] })
    }), { numRuns: 300 })
  })

  test('stands beside an open one that asks for nothing', async () => {
    for (const address of Object.values(addresses)) {
      assert.deepEqual(await attempt({ method: 'GET', query: '', headers: {}, ...address('/public') }), { status: 200, body: 'called', invoked: ['open'] })
    }
  })
})
