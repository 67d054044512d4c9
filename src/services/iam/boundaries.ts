// Permissions boundaries of users and roles: a managed policy that limits what the others can allow.

import type { AttachedPermissionsBoundary } from '@aws-sdk/client-iam'
import type { Call } from '#aws/service.ts'
import { cannotBeFound, named, nameMembers, orRefuse, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import type { Entity } from './model.ts'
import { transactions } from './store.ts'

/** Observed: AWS, 11-02-2026, recorded by localstack's test_role_permissions_boundary_lifecycle: the type reads `Policy`, which the SDK does not list. */
export function boundaryOf({ boundaryArn }: Entity): { PermissionsBoundary?: AttachedPermissionsBoundary } {
  if (boundaryArn === null) return {}
  return { PermissionsBoundary: { PermissionsBoundaryType: 'Policy' as 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: boundaryArn } }
}

/**
 * Observed: AWS, 11-02-2026, recorded by localstack's test_role_permissions_boundary_errors.
 * @throws InvalidInput
 * @throws NoSuchEntity
 */
export async function requireBoundary(arn: string | undefined, { scope }: Pick<Call, 'scope'>, { identity }: IamService): Promise<void> {
  if (arn === undefined) return
  if (!/^arn:aws:iam::(aws|\d{12}):policy\/.+$/.test(arn)) throw errors.InvalidInput(`ARN ${arn} is not valid.`)
  const isReachable = arn.startsWith('arn:aws:iam::aws:') || arn.startsWith(`arn:aws:iam::${scope.accountId}:`)
  if (!isReachable || !await identity.managedPolicy(arn)) throw errors.NoSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`)
}

type Input = Readonly<Record<string, any>>

export function putBoundary(kind: 'user' | 'role') {
  return async (input: Input, call: Call, service: IamService): Promise<void> => {
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    await requireEntity(service, entity)
    const boundaryArn = input.PermissionsBoundary as string
    await requireBoundary(boundaryArn, call, service)
    await orRefuse(service.database.transact(transactions.updateEntity, { entity, boundaryArn }), { 'no entity': () => cannotBeFound(entity) })
  }
}

export function deleteBoundary(kind: 'user' | 'role') {
  return async (input: Input, call: Call, { database }: IamService): Promise<void> => {
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    await orRefuse(database.transact(transactions.updateEntity, { entity, boundaryArn: null }), { 'no entity': () => cannotBeFound(entity) })
  }
}
