// One environment of a function without an API around it: its code, layers and settings given, its log kept.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { createSealer } from '#lib/seal.ts'
import type { CodeStore } from '#services/lambda/code.ts'
import type { FunctionSnapshot } from '#services/lambda/directory.ts'
import { defaults, environmentPurpose, type FunctionSettings } from '#services/lambda/model.ts'
import type { Environment } from '#services/lambda/runtime/environment.ts'
import type { IsolationLevel } from '#services/lambda/runtime/isolation/isolation.ts'
import { launch, type LaunchOptions } from '#services/lambda/runtime/launch.ts'
import { openMachine } from '#services/lambda/runtime/machine.ts'

type Files = Readonly<Record<string, string>>

export interface LaunchedOptions {
  code: Files
  /** Files of each layer; scripts are executable. */
  layers?: readonly Files[]
  settings?: Partial<FunctionSettings>
  variables?: Readonly<Record<string, string>>
  maxIsolation?: IsolationLevel
}

export interface LaunchedFunction {
  /** Starts an environment, or uses the one that is idle. */
  invoke(event?: unknown): Promise<{ answer: any, functionError: string | undefined, log: string, requestId: string }>
  /** Everything that was logged so far. */
  log(): string
  /** Ends the environment as the pool would. */
  stop(): Promise<void>
}

interface TestLike { after(hook: () => Promise<void>): void }

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:f'

export async function launchFunction(t: TestLike, { code, layers = [], settings = {}, variables, maxIsolation }: LaunchedOptions): Promise<LaunchedFunction> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-launch-'))
  const sealer = createSealer(systemRandom.bytes(32))
  const machine = await openMachine({ dataDirectory: join(directory, 'lambda'), random: systemRandom, clock: systemClock, ...(maxIsolation && { maxIsolation }) })
  const archives = new Map([['code', code], ...layers.map((files, at) => [`layer-${at}`, files] as const)].map(([name, files]) => [name, unpack(join(machine.codeDirectory, `${name as string}-${systemRandom.uuid()}`), files as Files)]))
  const store: CodeStore = {
    accept: () => { throw new Error('nothing is accepted here') },
    hold: async (sha256) => ({ directory: archives.get(sha256)!, release: () => {} }),
    clear: async () => {},
  }
  const isManaged = !('bootstrap' in code)
  const runtime = isManaged ? Object.keys(code)[0]!.endsWith('.py') ? 'python3.11' : 'nodejs22.x' : 'provided.al2023'
  const identity = { name: 'f', id: 'id', accountId: '000000000000', region: 'us-east-1' }
  const snapshot: FunctionSnapshot = {
    arn, policy: undefined, layers: layers.map((_, at) => `layer-${at}`),
    record: {
      ...identity, version: '$LATEST', contentId: 'c', revisionId: 'r', generation: 'g', codeSha256: 'code', codeBytes: 1, lastModifiedMs: 0, policy: [], tags: {},
      environment: variables ? sealer.seal(Buffer.from(JSON.stringify(variables)), environmentPurpose(identity)) : null,
      settings: { ...defaults, runtime, role: 'r', handler: runtime.startsWith('python') ? 'lambda_function.lambda_handler' : 'index.handler', logGroup: '/aws/lambda/f', ...settings },
    },
  }
  const messages: string[] = []
  const roles = {
    findRole: async () => ({}),
    issue: async () => ({ accessKeyId: 'ASIA', secretAccessKey: 's', sessionToken: 't', expiresAtMs: Date.now() + 3_600_000 }),
  } as unknown as LaunchOptions['roles']
  let ready = Promise.withResolvers<Environment>()
  let current: Environment | undefined
  const start = async () => {
    const here = (one: Environment) => { ready.resolve(one) }
    const launched = await launch(snapshot, { onIdle: here, onInitFailed: here, onStopped: () => {} }, {
      machine, code: store, roles, sealer, clock: systemClock, random: systemRandom, endpoint: { url: () => 'http://127.0.0.1:9' },
      logs: { append: ({ events }) => { messages.push(...events.map(({ message }) => message)) } },
    })
    current = launched.environment
  }
  t.after(async () => {
    await current?.stop('replaced')
    await machine.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    log: () => messages.join(''),
    async stop() { await current?.stop('replaced') },
    async invoke(event = {}) {
      if (current === undefined || current.isStopped) await start()
      const one = await ready.promise
      ready = Promise.withResolvers()
      const requestId = systemRandom.uuid()
      const { payload, functionError, logTail } = await one.invoke({ requestId, functionArn: arn, traceHeader: 'Root=1', clientContext: undefined, payload: Buffer.from(JSON.stringify(event)) })
      return { answer: JSON.parse(payload.toString('utf8') || 'null'), functionError, log: logTail.toString('utf8'), requestId }
    },
  }
}

function unpack(directory: string, files: Files): string {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
  return directory
}
