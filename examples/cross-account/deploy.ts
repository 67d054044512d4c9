// Deploys both halves: in account B an HTTP API with a role that may call it, in account A a function that may assume that role.
//
// usage: node deploy.ts [--python] [--host-form] [--external-id ID]
// Keys of account A as every AWS tool reads them; keys of account B in OTHER_AWS_ACCESS_KEY_ID and OTHER_AWS_SECRET_ACCESS_KEY.

import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ApiGatewayV2Client, CreateApiCommand, CreateIntegrationCommand, CreateRouteCommand, CreateStageCommand, GetApisCommand } from '@aws-sdk/client-apigatewayv2'
import { IAMClient } from '@aws-sdk/client-iam'
import { AddPermissionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { apiUrl, archiveOf, ensureFunction, ensureRole, sourceFile, type ArchiveEntry } from '@countersign-examples/deployment'
import { openAccounts } from './accounts.ts'

const here = import.meta.dirname
const region = process.env.AWS_REGION ?? 'us-east-1'
/** Where account B has its API. */
const apiRegion = 'ap-south-1'
const { values: options } = parseArgs({
  options: { python: { type: 'boolean', default: false }, 'host-form': { type: 'boolean', default: false }, 'external-id': { type: 'string' } },
})
const { a, b } = await openAccounts(process.env, region)
const callerRoleArn = `arn:aws:iam::${a.id}:role/cross-account-caller`
const apiRoleArn = `arn:aws:iam::${b.id}:role/cross-account-api`
const externalId = options['external-id']

// Account A first: a trust policy can only name a role that is there.
await ensureRole(new IAMClient({ region, credentials: a.credentials }), {
  name: 'cross-account-caller', policyName: 'assume',
  statements: [
    { Sid: 'VisualEditor0', Effect: 'Allow', Action: 'sts:AssumeRole', Resource: [apiRoleArn] },
    { Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `arn:aws:logs:${region}:${a.id}:*` },
  ],
})
const iamOfB = new IAMClient({ region, credentials: b.credentials })
await ensureRole(iamOfB, {
  name: 'cross-account-api', trusts: { AWS: callerRoleArn }, ...(externalId === undefined ? {} : { condition: { StringEquals: { 'sts:ExternalId': externalId } } }),
  policyName: 'invoke', statements: [{ Effect: 'Allow', Action: ['execute-api:Invoke'], Resource: 'arn:aws:execute-api:*:*:*' }],
})
const apiId = await ensureApi()
const apiHost = `${apiId}.execute-api.${apiRegion}.amazonaws.com`
const url = options['host-form'] && process.env.AWS_ENDPOINT_URL !== undefined ? process.env.AWS_ENDPOINT_URL : await apiUrl(apiId, apiRegion)

await ensureFunction(new LambdaClient({ region, credentials: a.credentials }), {
  name: 'call_other_account', description: 'Calls the API of account B.', archive: await archiveOf(await filesOfCaller()), handler: 'call_other_account.lambda_handler',
  runtime: options.python ? 'python3.13' : 'nodejs24.x', roleArn: callerRoleArn, timeout: 30, memoryMb: 256,
  environment: {
    ROLE_ARN: apiRoleArn, API_URL: url, API_REGION: apiRegion, ...(options['host-form'] ? { API_HOST: apiHost } : {}), ...(externalId === undefined ? {} : { EXTERNAL_ID: externalId }),
  },
})
console.log('the caller in account A is the function call_other_account')
console.log(`the API of account B is at ${await apiUrl(apiId, apiRegion)}`)

/** `GET /hello` under `AWS_IAM`, deployed to `$default` by itself. Answers the API's id. */
async function ensureApi(): Promise<string> {
  const apiGateway = new ApiGatewayV2Client({ region: apiRegion, credentials: b.credentials })
  const { Items } = await apiGateway.send(new GetApisCommand({}))
  const known = Items?.find(({ Name }) => Name === 'cross-account')
  if (known) return known.ApiId!
  const lambda = new LambdaClient({ region: apiRegion, credentials: b.credentials })
  const roleArn = await ensureRole(iamOfB, {
    name: 'cross-account-hello', policyName: 'logs',
    statements: [{ Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `arn:aws:logs:${apiRegion}:${b.id}:*` }],
  })
  const functionArn = await ensureFunction(lambda, {
    name: 'hello', description: 'Greets.', archive: await archiveOf([await sourceFile(join(here, 'functions', 'hello.ts'))]), handler: 'hello.lambda_handler', runtime: 'nodejs24.x', roleArn,
  })
  const { ApiId } = await apiGateway.send(new CreateApiCommand({ Name: 'cross-account', ProtocolType: 'HTTP' }))
  const { IntegrationId } = await apiGateway.send(new CreateIntegrationCommand({ ApiId, IntegrationType: 'AWS_PROXY', IntegrationUri: functionArn, PayloadFormatVersion: '2.0' }))
  await apiGateway.send(new CreateRouteCommand({ ApiId, RouteKey: 'GET /hello', AuthorizationType: 'AWS_IAM', Target: `integrations/${IntegrationId}` }))
  await lambda.send(new AddPermissionCommand({
    FunctionName: 'hello', StatementId: `api-${ApiId}`, Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', SourceArn: `arn:aws:execute-api:${apiRegion}:${b.id}:${ApiId}/*/*/hello`,
  }))
  await apiGateway.send(new CreateStageCommand({ ApiId, StageName: '$default', AutoDeploy: true }))
  console.log(`created HTTP API ${ApiId} in account ${b.id}, region ${apiRegion}`)
  return ApiId!
}

async function filesOfCaller(): Promise<ArchiveEntry[]> {
  if (!options.python) return [await sourceFile(join(here, 'functions', 'call_other_account.ts'))]
  return [await sourceFile(join(here, 'python', 'call_other_account.py')), ...await pythonLibraries(['requests', 'urllib3', 'idna', 'certifi', 'charset_normalizer', 'chardet'])]
}

/** Libraries as this machine's Python has them, to travel in the archive: Lambda's Python brings boto3, and not these. */
async function pythonLibraries(names: readonly string[]): Promise<ArchiveEntry[]> {
  const find = 'import importlib.util, json, sys; print(json.dumps([[n, list(s.submodule_search_locations)[0]] for n in sys.argv[1:] for s in [importlib.util.find_spec(n)] if s and s.submodule_search_locations]))'
  const { status, stdout } = spawnSync('python3', ['-c', find, ...names], { encoding: 'utf8' })
  const found = status === 0 ? JSON.parse(stdout) as [name: string, directory: string][] : []
  if (!found.some(([name]) => name === 'requests')) throw new Error('This machine has no Python library requests to pack: install it, or deploy without --python.')
  const entries = await Promise.all(found.map(async ([name, directory]) => {
    const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
      .filter((file) => file.isFile() && /\.(?:py|pem)$/.test(file.name))
      .map((file) => join(file.parentPath, file.name))
    return Promise.all(files.map(async (file) => ({ name: `${name}/${file.slice(directory.length + 1)}`, contents: await readFile(file) })))
  }))
  return entries.flat()
}
