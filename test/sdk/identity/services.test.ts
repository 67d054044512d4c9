// Services that act for others: roles that callers pass on to them, and functions that let them in only for whom they act.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { AddPermissionCommand, CreateFunctionCommand, RemovePermissionCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { newAccount, type TestAccount } from '#test/support/accounts.ts'
import { rawRequest, sendRaw } from '#test/support/raw-request.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { zip } from '#test/support/zip.ts'

const account = '000000000000'
const second = '222222222222'
const source = { 'index.mjs': 'export const handler = async () => ({ statusCode: 200, body: "done" })' }

async function withFunction(t: TestContext): Promise<{ server: TestServer, Role: string, FunctionArn: string, code: { ZipFile: Buffer } }> {
  const server = await startServer(t)
  const Role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
  const code = { ZipFile: await zip(source) }
  const { FunctionArn } = await server.lambda.send(new CreateFunctionCommand({ FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code: code }))
  return { server, Role, FunctionArn: FunctionArn!, code }
}

/** An open API whose one method calls the function. */
async function apiOf({ apigateway }: Pick<TestAccount, 'apigateway'>, functionArn: string): Promise<string> {
  const uri = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn}/invocations`
  const definition = { swagger: '2.0', info: { title: 'x', version: '1' }, paths: { '/': { get: { responses: { 200: { description: 'fine' } }, 'x-amazon-apigateway-integration': { type: 'aws_proxy', httpMethod: 'POST', uri } } } } }
  const { id } = await apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(definition)) }))
  await apigateway.send(new CreateDeploymentCommand({ restApiId: id!, stageName: 'dev' }))
  return id!
}

describe('iam:PassRole', () => {
  test('is asked for the role and the service that a role is passed to', async (t) => {
    const { server, Role, code } = await withFunction(t)
    const create = { Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code: code } as const
    const may = async (name: string, ...passing: object[]) => server.clients(await server.user(name, [{ Effect: 'Allow', Action: 'lambda:*', Resource: '*' }, ...passing])).lambda
    const pass = (service: string, Resource = Role) => ({ Effect: 'Allow', Action: 'iam:PassRole', Resource, Condition: { StringEquals: { 'iam:PassedToService': service } } })
    const refusal = (name: string) => `User: arn:aws:iam::${account}:user/${name} is not authorized to perform: iam:PassRole on resource: ${Role} because no identity-based policy allows the iam:PassRole action`
    for (const [name, ...passing] of [['none'], ['elsewhere', pass('apigateway.amazonaws.com')], ['another', pass('lambda.amazonaws.com', `${Role}2`)]] as const) {
      const lambda = await may(name, ...passing)
      await refuses(lambda.send(new CreateFunctionCommand({ ...create, FunctionName: name })), 403, 'AccessDeniedException', refusal(name))
      await refuses(lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Role })), 403, 'AccessDeniedException', refusal(name))
    }
    await (await may('passing', pass('lambda.amazonaws.com'))).send(new CreateFunctionCommand({ ...create, FunctionName: 'g' }))
  })
})

describe('API Gateway reaches a function', () => {
  test('only for the API and the account that the function\'s policy names', async (t) => {
    const { server, FunctionArn } = await withFunction(t)
    const other = await newAccount(server, second)
    const own = await apiOf(server, FunctionArn)
    const foreign = await apiOf(other, FunctionArn)
    const statuses = async () => Promise.all([own, foreign].map(async (apiId) => (await sendRaw(rawRequest({ target: '/dev/', host: `${apiId}.execute-api.localhost:${server.port}` }), { port: server.port })).status))
    const letIn = async (more: object) => {
      await server.lambda.send(new AddPermissionCommand({ FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', ...more }))
      const answered = await statuses()
      await server.lambda.send(new RemovePermissionCommand({ FunctionName: 'f', StatementId: 's' }))
      return answered
    }
    const arn = (accountId: string, apiId: string) => `arn:aws:execute-api:us-east-1:${accountId}:${apiId}/*/*/*`
    assert.deepEqual(await statuses(), [500, 500])
    assert.deepEqual(await letIn({ SourceAccount: account }), [200, 500])
    assert.deepEqual(await letIn({ SourceAccount: second }), [500, 200])
    assert.deepEqual(await letIn({ SourceArn: arn(account, own) }), [200, 500])
    assert.deepEqual(await letIn({ SourceArn: arn(second, foreign) }), [500, 200])
    assert.deepEqual(await letIn({ SourceArn: arn(account, foreign) }), [500, 500])
    assert.deepEqual(await letIn({ SourceArn: arn(account, own), SourceAccount: second }), [500, 500])
    assert.deepEqual(await letIn({ Principal: 'events.amazonaws.com' }), [500, 500])
  })
})
