// Authorizers and resource policies through the whole data plane, over a deployment given as a value, with a function that answers what the test wants.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Authorizer as IamAuthorizer } from '#aws/authorize.ts'
import { AwsError } from '#aws/errors.ts'
import type { TraceStep } from '#aws/trace.ts'
import { systemClock } from '#lib/clock.ts'
import { headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import type { Authorizer, Integration, Metering, RestApiSnapshot, SnapshotMethod, StageRecord } from '#services/apigateway/index.ts'
import type { Invocation, InvocationResult } from '#services/lambda/index.ts'
import { startIssuer, type Issuer } from '#test/support/issuer.ts'
import { createExecuteApi } from '../../index.ts'
import { nothingBehind } from '../nothing-behind.testing.ts'

const accountId = '123456780000'
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:${accountId}:function:auth/invocations`
const pool = `arn:aws:cognito-idp:us-east-1:${accountId}:userpool/us-east-1_Abc`
const apiArn = `arn:aws:execute-api:us-east-1:${accountId}:api123`

const page = '{"principal":"$context.authorizer.principalId","color":"$context.authorizer.color","number":"$context.authorizer.number","latency":"$context.authorizer.integrationLatency",'
  + '"sub":"$context.authorizer.claims.sub","groups":"$context.authorizer.claims.groups","exp":"$context.authorizer.claims.exp","key":"$context.identity.apiKey"}'

function method(httpMethod: string, given: Partial<SnapshotMethod>): SnapshotMethod {
  const methodIntegration: Integration = {
    type: 'MOCK', passthroughBehavior: 'WHEN_NO_MATCH', timeoutInMillis: 29_000, cacheNamespace: 'x', cacheKeyParameters: [],
    requestTemplates: { 'application/json': '{"statusCode": 200}' },
    integrationResponses: { 200: { statusCode: '200', responseTemplates: { 'application/json': page } } },
  }
  return { httpMethod, authorizationType: 'CUSTOM', apiKeyRequired: false, methodResponses: { 200: { statusCode: '200' } }, methodIntegration, ...given }
}

function authorizers(changes: Record<string, Partial<Authorizer>>): Record<string, Authorizer> {
  const all: Record<string, Authorizer> = {
    token: { id: 'token', name: 'token', type: 'TOKEN', authType: 'custom', authorizerUri: uri, identitySource: 'method.request.header.Authorization' },
    request: {
      id: 'request', name: 'request', type: 'REQUEST', authType: 'custom', authorizerUri: uri,
      identitySource: 'method.request.header.X-User, method.request.querystring.q,stageVariables.color,context.identity.sourceIp',
    },
    pool: { id: 'pool', name: 'pool', type: 'COGNITO_USER_POOLS', authType: 'cognito_user_pools', providerARNs: [pool], identitySource: 'method.request.header.Authorization' },
  }
  return Object.fromEntries(Object.entries(all).map(([id, authorizer]) => [id, { ...authorizer, ...changes[id] }]))
}

interface Given {
  authorizers?: Record<string, Partial<Authorizer>>
  snapshot?: Partial<RestApiSnapshot>
  metering?: Metering
  decides?: boolean
  /** What the function answers, or fails with. */
  answer?: (event: any) => unknown
  issuer?: Issuer
  /** A setting of the stage that writes everything into its log. */
  logs?: boolean
}

interface Call { method?: string, headers?: Record<string, string> }

const allow = (statement: object = {}, more: object = {}) => ({
  principalId: 'ann', policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${apiArn}/dev/*`, ...statement }] }, ...more,
})
const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const everybody = { Effect: 'Allow', Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' }
const bearer = { headers: { authorization: 'secret-token-of-ann' } }
const user = { headers: { 'X-User': 'ann' } }
const unlimited: Metering = { findKey: async () => ({ is: 'refused', because: 'unknown key' }), admit: async () => undefined }

function gateway({ answer = () => allow(), decides = true, issuer, metering = unlimited, logs = false, ...given }: Given = {}) {
  const of = (path: string, ...methods: SnapshotMethod[]) => ({ id: path.slice(1), path, methods: Object.fromEntries(methods.map((one) => [one.httpMethod, one])) })
  const snapshot: RestApiSnapshot = {
    apiId: 'api123', accountId, region: 'us-east-1', deploymentId: 'dep1', name: 'a', apiKeySource: 'HEADER', disableExecuteApiEndpoint: false,
    endpointConfiguration: { types: ['REGIONAL'], ipAddressType: 'ipv4' }, models: {}, gatewayResponses: {},
    authorizers: authorizers(given.authorizers ?? {}),
    resources: [
      of('/token/{id}', method('GET', { authorizerId: 'token' }), method('POST', { authorizerId: 'token' })),
      of('/keyed', method('GET', { authorizerId: 'token', apiKeyRequired: true })),
      of('/request/{id}', method('GET', { authorizerId: 'request' })),
      of('/pool', method('GET', { authorizationType: 'COGNITO_USER_POOLS', authorizerId: 'pool' }), method('POST', { authorizationType: 'COGNITO_USER_POOLS', authorizerId: 'pool', authorizationScopes: ['pets/write', 'pets/all'] })),
      of('/open', method('GET', { authorizationType: 'NONE' })),
    ],
    ...given.snapshot,
  }
  const state = {
    snapshot,
    events: [] as any[], invocations: [] as Invocation[], steps: [] as readonly TraceStep[], logged: [] as string[], monotonicMs: 0,
    stage: {
      stageName: 'dev', apiId: 'api123', deploymentId: 'dep1', variables: { color: 'red' }, tracingEnabled: false, cacheClusterEnabled: false, tags: {}, createdAtMs: 0, lastUpdatedAtMs: 0,
      methodSettings: logs ? { '*/*': { loggingLevel: 'INFO', dataTraceEnabled: true, throttlingRateLimit: -1, throttlingBurstLimit: -1 } as never } : {},
    } as StageRecord,
  }
  const role = { arn: `arn:aws:iam::${accountId}:role/r`, name: 'r', roleId: 'AROA', accountId, trustPolicy: undefined as never, maxSessionSeconds: 3600 }
  const iam: IamAuthorizer = { decide: async () => ({ allowed: decides, message: '', statements: [] }) }
  const api = createExecuteApi({
    snapshots: { findStage: async () => ({ stage: state.stage, snapshot }), findApi: async () => undefined },
    metering,
    invoker: {
      async invoke(invocation) {
        state.invocations.push(invocation)
        state.events.push(JSON.parse(invocation.payload.toString()))
        const said = await answer(state.events.at(-1))
        const failed = said instanceof Error ? { functionError: 'Unhandled', payload: Buffer.from(JSON.stringify({ errorMessage: said.message })) } as Partial<InvocationResult> : {}
        return { status: 200, payload: Buffer.from(typeof said === 'string' ? said : JSON.stringify(said) ?? 'null'), executedVersion: '$LATEST', logTail: Buffer.alloc(0), requestId: 'f1', ...failed }
      },
    },
    authenticator: { begin: async () => { throw new Error('not asked') } }, authorizer: iam,
    roles: {
      findRole: async (arn) => (arn.endsWith('/gone') ? undefined : role), isTrusting: () => true,
      issue: async () => ({ accessKeyId: 'ASIA', secretAccessKey: '', sessionToken: '', expiresAtMs: Date.now() + 3_600_000 }),
    },
    userPoolIssuers: new Map(issuer ? [[pool, issuer.url]] : []),
    clock: { ...systemClock, monotonic: () => state.monotonicMs }, random: systemRandom, log: { error: (facts) => { throw facts.err } },
    logs: { append: ({ events }) => state.logged.push(...events.map(({ message }) => message.slice(39))) },
    onTrace: (trace) => { state.steps = trace.steps() }, region: 'us-east-1', traceBodies: false, ...nothingBehind,
  })
  async function call(path: string, { method: httpMethod = 'GET', headers = {} }: Call = {}) {
    const [pathOnly, rawQuery = ''] = path.split('?') as [string, string?]
    const request: HttpRequest = {
      method: httpMethod, path: `/dev${pathOnly}`, rawQuery, remoteAddress: '192.0.2.1', isSecure: true, body: async () => Buffer.alloc(0),
      headers: headersFromRaw(Object.entries({ host: 'api123.execute-api.localhost', ...headers }).flat()),
    }
    const { status, headers: answered, body } = await api.handle(request)
    return { status, type: answered['x-amzn-ErrorType'], body: String(body), get json() { return JSON.parse(String(body)) } }
  }
  return { call, state, refused: async (path: string, call_?: Call) => { const { status, type, body } = await call(path, call_); return [status, type, body] } }
}

const unauthorized = [401, 'UnauthorizedException', '{"message":"Unauthorized"}']
const broken = [500, 'AuthorizerConfigurationException', '{"message":null}']
const denied = (more = '') => [403, 'AccessDeniedException', `{"Message":"User is not authorized to access this resource${more}"}`]

describe('a TOKEN authorizer refuses', () => {
  test('without its header, with an empty one, and a token that does not match, without asking the function', async () => {
    const { refused, state } = gateway({ authorizers: { token: { identityValidationExpression: 'secret-[a-z-]+' } } })
    assert.deepEqual(await refused('/token/1'), unauthorized)
    assert.deepEqual(await refused('/token/1', { headers: { authorization: '' } }), unauthorized)
    assert.deepEqual(await refused('/token/1', { headers: { authorization: 'a secret-token' } }), unauthorized)
    assert.equal(state.events.length, 0)
    assert.equal((await refused('/token/1', bearer))[0], 200)
  })

  test('whom the function calls Unauthorized, in this spelling only', async () => {
    assert.deepEqual(await gateway({ answer: () => new Error('Unauthorized') }).refused('/token/1', bearer), unauthorized)
    assert.deepEqual(await gateway({ answer: () => new Error('unauthorized') }).refused('/token/1', bearer), broken)
  })

  test('when the function fails or answers no policy: 500 without a message', async () => {
    for (const answer of [null, 'text', {}, { statusCode: 401 }, allow({}, { context: { a: {} } }), allow({ Effect: 'allow' })]) {
      assert.deepEqual(await gateway({ answer: () => answer }).refused('/token/1', bearer), broken)
    }
    assert.deepEqual(await gateway({ answer: () => { throw new AwsError('AccessDeniedException', 403, 'no') } }).refused('/token/1', bearer), broken)
  })

  test('when the function does not answer in time: 500 of another type', async () => {
    const { refused, state } = gateway({ answer: () => { state.monotonicMs += 29_000; throw new AwsError('ServiceException', 500, 'abandoned') } })
    assert.deepEqual(await refused('/token/1', bearer), [500, 'AuthorizerFailureException', '{"message":null}'])
  })

  test('what the policy does not allow, and what it denies', async () => {
    assert.deepEqual(await gateway({ answer: () => allow({ Resource: `${apiArn}/dev/POST/*` }) }).refused('/token/1', bearer), denied())
    assert.deepEqual(await gateway({ answer: () => allow({ Effect: 'Deny' }) }).refused('/token/1', bearer), denied(' with an explicit deny in an identity-based policy'))
  })

  test('with what a gateway response makes of it, the context of whom was denied included', async () => {
    const gatewayResponses = {
      ACCESS_DENIED: { responseType: 'ACCESS_DENIED', statusCode: '404', responseParameters: { 'gatewayresponse.header.X-Color': 'context.authorizer.color' }, responseTemplates: { 'application/json': '{"who":"$context.authorizer.principalId"}' } },
      AUTHORIZER_CONFIGURATION_ERROR: { responseType: 'AUTHORIZER_CONFIGURATION_ERROR', responseParameters: {}, responseTemplates: { 'application/json': '{"m":$context.error.messageString}' } },
    }
    const deniedCall = await gateway({ snapshot: { gatewayResponses }, answer: () => allow({ Effect: 'Deny' }, { context: { color: 'red' } }) }).call('/token/1', bearer)
    assert.deepEqual([deniedCall.status, deniedCall.body], [404, '{"who":"ann"}'])
    assert.equal((await gateway({ snapshot: { gatewayResponses }, answer: () => null }).call('/token/1', bearer)).body, '{"m":null}')
  })
})

describe('a TOKEN authorizer', () => {
  test('gives the function the token and the ARN, and lets whom it allows through with context as texts', async () => {
    const { call, state } = gateway({ answer: () => allow({}, { context: { color: 'red', number: 1.5 } }) })
    const { json } = await call('/token/a%20b', bearer)
    assert.deepEqual(state.events, [{ type: 'TOKEN', methodArn: `${apiArn}/dev/GET/token/a%20b`, authorizationToken: 'secret-token-of-ann' }])
    assert.deepEqual([json.principal, json.color, json.number, json.latency], ['ann', 'red', '1.5', '0'])
    const { caller, sourceArn } = state.invocations[0]!
    assert.deepEqual([caller.is, caller.arn, sourceArn], ['service', 'apigateway.amazonaws.com', `${apiArn}/authorizers/token`])
  })

  test('is asked once for a token, and what it said is asked for every method', async () => {
    const { call, state } = gateway({ answer: () => allow({ Resource: [`${apiArn}/dev/GET/*`] }) })
    assert.equal((await call('/token/1', bearer)).status, 200)
    assert.equal((await call('/token/2', bearer)).status, 200)
    assert.equal((await call('/token/1', { ...bearer, method: 'POST' })).status, 403)
    assert.equal(state.events.length, 1)
    assert.equal((await call('/token/1', { headers: { authorization: 'another' } })).status, 200)
    assert.equal(state.events.length, 2)
    state.monotonicMs += 300_000
    await call('/token/1', bearer)
    assert.equal(state.events.length, 3)
  })

  test('is asked again after another deployment, a change of the stage, or a flush; failures are never kept', async () => {
    const { call, state } = gateway()
    await call('/token/1', bearer)
    for (const change of [{ lastUpdatedAtMs: 1 }, { authorizerFlushes: 1 }]) {
      state.stage = { ...state.stage, ...change }
      await call('/token/1', bearer)
    }
    assert.equal(state.events.length, 3)
    const failing = gateway({ answer: () => new Error('Unauthorized') })
    await failing.call('/token/1', bearer)
    await failing.call('/token/1', bearer)
    assert.equal(failing.state.events.length, 2)
    const uncached = gateway({ authorizers: { token: { authorizerResultTtlInSeconds: 0 } } })
    await uncached.call('/token/1', bearer)
    await uncached.call('/token/1', bearer)
    assert.equal(uncached.state.events.length, 2)
  })

  test('calls its function in the name of its role, where it has one that may', async () => {
    const withRole = (name: string) => ({ authorizers: { token: { authorizerCredentials: `arn:aws:iam::${accountId}:role/${name}` } } })
    const { call, state } = gateway(withRole('r'))
    assert.equal((await call('/token/1', bearer)).status, 200)
    assert.equal(state.invocations[0]!.caller.arn, `arn:aws:sts::${accountId}:assumed-role/r/BackplaneAssumeRoleSession`)
    assert.deepEqual(await gateway(withRole('gone')).refused('/token/1', bearer), broken)
    assert.deepEqual(await gateway({ ...withRole('r'), decides: false }).refused('/token/1', bearer), broken)
  })

  test('shows no token in traces and logs, and the log has AWS\'s lines', async () => {
    const { call, state } = gateway({ logs: true })
    await call('/token/1', bearer)
    assert.doesNotMatch(JSON.stringify(state.steps) + state.logged.join('\n'), /secret-token/)
    for (const line of [/^Starting authorizer: token for request: /, /^Incoming identity: \*+of-ann$/, /^Endpoint request URI: https:\/\/lambda/, /^Authorizer result body before parsing: /, /^Using valid authorizer policy for principal: /, /^Successfully completed authorizer execution$/]) {
      assert.ok(state.logged.some((text) => line.test(text)), String(line))
    }
    const failing = gateway({ logs: true, answer: () => null })
    await failing.call('/token/1', bearer)
    assert.ok(failing.state.logged.includes('Execution failed due to configuration error: Could not parse policy'))
    assert.ok(failing.state.logged.includes('Execution failed due to configuration error: Authorizer error'))
  })

  test('names the key that is counted, where the API takes keys from it', async () => {
    const metering: Metering = {
      findKey: async (_stage, value) => (value === 'k'.repeat(20) ? { is: 'granted', grant: { keyId: 'id', planId: 'p', throttle: undefined, methodThrottles: {}, quota: undefined } } : { is: 'refused', because: 'unknown key' }),
      admit: async ({ grant }) => (grant ? undefined : 'account throttle'),
    }
    const keyed = (usageIdentifierKey?: string) => gateway({ metering, snapshot: { apiKeySource: 'AUTHORIZER' }, answer: () => allow({}, { usageIdentifierKey }) })
    const known = keyed('k'.repeat(20))
    assert.equal((await known.call('/keyed', bearer)).json.key, 'k'.repeat(20))
    assert.doesNotMatch(JSON.stringify(known.state.steps), /kkkkkkkkkkkkkkk/)
    for (const key of [undefined, 'other']) assert.deepEqual(await keyed(key).refused('/keyed', bearer), [403, 'ForbiddenException', '{"message":"Forbidden"}'])
  })
})

describe('a REQUEST authorizer', () => {
  test('refuses without one of its sources', async () => {
    const { refused, state } = gateway()
    assert.deepEqual(await refused('/request/1?q=1'), unauthorized)
    assert.deepEqual(await refused('/request/1', user), unauthorized)
    assert.deepEqual(await refused('/request/1?q=', user), unauthorized)
    state.stage = { ...state.stage, variables: {} }
    assert.deepEqual(await refused('/request/1?q=1', user), unauthorized)
    assert.equal(state.events.length, 0)
  })

  test('gives the function the whole request', async () => {
    const { call, state } = gateway()
    assert.equal((await call('/request/7?q=1&q=2', { headers: { ...user.headers, 'x-list': 'a' } })).status, 200)
    const { requestContext, headers, multiValueHeaders, ...event } = state.events[0]
    assert.deepEqual(event, {
      type: 'REQUEST', methodArn: `${apiArn}/dev/GET/request/7`, resource: '/request/{id}', path: '/request/7', httpMethod: 'GET',
      queryStringParameters: { q: '2' }, multiValueQueryStringParameters: { q: ['1', '2'] }, pathParameters: { id: '7' }, stageVariables: { color: 'red' },
    })
    assert.deepEqual([headers['X-User'], headers['X-Forwarded-Proto'], multiValueHeaders['x-list']], ['ann', 'https', ['a']])
    assert.deepEqual([requestContext.identity.sourceIp, requestContext.resourcePath, requestContext.stage, requestContext.apiId, requestContext.authorizer], ['192.0.2.1', '/request/{id}', 'dev', 'api123', undefined])
  })

  test('keeps what it said for all of its sources together, and nothing where it has none', async () => {
    const { call, state } = gateway()
    for (const path of ['/request/1?q=1', '/request/2?q=1', '/request/1?q=2']) await call(path, user)
    assert.equal(state.events.length, 2)
    const open = gateway({ authorizers: { request: { identitySource: undefined as never, authorizerResultTtlInSeconds: 0 } } })
    await open.call('/request/1')
    await open.call('/request/1')
    assert.equal(open.state.events.length, 2)
  })
})

describe('a user pool', () => {
  let issuer: Issuer
  before(async () => { issuer = await startIssuer() })
  after(() => issuer.close())
  const with_ = async (claims: Record<string, unknown>, prefix = '') => ({ headers: { authorization: prefix + await issuer.token(claims) } })

  test('refuses no token, none that it issued, and one that has expired', async () => {
    const { refused } = gateway({ issuer })
    assert.deepEqual(await refused('/pool'), unauthorized)
    assert.deepEqual(await refused('/pool', bearer), unauthorized)
    assert.deepEqual(await refused('/pool', await with_({ iss: 'https://elsewhere.example' })), unauthorized)
    assert.deepEqual(await refused('/pool', await with_({ exp: 1 })), [401, 'UnauthorizedException', '{"message":"The incoming token has expired"}'])
  })

  test('refuses tokens of the wrong use, without a scope of the method, or for another audience', async () => {
    const { refused } = gateway({ issuer })
    assert.deepEqual(await refused('/pool', await with_({ token_use: 'access' })), unauthorized)
    const post = async (claims: Record<string, unknown>) => refused('/pool', { method: 'POST', ...await with_(claims) })
    assert.deepEqual(await post({ token_use: 'id', scope: 'pets/write' }), unauthorized)
    assert.deepEqual(await post({ token_use: 'access', scope: 'pets/read' }), unauthorized)
    assert.equal((await post({ token_use: 'access', scope: 'pets/read pets/all' }))[0], 200)
    const matched = gateway({ issuer, authorizers: { pool: { identityValidationExpression: 'shop-.*' } } })
    assert.deepEqual(await matched.refused('/pool', await with_({ aud: 'other' })), unauthorized)
    assert.equal((await matched.refused('/pool', await with_({ aud: 'shop-1' })))[0], 200)
  })

  test('lets through with claims as texts, with or without Bearer', async () => {
    const { call } = gateway({ issuer })
    const claims = { token_use: 'id', groups: ['a', 'b'], exp: 4_102_444_800 }
    for (const prefix of ['', 'Bearer ']) {
      const { json } = await call('/pool', await with_(claims, prefix))
      assert.deepEqual([json.sub, json.groups, json.exp], ['service-7', 'a,b', 'Fri Jan 01 00:00:00 UTC 2100'])
    }
  })

  test('of Amazon that cannot be asked is a fault of the set-up', async () => {
    const gone = await startIssuer()
    const token = await gone.token()
    gone.close()
    assert.deepEqual(await gateway({ issuer: gone }).refused('/pool', { headers: { authorization: token } }), broken)
  })

  test('needs the Allow of the resource policy too, where there is one', async () => {
    const one = (statement: object) => gateway({ issuer, snapshot: { policy: policy(statement) } })
    const silent = await one({ ...everybody, Resource: 'execute-api:/prod/*' }).refused('/pool', await with_({}))
    assert.deepEqual([silent[0], silent[1]], [403, 'AccessDeniedException'])
    assert.match(silent[2] as string, /because no resource-based policy allows the execute-api:Invoke action/)
    assert.equal((await one(everybody).refused('/pool', await with_({})))[0], 200)
    assert.deepEqual(await one({ ...everybody, Effect: 'Deny' }).refused('/pool'), unauthorized)
  })
})

describe('a resource policy', () => {
  const sentence = `User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:api123/dev/GET`
  const from = (cidr: string) => ({ Condition: { IpAddress: { 'aws:SourceIp': cidr } } })

  test('alone must allow, and may deny', async () => {
    const open = (...statements: object[]) => gateway({ snapshot: { policy: policy(...statements) } })
    assert.deepEqual(await open({ ...everybody, ...from('198.51.100.0/24') }).refused('/open'),
      [403, 'AccessDeniedException', `{"Message":"${sentence}/open because no resource-based policy allows the execute-api:Invoke action"}`])
    assert.deepEqual(await open(everybody, { ...everybody, Effect: 'Deny', ...from('192.0.2.0/24') }).refused('/open'),
      [403, 'AccessDeniedException', `{"Message":"${sentence}/open with an explicit deny in a resource-based policy"}`])
    assert.equal((await open({ ...everybody, ...from('192.0.2.0/24') }).refused('/open'))[0], 200)
    assert.equal((await open({ ...everybody, Principal: { AWS: `arn:aws:iam::${accountId}:root` } }).refused('/open'))[0], 403)
  })

  test('that denies is judged before an authorizer is asked', async () => {
    const { refused, state } = gateway({ snapshot: { policy: policy({ ...everybody, Effect: 'Deny' }) } })
    assert.deepEqual(await refused('/token/1', bearer), [403, 'AccessDeniedException', `{"Message":"${sentence}/token/1 with an explicit deny in a resource-based policy"}`])
    assert.equal(state.events.length, 0)
  })

  test('and an authorizer: either allows, none may deny', async () => {
    const silent = { ...everybody, Resource: 'execute-api:/prod/*' }
    const nothing = { Resource: `${apiArn}/prod/*` }
    for (const [byPolicy, byAuthorizer, status] of [[everybody, {}, 200], [silent, {}, 200], [everybody, nothing, 200], [silent, nothing, 403], [everybody, { Effect: 'Deny' }, 403], [silent, { Effect: 'Deny' }, 403]] as const) {
      const { refused } = gateway({ snapshot: { policy: policy(byPolicy) }, answer: () => allow(byAuthorizer) })
      assert.equal((await refused('/token/1', bearer))[0], status, JSON.stringify([byPolicy, byAuthorizer]))
    }
  })

  test('shows in the trace of a refusal with the statements that were looked at', async () => {
    const { call, state } = gateway({ snapshot: { policy: policy({ ...everybody, Sid: 'All' }, { ...everybody, Sid: 'NotYou', Effect: 'Deny' }) } })
    await call('/open')
    const { statements, allowed } = state.steps.find(({ step }) => step === 'policy')!.facts as { statements: { sid: string, effect: string, policy: string }[], allowed: boolean }
    assert.deepEqual([allowed, statements.map(({ sid, effect }) => [sid, effect])], [false, [['All', 'Allow'], ['NotYou', 'Deny']]])
    assert.equal(statements[0]!.policy, 'resource policy of API api123')
    const byAuthorizer = gateway({ answer: () => allow({ Effect: 'Deny', Sid: 'Never' }) })
    await byAuthorizer.call('/token/1', bearer)
    const found = byAuthorizer.state.steps.find(({ step }) => step === 'authorizer')!.facts as { statements: { sid: string, effect: string }[] }
    assert.deepEqual(found.statements.map(({ sid, effect }) => [sid, effect]), [['Never', 'Deny']])
  })
})

test('authorizers and policies are compiled with their deployment, not for each request', async () => {
  const reads = { policy: 0, authorizers: 0 }
  const { call, state } = gateway({ authorizers: { token: { authorizerResultTtlInSeconds: 0 } } })
  const counted: Partial<RestApiSnapshot> = {
    get policy() { reads.policy++; return policy(everybody) },
    get authorizers() { reads.authorizers++; return authorizers({ token: { authorizerResultTtlInSeconds: 0 } }) },
  }
  Object.defineProperties(state.snapshot, Object.getOwnPropertyDescriptors(counted))
  for (let count = 0; count < 5; count++) assert.equal((await call('/token/1', bearer)).status, 200)
  assert.equal(state.events.length, 5)
  assert.deepEqual(reads, { policy: 1, authorizers: 1 })
})
