// `npm start`: the server with the examples deployed into it, each scenario run once, and what to try next.

import { spawn } from 'node:child_process'
import { join, relative, resolve } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { readFileIfAny, writeFileAtomically } from '#lib/files.ts'
import { createLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { readCredentials } from '#lib/credentials-file.ts'
import { createAccount } from '#src/cli/account.ts'
import { ConfigRefusal, readSettings } from '#src/config.ts'
import { startServer, type RunningServer } from '#src/server.ts'
import packageFile from '../package.json' with { type: 'json' }

const root = resolve(import.meta.dirname, '..')
const DRAIN_MS_MAX = 8_000

interface Example {
  name: string
  /** What its deployment prints and its scenario is called with, in this order. */
  prints: readonly RegExp[]
}

const examples: readonly Example[] = [
  { name: 'service-catalog', prints: [/^the catalog is at (\S+)$/m] },
  { name: 'certificate-signing', prints: [/^the signing page is at (\S+)$/m, /^the key for the page is (\S+)$/m] },
  { name: 'hmac-signature', prints: [/^the endpoint is at (\S+)$/m, /^the key of the endpoint is (\S+)$/m] },
  { name: 'invoke-async', prints: [/^the function is (\S+)$/m] },
  { name: 'cross-account', prints: [/^the caller in account A is the function (\S+)$/m, /^the API of account B is at (\S+)$/m] },
]

class ExampleFailure extends Error {
  override name = 'ExampleFailure'
}

try {
  await start()
} catch (error) {
  if (!(error instanceof ConfigRefusal) && !['StorageRefusal', 'StartRefusal', 'MasterKeyRefusal', 'IsolationRefusal', 'ExampleFailure'].includes((error as Error).name)) throw error
  console.error((error as Error).message)
  process.exitCode = 1
}

async function start(): Promise<void> {
  // The data directory belongs to the clone, wherever npm was called from.
  const settings = readSettings({ COUNTERSIGN_DATA_DIR: join(root, '.countersign'), ...process.env })
  const stop = Promise.withResolvers<void>()
  const abort = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      abort.abort()
      stop.resolve()
    })
  }
  // A person reads this terminal: requests that are refused are the scenario's business, only our own failures are news.
  const log = createLog(process.env.COUNTERSIGN_LOG_LEVEL === undefined ? 'warn' : settings.logLevel)
  const server = await startServer({ settings, clock: systemClock, random: systemRandom, log, version: packageFile.version })
  try {
    for (const note of server.notes) console.log(`note: ${note}`)
    const environment = { ...clientEnvironment(server, settings), ...await otherAccount(server, settings) }
    const found = new Map<string, string[]>()
    for (const example of examples) found.set(example.name, await runExample(example, environment, abort.signal))
    const form = await startForm(found.get('hmac-signature')!, environment, abort.signal)
    console.log(nextSteps(server, found, form, settings.dataDir))
    await stop.promise
  } catch (error) {
    if (!abort.signal.aborted) throw error
  } finally {
    await server.close(DRAIN_MS_MAX)
  }
}

/** The web form of `hmac-signature`, which runs beside the server as long as that runs. Answers its address. */
async function startForm([url, key]: readonly string[], environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const file = join(root, 'examples', 'hmac-signature', 'web', 'server.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { env: { ...environment, HOST: '127.0.0.1', PORT: '0', GATEWAY_URL: url, API_KEY: key }, stdio: ['ignore', 'pipe', 'inherit'] })
  const end = () => { child.kill() }
  process.once('exit', end)
  signal.addEventListener('abort', end, { once: true })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('exit', () => fail(new ExampleFailure('The web form of hmac-signature ended.')))
    child.stdout.setEncoding('utf8').once('data', (text: string) => done(/http\S+/.exec(text)?.[0] ?? ''))
  })
}

/** Deploys what is not deployed yet and runs the scenario. Answers what the deployment printed. */
async function runExample({ name, prints }: Example, environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string[]> {
  const directory = join(root, 'examples', name)
  console.log(`\n${name}`)
  const deployed = await run(join(directory, 'deploy.ts'), [], environment, signal)
  const found = prints.map((line) => line.exec(deployed)?.[1])
  if (found.some((value) => value === undefined)) throw new ExampleFailure(`The example ${name} did not say where it was deployed.`)
  await run(join(directory, 'scenario.ts'), found as string[], environment, signal)
  return found as string[]
}

/** Runs a script to its end, showing what it prints. @throws ExampleFailure when it fails. */
function run(file: string, args: string[], environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], { env: environment, stdio: ['ignore', 'pipe', 'inherit'], signal })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      process.stdout.write(text)
    })
    child.on('error', fail)
    child.on('close', (code) => code === 0 ? done(printed) : fail(new ExampleFailure(`${relative(root, file)} failed; the lines above say why.`)))
  })
}

/** The keys of a second account, made at the first start and kept beside those of the first: its root's secret is told only once. */
async function otherAccount(server: RunningServer, { dataDir, region }: { dataDir: string, region: string }): Promise<NodeJS.ProcessEnv> {
  const file = join(dataDir, 'example-account.json')
  let kept = readFileIfAny(file)
  if (kept === undefined) {
    const account = await createAccount({ endpoint: server.endpoint, region, credentials: readCredentials(dataDir)! }, undefined, systemClock.now())
    kept = JSON.stringify({ OTHER_AWS_ACCESS_KEY_ID: account.accessKeyId, OTHER_AWS_SECRET_ACCESS_KEY: account.secretAccessKey })
    writeFileAtomically(file, kept, 0o600)
  }
  return JSON.parse(kept) as NodeJS.ProcessEnv
}

/** What any AWS client needs, and nothing of another account's that the person's shell may hold. */
function clientEnvironment(server: RunningServer, { dataDir, region }: { dataDir: string, region: string }): NodeJS.ProcessEnv {
  const { accessKeyId, secretAccessKey } = readCredentials(dataDir)!
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))
  return {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

function nextSteps(server: RunningServer, found: ReadonlyMap<string, string[]>, form: string, dataDir: string): string {
  const [catalog] = found.get('service-catalog')!
  const [page, key] = found.get('certificate-signing')!
  const isDefault = dataDir === join(root, '.countersign')
  return `
Countersign answers at ${server.endpoint} until you press Ctrl-C.

In another terminal, in this directory:
  eval "$(npx --no countersign env${isDefault ? '' : ` --data-dir ${dataDir}`})"     AWS's own tools now talk to this server
  aws sts get-caller-identity
  aws logs tail /aws/lambda/catalog_register
  curl ${catalog}/catalog/registerservice6/1.0
  npx --no countersign curl -i -d '{"service_name":"mine","service_version":"1.0","endpoint_url":"http://127.0.0.1:1","ttl":60,"status":"healthy"}' -H 'content-type: application/json' ${catalog}/catalog/register

In a browser:
  ${page}     the certificate page; its key is ${key}
  ${form}     the web form for HMAC signatures
`
}
