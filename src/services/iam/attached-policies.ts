// Managed policies attached to users, roles and groups.

import type { Call } from '#aws/service.ts'
import { awsManagedPolicies } from './aws-managed.ts'
import { cannotBeFound, named, nameMembers, orRefuse, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { checkPolicyArn } from './managed-policies.ts'
import { entityArn, MANAGED_POLICIES_PER_ENTITY_MAX } from './model.ts'
import type { EntityKind } from './model.ts'
import { pageOfAll } from './pages.ts'
import type { PageInfo } from './pages.ts'
import * as reads from './reads.ts'
import { transactions } from './store.ts'

type Input = Readonly<Record<string, any>>

const quotaNames: Readonly<Record<EntityKind, string>> = { user: 'PoliciesPerUser', role: 'PoliciesPerRole', group: 'PoliciesPerGroup' }

/** Observed: AWS, 11-02-2026, recorded by localstack's test_role_managed_policy_errors. */
export function attachPolicy(kind: EntityKind) {
  return async (input: Input, call: Call, { database }: IamService): Promise<void> => {
    const policyArn = checkPolicyArn(input.PolicyArn as string)
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    const attachmentsMax = MANAGED_POLICIES_PER_ENTITY_MAX
    await orRefuse(database.transact(transactions.attachPolicy, { entity, policyArn, isAwsManaged: awsManagedPolicies.has(policyArn), attachmentsMax }), {
      'no entity': () => cannotBeFound(entity),
      'no policy': () => errors.NoSuchEntity(`Policy ${policyArn} does not exist or is not attachable.`),
      limit: () => errors.LimitExceeded(`Cannot exceed quota for ${quotaNames[kind]}: ${attachmentsMax}`),
    })
  }
}

export function detachPolicy(kind: EntityKind) {
  return async (input: Input, call: Call, { database }: IamService): Promise<void> => {
    const policyArn = checkPolicyArn(input.PolicyArn as string)
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    await orRefuse(database.transact(transactions.detachPolicy, { entity, policyArn }), {
      'no entity': () => cannotBeFound(entity),
      'not attached': () => errors.NoSuchEntity(`Policy ${policyArn} was not found.`),
    })
  }
}

export function listAttachedPolicies(kind: EntityKind) {
  return async (input: Input, call: Call, service: IamService): Promise<{ AttachedPolicies: { PolicyName: string, PolicyArn: string }[] } & PageInfo> => {
    const entity = await requireEntity(service, named(call, kind, input[nameMembers[kind]] as string))
    const prefix = (input.PathPrefix as string | undefined) ?? '/'
    const arns = (await reads.listAttachedPolicies(service.database, entity.id)).filter((arn) => pathOf(arn).startsWith(prefix))
    const { page, info } = pageOfAll(arns, (arn) => arn, input)
    return { AttachedPolicies: page.map((arn) => ({ PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn })), ...info }
  }
}

function pathOf(arn: string): string {
  return arn.slice(arn.indexOf('/'), arn.lastIndexOf('/') + 1)
}

/** Who uses a policy, as attachment or boundary. */
export async function listEntitiesForPolicy(input: Input, call: Call, { database }: IamService): Promise<Record<string, unknown>> {
  const arn = checkPolicyArn(input.PolicyArn as string)
  const { accountId } = call.scope
  if (!awsManagedPolicies.has(arn) && !await reads.findPolicy(database, arn)) throw errors.NoSuchEntity(`Policy ${arn} was not found.`)
  const as = input.PolicyUsageFilter === 'PermissionsBoundary' ? 'boundary' : 'attachment'
  const filter = input.EntityFilter as string | undefined
  const prefix = (input.PathPrefix as string | undefined) ?? '/'
  const wanted = filter === undefined ? undefined : filter.toLowerCase()
  const entities = (await reads.listEntitiesOfPolicy(database, { accountId, arn, as }))
    .filter(({ kind, path }) => (wanted === undefined || wanted === kind) && path.startsWith(prefix))
    .toSorted((one, other) => entityArn(one) < entityArn(other) ? -1 : 1)
  const { page, info } = pageOfAll(entities, entityArn, input)
  return {
    PolicyGroups: page.filter(({ kind }) => kind === 'group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
    PolicyUsers: page.filter(({ kind }) => kind === 'user').map(({ name, id }) => ({ UserName: name, UserId: id })),
    PolicyRoles: page.filter(({ kind }) => kind === 'role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
    ...info,
  }
}
