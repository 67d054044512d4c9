// The functions as invocations need them: read once, with their policies compiled, until they change.

import { compilePolicy } from '#aws/policy/compile.ts'
import type { Policy } from '#aws/policy/document.ts'
import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import type { FunctionRecord } from './model.ts'
import { functionArn, parseFunctionArn, type FunctionReference } from './names.ts'
import { cacheKeyOf, findFunction, type FunctionKey } from './store.ts'

/** A function as it is now. */
export interface FunctionSnapshot {
  /** Without a qualifier. */
  arn: string
  record: FunctionRecord
  /** Undefined when no permission was added. */
  policy: Policy | undefined
  /** Archives of the layers, in their order, as the code store knows them: environments see them at `/opt`. */
  layers?: readonly string[]
}

export interface FunctionDirectory {
  find(reference: Pick<FunctionReference, 'accountId' | 'region' | 'name' | 'qualifier'>): Promise<FunctionSnapshot | undefined>
  /** Undefined for what is no function's ARN, too. */
  findByArn(arn: string): Promise<FunctionSnapshot | undefined>
}

const functionsKeptMax = 5_000

export function createFunctionDirectory({ database }: { database: Database }): FunctionDirectory {
  const cache = createCache<string, FunctionSnapshot | undefined>({
    database,
    load: async (key) => snapshotOf(await findFunction(database, keyOf(key))),
    staleAfter: ({ topic, key }) => topic === 'lambda.function' ? { key } : 'none',
    entriesMax: functionsKeptMax,
  })
  const find: FunctionDirectory['find'] = async ({ qualifier, ...key }) => {
    // Versions and aliases do not exist yet, so every other qualifier names nothing.
    if (qualifier !== undefined && qualifier !== '$LATEST') return undefined
    return cache.get(cacheKeyOf(key))
  }
  return {
    find,
    async findByArn(arn) {
      const reference = parseFunctionArn(arn)
      return reference && find(reference)
    },
  }
}

function keyOf(cacheKey: string): FunctionKey {
  const [accountId, region, name] = cacheKey.split('/') as [string, string, string]
  return { accountId, region, name }
}

function snapshotOf(record: FunctionRecord | undefined): FunctionSnapshot | undefined {
  if (!record) return undefined
  const arn = functionArn(record)
  return { arn, record, policy: record.policy.length === 0 ? undefined : compilePolicy(policyDocument(record), `resource policy of ${arn}`) }
}

/** The resource policy as GetPolicy shows it. Source: Lambda developer guide, "Viewing resource-based IAM policies in Lambda", examples. */
export function policyDocument({ policy }: Pick<FunctionRecord, 'policy'>): { Version: string, Id: string, Statement: FunctionRecord['policy'] } {
  return { Version: '2012-10-17', Id: 'default', Statement: policy }
}
