// `$context` by name: every variable that the developer guide lists, in mapping templates and in access logs, of a signed call with a key.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CreateApiKeyCommand, CreateDeploymentCommand, CreateUsagePlanCommand, CreateUsagePlanKeyCommand, GetResourcesCommand, ImportRestApiCommand, UpdateAccountCommand, UpdateStageCommand,
} from '@aws-sdk/client-api-gateway'
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { rawRequest, sendRaw, signRaw } from '#test/support/raw-request.ts'
import { startServer } from '#test/support/server.ts'

interface Variable {
  name: string
  /** What is expected of it, given what the test knows. `RegExp` where it changes. */
  is: (known: Known) => string | RegExp
  /** Only templates or only access logs have it. */
  only?: 'templates' | 'logs'
  /** An access log shows something else. */
  logged?: (known: Known) => string | RegExp
}

interface Known {
  apiId: string
  resourceId: string
  deploymentId: string
  requestId: string
  extendedRequestId: string
  accessKeyId: string
  userArn: string
  keyId: string
  key: string
  host: string
}

const constant = (text: string) => () => text
const missing = constant('')

/** Source: developer guide, "Variables for data transformations for API Gateway" and "Variables for access logging for API Gateway". */
const variables: Variable[] = [
  { name: 'accountId', is: constant('000000000000') },
  { name: 'apiId', is: ({ apiId }) => apiId },
  { name: 'deploymentId', is: ({ deploymentId }) => deploymentId },
  { name: 'domainName', is: ({ host }) => host },
  { name: 'domainPrefix', is: ({ apiId }) => apiId },
  { name: 'extendedRequestId', is: ({ extendedRequestId }) => extendedRequestId },
  { name: 'httpMethod', is: constant('GET') },
  { name: 'path', is: constant('/dev/vars/7') },
  { name: 'protocol', is: constant('HTTP/1.1') },
  { name: 'requestId', is: ({ requestId }) => requestId },
  { name: 'requestTime', is: () => /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/ },
  { name: 'requestTimeEpoch', is: () => /^\d{13}$/ },
  { name: 'resourceId', is: ({ resourceId }) => resourceId },
  { name: 'resourcePath', is: constant('/vars/{id}') },
  { name: 'stage', is: constant('dev') },
  { name: 'identity.accountId', is: constant('000000000000') },
  // Ours: the value of a key enters no log.
  { name: 'identity.apiKey', is: ({ key }) => key, logged: ({ key }) => `${'*'.repeat(key.length - 6)}${key.slice(-6)}` },
  { name: 'identity.apiKeyId', is: ({ keyId }) => keyId },
  { name: 'identity.caller', is: () => /^AIDA/ },
  { name: 'identity.user', is: () => /^AIDA/ },
  { name: 'identity.userArn', is: ({ userArn }) => userArn },
  { name: 'identity.accessKey', is: ({ accessKeyId }) => accessKeyId },
  { name: 'identity.sourceIp', is: constant('127.0.0.1') },
  { name: 'identity.userAgent', is: constant('variables/1') },
  { name: 'identity.cognitoAuthenticationProvider', is: missing },
  { name: 'identity.cognitoAuthenticationType', is: missing },
  { name: 'identity.cognitoIdentityId', is: missing },
  { name: 'identity.cognitoIdentityPoolId', is: missing },
  { name: 'identity.principalOrgId', is: missing },
  { name: 'identity.clientCert.clientCertPem', is: missing },
  { name: 'identity.clientCert.subjectDN', is: missing },
  { name: 'identity.clientCert.issuerDN', is: missing },
  { name: 'identity.clientCert.serialNumber', is: missing },
  { name: 'identity.clientCert.validity.notBefore', is: missing },
  { name: 'identity.clientCert.validity.notAfter', is: missing },
  { name: 'identity.vpcId', is: missing },
  { name: 'identity.vpceId', is: missing },
  { name: 'authorizer.principalId', is: missing },
  { name: 'authorizer.property', is: missing },
  { name: 'authorizer.claims.sub', is: missing },
  { name: 'awsEndpointRequestId', is: missing },
  { name: 'error.message', is: missing },
  { name: 'error.messageString', is: missing },
  { name: 'error.responseType', is: missing },
  { name: 'error.validationErrorString', is: missing },
  { name: 'isCanaryRequest', is: missing },
  { name: 'requestOverride.header.x-a', is: constant('over') },
  { name: 'requestOverride.path.id', is: constant('8') },
  { name: 'requestOverride.querystring.q', is: constant('1') },
  { name: 'responseOverride.header.x-b', is: constant('back') },
  { name: 'responseOverride.status', is: constant('202') },
  { name: 'wafResponseCode', is: missing },
  { name: 'webaclArn', is: missing },
  { name: 'authenticate.error', is: missing, only: 'logs' },
  { name: 'authenticate.latency', is: () => /^\d+$/, only: 'logs' },
  { name: 'authenticate.status', is: constant('200'), only: 'logs' },
  { name: 'authorize.error', is: missing, only: 'logs' },
  { name: 'authorize.latency', is: () => /^\d+$/, only: 'logs' },
  { name: 'authorize.status', is: constant('200'), only: 'logs' },
  { name: 'authorizer.error', is: missing, only: 'logs' },
  { name: 'authorizer.integrationLatency', is: missing, only: 'logs' },
  { name: 'authorizer.integrationStatus', is: missing, only: 'logs' },
  { name: 'authorizer.latency', is: missing, only: 'logs' },
  { name: 'authorizer.requestId', is: missing, only: 'logs' },
  { name: 'authorizer.status', is: missing, only: 'logs' },
  { name: 'awsEndpointRequestId2', is: missing, only: 'logs' },
  { name: 'customDomain.basePathMatched', is: missing, only: 'logs' },
  { name: 'endpointType', is: constant('EDGE'), only: 'logs' },
  { name: 'integration.error', is: missing, only: 'logs' },
  { name: 'integration.integrationStatus', is: constant('200'), only: 'logs' },
  { name: 'integration.latency', is: missing, only: 'logs' },
  { name: 'integration.requestId', is: missing, only: 'logs' },
  { name: 'integration.status', is: missing, only: 'logs' },
  { name: 'integrationErrorMessage', is: missing, only: 'logs' },
  { name: 'integrationLatency', is: missing, only: 'logs' },
  { name: 'integrationStatus', is: constant('200'), only: 'logs' },
  { name: 'responseLatency', is: () => /^\d+$/, only: 'logs' },
  { name: 'responseLength', is: () => /^\d{4}$/, only: 'logs' },
  { name: 'status', is: constant('202'), only: 'logs' },
  { name: 'tlsVersion', is: missing, only: 'logs' },
  { name: 'cipherSuite', is: missing, only: 'logs' },
  { name: 'waf.error', is: missing, only: 'logs' },
  { name: 'waf.latency', is: missing, only: 'logs' },
  { name: 'waf.status', is: missing, only: 'logs' },
  { name: 'xrayTraceId', is: missing, only: 'logs' },
]

