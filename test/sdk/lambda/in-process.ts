// Lambda without a wire, with limits and isolation of the test's own choice: real store, real IAM, real processes.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthorizer } from '#aws/authorize.ts'
import type { RootCaller } from '#aws/caller.ts'
import type { Call, ServiceDefinition } from '#aws/service.ts'
import { startTrace } from '#aws/trace.ts'
import { systemClock } from '#lib/clock.ts'
import { headersFromRaw } from '#lib/http.ts'
import { createLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { createSealer } from '#lib/seal.ts'
import { createIam } from '#services/iam/index.ts'
import { createLambda, type Invocation, type InvocationResult, type Lambda, type LambdaOptions } from '#services/lambda/index.ts'
import type { LogEntry } from '#services/logs/index.ts'
import { schemas } from '#src/stores.ts'
import { openDatabase } from '#storage/open.ts'
import { archiveOf } from './deploy.ts'

const accountId = '000000000000'
const root: RootCaller = { is: 'root', accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId, accessKeyId: 'AKIAEXAMPLEEXAMPLE00' }

export interface LambdaInProcess {
  lambda: Lambda
  /** What functions logged. */
  logged: LogEntry[]
  run(operation: string, input: object): Promise<any>
  /** Creates a function of these files. Answers its ARN. */
  deploy(name: string, files: Record<string, string | Buffer>, rest?: object): Promise<string>
  invoke(functionArn: string, event?: unknown, rest?: Partial<Invocation>): Promise<InvocationResult & { answer: any }>
  dataDirectory: string
}

interface TestLike { after(hook: () => Promise<void>): void }

export async function startLambda(t: TestLike, options: Partial<LambdaOptions> = {}): Promise<LambdaInProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-lambda-'))
  const database = await openDatabase({ engine: { file: join(directory, 'core.db') }, store: 'core', ...schemas.core, clock: systemClock })
  const clock = options.clock ?? systemClock
  const base = { database, clock, random: systemRandom, sealer: createSealer(systemRandom.bytes(32)) }
  const iam = createIam(base)
  await iam.ensureAccount({ accountId, rootAccessKeyId: root.accessKeyId, rootSecretAccessKey: 'root-secret-of-the-account' })
  const logged: LogEntry[] = []
  const dataDirectory = join(directory, 'lambda')
  const lambda = await createLambda({
    ...base, roles: iam.roles, authorizer: createAuthorizer({ identity: iam.identity, clock }), logs: { append: (entry) => { logged.push(entry) } }, endpoint: { url: () => 'http://127.0.0.1:9' }, dataDirectory, log: createLog('error'), ...options,
  })
  lambda.start()
  t.after(async () => {
    await lambda.close()
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const call: Call = {
    requestId: 'r', caller: root, scope: { accountId, region: 'us-east-1' }, atMs: 0, trace: startTrace('r', () => 0),
    request: { headers: headersFromRaw([]), remoteAddress: '127.0.0.1', isSecure: false }, require: async () => {},
  }
  const of = (definition: ServiceDefinition) => (name: string, input: object) => (definition.operations[name]!).run(input, call, definition.service)
  const run = async (operation: string, input: object) => of(lambda.definition)(operation, input)
  const { Role } = await of(iam.definition)('CreateRole', {
    RoleName: 'function',
    AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }),
  }) as { Role: { Arn: string } }
  return {
    lambda, logged, run, dataDirectory,
    async deploy(FunctionName, files, rest = {}) {
      const isPython = Object.keys(files)[0]!.endsWith('.py')
      const kind = 'bootstrap' in files ? { Runtime: 'provided.al2023', Handler: 'own' } : isPython ? { Runtime: 'python3.11', Handler: 'lambda_function.lambda_handler' } : { Runtime: 'nodejs22.x', Handler: 'index.handler' }
      const { FunctionArn } = await run('CreateFunction', { FunctionName, ...kind, Role: Role.Arn, Code: { ZipFile: await archiveOf(files) }, ...rest })
      return FunctionArn
    },
    async invoke(functionArn, event = {}, rest = {}) {
      const result = await lambda.invoker.invoke({ functionArn, payload: Buffer.from(JSON.stringify(event)), type: 'RequestResponse', caller: root, ...rest })
      return { ...result, answer: JSON.parse(result.payload.toString('utf8')) }
    },
  }
}
