// What stages log, read back from CloudWatch Logs: execution lines by level, access lines in the stage's format, and the role that both need.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  CreateApiKeyCommand, CreateDeploymentCommand, CreateUsagePlanCommand, CreateUsagePlanKeyCommand, GetAccountCommand, GetResourcesCommand, ImportRestApiCommand, UpdateStageCommand, type UsagePlan,
} from '@aws-sdk/client-api-gateway'
import { CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { allowLogging, loggingRole, namesRole } from '#test/support/logging-role.ts'
import { rawRequest, sendRaw, type RawAnswer } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'

const definition = JSON.stringify({
  swagger: '2.0', info: { title: 'logged', version: '1' },
  paths: {
    '/pets/{id}': {
      get: {
        responses: { 200: { description: 'fine' } },
        'x-amazon-apigateway-integration': {
          type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' },
          responses: { default: { statusCode: '200', responseTemplates: { 'application/json': '{"id":"$input.params(\'id\')"}' } } },
        },
      },
      delete: {
        responses: { 200: { description: 'fine' } },
        'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 500}' }, responses: { '2\\d{2}': { statusCode: '200' } } },
      },
      post: {
        'x-amazon-apigateway-api-key-required': true, security: [{ api_key: [] }], responses: { 200: { description: 'fine' } },
        'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200' } } },
      },
    },
  },
  securityDefinitions: { api_key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
})

interface Logged {
  server: TestServer
  restApiId: string
  patch(...operations: [path: string, value: string][]): Promise<unknown>
  call(method?: string, headers?: Record<string, string>): Promise<RawAnswer>
  lines(logGroupName: string): Promise<string[]>
}

async function logged(t: TestContext): Promise<Logged> {
  const server = await startServer(t)
  const { id: restApiId } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(definition) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: restApiId!, stageName: 'dev' }))
  return {
    server, restApiId: restApiId!,
    patch: (...operations) => server.apigateway.send(new UpdateStageCommand({
      restApiId, stageName: 'dev', patchOperations: operations.map(([path, value]) => ({ op: 'replace', path, value })),
    })),
    call: (method = 'GET', headers = {}) => sendRaw(rawRequest({
      method, target: '/dev/pets/7?a=1&a=2', host: `${restApiId}.execute-api.localhost:${server.port}`, body: method === 'GET' ? '' : '{"x":1}', headers,
    }), { port: server.port }),
    async lines(logGroupName) {
      const { events = [] } = await server.logs.send(new FilterLogEventsCommand({ logGroupName }))
      return events.map(({ message }) => message!)
    },
  }
}

