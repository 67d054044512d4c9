// How a method's integration invokes its function: as a request or as an event, which is kept; and what is too large for either.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { APIGatewayClient, CreateDeploymentCommand, GetResourcesCommand, ImportRestApiCommand, TestInvokeMethodCommand } from '@aws-sdk/client-api-gateway'
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda'
import { startProcess } from '#test/support/process.ts'
import { rawRequest, sendRaw } from '#test/support/raw-request.ts'
import { startServer, type Clients } from '#test/support/server.ts'
import { archiveOf, deployNode } from '../lambda/deploy.ts'

const account = '000000000000'
const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:${account}:function:f/invocations`
/** Says what it got, and answers it. */
const says = 'export const handler = async (event) => { console.log("GOT " + JSON.stringify(event).slice(0, 40)); return event }'
const type = 'integration.request.header.X-Amz-Invocation-Type'
const answers = { default: { statusCode: '202' } }
const operation = (integration: object) => ({
  parameters: [{ name: 'InvocationType', in: 'header', type: 'string', required: false }],
  responses: { 200: { description: 'fine' }, 202: { description: 'accepted' } },
  'x-amazon-apigateway-integration': { type: 'aws', httpMethod: 'POST', uri, responses: answers, ...integration },
})

type Deploying = Pick<Clients, 'apigateway' | 'lambda'>

/** Deploys methods that invoke `f`, which lets API Gateway in unless `role` does. */
async function deploy({ apigateway, lambda }: Deploying, role?: string) {
  const paths = {
    // Source: API Gateway developer guide, "Set up asynchronous invocation of the backend Lambda function": always, or as the client says.
    '/event': { post: operation({ requestParameters: { [type]: "'Event'" } }) },
    '/any': { post: operation({ requestParameters: { [type]: 'method.request.header.InvocationType' } }) },
    '/template': { post: operation({ requestTemplates: { 'application/json': '#set($context.requestOverride.header.X-Amz-Invocation-Type = "Event"){"from":"template"}' } }) },
    ...(role === undefined ? {} : { '/role': { post: operation({ credentials: role, requestParameters: { [type]: 'method.request.header.InvocationType' } }) } }),
    '/proxy': { post: operation({ type: 'aws_proxy', responses: undefined }) },
  }
  const body = Buffer.from(JSON.stringify({ swagger: '2.0', info: { title: 'types', version: '1' }, paths }))
  const { id: restApiId = '' } = await apigateway.send(new ImportRestApiCommand({ body }))
  await apigateway.send(new CreateDeploymentCommand({ restApiId, stageName: 'dev' }))
  const permit = () => lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }))
  return { restApiId, permit }
}

async function post(port: number, restApiId: string, path: string, body: string, invocationType?: string) {
  const headers = invocationType === undefined ? {} : { InvocationType: invocationType }
  const { status, text, headers: answered } = await sendRaw(rawRequest({ method: 'POST', target: `/dev${path}`, host: `${restApiId}.execute-api.localhost:${port}`, body, headers }), { port })
  return { status, text, errorType: answered['x-amzn-errortype'] }
}

/** What the function said it got, once it is so much. */
async function got({ logs }: Pick<Clients, 'logs'>, count: number): Promise<unknown[]> {
  for (let tries = 0; tries < 500; tries++) {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/f', filterPattern: 'GOT' })).catch(() => ({ events: [] }))
    if (events.length >= count) return events.map(({ message }) => JSON.parse(/GOT (.*)/.exec(message!)![1]!))
    await sleep(20)
  }
  throw new Error(`the function did not get ${count} events`)
}

const text = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`

