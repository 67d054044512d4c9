// Starts an environment for a function: code, layers, interpreter, credentials, variables, limits and isolation put together.

import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { Roles } from '#services/iam/index.ts'
import type { LogSink } from '#services/logs/index.ts'
import type { CodeStore } from '../code.ts'
import type { FunctionSnapshot } from '../directory.ts'
import { errors } from '../errors.ts'
import { CREDENTIALS_SECONDS } from '../limits.ts'
import { environmentPurpose, runtimeVersionArn } from '../model.ts'
import { sessionNameOf } from '../names.ts'
import { startEnvironment, type Environment, type EnvironmentOptions } from './environment.ts'
import type { Reason } from './failures.ts'
import { keptBeside } from './keeper.ts'
import type { Machine } from './machine.ts'
import { holdLayers } from './opt.ts'
import { logSettingsOf } from './platform-log.ts'
import { bringsOwnRuntime, programOf } from './program.ts'
import { openRuntimeServer } from './runtime-server.ts'
import { logStreamName, variablesOf } from './variables.ts'

export interface LaunchOptions {
  machine: Machine
  code: CodeStore
  roles: Roles
  sealer: Sealer
  logs: LogSink
  clock: Clock
  random: RandomSource
  endpoint: { url(): string }
  /** `on-demand` where absent. */
  initializationType?: EnvironmentOptions['initializationType']
}

export interface Launched {
  environment: Environment
  /** When its credentials end. */
  expiresAtMs: number
}

/**
 * @throws ServiceException, AccessDeniedException when the environment cannot even be started.
 */
export async function launch(
  { record, layers = [] }: FunctionSnapshot, hooks: Pick<EnvironmentOptions, 'onIdle' | 'onInitFailed' | 'onStopped'>, options: LaunchOptions,
): Promise<Launched> {
  const { machine, code, roles, sealer, logs, clock, random, endpoint, initializationType = 'on-demand' } = options
  const { settings } = record
  const [role, interpreter] = await Promise.all([roles.findRole(settings.role), bringsOwnRuntime(settings.runtime) ? undefined : machine.interpreters.find(settings.runtime)])
  if (!role) throw errors.AccessDeniedException('The role defined for the function cannot be assumed by Lambda.')
  if (!interpreter && !bringsOwnRuntime(settings.runtime)) throw errors.ServiceException(`This machine has no interpreter for ${settings.runtime}.`)
  const own = openVariables(record, sealer)
  const userId = machine.userIds.take()
  const releases: (() => void)[] = [() => { machine.userIds.giveBack(userId) }]
  const giveBack = () => { for (const release of releases.splice(0)) release() }
  try {
    const [credentials, held, opt, scratchDirectory, server] = await Promise.all([
      roles.issue({ role, sessionName: sessionNameOf(record.name), durationSeconds: CREDENTIALS_SECONDS }),
      code.hold(record.codeSha256),
      holdLayers(layers, { code, directory: machine.codeDirectory, random }),
      machine.makeScratch(userId),
      openRuntimeServer(),
    ])
    releases.push(held.release, () => { server.close() }, ...(opt ? [opt.release] : []))
    if (scratchDirectory !== undefined) releases.push(() => { machine.removeScratch(scratchDirectory).catch(() => {}) })
    const logStream = logStreamName(clock.now(), record.version, random.bytes(16).toString('hex'))
    const { isolation } = machine
    const { memoryMb, ephemeralStorageMb } = settings
    const logSettings = logSettingsOf(settings)
    const taskRoot = isolation.taskRoot(held.directory)
    const optRoot = isolation.optRoot(opt?.directory)
    const program = programOf({ machine, runtime: settings.runtime, interpreter, memoryMb, codeDirectory: held.directory, optDirectory: opt?.directory, wrapper: own.AWS_LAMBDA_EXEC_WRAPPER })
    const extensions = extensionsIn(opt?.directory)
    const variables = variablesOf({
      record, own, credentials, endpoint: endpoint.url(), logStream, taskRoot, optRoot, runtimeApi: server.address, scratchDirectory, logs: logSettings, initializationType,
      runtimeDirectory: interpreter === undefined ? '/var/runtime' : dirname(isolation.place(machine.bootstraps[interpreter.language])),
      interpreterVersion: interpreter?.version,
    })
    const cgroup = machine.cgroups?.make(logStream.slice(-32), {
      // The temporary files of level A lie in memory. Ours: some more, because what is looked at is what the function itself has taken.
      memoryBytesMax: (memoryMb + (isolation.level === 'A' ? ephemeralStorageMb : 0) + MEMORY_MARGIN_MB) * 1024 * 1024,
      processors: memoryMb / MEMORY_MB_PER_PROCESSOR,
    })
    const started = extensions.names.length === 0 ? program : { ...program, ...keptBeside({ directory: `${optRoot}/extensions`, names: extensions.names }, program) }
    const command = isolation.wrap({
      file: started.file, args: started.args, reads: program.reads, codeDirectory: held.directory, optDirectory: opt?.directory, scratchDirectory,
      scratchMb: ephemeralStorageMb, userId,
    })
    const environment = startEnvironment({
      command, variables, server, cgroup, clock, random, processes: machine.processes, shells: machine.shells,
      extensions: extensions.names,
      obstacle: extensions.obstacle ?? program.obstacle,
      niceness: machine.cgroups?.controllers.includes('cpu') ? 0 : nicenessOf(memoryMb),
      userId: machine.ownsUsers ? userId : undefined,
      scratch: scratchDirectory === undefined ? undefined : { directory: scratchDirectory, mb: ephemeralStorageMb },
      timeoutMs: settings.timeoutSeconds * 1000,
      memoryMb,
      function: { accountId: record.accountId, functionName: record.name, functionVersion: record.version, handler: settings.handler },
      runtimeVersion: program.version,
      runtimeVersionArn: runtimeVersionArn(record.region, settings.runtime),
      initializationType,
      logs: logSettings,
      emit: (events) => { logs.append({ accountId: record.accountId, region: record.region, group: settings.logGroup, stream: logStream, events }) },
      onIdle: hooks.onIdle,
      onInitFailed: hooks.onInitFailed,
      onStopped: (stopped) => {
        hooks.onStopped(stopped)
        void stopped.stop('exited').then(giveBack)
      },
    })
    return { environment, expiresAtMs: credentials.expiresAtMs }
  } catch (error) {
    giveBack()
    throw error
  }
}

