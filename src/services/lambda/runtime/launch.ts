// Starts an environment for a function: code, interpreter, credentials, variables and isolation put together.

import { dirname } from 'node:path'
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
import { startEnvironment, type Environment, type EnvironmentOptions } from './environment.ts'
import type { Interpreter } from './interpreters.ts'
import type { Machine } from './machine.ts'
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
  { record, arn }: FunctionSnapshot, hooks: Pick<EnvironmentOptions, 'onIdle' | 'onStopped'>, options: LaunchOptions,
): Promise<Launched> {
  const { machine, code, roles, sealer, logs, clock, random, endpoint } = options
  const { settings } = record
  const [role, interpreter] = await Promise.all([roles.findRole(settings.role), machine.interpreters.find(settings.runtime)])
  if (!role) throw errors.AccessDeniedException('The role defined for the function cannot be assumed by Lambda.')
  if (!interpreter) throw errors.ServiceException(`This machine has no interpreter for ${settings.runtime}.`)
  const credentials = await roles.issue({ role, sessionName: sessionNameOf(record.name), durationSeconds: CREDENTIALS_SECONDS })
  const userId = machine.userIdOf(arn)
  const held = await code.hold(record.codeSha256)
  const scratchDirectory = await machine.makeScratch(userId)
  const giveBack = () => {
    held.release()
    if (scratchDirectory !== undefined) machine.removeScratch(scratchDirectory).catch(() => {})
  }
  try {
    const logStream = logStreamName(clock.now(), random.bytes(16).toString('hex'))
    const { isolation } = machine
    const bootstrap = machine.bootstraps[interpreter.language]
    const seen = isolation.place(bootstrap)
    const taskRoot = isolation.taskRoot(held.directory)
    const variables = variablesOf({
      record, own: openVariables(record, sealer), credentials, endpoint: endpoint.url(), logStream, taskRoot, runtimeDirectory: dirname(seen), scratchDirectory,
    })
    const command = isolation.wrap({
      file: isolation.place(interpreter.file),
      args: argumentsOf(interpreter, seen, { memoryMb: settings.memoryMb, sdkDirectory: isolation.place(machine.sdkDirectory) }),
      reads: [...interpreter.reads, bootstrap, ...(interpreter.language === 'nodejs' ? [machine.sdkDirectory] : [])],
      codeDirectory: held.directory, scratchDirectory, scratchMb: settings.ephemeralStorageMb, userId,
    })
    const environment = startEnvironment({
      command, variables, clock,
      timeoutMs: settings.timeoutSeconds * 1000,
      memoryMb: settings.memoryMb,
      runtimeVersion: `${interpreter.language}:${interpreter.version}`,
      runtimeVersionArn: runtimeVersionArn(record.region, settings.runtime),
      emit: (events) => { logs.append({ accountId: record.accountId, region: record.region, group: settings.logGroup, stream: logStream, events }) },
      onIdle: hooks.onIdle,
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

/** Part of the heap is new objects, and a process is more than its heap. Source: AWS's own Node runtimes start so. */
const heapShare = 0.9

function argumentsOf({ language }: Interpreter, bootstrap: string, { memoryMb, sdkDirectory }: { memoryMb: number, sdkDirectory: string }): string[] {
  if (language === 'python') return ['-B', bootstrap]
  return [`--max-old-space-size=${Math.floor(memoryMb * heapShare)}`, '--disable-warning=ExperimentalWarning', bootstrap, sdkDirectory]
}

/** A session's name has at least two characters. Source: STS API reference, AssumeRole. */
function sessionNameOf(name: string): string {
  return name.length < 2 ? `${name}-` : name
}

function openVariables(record: FunctionSnapshot['record'], sealer: Sealer): Record<string, string> {
  if (record.environment === null) return {}
  const opened = sealer.open(record.environment, environmentPurpose(record))
  if (!opened) throw errors.ServiceException('Lambda was unable to decrypt the environment variables: they were sealed with another master key.')
  return JSON.parse(opened.toString('utf8')) as Record<string, string>
}
