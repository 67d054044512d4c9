// Deploys the signing function and its endpoint: role, function, API, usage plan, key. Run again, it deploys only what has changed.
//
// usage: node deploy.ts [--python] [--stage NAME]

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  APIGatewayClient, CreateApiKeyCommand, CreateDeploymentCommand, CreateResourceCommand, CreateRestApiCommand, CreateUsagePlanCommand, CreateUsagePlanKeyCommand, GetApiKeysCommand,
  GetResourcesCommand, PutIntegrationCommand, PutIntegrationResponseCommand, PutMethodCommand, PutMethodResponseCommand, paginateGetRestApis,
} from '@aws-sdk/client-api-gateway'
import { IAMClient } from '@aws-sdk/client-iam'
import { AddPermissionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { apiUrl, archiveOf, ensureFunction, ensureRole, sourceFile } from '@countersign-examples/deployment'

const NAME = 'HMAC-Gen-For-Apigee-Lambda-Sample'
const here = import.meta.dirname
const region = process.env.AWS_REGION ?? 'us-east-1'
const { values: options } = parseArgs({ options: { python: { type: 'boolean', default: false }, stage: { type: 'string', default: 'prod' } } })

const apiGateway = new APIGatewayClient({ region })
const lambda = new LambdaClient({ region })
const { Account: account } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}))

const roleArn = await ensureRole(new IAMClient({ region }), {
  name: 'hmac-signature', policyName: 'logs',
  statements: [{ Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `arn:aws:logs:${region}:${account}:*` }],
})
const source = options.python ? join(here, 'python', 'hmac_signature.py') : join(here, 'functions', 'hmac_signature.ts')
const functionArn = await ensureFunction(lambda, {
  name: NAME, description: 'HMAC signature for an OAuth endpoint.', archive: await archiveOf([await sourceFile(source)]),
  handler: 'hmac_signature.lambda_handler', runtime: options.python ? 'python3.13' : 'nodejs24.x', roleArn,
})
const restApiId = await findApi() ?? await createApi()
console.log(`the key of the endpoint is ${await keyValue()}`)
console.log(`the endpoint is at ${await apiUrl(restApiId, region)}/${options.stage}/${NAME}`)

async function findApi(): Promise<string | undefined> {
  for await (const { items } of paginateGetRestApis({ client: apiGateway }, {})) {
    const found = items?.find(({ name }) => name === NAME)
    if (found) return found.id
  }
  return undefined
}

/** As the console's "Add API endpoint" made it: one method of type AWS without templates. The key is wanted from the first deployment on. */
async function createApi(): Promise<string> {
  const { id } = await apiGateway.send(new CreateRestApiCommand({ name: NAME, description: 'HMAC signatures.' }))
  const { items } = await apiGateway.send(new GetResourcesCommand({ restApiId: id }))
  const { id: resourceId } = await apiGateway.send(new CreateResourceCommand({ restApiId: id, parentId: items!.find(({ path }) => path === '/')!.id, pathPart: NAME }))
  const method = { restApiId: id, resourceId, httpMethod: 'POST' }
  await apiGateway.send(new PutMethodCommand({ ...method, authorizationType: 'NONE', apiKeyRequired: true }))
  await apiGateway.send(new PutMethodResponseCommand({ ...method, statusCode: '200', responseModels: { 'application/json': 'Empty' } }))
  await apiGateway.send(new PutMethodResponseCommand({ ...method, statusCode: '400', responseModels: { 'application/json': 'Error' } }))
  await apiGateway.send(new PutIntegrationCommand({
    ...method, type: 'AWS', integrationHttpMethod: 'POST', uri: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${functionArn}/invocations`,
  }))
  await apiGateway.send(new PutIntegrationResponseCommand({ ...method, statusCode: '200' }))
  await apiGateway.send(new PutIntegrationResponseCommand({
    ...method, statusCode: '400', selectionPattern: 'The field .* is missing\\.', responseTemplates: { 'application/json': '{"message": "$input.path(\'$.errorMessage\')"}' },
  }))
  await lambda.send(new AddPermissionCommand({
    FunctionName: NAME, StatementId: `api-${id}`, Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com',
    SourceArn: `arn:aws:execute-api:${region}:${account}:${id}/*/POST/${NAME}`,
  }))
  await apiGateway.send(new CreateDeploymentCommand({ restApiId: id, stageName: options.stage }))
  console.log(`deployed API ${id} to stage ${options.stage}`)
  const { id: usagePlanId } = await apiGateway.send(new CreateUsagePlanCommand({
    name: NAME, throttle: { rateLimit: 10, burstLimit: 20 }, quota: { limit: 1000, period: 'DAY' }, apiStages: [{ apiId: id, stage: options.stage }],
  }))
  const { id: keyId } = await apiGateway.send(new CreateApiKeyCommand({ name: NAME, enabled: true }))
  await apiGateway.send(new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: 'API_KEY' }))
  console.log('created a key under a usage plan: 10 a second, 1,000 a day')
  return id!
}

async function keyValue(): Promise<string> {
  const { items } = await apiGateway.send(new GetApiKeysCommand({ nameQuery: NAME, includeValues: true }))
  const key = items?.find(({ name }) => name === NAME)
  if (!key) throw new Error(`The API key ${NAME} is gone; delete the API and deploy again.`)
  return key.value!
}
