// What the handlers of IAM hold in common, and the look-ups that most of them begin with.

import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import { MalformedPolicy } from '#aws/policy/document.ts'
import type { PolicyDocument, PolicyKind } from '#aws/policy/document.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import type { Call } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { Database } from '#storage/database.ts'
import { errors } from './errors.ts'
import type { CachedIdentity } from './identity.ts'
import type { Entity, EntityKind } from './model.ts'
import * as reads from './reads.ts'
import type { EntityName } from './store.ts'

export interface IamService {
  database: Database
  clock: Clock
  random: RandomSource
  sealer: Pick<Sealer, 'sealText' | 'openText'>
  identity: CachedIdentity
}

/** The member that names an entity in inputs and outputs. */
export const nameMembers = { user: 'UserName', role: 'RoleName', group: 'GroupName' } as const satisfies Record<EntityKind, string>

export function named({ scope }: Pick<Call, 'scope'>, kind: EntityKind, name: string): EntityName {
  return { accountId: scope.accountId, kind, name }
}

/** @throws NoSuchEntity */
export async function requireEntity({ database }: Pick<IamService, 'database'>, entity: EntityName): Promise<Entity> {
  const found = await reads.findEntity(database, entity)
  if (!found) throw cannotBeFound(entity)
  return found
}

/** Observed: AWS, 11-02-2026 to 19-02-2026, recorded by localstack's test_role_errors, test_user_errors, test_get_group. */
export function cannotBeFound({ kind, name }: Pick<EntityName, 'kind' | 'name'>): Error {
  return errors.NoSuchEntity(`The ${kind} with name ${name} cannot be found.`)
}

/**
 * The user that a call is about when it names none: the one who calls. Undefined stands for the account's root.
 *
 * Observed: AWS, 24-02-2026, recorded by localstack's test_access_key_errors (the sentence for sessions of roles).
 * @throws ValidationError
 */
export function ownUserName({ caller }: Pick<Call, 'caller'>): string | undefined {
  if (caller.is === 'user') return caller.userName
  if (caller.is === 'root') return undefined
  throw errors.ValidationError('Must specify userName when calling with non-User credentials')
}

/** Runs a transaction; its refusals become errors by the table. */
export async function orRefuse<Result>(done: Promise<Result>, table: Readonly<Record<string, () => Error>>): Promise<Result> {
  try {
    return await done
  } catch (error) {
    const refusal = error instanceof Conflict ? table[error.reason] : undefined
    throw refusal ? refusal() : error
  }
}

/** @throws MalformedPolicyDocument */
export function readDocument(text: string, kind: PolicyKind): PolicyDocument {
  try {
    return parsePolicy(text, kind)
  } catch (error) {
    if (error instanceof MalformedPolicy) throw errors.MalformedPolicyDocument(error.message)
    throw error
  }
}

/** IAM's dates have whole seconds. */
export function nowInSeconds({ clock }: Pick<IamService, 'clock'>): number {
  return Math.floor(clock.now() / 1000) * 1000
}
