// Access by tags: those of the caller, of the request and of the resource, at every service that has tags.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CreateRestApiCommand, GetRestApiCommand, GetResourcesCommand, TagResourceCommand as TagApiCommand } from '@aws-sdk/client-api-gateway'
import { CreateLogGroupCommand, DescribeLogStreamsCommand, TagResourceCommand as TagGroupCommand } from '@aws-sdk/client-cloudwatch-logs'
import { CreateUserCommand, DeleteUserCommand, TagUserCommand, UntagUserCommand } from '@aws-sdk/client-iam'
import { CreateFunctionCommand, GetFunctionCommand, TagResourceCommand as TagFunctionCommand, UntagResourceCommand as UntagFunctionCommand } from '@aws-sdk/client-lambda'
import { startServer } from '#test/support/server.ts'
import { zip } from '#test/support/zip.ts'

const denial = /is not authorized to perform: /
const denied = (call: Promise<unknown>) => assert.rejects(call, denial)

describe('a policy on tags decides', () => {
  test('what may be made, by the tags of the request and their keys', async (t) => {
    const server = await startServer(t)
    const condition = { StringEquals: { 'aws:RequestTag/team': 'red' }, 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'site'] } }
    const Role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    const { iam, lambda, logs, apigateway } = server.clients(await server.user('maker', [
      { Effect: 'Allow', Action: ['iam:CreateUser', 'iam:TagUser', 'lambda:CreateFunction', 'lambda:TagResource', 'logs:CreateLogGroup', 'apigateway:POST'], Resource: '*', Condition: condition },
      { Effect: 'Allow', Action: 'iam:PassRole', Resource: '*' },
    ]))
    const code = { Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code: { ZipFile: await zip({ 'index.mjs': 'export const handler = async () => 1' }) } } as const
    const make = async (name: string, tags: Record<string, string>) => {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
      return Promise.allSettled([
        iam.send(new CreateUserCommand({ UserName: name, Tags })),
        lambda.send(new CreateFunctionCommand({ ...code, FunctionName: name, Tags: tags })),
        logs.send(new CreateLogGroupCommand({ logGroupName: name, ...(Tags.length > 0 && { tags }) })),
        apigateway.send(new CreateRestApiCommand({ name, tags })),
      ])
    }
    for (const tags of [{}, { team: 'blue' }, { team: 'red', secret: '1' }] as Record<string, string>[]) {
      for (const made of await make('one', tags)) assert.ok(made.status === 'rejected' && denial.test(String(made.reason)), `${JSON.stringify(tags)}: ${made.status === 'rejected' ? String(made.reason) : 'made'}`)
    }
    for (const made of await make('two', { team: 'red', site: 'A' })) assert.equal(made.status, 'fulfilled', made.status === 'rejected' ? String(made.reason) : '')
    for (const made of await make('three', { TEAM: 'red' })) assert.equal(made.status, 'rejected')
  })

  test('what may be touched, by the tags of the resource, as they are now', async (t) => {
    const server = await startServer(t)
    const tags = { team: 'red' }
    const Role = await server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'logs:*', Resource: '*' }])
    await server.iam.send(new CreateUserCommand({ UserName: 'u', Tags: [{ Key: 'team', Value: 'red' }] }))
    const { FunctionArn } = await server.lambda.send(new CreateFunctionCommand({ FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role, Code: { ZipFile: await zip({ 'index.mjs': 'export const handler = async () => 1' }) }, Tags: tags }))
    await server.logs.send(new CreateLogGroupCommand({ logGroupName: 'g', tags }))
    const { id: restApiId } = await server.apigateway.send(new CreateRestApiCommand({ name: 'a', tags }))
    const as = server.clients(await server.user('toucher', [{ Effect: 'Allow', Action: '*', Resource: '*', Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } } }]))
    const touch = [
      () => as.lambda.send(new GetFunctionCommand({ FunctionName: 'f' })),
      () => as.logs.send(new DescribeLogStreamsCommand({ logGroupName: 'g' })),
      () => as.apigateway.send(new GetRestApiCommand({ restApiId: restApiId! })),
      () => as.apigateway.send(new GetResourcesCommand({ restApiId: restApiId! })),
    ]
    for (const call of touch) await denied(call())
    await server.iam.send(new TagUserCommand({ UserName: 'toucher', Tags: [{ Key: 'team', Value: 'red' }] }))
    for (const call of touch) await call()
    await server.lambda.send(new TagFunctionCommand({ Resource: FunctionArn!, Tags: { team: 'blue' } }))
    await server.logs.send(new TagGroupCommand({ resourceArn: 'arn:aws:logs:us-east-1:000000000000:log-group:g', tags: { team: 'blue' } }))
    await server.apigateway.send(new TagApiCommand({ resourceArn: `arn:aws:apigateway:us-east-1::/restapis/${restApiId}`, tags: { team: 'blue' } }))
    for (const call of touch) await denied(call())
    await as.iam.send(new DeleteUserCommand({ UserName: 'u' }))
  })

  test('which tags may be taken away', async (t) => {
    const server = await startServer(t)
    await server.iam.send(new CreateUserCommand({ UserName: 'u', Tags: [{ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' }] }))
    const as = server.clients(await server.user('cleaner', [{ Effect: 'Allow', Action: ['iam:UntagUser', 'lambda:UntagResource'], Resource: '*', Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' }, Null: { 'aws:TagKeys': 'false' } } }]))
    await denied(as.iam.send(new UntagUserCommand({ UserName: 'u', TagKeys: ['a', 'b'] })))
    await as.iam.send(new UntagUserCommand({ UserName: 'u', TagKeys: ['a'] }))
    await denied(as.lambda.send(new UntagFunctionCommand({ Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f', TagKeys: ['b'] })))
    await assert.rejects(as.lambda.send(new UntagFunctionCommand({ Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f', TagKeys: ['a'] })), { name: 'ResourceNotFoundException' })
  })
})
