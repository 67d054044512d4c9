// The public face of Lambda: the operations, and the way in which other services of this server invoke functions.

import type { Authorizer } from '#aws/authorize.ts'
import type { ServiceDefinition } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { Log } from '#lib/log.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { Database } from '#storage/database.ts'
import type { Roles } from '#services/iam/index.ts'
import type { LogSink } from '#services/logs/index.ts'
import { operations } from './api.ts'
import type { LambdaService } from './api.ts'
import { createCodeStore } from './code.ts'
import { createConcurrencyDirectory } from './concurrency/limits.ts'
import { createProvisioner } from './concurrency/provisioner.ts'
import { createDownloads } from './downloads.ts'
import { createFunctionDirectory } from './directory.ts'
import { createDeliveries } from './events/deliveries.ts'
import { createEvents } from './events/events.ts'
import { createEventListing } from './events/listing.ts'
import type { EventListing } from './events/listing.ts'
import { createInvoker } from './invoker.ts'
import type { Invoker } from './invoker.ts'
import { FUNCTIONS_MEASURED_MAX, REQUEST_BYTES_MAX } from './limits.ts'
import { createMeasurements } from './measurements.ts'
import type { Measurements } from './measurements.ts'
import { createRunner } from './runner.ts'
import { createPool } from './runtime/pool.ts'
import { constraints } from './settings.ts'
import { createFunctionUrls } from './url-directory.ts'
import type { FunctionUrls } from './url-directory.ts'
import { openMachine } from './runtime/machine.ts'
import type { IsolationLevel } from './runtime/isolation/isolation.ts'

export { InvocationAbandoned } from './invoker.ts'
export { createFunctionUrlEndpoint } from './url/function-urls.ts'
export type { EventListing, ShownEvent } from './events/listing.ts'
export type { FunctionMeasurements, Histogram, Measurements } from './measurements.ts'
export type { Invocation, InvocationResult, Invoker, StreamEnd, StreamingInvocation, StreamingResult } from './invoker.ts'
export type { FunctionUrl, FunctionUrls } from './url-directory.ts'
export type { IsolationLevel } from './runtime/isolation/isolation.ts'

export interface LambdaOptions {
  /** The core store. */
  database: Database
  clock: Clock
  random: RandomSource
  sealer: Sealer
  roles: Roles
  /** Asked what a function's role may do with the records of its events. */
  authorizer: Authorizer
  logs: LogSink
  /** Where functions find the APIs of this server: `http://127.0.0.1:4566`. Asked whenever an environment starts. */
  endpoint: { url(): string }
  /** For unpacked code and the environments' files; made when it is missing. Functions never see the directory that it lies in. */
  dataDirectory: string
  log: Log
  /** Refuses to start when the machine offers less. */
  minIsolation?: IsolationLevel
  /** Does not use more than this level, for tests of the weaker ones. */
  maxIsolation?: IsolationLevel
  /** Environments of all functions together. */
  environmentsMax?: number
  /** An environment that nobody used for so long is stopped. */
  idleMsMax?: number
  /** Bytes of all events that wait for an environment in memory. */
  waitingBytesMax?: number
  waitingMsMax?: number
  /** Events of one function that wait at most. */
  eventsWaitingMax?: number
}

export interface Lambda {
  definition: ServiceDefinition<LambdaService>
  invoker: Invoker
  functions: {
    /** Whether a function ARN, with or without a qualifier, names something that can be invoked. */
    exists(functionArn: string): Promise<boolean>
  }
  /** Asynchronous invocations, for people. */
  events: EventListing
  measurements: Pick<Measurements, 'all'>
  /** Begins to run events, and to keep ready what is provisioned. To be called once functions can reach the server. */
  start(): void
  /** Which function answers under the id of a function URL. */
  urls: FunctionUrls
  /** The presigned addresses that GetFunction answers as `Code.Location`: to be asked before the AWS API is. */
  downloads: {
    matches(request: Pick<HttpRequest, 'path'>): boolean
    handle(request: HttpRequest): Promise<HttpResponse>
  }
  /** One sentence for each thing that this machine lacks or replaces: isolation, interpreters. */
  notes: readonly string[]
  /** How this machine runs functions. */
  isolation: IsolationLevel
  /** Stops every environment and forgets what was derived from the store, which the caller empties. */
  reset(): Promise<void>
  /** Stops every environment; none is left when it resolves. */
  close(): Promise<void>
}

/**
 * Assembles the service, and finds out how this machine can run functions.
 *
 * @throws IsolationRefusal when the machine offers less than `minIsolation`.
 */
export async function createLambda(options: LambdaOptions): Promise<Lambda> {
  const { database, clock, random, sealer, roles, authorizer, logs, endpoint, log } = options
  const machine = await openMachine(options)
  const code = createCodeStore({ database, random, directory: () => machine.codeDirectory })
  const directory = createFunctionDirectory({ database, random })
  const pool = createPool({ ...options, machine, code, roles, logs, endpoint })
  const concurrency = createConcurrencyDirectory({ database })
  const measurements = createMeasurements({ functionsMax: FUNCTIONS_MEASURED_MAX })
  const runner = createRunner({ pool, concurrency, measurements, clock, onRoom: () => { events.onRoom() } })
  const deliveries = createDeliveries({ directory, roles, authorizer, clock, random })
  const events = createEvents({ ...options, directory, runner, deliveries, measurements })
  const provisioner = createProvisioner({ database, directory, concurrency, pool, log })
  const invoker = createInvoker({ directory, runner, events, clock, random })
  const service: LambdaService = {
    database, clock, random, sealer, roles, endpoint, code, directory, invoker, deliveries, pool, interpreters: machine.interpreters, log,
  }
  const downloads = createDownloads({ database, sealer, clock })
  return {
    definition: {
      model: 'lambda-2015-03-31',
      operations,
      service,
      // Versions and aliases have the tags of their function.
      tagsOf: async (arn) => (await directory.findByArn(arn.replace(/^((?:[^:]*:){6}[^:]*):.*$/, '$1')))?.record.tags,
      bodyBytesMax: REQUEST_BYTES_MAX,
      errors: { validation: { code: 'ValidationException', status: 400 }, accessDenied: { code: 'AccessDeniedException', status: 403 }, constraints },
    },
    invoker,
    events: createEventListing({ database, clock, wake: () => { events.wake() } }),
    measurements,
    start() {
      events.start()
      provisioner.start()
    },
    urls: createFunctionUrls({ database, directory }),
    functions: { exists: async (functionArn) => await directory.findByArn(functionArn) !== undefined },
    downloads,
    notes: machine.notes,
    isolation: machine.isolation.level,
    async reset() {
      await pool.stopAll('replaced')
      await code.clear()
    },
    async close() {
      events.beginClose()
      await provisioner.stop()
      await pool.close()
      await events.endClose()
      await machine.close()
    },
  }
}
