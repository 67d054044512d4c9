// For this service's tests: runs operations as the wire would, once a caller is known, and answers what the handlers answer.

import type { Call, Permission } from '#aws/service.ts'
import { startTrace } from '#aws/trace.ts'
import { systemClock, type Clock } from '#lib/clock.ts'
import { headersFromRaw } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import { createSealer } from '#lib/seal.ts'
import type { Database } from '#storage/database.ts'
import { createApiGateway, type FunctionDirectory, type Metering, type SnapshotSource, type SocketStages, type UsagePlanStages } from './index.ts'

export type Answer = Record<string, any>

export interface TestCaller {
  run(operation: string, input: Record<string, unknown>): Promise<Answer>
  /** What `access` asks for. */
  permissions(operation: string, input: Record<string, unknown>): Promise<Permission[]>
  /** What handlers asked for beside `access`, so far. */
  readonly required: Permission[]
  snapshots: SnapshotSource
  metering: Metering
  usagePlans: UsagePlanStages
  /** Gives back what was taken in advance. */
  close(): Promise<void>
}

/** Acts as the root of account 000000000000 in us-east-1. */
export function createCaller(
  database: Database,
  { functions, socketStages, region = 'us-east-1', clock = systemClock }: { functions?: FunctionDirectory, socketStages?: SocketStages, region?: string, clock?: Clock } = {},
): TestCaller {
  const accountId = '000000000000'
  const { definition, snapshots, metering, usagePlans, close } = createApiGateway({
    database, clock, random: systemRandom, functions, socketStages, sealer: createSealer(Buffer.alloc(32, 7)),
    loggingRoles: { mayLog: async (roleArn) => roleArn.endsWith(':role/logging') },
    runMethodTest: async () => { throw new Error('no data plane here') },
    runAuthorizerTest: async () => { throw new Error('no data plane here') },
  })
  const required: Permission[] = []
  const call: Call = {
    requestId: 'test',
    caller: { is: 'root', accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId, accessKeyId: 'AKIATEST' },
    scope: { accountId, region },
    atMs: systemClock.now(),
    trace: startTrace('test', systemClock.monotonic),
    request: { headers: headersFromRaw([]), remoteAddress: '127.0.0.1', isSecure: false },
    require: async (permission) => { required.push(permission) },
  }
  return {
    required,
    snapshots,
    metering,
    usagePlans,
    close,
    // Handlers may throw before their promise exists; callers see a rejection either way.
    run: async (operation, input) => await definition.operations[operation]!.run(input, call, definition.service) as Answer,
    permissions: async (operation, input) => await definition.operations[operation]!.access(input, call, definition.service),
  }
}
