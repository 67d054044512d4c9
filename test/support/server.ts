// A real server for a test: on a free port of loopback, in a directory of its own, stopped when the test ends.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { APIGatewayClient } from '@aws-sdk/client-api-gateway'
import { ApiGatewayV2Client } from '@aws-sdk/client-apigatewayv2'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, IAMClient, PutRolePolicyCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { STSClient } from '@aws-sdk/client-sts'
import { systemClock, type Clock } from '#lib/clock.ts'
import { createLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { readCredentials } from '#lib/credentials-file.ts'
import { readSettings } from '#src/config.ts'
import { startServer as start } from '#src/server.ts'

export interface TestServerOptions {
  /** Settings by their name without `COUNTERSIGN_`. */
  settings?: Record<string, string>
  clock?: Clock
  /** A directory that outlives the server (to start another on it); by default a new one that is removed. */
  dataDir?: string
}

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** The clients act as the root of account 000000000000 unless made for someone else with `clients(credentials)`. */
export interface Clients {
  apigateway: APIGatewayClient
  apigatewayv2: ApiGatewayV2Client
  dynamodb: DynamoDBClient
  iam: IAMClient
  lambda: LambdaClient
  logs: CloudWatchLogsClient
  sts: STSClient
}

export interface TestServer extends Clients, AsyncDisposable {
  endpoint: string
  port: number
  dataDir: string
  /** Of the root. */
  credentials: Credentials
  clients(credentials: Credentials, region?: string): Clients
  /** For child processes (AWS CLI, boto3): endpoint and credentials, and nothing of this machine's own AWS settings. */
  environment(credentials?: Credentials): NodeJS.ProcessEnv
  /** Creates a user with one inline policy of these statements. Answers its keys. */
  user(name: string, statements: readonly object[]): Promise<Credentials>
  /** Creates a role that the service may assume, with one inline policy of these statements. Answers its ARN. */
  role(name: string, trusted: string, statements: readonly object[]): Promise<string>
  close(): Promise<void>
}

interface TestLike { after(hook: () => Promise<void>): void }

/** Starts a server. Pass the test's context and it is stopped after the test, or use it with `await using`. */
export async function startServer(t?: TestLike, { settings = {}, clock = systemClock, dataDir }: TestServerOptions = {}): Promise<TestServer> {
  const directory = dataDir ?? mkdtempSync(join(tmpdir(), 'countersign-'))
  const named = Object.fromEntries(Object.entries({ PORT: '0', LOG_LEVEL: 'error', DATA_DIR: directory, ...settings }).map(([name, value]) => [`COUNTERSIGN_${name}`, value]))
  const all = readSettings(named)
  const server = await start({ settings: all, clock, random: systemRandom, log: createLog(all.logLevel), version: 'test' })
  const credentials = readCredentials(directory)!
  const made: Clients[] = []
  const clients = (as: Credentials, region = all.region): Clients => {
    const options = { endpoint: server.endpoint, region, credentials: { ...as }, maxAttempts: 1 }
    const own = {
      apigateway: new APIGatewayClient(options), apigatewayv2: new ApiGatewayV2Client(options), dynamodb: new DynamoDBClient(options), iam: new IAMClient(options),
      lambda: new LambdaClient(options), logs: new CloudWatchLogsClient(options), sts: new STSClient(options),
    }
    made.push(own)
    return own
  }
  const root = clients(credentials)
  let closed: Promise<void> | undefined
  const close = () => closed ??= (async () => {
    for (const own of made) for (const client of Object.values(own)) client.destroy()
    await server.close(2000)
    if (dataDir === undefined) rmSync(directory, { recursive: true, force: true })
  })()
  t?.after(close)
  return {
    ...root,
    endpoint: server.endpoint,
    port: server.port,
    dataDir: directory,
    credentials,
    clients,
    environment: (as = credentials) => ({
      PATH: process.env.PATH, HOME: directory, LANG: 'C.UTF-8', AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true', PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1',
      AWS_ENDPOINT_URL: server.endpoint, AWS_ACCESS_KEY_ID: as.accessKeyId, AWS_SECRET_ACCESS_KEY: as.secretAccessKey,
      ...(as.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: as.sessionToken }), AWS_REGION: all.region, AWS_DEFAULT_REGION: all.region,
      // Version-managed interpreters are found through these.
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PYENV|PYTHON)/.test(name))),
    }),
    async user(UserName, statements) {
      await root.iam.send(new CreateUserCommand({ UserName }))
      await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'test', PolicyDocument: policyOf(statements) }))
      const { AccessKey } = await root.iam.send(new CreateAccessKeyCommand({ UserName }))
      return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
    },
    async role(RoleName, trusted, statements) {
      const trust = policyOf([{ Effect: 'Allow', Principal: { Service: trusted }, Action: 'sts:AssumeRole' }])
      const { Role } = await root.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))
      await root.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'test', PolicyDocument: policyOf(statements) }))
      return Role!.Arn!
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function policyOf(statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}
