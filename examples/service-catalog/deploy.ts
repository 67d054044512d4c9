// Deploys the catalog: table, role, three functions, API. Run again, it deploys only what has changed.
//
// usage: node deploy.ts [--swagger FILE] [--stage NAME]

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { apiUrl } from '@countersign-examples/deployment'
import {
  createDeploymentPackage, createLambdaFunction, createRole, createTable, deployApi, findDeployedApi, getFunctionArn, region, replaceInstancesInFile, updateApi,
} from './deployment.ts'

const here = import.meta.dirname
const { values: options } = parseArgs({ options: { swagger: { type: 'string', default: join(here, 'swagger.json') }, stage: { type: 'string', default: 'dev' } } })
const functions = [
  { name: 'catalog_service', description: 'Looking a service up.' },
  { name: 'catalog_register', description: 'Registering a service.' },
  { name: 'catalog_deregister', description: 'Deregistering a service.' },
]

const { Account: accountNumber } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}))
const scratch = await mkdtemp(join(tmpdir(), 'service-catalog-'))
try {
  const tableArn = await createTable({ name: 'Services', hashKey: 'name', rangeKey: 'version' })
  const roleArn = await createRole({ name: 'service-catalog', policyName: 'catalog', statements: permissions(tableArn) })
  const swaggerWithArns = join(scratch, 'swagger_with_arn.json')
  let swagger = options.swagger
  for (const { name, description } of functions) {
    const packageFile = join(scratch, `${name}.zip`)
    await createDeploymentPackage(packageFile, [join(here, 'functions', `${name}.ts`), join(here, 'functions', 'table.ts')])
    await createLambdaFunction({ packageFile, name, roleArn, handler: `${name}.lambda_handler`, description, accountNumber: accountNumber!, runtime: 'nodejs24.x' })
    await replaceInstancesInFile(swagger, swaggerWithArns, `$${name}ARN$`, await getFunctionArn(name))
    swagger = swaggerWithArns
  }
  let apiId = await findDeployedApi(swaggerWithArns, options.stage)
  if (apiId === undefined) {
    apiId = await updateApi(swaggerWithArns)
    await deployApi(apiId, swaggerWithArns, options.stage)
  }
  console.log(`the catalog is at ${await apiUrl(apiId)}/${options.stage}`)
} finally {
  await rm(scratch, { recursive: true, force: true })
}

/** What the functions may do: their own table, their own logs. */
function permissions(tableArn: string): object[] {
  return [
    { Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], Resource: tableArn },
    { Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `arn:aws:logs:${region}:${accountNumber}:*` },
  ]
}
