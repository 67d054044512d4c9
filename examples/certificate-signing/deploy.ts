// Deploys the signing service: an authority, the function that holds it, the API, a usage plan and a key. Run again, it deploys only what has changed.
//
// usage: node deploy.ts [--stage NAME] [--rate REQUESTS_A_SECOND] [--burst REQUESTS] [--quota REQUESTS_A_DAY]
// CA_PASSPHRASE in the environment encrypts the authority's key; without it, a passphrase is drawn at the first deployment.

import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  APIGatewayClient, CreateApiKeyCommand, CreateDeploymentCommand, CreateUsagePlanCommand, CreateUsagePlanKeyCommand, GetApiKeysCommand, GetDeploymentCommand, GetStageCommand,
  GetUsagePlanKeysCommand, ImportRestApiCommand, PutRestApiCommand, UpdateUsagePlanCommand, paginateGetRestApis, paginateGetUsagePlans, type UsagePlan,
} from '@aws-sdk/client-api-gateway'
import { IAMClient } from '@aws-sdk/client-iam'
import { AddPermissionCommand, GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { absentWhen, apiUrl, archiveOf, ensureFunction, ensureRole, libraryFiles, readArchive, sourceFile, type ArchiveEntry } from '@countersign-examples/deployment'
import { API_NAME, apiDefinition } from './api.ts'
import { createAuthority, type AuthorityFiles } from './authority.ts'

const here = import.meta.dirname
const region = process.env.AWS_REGION ?? 'us-east-1'
const FUNCTION_NAME = 'CertSigningAPIGW'
const NAME = 'certificate-signing'
const { values: options } = parseArgs({
  options: { stage: { type: 'string', default: 'prod' }, rate: { type: 'string', default: '1' }, burst: { type: 'string', default: '2' }, quota: { type: 'string', default: '50' } },
})

const apiGateway = new APIGatewayClient({ region })
const iam = new IAMClient({ region })
const lambda = new LambdaClient({ region })
const { Account: account } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}))

const roleArn = await ensureRole(iam, {
  name: NAME, policyName: 'logs',
  statements: [{ Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `arn:aws:logs:${region}:${account}:*` }],
})
const { authority, passphrase, isNew } = await findAuthority() ?? await drawAuthority()
const functionArn = await ensureFunction(lambda, {
  name: FUNCTION_NAME, description: 'Signs certificate requests.', archive: await archiveOf(await filesOf(authority)), handler: 'sign.lambda_handler', runtime: 'nodejs24.x',
  roleArn, environment: { CA_PASSPHRASE: passphrase }, memoryMb: 256,
})
if (isNew) {
  await lambda.send(new AddPermissionCommand({
    FunctionName: FUNCTION_NAME, StatementId: 'apigateway', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com',
    SourceArn: `arn:aws:execute-api:${region}:${account}:*/*/POST/sign`,
  }))
}
const restApiId = await ensureApi(apiDefinition({ functionArn, page: await readFile(join(here, 'page.html'), 'utf8'), authorityCertificate: authority.certificate }, region))
const keyValue = await ensureKey(await ensurePlan(restApiId))
const url = `${await apiUrl(restApiId, region)}/${options.stage}`
console.log(`the key for the page is ${keyValue}`)
console.log(`the signing page is at ${url}/sign`)

interface KnownAuthority {
  authority: AuthorityFiles
  passphrase: string
  isNew: boolean
}

/** The authority of an earlier deployment, out of the archive of its function: it is nowhere else. */
async function findAuthority(): Promise<KnownAuthority | undefined> {
  const found = await absentWhen('ResourceNotFoundException', () => lambda.send(new GetFunctionCommand({ FunctionName: FUNCTION_NAME })))
  if (!found) return undefined
  const archive = Buffer.from(await (await fetch(found.Code!.Location!)).arrayBuffer())
  const files = await readArchive(archive, ['signing-ca.crt', 'signing-ca.key'])
  const text = (name: string) => files.get(name)!.toString('utf8')
  return {
    authority: { certificate: text('signing-ca.crt'), encryptedKey: text('signing-ca.key') }, passphrase: found.Configuration!.Environment!.Variables!.CA_PASSPHRASE!, isNew: false,
  }
}

async function drawAuthority(): Promise<KnownAuthority> {
  const passphrase = process.env.CA_PASSPHRASE || randomBytes(24).toString('base64url')
  return { authority: await createAuthority('Certificate Signing Example CA', passphrase), passphrase, isNew: true }
}