/** Source: Lambda developer guide, "Configure Lambda function memory": so much memory comes with one processor. */
const MEMORY_MB_PER_PROCESSOR = 1_769
const MEMORY_MARGIN_MB = 32

/** Where the kernel's groups are not to be had: from 0 for a whole processor to 5 for 128 MB, about a third of one. */
function nicenessOf(memoryMb: number): number {
  return Math.min(5, Math.max(0, Math.round(Math.log2(MEMORY_MB_PER_PROCESSOR / memoryMb) * 1.3)))
}

/** Source: Lambda developer guide, "Using the Lambda Extensions API": every executable in `/opt/extensions`. */
function extensionsIn(optDirectory: string | undefined): { names: string[], obstacle?: Reason } {
  if (optDirectory === undefined) return { names: [] }
  const directory = join(optDirectory, 'extensions')
  const names: string[] = []
  let obstacle: Reason | undefined
  for (const name of listOf(directory)) {
    const found = statSync(join(directory, name), { throwIfNoEntry: false })
    if (!found?.isFile()) continue
    if ((found.mode & 0o111) === 0) obstacle ??= { errorType: 'Extension.LaunchError', reason: `fork/exec /opt/extensions/${name}: permission denied` }
    else names.push(name)
  }
  return { names, ...(obstacle && { obstacle }) }
}

function listOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}

function openVariables(record: FunctionSnapshot['record'], sealer: Sealer): Record<string, string> {
  if (record.environment === null) return {}
  const opened = sealer.open(record.environment, environmentPurpose(record))
  if (!opened) throw errors.ServiceException('Lambda was unable to decrypt the environment variables: they were sealed with another master key.')
  return JSON.parse(opened.toString('utf8')) as Record<string, string>
}
