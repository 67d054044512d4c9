// What an environment is started with, and what its owner may do with it.

import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Reason } from './failures.ts'
import type { EnvironmentEvent, Outcome } from './invocation.ts'
import type { Cgroup } from './isolation/cgroups.ts'
import type { Command } from './isolation/isolation.ts'
import type { ProcessTable } from './isolation/processes.ts'
import type { LogSettings } from './platform-log.ts'
import type { ResponseSink } from './response-stream.ts'
import type { RuntimeServer } from './runtime-server.ts'
import type { Shells } from './shells.ts'

export type StopReason = 'idle too long' | 'timed out' | 'exited' | 'replaced' | 'failed to start' | 'misbehaved'

export interface EnvironmentOptions {
  command: Command
  variables: Readonly<Record<string, string>>
  /** Names of the programs in `/opt/extensions`; with any, `command` is their keeper. */
  extensions: readonly string[]
  server: RuntimeServer
  processes: ProcessTable
  shells: Shells
  /** Why nothing can be started at all; known beforehand. */
  obstacle?: Reason | undefined
  niceness: number
  /** The user that this environment has for itself. */
  userId: number | undefined
  cgroup: Cgroup | undefined
  /** Where files lie that nothing else bounds. */
  scratch: { directory: string, mb: number } | undefined
  timeoutMs: number
  memoryMb: number
  function: { accountId: string, functionName: string, functionVersion: string, handler: string }
  /** `nodejs:26.10.0`, for the first line of the log. */
  runtimeVersion: string
  runtimeVersionArn: string
  initializationType: 'on-demand' | 'provisioned-concurrency'
  logs: LogSettings
  clock: Clock
  random: RandomSource
  emit: (lines: readonly { timestampMs: number, message: string }[]) => void
  /** It can take an event. Called after the start and after each invocation. */
  onIdle: (environment: Environment) => void
  /** Init failed, once: an invocation may try again, or it may be stopped. */
  onInitFailed: (environment: Environment) => void
  /** Called once. */
  onStopped: (environment: Environment) => void
}

export interface Environment {
  /** Only for an environment that is idle or whose init failed. Never rejects: a failure is an outcome. */
  invoke(event: EnvironmentEvent, sink?: ResponseSink): Promise<Outcome>
  /** Ends every process of it, extensions and runtimes that have any after a time of grace. Resolves when they are gone. */
  stop(because: StopReason): Promise<void>
  readonly isIdle: boolean
  readonly isStopped: boolean
}