/** A JSON object with every variable as text. */
const objectOf = (chosen: readonly Variable[]): string => `{${chosen.map(({ name }) => `"${name}":"$context.${name}"`).join(',')}}`

const inTemplates = variables.filter(({ only }) => only !== 'logs')
const template = `#set($context.requestOverride.header["x-a"] = "over")#set($context.requestOverride.path.id = "8")#set($context.requestOverride.querystring.q = "1")`
  + `#set($context.responseOverride.header["x-b"] = "back")#set($context.responseOverride.status = 202)${objectOf(inTemplates)}`

function check(variable: Variable, shown: string, known: Known, place: 'template' | 'log'): void {
  const expected = (place === 'log' && variable.logged ? variable.logged : variable.is)(known)
  if (expected instanceof RegExp) assert.match(shown, expected, `${variable.name} in a ${place}`)
  else assert.equal(shown, expected === '' && place === 'log' ? '-' : expected, `${variable.name} in a ${place}`)
}

async function called(t: TestContext): Promise<{ template: Record<string, string>, log: Record<string, string>, known: Known }> {
  const server = await startServer(t)
  const { apigateway } = server
  const definition = {
    swagger: '2.0', info: { title: 'variables', version: '1' }, securityDefinitions: { key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
    paths: { '/vars/{id}': { get: {
      responses: { 200: { description: 'fine' } }, security: [{ key: [] }], 'x-amazon-apigateway-auth': { type: 'aws_iam' },
      'x-amazon-apigateway-integration': {
        type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' },
        responses: { default: { statusCode: '200', responseTemplates: { 'application/json': template } } },
      },
    } } },
  }
  const { id: restApiId } = await apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }))
  const { id: deploymentId } = await apigateway.send(new CreateDeploymentCommand({ restApiId: restApiId!, stageName: 'dev' }))
  const { items = [] } = await apigateway.send(new GetResourcesCommand({ restApiId }))
  const { id: usagePlanId } = await apigateway.send(new CreateUsagePlanCommand({ name: 'plan', apiStages: [{ apiId: restApiId, stage: 'dev' }] }))
  const { id: keyId, value: key } = await apigateway.send(new CreateApiKeyCommand({ name: 'key', enabled: true }))
  await apigateway.send(new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: 'API_KEY' }))
  const roleArn = await server.role('logging', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
  await apigateway.send(new UpdateAccountCommand({ patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value: roleArn }] }))
  // A format has 3 KB, and the names are longer than that.
  const names = (from: number, to: number) => `{"requestId":"$context.requestId",${objectOf(variables.slice(from, to)).slice(1)}`
  const log: Record<string, string> = {}
  const credentials = await server.user('caller', [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }])
  const host = `${restApiId}.execute-api.localhost`
  const half = Math.ceil(variables.length / 2)
  let known: Known | undefined
  let shown: Record<string, string> = {}
  for (const format of [names(0, half), names(half, variables.length)]) {
    await apigateway.send(new UpdateStageCommand({ restApiId, stageName: 'dev', patchOperations: [
      { op: 'replace', path: '/accessLogSettings/destinationArn', value: 'arn:aws:logs:us-east-1:000000000000:log-group:access' },
      { op: 'replace', path: '/accessLogSettings/format', value: format },
    ] }))
    const request = rawRequest({ method: 'GET', target: '/dev/vars/7', host: `${host}:${server.port}`, body: '', headers: { 'x-api-key': key!, 'user-agent': 'variables/1' } })
    const answer = await sendRaw(signRaw(request, { credentials, service: 'execute-api' }), { port: server.port })
    assert.deepEqual([answer.status, answer.headers['x-b']], [202, 'back'])
    shown = JSON.parse(answer.text) as Record<string, string>
    known = {
      apiId: restApiId!, deploymentId: deploymentId!, resourceId: items.find(({ path }) => path === '/vars/{id}')!.id!, host, keyId: keyId!, key: key!,
      requestId: answer.headers['x-amzn-requestid'] as string, extendedRequestId: answer.headers['x-amz-apigw-id'] as string,
      accessKeyId: credentials.accessKeyId, userArn: 'arn:aws:iam::000000000000:user/caller',
    }
    const { events = [] } = await server.logs.send(new FilterLogEventsCommand({ logGroupName: 'access' }))
    const line = JSON.parse(events.at(-1)!.message!) as Record<string, string>
    for (const [name, value] of Object.entries(line)) log[name] = value
    // Of the first of both calls the ids are checked here, as the second has its own.
    for (const variable of variables) if (Object.hasOwn(line, variable.name)) check(variable, line[variable.name]!, known, 'log')
  }
  return { template: shown, log, known: known! }
}

test('$context has every documented variable, in templates and in access logs; what is not served here prints nothing, in a log a hyphen', async (t) => {
  const { template: shown, log, known } = await called(t)
  for (const variable of inTemplates) check(variable, shown[variable.name]!, known, 'template')
  assert.deepEqual(variables.map(({ name }) => name).filter((name) => !Object.hasOwn(log, name)), [])
})
