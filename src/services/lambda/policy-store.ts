// SQL of resource policies: of a function, of one of its versions, of one of its aliases.

import { defineTransactions, sql, type Sql, type Transaction } from '#storage/database.ts'
import { findAlias } from './alias-store.ts'
import type { PermissionStatement } from './model.ts'
import { changed, conflict, findFunction, findVersion, type FunctionKey } from './function-rows.ts'

/** What a policy belongs to: the function as a whole without a qualifier, else a version's number or an alias. */
export interface PolicyTarget {
  key: FunctionKey
  qualifier: string | undefined
  /** The caller's own precondition. */
  revisionId: string | undefined
}

export const policyTransactions = defineTransactions('lambda', {
  /** Conflicts: `missing`, `revision`, `statement exists`, `policy too long`. */
  async addStatement(tx, { target, statement, revisionId, policyBytesMax }: {
    target: PolicyTarget, statement: PermissionStatement, revisionId: string, policyBytesMax: number
  }): Promise<void> {
    const policy = await lockPolicy(tx, target, () => undefined)
    if (policy.some(({ Sid }) => Sid === statement.Sid)) throw conflict('statement exists')
    const next = [...policy, statement]
    if (Buffer.byteLength(JSON.stringify(next)) > policyBytesMax) throw conflict('policy too long')
    await savePolicy(tx, target, next, revisionId)
  },

  /** Conflicts: `missing`, `policy missing`, `statement missing`, `revision`. */
  async removeStatement(tx, { target, sid, revisionId }: { target: PolicyTarget, sid: string, revisionId: string }): Promise<void> {
    const policy = await lockPolicy(tx, target, (statements) => {
      if (statements.length === 0) throw conflict('policy missing')
      if (!statements.some(({ Sid }) => Sid === sid)) throw conflict('statement missing')
    })
    await savePolicy(tx, target, policy.filter(({ Sid }) => Sid !== sid), revisionId)
  },
})

/** `check` comes before the precondition. */
async function lockPolicy(
  tx: Transaction, { key, qualifier, revisionId }: PolicyTarget, check: (policy: readonly PermissionStatement[]) => void,
): Promise<readonly PermissionStatement[]> {
  const found = qualifier === undefined ? await findFunction(tx, key)
    : isVersion(qualifier) ? await findVersion(tx, key, qualifier) : await findAlias(tx, key, qualifier)
  if (!found) throw conflict('missing')
  check(found.policy)
  if (revisionId !== undefined && revisionId !== found.revisionId) throw conflict('revision')
  return found.policy
}

async function savePolicy(tx: Transaction, { key, qualifier }: PolicyTarget, policy: readonly PermissionStatement[], revisionId: string): Promise<void> {
  const { accountId, region, name } = key
  const set = sql`policy = ${JSON.stringify(policy)}, revision_id = ${revisionId}`
  const where = sql`account_id = ${accountId} and region = ${region} and name = ${name}`
  const statement: Sql = qualifier === undefined ? sql`update lambda_functions set ${set} where ${where}`
    : isVersion(qualifier) ? sql`update lambda_versions set ${set} where ${where} and version = ${Number(qualifier)}`
      : sql`update lambda_aliases set ${set} where ${where} and alias = ${qualifier}`
  await tx.run(statement)
  await changed(tx, key)
}

function isVersion(qualifier: string): boolean {
  return /^\d+$/.test(qualifier)
}