describe('a method that invokes its function', () => {
  test('runs nothing without permission, for a type that is none, and for a dry run without a role', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    const role = await server.role('invoking', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }])
    const { restApiId, permit } = await deploy(server, role)
    assert.deepEqual(await post(server.port, restApiId, '/event', '{}'), { status: 500, text: '{"message":"Internal server error"}', errorType: 'InternalServerErrorException' })
    await permit()
    for (const path of ['/any', '/role']) assert.equal((await post(server.port, restApiId, path, '{"type":"none"}', 'event')).status, 500)
    const dry = await post(server.port, restApiId, '/any', '{"dry":1}', 'DryRun')
    assert.equal(dry.status, 501)
    assert.match(dry.text, /DryRun/)
    // In the name of a role it is an Invoke as any other.
    assert.deepEqual(await post(server.port, restApiId, '/role', '{"dry":2}', 'DryRun'), { status: 202, text: '', errorType: undefined })
    assert.equal((await post(server.port, restApiId, '/any', '{"ran":true}', 'RequestResponse')).text, '{"ran":true}')
    assert.deepEqual(await got(server, 1), [{ ran: true }])
  })

  test('is answered 413 for what the function cannot take', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    const role = await server.role('invoking', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }])
    const { restApiId, permit } = await deploy(server, role)
    await permit()
    // Source: koki-develop/lgtm-generator issue 10: status, body and error type of AWS's answer.
    const tooLong = { status: 413, text: '{"message":"Request Too Long"}', errorType: 'BadRequestException' }
    assert.deepEqual(await post(server.port, restApiId, '/event', text(1_048_577)), tooLong)
    assert.deepEqual(await post(server.port, restApiId, '/any', text(6_291_457)), tooLong)
    assert.deepEqual(await post(server.port, restApiId, '/role', text(6_291_457)), tooLong)
    assert.deepEqual(await post(server.port, restApiId, '/proxy', text(6_291_457)), tooLong)
    assert.equal((await post(server.port, restApiId, '/event', text(1_048_576))).status, 202)
    const { items = [] } = await server.apigateway.send(new GetResourcesCommand({ restApiId }))
    const resourceId = items.find(({ path }) => path === '/event')!.id!
    const { status, log } = await server.apigateway.send(new TestInvokeMethodCommand({ restApiId, resourceId, httpMethod: 'POST', body: text(1_048_577) }))
    assert.equal(status, 413)
    assert.match(log!, /Execution failed: 1048577 byte payload is too large for the Event invocation type \(limit 1048576 bytes\)/)
  })

  test('hands over events, by mapping, by template, as the client says, by a role, and when it is tried out', async (t) => {
    const server = await startServer(t)
    await deployNode(server, 'f', says)
    const role = await server.role('invoking', 'apigateway.amazonaws.com', [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }])
    const { restApiId, permit } = await deploy(server, role)
    await permit()
    const accepted = { status: 202, text: '', errorType: undefined }
    assert.deepEqual(await post(server.port, restApiId, '/event', '{"n":1}'), accepted)
    assert.deepEqual(await post(server.port, restApiId, '/any', '{"n":2}', 'Event'), accepted)
    assert.deepEqual(await post(server.port, restApiId, '/role', '{"n":3}', 'Event'), accepted)
    assert.deepEqual(await post(server.port, restApiId, '/template', '{}'), accepted)
    const { items = [] } = await server.apigateway.send(new GetResourcesCommand({ restApiId }))
    const resourceId = items.find(({ path }) => path === '/event')!.id!
    const tried = await server.apigateway.send(new TestInvokeMethodCommand({ restApiId, resourceId, httpMethod: 'POST', body: '{"n":4}' }))
    assert.deepEqual([tried.status, tried.body ?? ''], [202, ''])
    assert.match(tried.log!, /Received response\. Status: 202/)
    const events = (await got(server, 5)).map((event) => JSON.stringify(event)).toSorted()
    assert.deepEqual(events, ['{"from":"template"}', '{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}'])
  })

  test('keeps an event that it has answered 202 for: the server is killed and the function gets it after', async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'countersign-events-'))
    t.after(() => rmSync(dataDir, { recursive: true, force: true }))
    const start = async () => {
      const server = await startProcess({ dataDir })
      const options = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials }
      return {
        ...server, port: Number(new URL(server.endpoint).port),
        apigateway: new APIGatewayClient(options), iam: new IAMClient(options), lambda: new LambdaClient(options), logs: new CloudWatchLogsClient(options),
      }
    }
    const first = await start()
    const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] })
    const { Role } = await first.iam.send(new CreateRoleCommand({ RoleName: 'function', AssumeRolePolicyDocument: trust }))
    await first.iam.send(new PutRolePolicyCommand({
      RoleName: 'function', PolicyName: 'logs', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }] }),
    }))
    await first.lambda.send(new CreateFunctionCommand({
      FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: Role!.Arn, Timeout: 30,
      // So slow that none has said anything when the server is killed.
      Code: { ZipFile: await archiveOf({ 'index.mjs': `await new Promise((done) => setTimeout(done, 1000))\n${says}` }) },
    }))
    await waitUntilFunctionActiveV2({ client: first.lambda, maxWaitTime: 10 }, { FunctionName: 'f' })
    const { restApiId, permit } = await deploy(first)
    await permit()
    for (let n = 1; n <= 3; n++) assert.equal((await post(first.port, restApiId, '/event', JSON.stringify({ n }))).status, 202)
    await first.end('SIGKILL')
    const second = await start()
    const events = (await got(second, 3)) as { n: number }[]
    // At least once: what ran just before may run again.
    assert.deepEqual([...new Set(events.map(({ n }) => n))].toSorted((a, b) => a - b), [1, 2, 3])
    await second.end('SIGTERM')
  })
})
