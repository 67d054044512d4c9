// The whole data plane over a deployment given as a value, with a function that answers what the test wants.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SignatureRefusal, type Authenticator } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { Caller } from '#aws/caller.ts'
import { AwsError } from '#aws/errors.ts'
import type { RequestFacts } from '#aws/dispatch.ts'
import type { TraceStep } from '#aws/trace.ts'
import { systemClock, type Clock } from '#lib/clock.ts'
import { BodyTooLarge, headersFromRaw, type HttpRequest } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import type { Integration, Metering, RestApiSnapshot, SnapshotMethod, StageRecord } from '#services/apigateway/index.ts'
import type { Invocation, InvocationResult } from '#services/lambda/index.ts'
import { createExecuteApi, type ExecuteApiOptions } from '../index.ts'
import { nothingBehind } from './nothing-behind.testing.ts'

const accountId = '123456780000'
const catalogArn = `arn:aws:lambda:us-east-1:${accountId}:function:catalog`
const lambdaUri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${catalogArn}/invocations`

function integration(given: Partial<Integration>): Integration {
  return { type: 'AWS', httpMethod: 'POST', uri: lambdaUri, passthroughBehavior: 'WHEN_NO_MATCH', timeoutInMillis: 29_000, cacheNamespace: 'x', cacheKeyParameters: [], ...given }
}

function method(httpMethod: string, given: Partial<SnapshotMethod>): SnapshotMethod {
  return { httpMethod, authorizationType: 'NONE', apiKeyRequired: false, methodResponses: { 200: { statusCode: '200' }, 201: { statusCode: '201' }, 404: { statusCode: '404' } }, ...given }
}

const defaultResponse = { 200: { statusCode: '200' } }

/** The service catalog, and methods that show one thing each. */
function snapshot(changes: Partial<RestApiSnapshot> = {}): RestApiSnapshot {
  const mock = (template: string, responses: Integration['integrationResponses'] = defaultResponse) =>
    integration({ type: 'MOCK', requestTemplates: { 'application/json': template }, integrationResponses: responses })
  const of = (path: string, ...methods: SnapshotMethod[]) => ({ id: path.replace(/\W/g, '') || 'root', path, methods: Object.fromEntries(methods.map((one) => [one.httpMethod, one])) })
  return {
    apiId: 'api123', accountId, region: 'us-east-1', deploymentId: 'dep1', name: 'catalog', apiKeySource: 'HEADER', disableExecuteApiEndpoint: false,
    endpointConfiguration: { types: ['REGIONAL'], ipAddressType: 'ipv4' },
    models: {
      Register: {
        id: 'm1', name: 'Register', contentType: 'application/json',
        schema: '{"type":"object","required":["name","ttl"],"properties":{"name":{"type":"string"},"ttl":{"$ref":"https://apigateway.amazonaws.com/restapis/other/models/Ttl"}}}',
      },
      Ttl: { id: 'm2', name: 'Ttl', contentType: 'application/json', schema: '{"$schema":"http://json-schema.org/draft-04/schema#","type":"integer","minimum":0,"exclusiveMinimum":true}' },
    },
    gatewayResponses: {},
    resources: [
      of('/', method('GET', { methodIntegration: mock('{"statusCode": 200}') })),
      of('/catalog/{serviceName}/{serviceVersion}', method('GET', {
        methodIntegration: integration({
          requestTemplates: { 'application/json': `{"service_name": "$input.params('serviceName')","service_version": "$input.params('serviceVersion')"}` },
          integrationResponses: {
            200: { statusCode: '200' },
            404: { statusCode: '404', selectionPattern: '.*NotFound.*', responseTemplates: { 'application/json': '{"error_message":"Service Not Found"}' } },
          },
        }),
      })),
      of('/catalog/register', method('POST', {
        authorizationType: 'AWS_IAM',
        methodIntegration: integration({ requestTemplates: { 'application/json': "$input.json('$')" }, integrationResponses: { 201: { statusCode: '201' } } }),
      })),
      of('/catalog/{proxy+}', method('OPTIONS', { methodResponses: { 200: { statusCode: '200', responseParameters: { 'method.response.header.Access-Control-Allow-Origin': false } } }, methodIntegration: mock('{"statusCode": 204,}', { 200: { statusCode: '200', responseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'*'" } } }) })),
      of('/checked/{id}', method('POST', {
        requestValidator: { validateRequestBody: true, validateRequestParameters: true },
        requestParameters: { 'method.request.querystring.qs1': true, 'method.request.header.x-header-param': true, 'method.request.path.issuer': true, 'method.request.querystring.free': false },
        requestModels: { 'application/json': 'Register' },
        methodIntegration: mock('{"statusCode": 200}'),
      }), method('PUT', {
        requestValidator: { validateRequestBody: true, validateRequestParameters: false },
        requestModels: { 'application/json': 'Register' },
        methodIntegration: mock('{"statusCode": 200}'),
      }), method('PATCH', { requestModels: { 'application/json': 'Register' }, methodIntegration: mock('{"statusCode": 200}') })),
      of('/never', method('POST', { methodIntegration: integration({ passthroughBehavior: 'NEVER', requestTemplates: { 'text/plain': 'x' }, integrationResponses: defaultResponse }) })),
      of('/no-templates', method('POST', { methodIntegration: integration({ passthroughBehavior: 'WHEN_NO_TEMPLATES', requestTemplates: { 'text/plain': '{"text": "$input.body"}' }, integrationResponses: defaultResponse }) })),
      of('/through', method('POST', { methodIntegration: integration({ integrationResponses: defaultResponse }) })),
      of('/proxy/{id}', method('ANY', { methodIntegration: integration({ type: 'AWS_PROXY' }) })),
      of('/page', method('GET', {
        methodIntegration: mock('{"statusCode": 200}', { 200: { statusCode: '200', responseTemplates: { 'text/html': '<p>$context.stage $stageVariables.color</p>' } } }),
      })),
      of('/override', method('GET', {
        methodIntegration: mock('#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-Tea = ["a", "b"]){"statusCode": 200}', {
          200: { statusCode: '200', responseTemplates: { 'application/json': 'short' } },
        }),
      })),
      of('/broken', method('GET', { methodIntegration: mock('{\n"statusCode": #if(true) 200}') }), method('POST', { methodIntegration: mock('$input.path("$.l").get(3)') })),
      of('/no-default', method('GET', { methodIntegration: mock('{"statusCode": 500}', { 200: { statusCode: '200', selectionPattern: '2\\d{2}' } }) })),
      of('/no-method-response', method('GET', { methodIntegration: mock('{"statusCode": 200}', { 202: { statusCode: '202' } }) })),
      of('/no-integration', method('GET', {})),
      of('/private', method('GET', { methodIntegration: integration({ type: 'HTTP', uri: 'http://x/', connectionType: 'VPC_LINK' }) })),
      of('/dynamodb', method('GET', { methodIntegration: integration({ uri: 'arn:aws:apigateway:us-east-1:dynamodb:action/GetItem' }) })),
      of('/keyed', method('GET', { apiKeyRequired: true, methodIntegration: mock('{"statusCode": 200}') })),
      of('/custom', method('GET', { authorizationType: 'CUSTOM', methodIntegration: mock('{"statusCode": 200}') })),
      of('/staged', method('GET', { methodIntegration: integration({ uri: lambdaUri.replace(':function:catalog', ':function:${stageVariables.fn}'), integrationResponses: defaultResponse }) })),
    ],
    ...changes,
  }
}

const stage: StageRecord = {
  stageName: 'dev', apiId: 'api123', deploymentId: 'dep1', variables: { color: 'blue', fn: 'staged:live' }, methodSettings: {}, tracingEnabled: false,
  cacheClusterEnabled: false, tags: {}, createdAtMs: 0, lastUpdatedAtMs: 0,
}

const user: Caller = { is: 'user', accountId, userName: 'ann', arn: `arn:aws:iam::${accountId}:user/ann`, userId: 'AIDAANN', accessKeyId: 'AKIAANN' }

/** No key is known, and every other request may pass. */
const unlimited: Metering = { findKey: async () => ({ is: 'refused', because: 'unknown key' }), admit: async () => undefined }

const noRoles = { findRole: async () => undefined, isTrusting: () => false, issue: async () => { throw new Error('not asked') } }

interface Given {
  method?: string
  path?: string
  host?: string
  headers?: Record<string, string>
  body?: string | Buffer
  snapshot?: Partial<RestApiSnapshot>
  stage?: Partial<StageRecord>
  invoke?: (invocation: Invocation) => Promise<Partial<InvocationResult>> | Partial<InvocationResult>
  clock?: Clock
  allows?: boolean
  traceBodies?: boolean
  behind?: Partial<Pick<ExecuteApiOptions, 'http' | 'services'>>
}

interface Got {
  status: number
  headers: Record<string, string | string[]>
  body: string
  json: any
  invocations: Invocation[]
  steps: readonly TraceStep[]
  facts: RequestFacts
  bodyWasRead: boolean
  logged: string[]
}

const signed = { authorization: 'AWS4-HMAC-SHA256 good' }

async function call(given: Given): Promise<Got> {
  const invocations: Invocation[] = []
  const logged: string[] = []
  let record: { steps: readonly TraceStep[], facts: RequestFacts } | undefined
  let bodyWasRead = false
  const deployed = { stage: { ...stage, ...given.stage }, snapshot: snapshot(given.snapshot) }
  const authenticator: Authenticator = {
    async begin({ headers }) {
      const authorization = headers.get('authorization')
      if (authorization === undefined) throw new SignatureRefusal('missing', 'Missing Authentication Token')
      if (authorization.endsWith('unknown')) throw new SignatureRefusal('unknown-key', 'The security token included in the request is invalid.')
      if (authorization.endsWith('incomplete')) throw new SignatureRefusal('incomplete', "Authorization header requires 'Credential' parameter.")
      if (authorization.endsWith('expired')) throw new SignatureRefusal('expired', 'Signature expired: 1 is now earlier than 2')
      if (authorization.endsWith('stale')) throw new SignatureRefusal('expired-token', 'The security token included in the request is expired')
      return {
        caller: user, region: 'us-east-1', service: 'execute-api',
        finish(body) { if (authorization.endsWith('wrong')) throw new SignatureRefusal('mismatch', `The request signature we calculated does not match (${body.length})\n\nThe Canonical String`) },
      }
    },
  }
  const authorizer: Authorizer = {
    async decide({ caller }, { action, shownAs }) {
      const allowed = given.allows ?? true
      return { allowed, statements: [], message: allowed ? '' : `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${shownAs} because no identity-based policy allows the ${action} action` }
    },
  }
  const api = createExecuteApi({
    snapshots: {
      findStage: async ({ apiId, stageName }) => (apiId === 'api123' && stageName === 'dev' ? deployed : undefined),
      findApi: async () => undefined,
    },
    metering: unlimited,
    invoker: {
      async invoke(invocation) {
        invocations.push(invocation)
        return { status: 200, payload: Buffer.from('null'), executedVersion: '$LATEST', logTail: Buffer.from('printed'), requestId: 'f1', ...await given.invoke?.(invocation) }
      },
    },
    authenticator, authorizer, roles: noRoles, clock: given.clock ?? systemClock, random: systemRandom,
    log: { error: (facts) => { throw facts.err } },
    logs: { append: ({ group, events }) => logged.push(...events.map(({ message }) => `${group}: ${message.slice(39)}`)) },
    onTrace: (trace, facts) => { record = { steps: trace.steps(), facts } },
    region: 'us-east-1', traceBodies: given.traceBodies ?? false, ...nothingBehind, ...given.behind,
  })
  const headers = { host: given.host ?? 'api123.execute-api.us-east-1.amazonaws.com', ...given.headers }
  const [path, rawQuery = ''] = (given.path ?? '/dev').split('?') as [string, string?]
  const request: HttpRequest = {
    method: given.method ?? 'GET', path, rawQuery, headers: headersFromRaw(Object.entries(headers).flat()), remoteAddress: '192.0.2.1', isSecure: false,
    async body(bytesMax) {
      bodyWasRead = true
      const body = Buffer.from(given.body ?? '')
      if (body.length > bytesMax) throw new BodyTooLarge(bytesMax)
      return body
    },
  }
  assert.ok(api.matches(request))
  const response = await api.handle(request)
  const body = String(response.body)
  return {
    status: response.status, headers: response.headers, body, invocations, bodyWasRead, logged, ...record!,
    get json() { return JSON.parse(body) },
  }
}

const error = (message: string) => ({ errorMessage: message, errorType: 'Error', stackTrace: [] })
const failing = (message: string) => () => ({ payload: Buffer.from(JSON.stringify(error(message))), functionError: 'Unhandled' as const })
const stepsOf = ({ steps }: Got, name: string) => steps.filter(({ step }) => step === name).map(({ facts }) => facts)

describe('route', () => {
  const refusals: [says: string, given: Given, message: string, errorType: string][] = [
    ['a path that no resource has', { path: '/dev/nowhere' }, 'Missing Authentication Token', 'MissingAuthenticationTokenException'],
    ['a method that the resource lacks', { path: '/dev/page', method: 'DELETE' }, 'Missing Authentication Token', 'MissingAuthenticationTokenException'],
    ['the base path of the Swagger file, when it was ignored', { path: '/dev/v1/catalog/x/1' }, 'Missing Authentication Token', 'MissingAuthenticationTokenException'],
    ['another case', { path: '/dev/PAGE' }, 'Missing Authentication Token', 'MissingAuthenticationTokenException'],
    ['an unknown stage', { path: '/prod/page' }, 'Forbidden', 'ForbiddenException'],
    ['no stage', { path: '/' }, 'Forbidden', 'ForbiddenException'],
    ['an unknown API', { host: 'nothere.execute-api.localhost:4566' }, 'Forbidden', 'ForbiddenException'],
    ['an API whose default endpoint is disabled', { snapshot: { disableExecuteApiEndpoint: true } }, 'Forbidden', 'ForbiddenException'],
  ]
  for (const [says, given, message, errorType] of refusals) {
    test(`refuses ${says} with 403 ${message}`, async () => {
      const got = await call(given)
      assert.deepEqual([got.status, got.json, got.headers['x-amzn-ErrorType'], got.headers['Content-Type']], [403, { message }, errorType, 'application/json'])
      assert.equal(got.bodyWasRead, false)
    })
  }

  test('finds the API by host with any suffix, and by both path forms', async () => {
    for (const given of [
      { host: 'api123.execute-api.localhost:4566', path: '/dev/page' }, { host: 'api123.execute-api.eu-west-1.example.org', path: '/dev/page' },
      { host: 'API123.execute-api', path: '/dev/page' }, { host: '127.0.0.1:4566', path: '/_aws/execute-api/api123/dev/page' },
      { host: 'localhost', path: '/restapis/api123/dev/_user_request_/page' },
    ]) assert.equal((await call(given)).body, '<p>dev blue</p>', JSON.stringify(given))
  })

  test('finds the root, and ignores a slash at the end', async () => {
    for (const path of ['/dev', '/dev/', '/dev/page/']) assert.equal((await call({ path })).status, 200)
  })

  test('a literal resource without the method gives way to a greedy sibling that has it', async () => {
    const got = await call({ path: '/dev/catalog/register', method: 'OPTIONS' })
    assert.deepEqual([got.status, got.headers['Access-Control-Allow-Origin']], [200, '*'])
  })
})

describe('authenticate', () => {
  const faults: [scheme: string, message: RegExp, errorType: string][] = [
    ['unknown', /^The security token included in the request is invalid\.$/, 'UnrecognizedClientException'],
    ['incomplete', /requires 'Credential' parameter/, 'IncompleteSignatureException'],
    ['expired', /^Signature expired/, 'InvalidSignatureException'],
    ['stale', /token included in the request is expired$/, 'ExpiredTokenException'],
  ]
  const register = { path: '/dev/catalog/register', method: 'POST', body: '{"a":1}' }

  test('refuses an unsigned call with 403 Missing Authentication Token and does not read its body', async () => {
    const got = await call(register)
    assert.deepEqual([got.status, got.json, got.headers['x-amzn-ErrorType'], got.bodyWasRead], [403, { message: 'Missing Authentication Token' }, 'MissingAuthenticationTokenException', false])
  })

  for (const [scheme, message, errorType] of faults) {
    test(`refuses a signature that is ${scheme} with 403 ${errorType} and does not read its body`, async () => {
      const got = await call({ ...register, headers: { authorization: `AWS4-HMAC-SHA256 ${scheme}` } })
      assert.equal(got.status, 403)
      assert.match(got.json.message, message)
      assert.deepEqual([got.headers['x-amzn-ErrorType'], got.bodyWasRead, got.invocations.length], [errorType, false, 0])
    })
  }

  test('refuses a wrong signature with the canonical string, over the body as it was sent; the trace has its first line only', async () => {
    const got = await call({ ...register, headers: { authorization: 'AWS4-HMAC-SHA256 wrong' } })
    assert.deepEqual([got.status, got.headers['x-amzn-ErrorType']], [403, 'InvalidSignatureException'])
    assert.match(got.json.message, /\(7\)\n\nThe Canonical String/)
    assert.doesNotMatch(JSON.stringify(got.steps), /Canonical/)
  })

  test('what is not built lets nobody through: 501 names it', async () => {
    for (const [path, what] of [['/dev/private', /VPC links/], ['/dev/dynamodb', /integrations with dynamodb \(action\)/]] as const) {
      const got = await call({ path })
      assert.equal(got.status, 501)
      assert.match(got.json.message, what)
    }
  })

  test('an authorizer that does not exist lets nobody through', async () => {
    const got = await call({ path: '/dev/custom' })
    assert.deepEqual([got.status, got.body, got.headers['x-amzn-ErrorType']], [500, '{"message":null}', 'AuthorizerConfigurationException'])
  })
})

describe('authorize', () => {
  test('refuses with Message in capitals, the caller\'s ARN, and the account of the API masked', async () => {
    const got = await call({ path: '/dev/catalog/register', method: 'POST', headers: signed, allows: false, body: '{}' })
    assert.deepEqual([got.status, got.headers['x-amzn-ErrorType'], got.invocations.length], [403, 'AccessDeniedException', 0])
    assert.deepEqual(got.json, {
      Message: `User: arn:aws:iam::${accountId}:user/ann is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:api123/dev/POST/catalog/register because no identity-based policy allows the execute-api:Invoke action`,
    })
    assert.equal(got.facts.callerArn, user.arn)
  })

  test('comes after the whole signature: a wrong one is told, and nothing of whose key it is', async () => {
    const got = await call({ path: '/dev/catalog/register', method: 'POST', headers: { authorization: 'AWS4-HMAC-SHA256 wrong' }, allows: false, body: '{}' })
    assert.deepEqual([got.status, got.headers['x-amzn-ErrorType']], [403, 'InvalidSignatureException'])
    assert.doesNotMatch(got.body, /ann/)
  })
})

describe('validate', () => {
  const refused = async (given: Given, message: string) => {
    const got = await call({ method: 'POST', ...given })
    assert.deepEqual([got.status, got.json, got.headers['x-amzn-ErrorType']], [400, { message }, 'BadRequestException'])
  }

  // Observed: AWS, 10-01-2024, recorded by localstack's test_api_gateway_request_validator.
  test('refuses missing parameters, all named in order', () => refused({ path: '/dev/checked/1' }, 'Missing required request parameters: [x-header-param, issuer, qs1]'))

  test('refuses a blank parameter', async () => {
    const got = await call({ method: 'POST', path: '/dev/checked/1?qs1=%20', headers: { 'X-Header-Param': 'y' } })
    assert.match(got.json.message, /\[issuer, qs1\]$/)
  })

  for (const body of ['{"name":"x"}', '{"name":"x","ttl":0}', '{"name":"x","ttl":"abc"}', '', '[]', '{bad']) {
    test(`refuses the body ${JSON.stringify(body)} by its draft-4 model`, () => refused({ method: 'PUT', path: '/dev/checked/1', body }, 'Invalid request body'))
  }

  test('passes a body that fits, and any body without a validator', async () => {
    assert.equal((await call({ method: 'PUT', path: '/dev/checked/1', body: '{"name":"x","ttl":1}' })).status, 200)
    assert.equal((await call({ method: 'PATCH', path: '/dev/checked/1', body: '{}' })).status, 200)
  })

  test('does not check a body of a content type without a model', async () => {
    assert.equal((await call({ method: 'PUT', path: '/dev/checked/1', body: '{"statusCode": 200}', headers: { 'content-type': 'text/csv' } })).status, 200)
  })

  test('refuses a body over 10 MB with 413', async () => {
    const got = await call({ method: 'POST', path: '/dev/through', body: Buffer.alloc(10 * 1024 * 1024 + 1) })
    assert.deepEqual([got.status, got.json], [413, { message: 'Request Too Long' }])
  })
})

describe('request template', () => {
  test('refuses a content type without a template: NEVER always, WHEN_NO_TEMPLATES when there is any', async () => {
    for (const path of ['/dev/never', '/dev/no-templates']) {
      const got = await call({ method: 'POST', path, body: '{}', headers: { 'content-type': 'application/json' } })
      assert.deepEqual([got.status, got.json], [415, { message: 'Unsupported Media Type' }])
    }
  })

  test('takes the template of the content type, whatever its parameters', async () => {
    const got = await call({ method: 'POST', path: '/dev/no-templates', body: 'hi', headers: { 'content-type': 'text/plain; charset=utf-8' } })
    assert.equal(String(got.invocations[0]!.payload), '{"text": "hi"}')
  })

  test('passes the body through when nothing matches, and an empty one as an empty object', async () => {
    assert.equal(String((await call({ method: 'POST', path: '/dev/through', body: '{"a": 1}' })).invocations[0]!.payload), '{"a": 1}')
    assert.equal(String((await call({ method: 'POST', path: '/dev/through' })).invocations[0]!.payload), '{}')
  })

  test('refuses a body that is not JSON with 400, by template and without', async () => {
    for (const given of [{ path: '/dev/through', body: '{"a": x}' }, { path: '/dev/catalog/register', headers: signed, body: '{"a": x}' }]) {
      const got = await call({ method: 'POST', ...given })
      assert.equal(got.status, 400)
      assert.match(got.json.message, /^Could not parse request body into json: Unrecognized token 'x': was expecting/)
      assert.equal(got.invocations.length, 0)
    }
  })

  test('a template that does not parse or fails is 500; the trace names template, line and column', async () => {
    const unparsable = await call({ path: '/dev/broken' })
    assert.deepEqual([unparsable.status, unparsable.json], [500, { message: 'Internal server error' }])
    assert.match(JSON.stringify(stepsOf(unparsable, 'request-template')), /request template of GET \/broken \(application\/json\).*expected #end.* at line 2, column 29/)
    assert.deepEqual(stepsOf(unparsable, 'execution-log'), [{ line: 'Execution failed due to configuration error: Unable to transform request' }])
    const failed = await call({ path: '/dev/broken', method: 'POST', body: '{"l":[1]}' })
    assert.equal(failed.status, 500)
    assert.deepEqual(stepsOf(failed, 'request-template')[0], { template: 'request template of POST /broken (application/json)', error: 'Index 3 out of bounds for length 1 at line 1, column 20', line: 1, column: 20 })
  })
})

describe('Lambda integrations', () => {
  const lookup = { path: '/dev/catalog/my%20service/1.0' }

  test('what Lambda called the request is known to response templates', async () => {
    const named = integration({ integrationResponses: { 200: { statusCode: '200', responseTemplates: { 'application/json': '$context.awsEndpointRequestId' } } } })
    const resources = [{ id: 'named', path: '/named', methods: { GET: method('GET', { methodIntegration: named }) } }]
    assert.equal((await call({ path: '/dev/named', snapshot: { resources } })).body, 'f1')
  })

  test('a function without permission is 500, and the log says Invalid permissions on Lambda function', async () => {
    for (const code of ['AccessDeniedException', 'ResourceNotFoundException']) {
      const got = await call({ ...lookup, stage: { methodSettings: { '*/*': { loggingLevel: 'ERROR' } as never } }, invoke: () => { throw new AwsError(code, 403, 'no') } })
      assert.deepEqual([got.status, got.json], [500, { message: 'Internal server error' }])
      assert.equal(got.logged[1], 'API-Gateway-Execution-Logs_api123/dev: Execution failed due to configuration error: Invalid permissions on Lambda function')
    }
  })

  test('a function that takes too long is 504 Endpoint request timed out', async () => {
    const got = await call({ ...lookup, clock: { ...systemClock, sleep: async () => {} }, invoke: () => new Promise(() => {}) })
    assert.deepEqual([got.status, got.json], [504, { message: 'Endpoint request timed out' }])
  })

  test('another failure to invoke is 500', async () => {
    assert.equal((await call({ ...lookup, invoke: () => { throw new AwsError('TooManyRequestsException', 429, 'Rate Exceeded.') } })).status, 500)
  })

  test('no default response and no match is 500; so is a status that the method does not have', async () => {
    const got = await call({ path: '/dev/no-default' })
    assert.equal(got.status, 500)
    assert.match(JSON.stringify(stepsOf(got, 'execution-log')), /No match for output mapping and no default output mapping configured\. Endpoint Response Status Code: 500/)
    assert.match(JSON.stringify(stepsOf(await call({ path: '/dev/no-method-response' }), 'execution-log')), /invalid method response: 202/)
    assert.equal((await call({ path: '/dev/no-integration' })).status, 500)
  })

  test('the catalog lookup: decoded parameters in, the function\'s answer out', async () => {
    const got = await call({ ...lookup, invoke: () => ({ payload: Buffer.from('{"endpoint_url":"x","ttl":300}') }) })
    assert.deepEqual([got.status, got.body, got.headers['Content-Type']], [200, '{"endpoint_url":"x","ttl":300}', 'application/json'])
    const [{ payload, functionArn, sourceArn, caller, type }] = got.invocations as [Invocation]
    assert.deepEqual(JSON.parse(String(payload)), { service_name: 'my service', service_version: '1.0' })
    assert.deepEqual([functionArn, sourceArn, type, caller.is === 'service' && caller.principal], [
      catalogArn, `arn:aws:execute-api:us-east-1:${accountId}:api123/dev/GET/catalog/{serviceName}/{serviceVersion}`, 'RequestResponse', 'apigateway.amazonaws.com',
    ])
    for (const name of ['x-amzn-RequestId', 'x-amz-apigw-id', 'X-Amzn-Trace-Id']) assert.ok(got.headers[name], name)
  })

  test('an error message that a pattern covers picks its response', async () => {
    const got = await call({ ...lookup, invoke: failing('NotFound: x') })
    assert.deepEqual([got.status, got.json], [404, { error_message: 'Service Not Found' }])
  })

  test('a pattern covers the whole message, and its dots no line end', async () => {
    assert.equal((await call({ ...lookup, invoke: failing('first\nNotFound') })).status, 200)
  })

  test('an error that nothing matches takes the default with the error object, and a pattern never matches a success', async () => {
    const got = await call({ path: '/dev/catalog/register', method: 'POST', headers: signed, body: '{"ttl": "abc"}', invoke: failing('invalid literal') })
    assert.deepEqual([got.status, got.json], [201, error('invalid literal')])
    assert.equal((await call({ ...lookup, invoke: () => ({ payload: Buffer.from('"NotFound"') }) })).status, 200)
  })

  test('stage variables and qualifiers in the URI', async () => {
    assert.equal((await call({ path: '/dev/staged' })).invocations[0]!.functionArn, `arn:aws:lambda:us-east-1:${accountId}:function:staged:live`)
  })
})

describe('Lambda proxy integrations', () => {
  const answering = (answer: unknown): Given => ({ path: '/dev/proxy/1', invoke: () => ({ payload: Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)) }) })

  // Observed: AWS, 15-11-2024, recorded by localstack's test_aws_proxy_response_payload_format_validation, where not said otherwise.
  const malformed: [says: string, answer: unknown][] = [
    ['an error object', error('x')], ['null', null], ['text', '"x"'], ['what is not JSON', 'x'], ['another member', { statusCode: 200, extra: 1 }],
    ['lists that are none', { multiValueHeaders: { a: 'b' } }], ['a body that is an object', { body: {} }], ['a status that is none', { statusCode: 'x' }],
    ['a number as header value', { headers: { a: 1 } }],
  ]
  for (const [says, answer] of malformed) {
    test(`answers 502 to ${says}`, async () => {
      const got = await call(answering(answer))
      assert.deepEqual([got.status, got.json], [502, { message: 'Internal server error' }])
    })
  }

  test('answers 502 when the function fails', async () => {
    assert.equal((await call({ path: '/dev/proxy/1', invoke: failing('x') })).status, 502)
  })

  test('headers alone are an answer; booleans print; lists make a line each; a status may be text', async () => {
    const got = await call(answering({ headers: { 'test-header': 'value', 'header-bool': true }, multiValueHeaders: { 'test-multi': ['value1', 'value2'] } }))
    assert.deepEqual([got.status, got.body, got.headers['Content-Type'], got.headers['header-bool'], got.headers['test-multi']], [200, '', 'application/json', 'true', ['value1', 'value2']])
    assert.equal((await call(answering({ statusCode: '201' }))).status, 201)
  })

  test('headers that belong to the connection are renamed or dropped, and what no header can be is left out', async () => {
    const got = await call(answering({ headers: { 'Content-Length': '99', connection: 'close', 'Transfer-Encoding': 'chunked', 'bad name': 'x', injected: 'a\r\nb: c', ok: 'é' } }))
    assert.deepEqual(Object.keys(got.headers).filter((name) => !/^x-amz-apigw-id|^x-amzn-(?:RequestId|Trace-Id)/i.test(name)), ['Content-Type', 'x-amzn-Remapped-Content-Length', 'x-amzn-Remapped-connection', 'ok'])
  })

  test('the function\'s own content type stands', async () => {
    const got = await call(answering({ statusCode: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }))
    assert.deepEqual([got.headers['content-type'], got.headers['Content-Type']], ['text/html', undefined])
  })

  test('base64 is undone for clients that accept a binary type of the API', async () => {
    const given = { ...answering({ body: 'aGk=', isBase64Encoded: true }), headers: { accept: 'image/png' } }
    assert.equal((await call(given)).body, 'aGk=')
    assert.equal((await call({ ...given, snapshot: { binaryMediaTypes: ['image/*'] } })).body, 'hi')
  })

  test('the event has the format 1.0', async () => {
    const got = await call({ ...answering({}), method: 'PUT', path: '/dev/proxy/a%2Fb?x=1&x=2&y=%20', headers: { 'X-One': '1', 'Content-Length': '3' }, body: 'abc' })
    const event = JSON.parse(String(got.invocations[0]!.payload))
    assert.deepEqual([event.resource, event.path, event.httpMethod, event.body, event.isBase64Encoded], ['/proxy/{id}', '/proxy/a%2Fb', 'PUT', 'abc', false])
    assert.deepEqual([event.pathParameters, event.queryStringParameters, event.multiValueQueryStringParameters], [{ id: 'a%2Fb' }, { x: '2', y: ' ' }, { x: ['1', '2'], y: [' '] }])
    assert.deepEqual([event.headers['X-One'], event.headers['Content-Length'], event.headers['X-Forwarded-For']], ['1', undefined, '192.0.2.1'])
    assert.deepEqual([event.stageVariables, event.requestContext.stage, event.requestContext.resourcePath, event.requestContext.identity.userArn], [stage.variables, 'dev', '/proxy/{id}', null])
    assert.equal(got.invocations[0]!.sourceArn, `arn:aws:execute-api:us-east-1:${accountId}:api123/dev/*/proxy/{id}`)
  })

  // Source: developer guide, "Content type conversions in API Gateway": text, unless the API says of the type that it is binary.
  test('a body of a binary type of the API travels as base64; any other is text, whatever its bytes', async () => {
    const given = { ...answering({}), method: 'PUT', body: Buffer.from([0xff, 0x00]), headers: { 'content-type': 'image/png' } }
    const event = async (binaryMediaTypes?: string[]) => JSON.parse(String((await call({ ...given, snapshot: { binaryMediaTypes } })).invocations[0]!.payload))
    const binary = await event(['image/png'])
    assert.deepEqual([binary.body, binary.isBase64Encoded], ['/wA=', true])
    const text = await event()
    assert.deepEqual([text.body, text.isBase64Encoded], ['\ufffd\0', false])
  })
})

describe('responses', () => {
  test('a page comes with the content type of its template', async () => {
    const got = await call({ path: '/dev/page' })
    assert.deepEqual([got.body, got.headers['Content-Type'], got.headers['X-Amzn-Trace-Id']], ['<p>dev blue</p>', 'text/html', undefined])
  })

  test('templates override status and headers', async () => {
    const got = await call({ path: '/dev/override' })
    assert.deepEqual([got.status, got.headers['X-Tea'], got.body], [418, ['a', 'b'], 'short'])
  })

  test('a gateway response put for a type, or for all of its class, takes the place of the default', async () => {
    const custom = { responseType: 'DEFAULT_4XX', responseParameters: { 'gatewayresponse.header.Access-Control-Allow-Origin': "'*'" }, responseTemplates: { 'application/json': '{"m":$context.error.messageString,"t":"$context.error.responseType","s":"${stageVariables.color}","n":"$context.nothing"}' } }
    const general = await call({ path: '/dev/nowhere', snapshot: { gatewayResponses: { DEFAULT_4XX: custom } } })
    assert.deepEqual([general.status, general.json, general.headers['Access-Control-Allow-Origin']], [403, { m: 'Missing Authentication Token', t: 'MISSING_AUTHENTICATION_TOKEN', s: 'blue', n: '' }, '*'])
    const own = { ...custom, responseType: 'MISSING_AUTHENTICATION_TOKEN', statusCode: '404', responseTemplates: { 'text/plain': 'gone' } }
    const particular = await call({ path: '/dev/nowhere', snapshot: { gatewayResponses: { DEFAULT_4XX: custom, MISSING_AUTHENTICATION_TOKEN: own } } })
    assert.deepEqual([particular.status, particular.body, particular.headers['Content-Type']], [404, 'gone', 'text/plain'])
  })
})

describe('traces', () => {
  const secret = { path: '/dev/catalog/register', method: 'POST', headers: signed, body: '{"secret":"hunter2"}', invoke: () => ({ payload: Buffer.from('{"secret":"hunter2"}') }) }

  test('name every step, and hold no body unless the stage or the server allows it', async () => {
    const got = await call(secret)
    assert.deepEqual(got.steps.map(({ step }) => step), ['route', 'authentication', 'signature', 'policy', 'request', 'request-template', 'integration', 'select-response', 'response'])
    assert.doesNotMatch(JSON.stringify(got.steps), /hunter2|printed|AWS4-HMAC/)
    assert.equal(got.facts.operation, 'POST api123/dev/catalog/register')
  })

  test('say which settings of the stage change nothing', async () => {
    const got = await call({ path: '/dev/page', stage: { cacheClusterEnabled: true, tracingEnabled: true } })
    assert.deepEqual(stepsOf(got, 'without-effect'), [{ settings: ['cacheClusterEnabled', 'tracingEnabled'] }])
  })

  test('hold bodies, template input and output and the function\'s log where data tracing is on', async () => {
    for (const given of [{ traceBodies: true }, { stage: { methodSettings: { '*/*': { dataTraceEnabled: true } as never } } }]) {
      const text = JSON.stringify((await call({ ...secret, ...given })).steps)
      assert.match(text, /hunter2/)
      assert.match(text, /printed/)
    }
  })
})

describe('a deployment', () => {
  test('is compiled once, not per request', async () => {
    const one = snapshot()
    let compilations = 0
    const api = createExecuteApi({
      snapshots: { findStage: async () => ({ stage, snapshot: one }), findApi: async () => undefined }, metering: unlimited,
      invoker: { invoke: async () => { throw new Error('not asked') } },
      authenticator: { begin: async () => { throw new Error('not asked') } }, authorizer: { decide: async () => { throw new Error('not asked') } }, roles: noRoles,
      clock: systemClock, random: systemRandom, log: { error: () => {} }, logs: { append: () => {} }, onTrace: () => {}, region: 'us-east-1', traceBodies: false, ...nothingBehind,
      onCompile: () => { compilations++ },
    })
    const headers = headersFromRaw(['host', 'api123.execute-api.localhost'])
    const request: HttpRequest = { method: 'GET', path: '/dev/page', rawQuery: '', headers, remoteAddress: '::1', isSecure: false, body: async () => Buffer.alloc(0) }
    for (let count = 0; count < 5; count++) assert.equal((await api.handle(request)).status, 200)
    assert.equal(compilations, 1)
  })
})
