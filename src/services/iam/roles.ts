// Roles: who may assume them, and for how long.

import type {
  CreateRoleRequest, CreateRoleResponse, DeleteRoleRequest, GetRoleRequest, GetRoleResponse, ListRolesRequest, ListRolesResponse, Role,
  UpdateAssumeRolePolicyRequest, UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse, UpdateRoleRequest,
} from '@aws-sdk/client-iam'
import { parseArn } from '#aws/arn.ts'
import { listOf, statementsOf } from '#aws/policy/document.ts'
import type { Call, Valid } from '#aws/service.ts'
import { boundaryOf, requireBoundary } from './boundaries.ts'
import { cannotBeFound, named, nowInSeconds, orRefuse, readDocument, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { charactersOf, encodeDocument, ENTITIES_MAX, entityArn, newEntityId, TRUST_POLICY_CHARACTERS_MAX } from './model.ts'
import type { Entity } from './model.ts'
import { pageOf, sliceFor } from './pages.ts'
import * as reads from './reads.ts'
import { nameKey, transactions } from './store.ts'
import { checkTags } from './tags.ts'
import { deleteEntity } from './users.ts'

/** Source: IAM API reference, CreateRole, MaxSessionDuration. */
const SESSION_SECONDS_DEFAULT = 3_600

/**
 * What every answer about a role has; each adds its own.
 * Observed: AWS, 11-02-2026, recorded by localstack's test_create_role_defaults, test_role_with_tags, test_list_roles_pagination:
 * CreateRole leaves MaxSessionDuration and Description out, lists leave tags and boundary out.
 */
function describe(role: Entity): Role {
  return {
    Path: role.path, RoleName: role.name, RoleId: role.id, Arn: entityArn(role), CreateDate: new Date(role.createdAtMs),
    AssumeRolePolicyDocument: encodeDocument(role.trustPolicy!),
  }
}

const tagsOf = ({ tags }: Entity) => tags.length > 0 ? { Tags: tags } : {}
const descriptionOf = ({ description }: Entity) => description === null ? {} : { Description: description }

export async function createRole(input: Valid<CreateRoleRequest>, call: Call, service: IamService): Promise<CreateRoleResponse> {
  await checkTrustPolicy(input.AssumeRolePolicyDocument, service)
  const tags = checkTags(input.Tags)
  await requireBoundary(input.PermissionsBoundary, call, service)
  const role: Entity = {
    accountId: call.scope.accountId, kind: 'role', name: input.RoleName, path: input.Path ?? '/', id: newEntityId('role', service.random),
    createdAtMs: nowInSeconds(service), description: input.Description ?? null, trustPolicy: input.AssumeRolePolicyDocument,
    maxSessionSeconds: input.MaxSessionDuration ?? SESSION_SECONDS_DEFAULT, boundaryArn: input.PermissionsBoundary ?? null, tags,
  }
  await orRefuse(service.database.transact(transactions.insertEntity, { entity: role, entitiesMax: ENTITIES_MAX.role }), {
    exists: () => errors.EntityAlreadyExists(`Role with name ${role.name} already exists.`),
    limit: () => errors.LimitExceeded(`Cannot exceed quota for RolesPerAccount: ${ENTITIES_MAX.role}`),
  })
  return { Role: { ...describe(role), ...boundaryOf(role), ...tagsOf(role) } }
}

/** Ours: RoleLastUsed is left out, as the use of roles is not recorded. */
export async function getRole({ RoleName }: Valid<GetRoleRequest>, call: Call, service: IamService): Promise<GetRoleResponse> {
  const role = await requireEntity(service, named(call, 'role', RoleName))
  return { Role: { ...describe(role), ...descriptionOf(role), MaxSessionDuration: role.maxSessionSeconds!, ...boundaryOf(role), ...tagsOf(role) } }
}

export async function listRoles(input: ListRolesRequest, call: Call, { database }: IamService): Promise<ListRolesResponse> {
  const roles = await reads.listEntities(database, { accountId: call.scope.accountId, kind: 'role' }, { pathPrefix: input.PathPrefix ?? '/', ...sliceFor(input) })
  const { page, info } = pageOf(roles, ({ name }) => nameKey(name), input)
  return { Roles: page.map((role) => ({ ...describe(role), ...descriptionOf(role), MaxSessionDuration: role.maxSessionSeconds! })), ...info }
}

/** Observed: AWS, 11-02-2026, recorded by localstack's test_update_role: what is not given stays. */
export async function updateRole({ RoleName, Description, MaxSessionDuration }: Valid<UpdateRoleRequest>, call: Call, service: IamService): Promise<Record<string, never>> {
  await update(RoleName, { description: Description, maxSessionSeconds: MaxSessionDuration }, call, service)
  return {}
}

export async function updateRoleDescription({ RoleName, Description }: Valid<UpdateRoleDescriptionRequest>, call: Call, service: IamService): Promise<UpdateRoleDescriptionResponse> {
  await update(RoleName, { description: Description }, call, service)
  const role = await requireEntity(service, named(call, 'role', RoleName))
  return { Role: { ...describe(role), ...descriptionOf(role) } }
}

export async function updateAssumeRolePolicy({ RoleName, PolicyDocument }: Valid<UpdateAssumeRolePolicyRequest>, call: Call, service: IamService): Promise<void> {
  await requireEntity(service, named(call, 'role', RoleName))
  await checkTrustPolicy(PolicyDocument, service)
  await update(RoleName, { trustPolicy: PolicyDocument }, call, service)
}

export async function deleteRole({ RoleName }: Valid<DeleteRoleRequest>, call: Call, { database }: IamService): Promise<void> {
  await deleteEntity(named(call, 'role', RoleName), database)
}

async function update(name: string, changes: { description?: string | undefined, maxSessionSeconds?: number | undefined, trustPolicy?: string }, call: Call, { database }: IamService): Promise<void> {
  const entity = named(call, 'role', name)
  await orRefuse(database.transact(transactions.updateEntity, { entity, ...changes }), { 'no entity': () => cannotBeFound(entity) })
}

/**
 * A trust policy that IAM takes: well-formed, not too long, and every user and role that it names exists.
 *
 * Source: IAM user guide, "AWS JSON policy elements: Principal"; the sentence is IAM's as users report it.
 * Ours: principals of accounts that are not on this server are taken as they stand.
 *
 * @throws MalformedPolicyDocument
 * @throws LimitExceeded
 */
async function checkTrustPolicy(text: string, { database }: IamService): Promise<void> {
  const document = readDocument(text, 'trust')
  if (charactersOf(text) > TRUST_POLICY_CHARACTERS_MAX) throw errors.LimitExceeded(`Cannot exceed quota for ACLSizePerRole: ${TRUST_POLICY_CHARACTERS_MAX}`)
  for (const { Principal, NotPrincipal } of statementsOf(document)) {
    const element = Principal ?? NotPrincipal
    for (const name of element === '*' || element === undefined ? [] : listOf(element.AWS)) {
      if (!await mayExist(name, database)) throw errors.MalformedPolicyDocument(`Invalid principal in policy: "AWS":"${name}"`)
    }
  }
}

async function mayExist(name: string, database: IamService['database']): Promise<boolean> {
  const arn = parseArn(name)
  const [kind, ...path] = arn?.service === 'iam' ? arn.resource.split('/') : []
  if (!arn || (kind !== 'user' && kind !== 'role')) return true
  if (!await reads.findAccount(database, arn.accountId)) return true
  const entity = await reads.findEntity(database, { accountId: arn.accountId, kind, name: path.at(-1)! })
  return entity !== undefined && entityArn(entity) === name
}