describe('the role for logs', () => {
  test('is refused until it trusts API Gateway and may write, and needs iam:PassRole', async (t) => {
    const server = await startServer(t)
    const refusal = 'The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.'
    const elsewhere = await server.role('elsewhere', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    const idle = await server.role('idle', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:Get*', Resource: '*' }])
    for (const roleArn of [elsewhere, idle, 'arn:aws:iam::000000000000:role/nothere']) {
      await refuses(server.apigateway.send(namesRole(roleArn)), 400, 'BadRequestException', refusal)
    }
    const roleArn = await loggingRole(server)
    const author = server.clients(await server.user('author', [{ Effect: 'Allow', Action: 'apigateway:*', Resource: '*' }])).apigateway
    await refuses(author.send(namesRole(roleArn)), 403, 'AccessDeniedException', /iam:PassRole on resource: arn:aws:iam::000000000000:role\/logging/)
    assert.equal((await server.apigateway.send(namesRole(roleArn))).cloudwatchRoleArn, roleArn)
    assert.equal((await author.send(new GetAccountCommand({}))).cloudwatchRoleArn, roleArn)
  })

  test('is asked for before a stage logs', async (t) => {
    const { patch, server } = await logged(t)
    await refuses(patch(['/*/*/logging/loglevel', 'INFO']), 400, 'BadRequestException', 'CloudWatch Logs role ARN must be set in account settings to enable logging')
    await allowLogging(server)
    await patch(['/*/*/logging/loglevel', 'INFO'])
  })
})

describe('the execution log', () => {
  test('has AWS\'s lines: at ERROR of failures, at INFO of every request, with data tracing headers and bodies', async (t) => {
    const { call, lines, patch, restApiId, server } = await logged(t)
    await allowLogging(server)
    const group = `API-Gateway-Execution-Logs_${restApiId}/dev`
    await patch(['/*/*/logging/loglevel', 'ERROR'])
    await call()
    const failed = await call('DELETE')
    const id = failed.headers['x-amzn-requestid'] as string
    assert.deepEqual(await lines(group), [
      `(${id}) Extended Request Id: ${failed.headers['x-amz-apigw-id']}`,
      `(${id}) Execution failed due to configuration error: No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 500`,
      `(${id}) Method completed with status: 500`,
    ])
    await patch(['/*/*/logging/loglevel', 'INFO'])
    const plain = await call()
    const own = plain.headers['x-amzn-requestid'] as string
    // Source: logs published by users: a stage at INFO without data tracing.
    assert.deepEqual((await lines(group)).filter((line) => line.startsWith(`(${own})`)).map((line) => line.slice(39)), [
      `Extended Request Id: ${plain.headers['x-amz-apigw-id']}`,
      `Verifying Usage Plan for request: ${own}. API Key:  API Stage: ${restApiId}/dev`,
      'API Key  authorized because method \'GET /pets/{id}\' does not require API Key. Request will not contribute to throttle or quota limits',
      `Usage Plan check succeeded for API Key  and API Stage ${restApiId}/dev`,
      `Starting execution for request: ${own}`,
      'HTTP Method: GET, Resource Path: /pets/7',
      'Successfully completed execution',
      'Method completed with status: 200',
    ])
    await patch(['/*/*/logging/dataTrace', 'true'])
    const traced = await call('GET', { authorization: 'Bearer 0123456789abcdef', 'x-long': 'y'.repeat(2000) })
    const shown = (await lines(group)).filter((line) => line.startsWith(`(${traced.headers['x-amzn-requestid'] as string})`)).map((line) => line.slice(39))
    assert.ok(shown.includes('Method request path: {id=7}') && shown.includes('Method request query string: {a=1,2}'))
    const headers = shown.find((line) => line.startsWith('Method request headers: '))!
    assert.match(headers, /authorization=\*{17}abcdef/)
    assert.deepEqual([headers.length, headers.endsWith('y [TRUNCATED]')], [1024 + ' [TRUNCATED]'.length, true])
    assert.ok(shown.includes('Method response body after transformations: {"id":"7"}'))
  })

  /** Source: AWS re:Post, "How can I troubleshoot 429 errors for API Gateway"; logs published by users. */
  test('names limits with their figures, and keys by their last characters', async (t) => {
    const { call, lines, patch, restApiId, server } = await logged(t)
    const group = `API-Gateway-Execution-Logs_${restApiId}/dev`
    const { items = [] } = await server.apigateway.send(new GetResourcesCommand({ restApiId }))
    const resourceId = items.find(({ path }) => path === '/pets/{id}')!.id!
    await allowLogging(server)
    await patch(['/*/*/logging/loglevel', 'INFO'], ['/*/*/logging/dataTrace', 'true'])
    const keyed = async (value: string, plan: UsagePlan) => {
      const { id: planId } = await server.apigateway.send(new CreateUsagePlanCommand({ name: value, apiStages: [{ apiId: restApiId, stage: 'dev' }], ...plan }))
      const { id: keyId } = await server.apigateway.send(new CreateApiKeyCommand({ value, enabled: true }))
      await server.apigateway.send(new CreateUsagePlanKeyCommand({ usagePlanId: planId!, keyId: keyId!, keyType: 'API_KEY' }))
      const shown = async () => {
        const answer = await call('POST', { 'x-api-key': value, 'content-type': 'application/json' })
        return { status: answer.status, lines: (await lines(group)).filter((line) => line.includes(answer.headers['x-amzn-requestid'] as string)).map((line) => line.slice(39)) }
      }
      return { planId: planId!, keyId: keyId!, shown }
    }

    const throttled = await keyed('throttled-0123456789', { throttle: { rateLimit: 0.01, burstLimit: 1 } })
    const first = await throttled.shown()
    const name = `${'*'.repeat(14)}456789`
    assert.equal(first.status, 200)
    assert.deepEqual(first.lines.filter((line) => line.includes('Key') && !line.startsWith('Verifying')), [
      `Usage Plan check succeeded for API Key ${name} and API Stage ${restApiId}/dev`, `API Key: ${name}`, `API Key ID: ${throttled.keyId}`,
    ])
    assert.ok(first.lines.some((line) => line.startsWith('Method request headers: ') && line.includes(`x-api-key=${name}`)))
    const second = await throttled.shown()
    assert.equal(second.status, 429)
    assert.deepEqual(second.lines.slice(2), [
      `API Key ${name} exceeded throttle limit for API Stage ${restApiId}/dev: Key throttle limit exceeded for Usage Plan ID ${throttled.planId}, `
        + `RestApi ${restApiId}, Stage dev, Resource ${resourceId}, HttpMethod POST. Limit: 0.01 Burst: 1`,
      'Method completed with status: 429',
    ])

    const limited = await keyed('exhausted-9876543210', { quota: { limit: 1, period: 'DAY' } })
    await limited.shown()
    assert.equal((await limited.shown()).lines.at(-2),
      `API Key ${'*'.repeat(14)}543210 exceeded quota limit for API Stage ${restApiId}/dev: Key quota exhausted for Usage Plan ID ${limited.planId}. Limit: 1 Period: DAY`)

    await patch(['/*/*/throttling/rateLimit', '0.01'], ['/*/*/throttling/burstLimit', '1'])
    await call('GET')
    const refused = await call('GET')
    const own = (await lines(group)).filter((line) => line.includes(refused.headers['x-amzn-requestid'] as string)).map((line) => line.slice(39))
    assert.deepEqual([refused.status, own.at(-2)],
      [429, `Key throttle limit exceeded for RestApi ${restApiId}, Stage dev, Resource ${resourceId}, HttpMethod GET. Limit: 0.01 Burst: 1`])
  })

  /** Source: API Gateway developer guide, "Set up CloudWatch logging for REST APIs": bodies that are too large leave no log. */
  test('has nothing of a body that is too large', async (t) => {
    const { call, lines, patch, restApiId, server } = await logged(t)
    await allowLogging(server)
    await patch(['/*/*/logging/loglevel', 'INFO'])
    const answer = await call('GET', { 'content-length': String(10 * 1024 * 1024 + 1) })
    assert.equal(answer.status, 413)
    await call()
    const all = await lines(`API-Gateway-Execution-Logs_${restApiId}/dev`)
    assert.ok(all.length > 0 && all.every((line) => !line.includes(answer.headers['x-amzn-requestid'] as string)))
  })
})

describe('the access log', () => {
  test('has one line for each request of the stage, whatever became of it', async (t) => {
    const { call, lines, patch, restApiId, server } = await logged(t)
    await allowLogging(server)
    await server.logs.send(new CreateLogGroupCommand({ logGroupName: 'access' }))
    const format = '{"id":"$context.requestId","xid":"$context.extendedRequestId","api":"$context.apiId","stage":"$context.stage","method":"$context.httpMethod",'
      + '"path":"$context.path","resource":"$context.resourcePath","status":"$context.status","length":"$context.responseLength","protocol":"$context.protocol",'
      + '"ip":"$context.identity.sourceIp","caller":"$context.identity.caller","latency":"$context.responseLatency","error":"$context.error.message",'
      + '"type":"$context.error.responseType","integration":"$context.integration.integrationStatus","waf":"$context.wafResponseCode","ray":"$context.xrayTraceId"}'
    await patch(['/accessLogSettings/destinationArn', 'arn:aws:logs:us-east-1:000000000000:log-group:access'], ['/accessLogSettings/format', format])
    const fine = await call()
    const missing = await call('PUT')
    const [first, second] = (await lines('access')).map((line) => JSON.parse(line) as Record<string, string>)
    const { latency, ...rest } = first!
    assert.match(latency!, /^\d+$/)
    assert.deepEqual(rest, {
      id: fine.headers['x-amzn-requestid'], xid: fine.headers['x-amz-apigw-id'], api: restApiId, stage: 'dev', method: 'GET', path: '/dev/pets/7',
      resource: '/pets/{id}', status: '200', length: '10', protocol: 'HTTP/1.1', ip: '127.0.0.1', caller: '-', error: '-', type: '-', integration: '200', waf: '-', ray: '-',
    })
    assert.deepEqual([second!.status, second!.error, second!.type, second!.resource, second!.integration], ['403', 'Missing Authentication Token', 'MISSING_AUTHENTICATION_TOKEN', '-', '-'])
    assert.equal(second!.id, missing.headers['x-amzn-requestid'])
  })
})
