// The resource policy of a function, over the wire.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AddPermissionCommand, GetFunctionConfigurationCommand, GetPolicyCommand, RemovePermissionCommand, type AddPermissionCommandInput } from '@aws-sdk/client-lambda'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from './deploy.ts'

const account = '000000000000'
const arn = `arn:aws:lambda:us-east-1:${account}:function:f`
const permission = { FunctionName: 'f', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }

const add = ({ lambda }: TestServer, changes: Partial<AddPermissionCommandInput> = {}) => lambda.send(new AddPermissionCommand({ ...permission, ...changes }))
const deploy = (server: TestServer) => deployNode(server, 'f', 'export const handler = async () => 1')

describe('AddPermission', () => {
  test('refuses what is no permission', async (t) => {
    const server = await startServer(t)
    await refuses(add(server), 404, 'ResourceNotFoundException', `Function not found: ${arn}`)
    await deploy(server)
    // Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions, the first two.
    await refuses(add(server, { StatementId: 'example.com' }), 400, 'ValidationException',
      "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)")
    await refuses(add(server, { Principal: 'invalid.nonaws.com' }), 400, 'InvalidParameterValueException', 'The provided principal was invalid. Please check the principal and try again.')
    await refuses(add(server, { Qualifier: '$LATEST' }), 400, 'InvalidParameterValueException', 'We currently do not support adding policies for $LATEST.')
    await refuses(add(server, { Qualifier: '3' }), 404, 'ResourceNotFoundException', `Function not found: ${arn}:3`)
    await add(server)
    await refuses(add(server), 409, 'ResourceConflictException', 'The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.')
    await refuses(add(server, { StatementId: 't', RevisionId: '00000000-0000-0000-0000-000000000000' }), 412, 'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id')
  })

  test('makes statements whose conditions come from the input', async (t) => {
    const server = await startServer(t)
    await deploy(server)
    const statementOf = async (changes: Partial<AddPermissionCommandInput>) => JSON.parse((await add(server, changes)).Statement!)
    const plain = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arn }
    const source = 'arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/'
    assert.deepEqual(await statementOf({ StatementId: 'a', SourceArn: source, SourceAccount: account }), {
      Sid: 'a', ...plain, Principal: { Service: 'apigateway.amazonaws.com' },
      Condition: { StringEquals: { 'AWS:SourceAccount': account }, ArnLike: { 'AWS:SourceArn': source } },
    })
    assert.deepEqual(await statementOf({ StatementId: 'b', Principal: '*', PrincipalOrgID: 'o-1234567890' }), {
      Sid: 'b', ...plain, Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1234567890' } },
    })
    assert.deepEqual(await statementOf({ StatementId: 'c', Principal: '111111111111' }), { Sid: 'c', ...plain, Principal: { AWS: 'arn:aws:iam::111111111111:root' } })
    const { Policy, RevisionId } = await server.lambda.send(new GetPolicyCommand({ FunctionName: 'f' }))
    const policy = JSON.parse(Policy!)
    assert.deepEqual([policy.Version, policy.Id, policy.Statement.map(({ Sid }: { Sid: string }) => Sid)], ['2012-10-17', 'default', ['a', 'b', 'c']])
    assert.equal(RevisionId, (await server.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'f' }))).RevisionId)
  })

  test('makes policies of 20 KB and no larger', async (t) => {
    const server = await startServer(t)
    await deploy(server)
    const SourceArn = `arn:aws:execute-api:us-east-1:000000000000:${'a'.repeat(1900)}/*`
    let added = 0
    await assert.rejects(async () => { for (;;) await add(server, { StatementId: `s${added++}`, SourceArn }) }, { name: 'PolicyLengthExceededException' })
    assert.ok(added > 8 && added < 12, `${added} statements`)
  })
})

describe('GetPolicy and RemovePermission', () => {
  test('refuse what is not there', async (t) => {
    const server = await startServer(t)
    await deploy(server)
    const { lambda } = server
    await refuses(lambda.send(new GetPolicyCommand({ FunctionName: 'f' })), 404, 'ResourceNotFoundException', 'The resource you requested does not exist.')
    // Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions.
    await refuses(lambda.send(new RemovePermissionCommand({ FunctionName: 'f', StatementId: 's' })), 404, 'ResourceNotFoundException', 'No policy is associated with the given resource.')
    await add(server)
    await refuses(lambda.send(new RemovePermissionCommand({ FunctionName: 'f', StatementId: 'other' })), 404, 'ResourceNotFoundException', 'Statement other is not found in resource policy.')
  })

  test('take a permission away', async (t) => {
    const server = await startServer(t)
    await deploy(server)
    await add(server)
    const { $metadata } = await server.lambda.send(new RemovePermissionCommand({ FunctionName: 'f', StatementId: 's' }))
    assert.equal($metadata.httpStatusCode, 204)
    await refuses(server.lambda.send(new GetPolicyCommand({ FunctionName: 'f' })), 404, 'ResourceNotFoundException', 'The resource you requested does not exist.')
  })
})
