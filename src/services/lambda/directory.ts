// The functions as invocations need them: read once, with their policies compiled, until they change.

import { compilePolicy } from '#aws/policy/compile.ts'
import type { Policy } from '#aws/policy/document.ts'
import type { RandomSource } from '#lib/random.ts'
import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import { findAlias } from './alias-store.ts'
import { chooseVersion, isVersionNumber, LATEST, type AliasRecord, type FunctionRecord, type PermissionStatement } from './model.ts'
import { functionArn, parseFunctionArn, type FunctionReference } from './names.ts'
import { cacheKeyOf, findFunction, findVersion, type FunctionKey } from './store.ts'

/** A function as it is now, in the version that an invocation runs. */
export interface FunctionSnapshot {
  /** Without a qualifier. */
  arn: string
  record: FunctionRecord
  /** Of what was named: the function, the version or the alias. Undefined when no permission was added. */
  policy: Policy | undefined
  /** Archives of the layers, in their order, as the code store knows them: environments see them at `/opt`. */
  layers?: readonly string[]
}

export interface FunctionDirectory {
  /** An alias with two versions answers now the one, now the other, as its weights say. */
  find(reference: Pick<FunctionReference, 'accountId' | 'region' | 'name' | 'qualifier'>): Promise<FunctionSnapshot | undefined>
  /** Undefined for what is no function's ARN, too. */
  findByArn(arn: string): Promise<FunctionSnapshot | undefined>
}

/** What is known of one function: all of it is forgotten when anything of it changes. */
interface Known {
  latest: FunctionSnapshot
  /** By number. */
  versions: Map<string, FunctionSnapshot>
  aliases: Map<string, { alias: AliasRecord, policy: Policy | undefined }>
}

const functionsKeptMax = 5_000
/** Of one function, each of versions and aliases. */
const qualifiersKeptMax = 50

export function createFunctionDirectory({ database, random }: { database: Database, random: RandomSource }): FunctionDirectory {
  const cache = createCache<string, Known | undefined>({
    database,
    load: async (key) => {
      const record = await findFunction(database, keyOf(key))
      return record && { latest: snapshotOf(record), versions: new Map(), aliases: new Map() }
    },
    staleAfter: ({ topic, key }) => topic === 'lambda.function' ? { key } : 'none',
    entriesMax: functionsKeptMax,
  })

  const versionOf = (known: Known, version: string) => remember(known.versions, version, async () => {
    const record = await findVersion(database, known.latest.record, version)
    return record && snapshotOf(record)
  })

  const aliasOf = (known: Known, name: string) => remember(known.aliases, name, async () => {
    const alias = await findAlias(database, known.latest.record, name)
    return alias && { alias, policy: compiled(alias.policy, `${known.latest.arn}:${name}`) }
  })

  const find: FunctionDirectory['find'] = async ({ qualifier, ...key }) => {
    const known = await cache.get(cacheKeyOf(key))
    if (!known || qualifier === undefined || qualifier === LATEST) return known?.latest
    if (isVersionNumber(qualifier)) return versionOf(known, qualifier)
    const found = await aliasOf(known, qualifier)
    if (!found) return undefined
    const version = chooseVersion(found.alias, () => random.bytes(4).readUInt32BE() / 2 ** 32)
    const snapshot = version === LATEST ? known.latest : await versionOf(known, version)
    return snapshot && { ...snapshot, policy: found.policy }
  }

  return {
    find,
    async findByArn(arn) {
      const reference = parseFunctionArn(arn)
      return reference && find(reference)
    },
  }
}

/** What is not there is not kept: anybody may ask for any name. */
async function remember<Value>(kept: Map<string, Value>, key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined> {
  const known = kept.get(key)
  if (known !== undefined) return known
  const loaded = await load()
  if (loaded === undefined) return undefined
  if (kept.size >= qualifiersKeptMax) kept.delete(kept.keys().next().value!)
  kept.set(key, loaded)
  return loaded
}

function keyOf(cacheKey: string): FunctionKey {
  const [accountId, region, name] = cacheKey.split('/') as [string, string, string]
  return { accountId, region, name }
}

function snapshotOf(record: FunctionRecord): FunctionSnapshot {
  const arn = functionArn(record)
  const policy = compiled(record.policy, record.version === LATEST ? arn : `${arn}:${record.version}`)
  return { arn, record, policy, layers: (record.settings.layers ?? []).map(({ codeSha256 }) => codeSha256) }
}

function compiled(statements: readonly PermissionStatement[], arn: string): Policy | undefined {
  return statements.length === 0 ? undefined : compilePolicy(policyDocument(statements), `resource policy of ${arn}`)
}

/** A resource policy as GetPolicy shows it. Source: Lambda developer guide, "Viewing resource-based IAM policies in Lambda", examples. */
export function policyDocument(statements: readonly PermissionStatement[]): { Version: string, Id: string, Statement: readonly PermissionStatement[] } {
  return { Version: '2012-10-17', Id: 'default', Statement: statements }
}