/** The function, what it is made of, and its authority. */
async function filesOf({ certificate, encryptedKey }: AuthorityFiles): Promise<ArchiveEntry[]> {
  const sources = (await readdir(join(here, 'functions'))).map((name) => join(here, 'functions', name))
  return [
    ...await Promise.all(sources.map(sourceFile)),
    ...await libraryFiles('@peculiar/x509', here),
    ...await libraryFiles('reflect-metadata', here),
    { name: 'signing-ca.crt', contents: Buffer.from(certificate) },
    { name: 'signing-ca.key', contents: Buffer.from(encryptedKey) },
  ]
}

/** Imports the definition into the API of its name, or a new one, and deploys it, unless the stage runs just this. Answers the API's id. */
async function ensureApi(definition: object): Promise<string> {
  const body = Buffer.from(JSON.stringify(definition))
  const description = `sha256 ${createHash('sha256').update(body).digest('hex')}`
  const known = await findApi()
  if (known !== undefined && await deployedDescription(known) === description) return known
  const { id } = known === undefined
    ? await apiGateway.send(new ImportRestApiCommand({ body }))
    : await apiGateway.send(new PutRestApiCommand({ restApiId: known, mode: 'overwrite', body }))
  await apiGateway.send(new CreateDeploymentCommand({ restApiId: id, stageName: options.stage, description }))
  console.log(`deployed API ${id} to stage ${options.stage}`)
  return id!
}

async function findApi(): Promise<string | undefined> {
  for await (const { items } of paginateGetRestApis({ client: apiGateway }, {})) {
    const found = items?.find(({ name }) => name === API_NAME)
    if (found) return found.id
  }
  return undefined
}

async function deployedDescription(restApiId: string): Promise<string | undefined> {
  const stage = await absentWhen('NotFoundException', () => apiGateway.send(new GetStageCommand({ restApiId, stageName: options.stage })))
  return stage && (await apiGateway.send(new GetDeploymentCommand({ restApiId, deploymentId: stage.deploymentId }))).description
}

/** The usage plan with its low limits, brought to the given ones. Answers its id. */
async function ensurePlan(apiId: string): Promise<string> {
  const throttle = { rateLimit: Number(options.rate), burstLimit: Number(options.burst) }
  const quota = { limit: Number(options.quota), period: 'DAY' as const }
  const known = await findPlan()
  if (!known) {
    const { id } = await apiGateway.send(new CreateUsagePlanCommand({ name: NAME, throttle, quota, apiStages: [{ apiId, stage: options.stage }] }))
    console.log(`created usage plan ${NAME}: ${throttle.rateLimit} a second, ${throttle.burstLimit} at once, ${quota.limit} a day`)
    return id!
  }
  const wanted: [path: string, current: number | undefined, value: number][] = [
    ['/throttle/rateLimit', known.throttle?.rateLimit, throttle.rateLimit], ['/throttle/burstLimit', known.throttle?.burstLimit, throttle.burstLimit], ['/quota/limit', known.quota?.limit, quota.limit],
  ]
  const patchOperations = wanted.filter(([, current, value]) => current !== value).map(([path, , value]) => ({ op: 'replace' as const, path, value: String(value) }))
  if (patchOperations.length > 0) {
    await apiGateway.send(new UpdateUsagePlanCommand({ usagePlanId: known.id, patchOperations }))
    console.log(`changed the limits of usage plan ${NAME}`)
  }
  return known.id!
}

async function findPlan(): Promise<UsagePlan | undefined> {
  for await (const { items } of paginateGetUsagePlans({ client: apiGateway }, {})) {
    const found = items?.find(({ name }) => name === NAME)
    if (found) return found
  }
  return undefined
}

/** The plan's key. Answers its value. */
async function ensureKey(usagePlanId: string): Promise<string> {
  const { items } = await apiGateway.send(new GetApiKeysCommand({ nameQuery: NAME, includeValues: true }))
  const key = items?.find(({ name }) => name === NAME) ?? await apiGateway.send(new CreateApiKeyCommand({ name: NAME, enabled: true }))
  const { items: keys } = await apiGateway.send(new GetUsagePlanKeysCommand({ usagePlanId }))
  if (!keys?.some(({ id }) => id === key.id)) await apiGateway.send(new CreateUsagePlanKeyCommand({ usagePlanId, keyId: key.id, keyType: 'API_KEY' }))
  return key.value!
}
