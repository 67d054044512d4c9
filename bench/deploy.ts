// What the benchmark's requests need: a table, two functions, and an API, made through the public APIs.

import { APIGatewayClient, CreateDeploymentCommand, ImportRestApiCommand } from '@aws-sdk/client-api-gateway'
import { CreateTableCommand, DynamoDBClient, PutItemCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda'
import { ZipFile } from 'yazl'
import type { AccessKeyPair } from '#lib/credentials-file.ts'

export interface Scenarios {
  apiId: string
  /** With the stage. */
  mockPath: string
  lookupPath: string
  functionName: string
  tableName: string
}

const TableName = 'Bench'

export async function deployScenarios(endpoint: string, credentials: AccessKeyPair): Promise<Scenarios> {
  const options = { endpoint, region: 'us-east-1', credentials }
  const dynamodb = new DynamoDBClient(options)
  const iam = new IAMClient(options)
  const lambda = new LambdaClient(options)
  const apigateway = new APIGatewayClient(options)

  await dynamodb.send(new CreateTableCommand({
    TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  }))
  await waitUntilTableExists({ client: dynamodb, maxWaitTime: 30 }, { TableName })
  await dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: 'item-1' }, text: { S: 'x'.repeat(200) }, n: { N: '1' } } }))

  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'bench', AssumeRolePolicyDocument: JSON.stringify(trust) }))
  await iam.send(new PutRolePolicyCommand({
    RoleName: 'bench', PolicyName: 'table', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: '*' }] }),
  }))
  const lookup = `import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
const client = new DynamoDBClient({})
export const handler = async ({ id }) => (await client.send(new GetItemCommand({ TableName: '${TableName}', Key: { id: { S: id } } }))).Item`
  const arns = new Map<string, string>()
  for (const [name, code] of [['bench-empty', 'export const handler = async () => ({ ok: true })'], ['bench-lookup', lookup]] as const) {
    const { FunctionArn } = await lambda.send(new CreateFunctionCommand({
      FunctionName: name, Runtime: 'nodejs24.x', Role: Role!.Arn, Handler: 'index.handler', MemorySize: 512, Code: { ZipFile: await zipOf('index.mjs', code) },
    }))
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30 }, { FunctionName: name })
    await lambda.send(new AddPermissionCommand({ FunctionName: name, StatementId: 'api', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' }))
    arns.set(name, FunctionArn!)
  }

  const api = {
    swagger: '2.0', info: { title: 'bench', version: '1' }, paths: {
      '/mock': { get: {
        responses: { 200: { description: 'ok' } }, 'x-amazon-apigateway-auth': { type: 'aws_iam' },
        'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200', responseTemplates: { 'application/json': '{"ok":true}' } } } },
      } },
      '/lookup/{id}': { get: {
        parameters: [{ name: 'id', in: 'path', required: true, type: 'string' }], responses: { 200: { description: 'ok' } },
        'x-amazon-apigateway-integration': {
          type: 'aws', httpMethod: 'POST', uri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arns.get('bench-lookup')}/invocations`,
          requestTemplates: { 'application/json': '{"id": "$input.params(\'id\')"}' }, responses: { default: { statusCode: '200' } },
        },
      } },
    },
  }
  const { id } = await apigateway.send(new ImportRestApiCommand({ body: Buffer.from(JSON.stringify(api)) }))
  await apigateway.send(new CreateDeploymentCommand({ restApiId: id, stageName: 'bench' }))
  for (const client of [dynamodb, iam, lambda, apigateway]) client.destroy()
  return { apiId: id!, mockPath: '/bench/mock', lookupPath: '/bench/lookup/item-1', functionName: 'bench-empty', tableName: TableName }
}

export async function zipOf(name: string, text: string): Promise<Buffer> {
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from(text), name)
  zip.end()
  return Buffer.concat(await Array.fromAsync(zip.outputStream as AsyncIterable<Buffer>))
}
