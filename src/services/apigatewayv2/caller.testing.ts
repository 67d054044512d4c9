// For this service's tests: runs operations as the wire would, once a caller is known, and answers what the handlers answer.

import type { Call, Permission } from '#aws/service.ts'
import { startTrace } from '#aws/trace.ts'
import { systemClock, type Clock } from '#lib/clock.ts'
import { headersFromRaw } from '#lib/http.ts'
import { systemRandom } from '#lib/random.ts'
import type { Database } from '#storage/database.ts'
import { createApiGatewayV2, type ApiGatewayV2, type V2SnapshotSource } from './index.ts'

export type Answer = Record<string, any>

export interface TestCaller {
  run(operation: string, input: Record<string, unknown>): Promise<Answer>
  /** What `access` asks for. */
  permissions(operation: string, input: Record<string, unknown>): Promise<Permission[]>
  /** What handlers asked for beside `access`, so far. */
  readonly required: Permission[]
  snapshots: V2SnapshotSource
}

/** Acts as the root of an account, 000000000000 unless said, in us-east-1. */
export function createCaller(
  database: Database,
  { accountId = '000000000000', region = 'us-east-1', clock = systemClock, endpoint = 'http://127.0.0.1:4566', rest, mayLog = true }:
  { accountId?: string, region?: string, clock?: Clock, endpoint?: string, rest?: ApiGatewayV2['rest'], mayLog?: boolean } = {},
): TestCaller {
  const { definition, snapshots } = createApiGatewayV2({ database, clock, random: systemRandom, endpoint: { url: () => endpoint }, rest, logging: { hasRole: async () => mayLog } })
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
    // Handlers may throw before their promise exists; callers see a rejection either way.
    run: async (operation, input) => await definition.operations[operation]!.run(input, call, definition.service) as Answer,
    permissions: async (operation, input) => await definition.operations[operation]!.access(input, call, definition.service),
  }
}
