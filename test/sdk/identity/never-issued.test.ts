// Keys that nobody was given: refused on every service, at every API and at the server's own paths, in header and in query form.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { CreateFunctionUrlConfigCommand } from '@aws-sdk/client-lambda'
import { presignQuery, type SigningCredentials } from '#aws/sigv4/sign.ts'
import { rawRequest, sendRaw, signRaw, type RawAnswer } from '#test/support/raw-request.ts'
import { newHttpApi, serverIntegration } from '#test/support/http-api.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from '../lambda/deploy.ts'

/** What emulators take, and what was never issued. The account of the last one is the server's own. */
const keys: readonly (readonly [name: string, SigningCredentials])[] = [
  ['test and test', { accessKeyId: 'test', secretAccessKey: 'test' }],
  ['an empty key', { accessKeyId: '', secretAccessKey: '' }],
  ['an unknown word', { accessKeyId: 'mock', secretAccessKey: 'mock' }],
  ['the account\'s own twelve digits', { accessKeyId: '000000000000', secretAccessKey: 'test' }],
  ['other twelve digits', { accessKeyId: '123456789012', secretAccessKey: '123456789012' }],
  ['a key of AWS\'s documentation', { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }],
  ['a key that was never issued', { accessKeyId: 'AKIAQAAAAAAAAAAAAAAA', secretAccessKey: 'a'.repeat(40) }],
  ['a session that was never begun', { accessKeyId: 'ASIAQAAAAAAAAAAAAAAA', secretAccessKey: 'a'.repeat(40) }],
  ['a session with a made-up token', { accessKeyId: 'ASIAQAAAAAAAAAAAAAAA', secretAccessKey: 'a'.repeat(40), sessionToken: 'test' }],
]

interface Target {
  service: string
  method: string
  target: string
  headers: Record<string, string>
  body: string
  host?: string
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const json = (version: string, name: string) => ({ 'Content-Type': `application/x-amz-json-${version}`, 'X-Amz-Target': name })

/** One operation of every service; each would answer 200 to whoever may call it. */
async function targetsOf(server: TestServer): Promise<Target[]> {
  const definition = { swagger: '2.0', info: { title: 'x', version: '1' }, paths: { '/': { post: {
    responses: { 200: { description: 'fine' } }, 'x-amazon-apigateway-auth': { type: 'aws_iam' },
    'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200' } } },
  } } } }
  const { id } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }))
  await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
  const { ApiId, host } = await newHttpApi(server, { routes: { 'GET /': { ...serverIntegration(`${server.endpoint}/_countersign/health`), route: { AuthorizationType: 'AWS_IAM' } } } })
  await deployNode(server, 'fn', 'export const handler = async () => 1')
  const { FunctionUrl } = await server.lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'fn', AuthType: 'AWS_IAM' }))
  return [
    { service: 'sts', method: 'POST', target: '/', headers: form, body: 'Action=GetCallerIdentity&Version=2011-06-15' },
    { service: 'iam', method: 'POST', target: '/', headers: form, body: 'Action=ListUsers&Version=2010-05-08' },
    { service: 'dynamodb', method: 'POST', target: '/', headers: json('1.0', 'DynamoDB_20120810.ListTables'), body: '{}' },
    { service: 'logs', method: 'POST', target: '/', headers: json('1.1', 'Logs_20140328.DescribeLogGroups'), body: '{}' },
    { service: 'lambda', method: 'GET', target: '/2015-03-31/functions', headers: {}, body: '' },
    { service: 'lambda', method: 'POST', target: '/2014-11-13/functions/fn/invoke-async/', headers: {}, body: '{}' },
    { service: 'lambda', method: 'GET', target: new URL(FunctionUrl!).pathname, headers: {}, body: '' },
    { service: 'apigateway', method: 'GET', target: '/restapis', headers: {}, body: '' },
    { service: 'apigateway', method: 'GET', target: '/v2/apis', headers: {}, body: '' },
    { service: 'countersign', method: 'GET', target: '/_countersign/events', headers: {}, body: '' },
    { service: 'execute-api', method: 'GET', target: '/', headers: {}, body: '', host },
    { service: 'execute-api', method: 'GET', target: `/_aws/execute-api/${ApiId}/`, headers: {}, body: '' },
    { service: 'countersign', method: 'GET', target: '/_countersign/accounts', headers: {}, body: '' },
    { service: 'execute-api', method: 'POST', target: '/dev/', headers: {}, body: '', host: `${id}.execute-api.localhost:${server.port}` },
    { service: 'execute-api', method: 'POST', target: `/_aws/execute-api/${id}/dev/`, headers: {}, body: '' },
    { service: 'execute-api', method: 'POST', target: `/restapis/${id}/dev/_user_request_/`, headers: {}, body: '' },
  ]
}

const byHeader = (server: TestServer, { service, host = `127.0.0.1:${server.port}`, ...parts }: Target, credentials: SigningCredentials): Promise<RawAnswer> =>
  sendRaw(signRaw(rawRequest({ ...parts, host }), { credentials, service }), { port: server.port })

function byQuery(server: TestServer, { service, method, target, headers, body, host = `127.0.0.1:${server.port}` }: Target, credentials: SigningCredentials): Promise<RawAnswer> {
  const rawQuery = presignQuery({ method, path: target, rawQuery: '', headers: { Host: host, ...headers }, body: Buffer.from(body), service, region: 'us-east-1', credentials, nowMs: Date.now(), expiresSeconds: 60 })
  return sendRaw(rawRequest({ method, target: `${target}?${rawQuery}`, headers, host, body }), { port: server.port })
}

describe('a key that was never issued', () => {
  for (const [name, credentials] of keys) {
    test(`is refused everywhere: ${name}`, async (t) => {
      const server = await startServer(t)
      for (const target of await targetsOf(server)) {
        for (const [how, send] of [['header', byHeader], ['query', byQuery]] as const) {
          const { status, text } = await send(server, target, credentials)
          const at = `${target.service} ${target.target} by ${how}: ${status} ${text}`
          assert.ok(status === 403 || status === 400, at)
          assert.match(text, /security token included in the request is invalid|Credential|Authorization|Missing Authentication Token|incomplete|^\{"message":"Forbidden"\}$/i, at)
        }
      }
    })
  }

  test('is refused where a good one is taken', async (t) => {
    const server = await startServer(t)
    for (const target of await targetsOf(server)) {
      for (const [how, send] of [['header', byHeader], ['query', byQuery]] as const) {
        const { status, text } = await send(server, target, server.credentials)
        assert.ok(status === 200 || status === 202, `${target.service} ${target.target} by ${how}: ${text}`)
      }
    }
  })
})
