// The steps of a deployment, each one thing that the AWS SDK alone can do. Nothing here knows which services it deploys.

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { APIGatewayClient, CreateDeploymentCommand, GetDeploymentCommand, ImportRestApiCommand, PutRestApiCommand, GetStageCommand, paginateGetRestApis } from '@aws-sdk/client-api-gateway'
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import { IAMClient } from '@aws-sdk/client-iam'
import { AddPermissionCommand, GetFunctionConfigurationCommand, LambdaClient, type FunctionConfiguration } from '@aws-sdk/client-lambda'
import { absentWhen, archiveOf, ensureFunction, ensureRole, sourceFile } from '@countersign-examples/deployment'

/** Where the document deploys; its Swagger file names the region too. */
export const region = 'us-east-1'

const apiGateway = new APIGatewayClient({ region })
const dynamodb = new DynamoDBClient({ region })
const iam = new IAMClient({ region })
const lambda = new LambdaClient({ region })

/** `create_deployment_package`: packs files into a ZIP as Lambda wants it. TypeScript enters as JavaScript. */
export async function createDeploymentPackage(packageFile: string, files: readonly string[]): Promise<void> {
  await writeFile(packageFile, await archiveOf(await Promise.all(files.map(sourceFile))))
}

export interface LambdaFunction {
  packageFile: string
  name: string
  roleArn: string
  handler: string
  description: string
  /** The account whose APIs may invoke the function. */
  accountNumber: string
  runtime: 'nodejs24.x'
}

/** `create_lambda_function`: creates the function and lets API Gateway invoke it, or updates code that has changed. Answers its ARN. */
export async function createLambdaFunction({ packageFile, accountNumber, ...wanted }: LambdaFunction): Promise<string> {
  const isNew = await findFunction(wanted.name) === undefined
  const functionArn = await ensureFunction(lambda, { ...wanted, archive: await readFile(packageFile) })
  if (isNew) {
    await lambda.send(new AddPermissionCommand({
      FunctionName: wanted.name, StatementId: 'apigateway', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com',
      SourceArn: `arn:aws:execute-api:${region}:${accountNumber}:*/*/*/*`,
    }))
  }
  return functionArn
}

/** `get_function_arn`: the ARN of a function that exists. */
export async function getFunctionArn(name: string): Promise<string> {
  const found = await findFunction(name)
  if (!found) throw new Error(`There is no function ${name}.`)
  return found.FunctionArn!
}

/** `replace_instances_in_file`: copies a file with every instance of a text replaced. Both may be the same file. */
export async function replaceInstancesInFile(fromFile: string, toFile: string, text: string, replacement: string): Promise<void> {
  await writeFile(toFile, (await readFile(fromFile, 'utf8')).replaceAll(text, replacement))
}

/**
 * `update_api`: puts a Swagger file into the API that carries its title, or into a new one. The file is imported twice, first
 * with its base path ignored, then merged with it prepended, so that the API answers at both. Answers the API's id.
 */
export async function updateApi(swaggerFile: string): Promise<string> {
  const body = await readFile(swaggerFile)
  const { info } = JSON.parse(body.toString()) as { info: { title: string } }
  const known = await findApi(info.title)
  const { id } = known === undefined
    ? await apiGateway.send(new ImportRestApiCommand({ body, parameters: { basepath: 'ignore' } }))
    : await apiGateway.send(new PutRestApiCommand({ restApiId: known, mode: 'overwrite', body, parameters: { basepath: 'ignore' } }))
  await apiGateway.send(new PutRestApiCommand({ restApiId: id, mode: 'merge', body, parameters: { basepath: 'prepend' } }))
  return id!
}

/** `deploy_api`: deploys the API as it stands to a stage. The deployment's description says which file it came from. */
export async function deployApi(restApiId: string, swaggerFile: string, stageName: string): Promise<void> {
  await apiGateway.send(new CreateDeploymentCommand({ restApiId, stageName, description: await descriptionOf(swaggerFile) }))
  console.log(`deployed API ${restApiId} to stage ${stageName}`)
}

/** The id of the API whose stage runs just this file, or undefined when something is left to deploy. */
export async function findDeployedApi(swaggerFile: string, stageName: string): Promise<string | undefined> {
  const { info } = JSON.parse(await readFile(swaggerFile, 'utf8')) as { info: { title: string } }
  const restApiId = await findApi(info.title)
  if (restApiId === undefined) return undefined
  const stage = await absentWhen('NotFoundException', () => apiGateway.send(new GetStageCommand({ restApiId, stageName })))
  if (stage === undefined) return undefined
  const { description } = await apiGateway.send(new GetDeploymentCommand({ restApiId, deploymentId: stage.deploymentId }))
  return description === await descriptionOf(swaggerFile) ? restApiId : undefined
}

/** Creates the table unless it is there. Both keys are text. */
export async function createTable({ name, hashKey, rangeKey }: { name: string, hashKey: string, rangeKey: string }): Promise<string> {
  const existing = await absentWhen('ResourceNotFoundException', () => dynamodb.send(new DescribeTableCommand({ TableName: name })))
  if (existing) return existing.Table!.TableArn!
  const { TableDescription } = await dynamodb.send(new CreateTableCommand({
    TableName: name,
    KeySchema: [{ AttributeName: hashKey, KeyType: 'HASH' }, { AttributeName: rangeKey, KeyType: 'RANGE' }],
    AttributeDefinitions: [{ AttributeName: hashKey, AttributeType: 'S' }, { AttributeName: rangeKey, AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  }))
  await waitUntilTableExists({ client: dynamodb, maxWaitTime: 60 }, { TableName: name })
  console.log(`created table ${name}`)
  return TableDescription!.TableArn!
}

/** Creates the role unless it is there, and gives it the policy. Lambda may assume it. Answers its ARN. */
export function createRole({ name, policyName, statements }: { name: string, policyName: string, statements: readonly object[] }): Promise<string> {
  return ensureRole(iam, { name, policyName, statements })
}

async function findFunction(FunctionName: string): Promise<FunctionConfiguration | undefined> {
  return absentWhen('ResourceNotFoundException', () => lambda.send(new GetFunctionConfigurationCommand({ FunctionName })))
}

async function findApi(title: string): Promise<string | undefined> {
  for await (const { items } of paginateGetRestApis({ client: apiGateway }, {})) {
    const found = items?.find(({ name }) => name === title)
    if (found) return found.id
  }
  return undefined
}

async function descriptionOf(swaggerFile: string): Promise<string> {
  return `sha256 ${createHash('sha256').update(await readFile(swaggerFile)).digest('hex')}`
}
