// Users: made, read, renamed, removed.

import type {
  CreateUserRequest, CreateUserResponse, DeleteUserRequest, GetUserRequest, GetUserResponse, ListUsersRequest, ListUsersResponse, UpdateUserRequest, User,
} from '@aws-sdk/client-iam'
import type { Call, Valid } from '#aws/service.ts'
import { boundaryOf, requireBoundary } from './boundaries.ts'
import { cannotBeFound, named, nowInSeconds, orRefuse, ownUserName, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { ENTITIES_MAX, entityArn, newEntityId, rootArn } from './model.ts'
import type { Entity } from './model.ts'
import { pageOf, sliceFor } from './pages.ts'
import * as reads from './reads.ts'
import { nameKey, transactions } from './store.ts'
import { checkTags } from './tags.ts'

/** In lists; single answers add boundary and tags. */
export function describeUser(user: Entity): User {
  return { Path: user.path, UserName: user.name, UserId: user.id, Arn: entityArn(user), CreateDate: new Date(user.createdAtMs) }
}

function describeWhole(user: Entity): User {
  return { ...describeUser(user), ...boundaryOf(user), ...(user.tags.length > 0 && { Tags: user.tags }) }
}

export async function createUser(input: Valid<CreateUserRequest>, call: Call, service: IamService): Promise<CreateUserResponse> {
  const tags = checkTags(input.Tags)
  await requireBoundary(input.PermissionsBoundary, call, service)
  const user: Entity = {
    accountId: call.scope.accountId, kind: 'user', name: input.UserName, path: input.Path ?? '/', id: newEntityId('user', service.random),
    createdAtMs: nowInSeconds(service), description: null, trustPolicy: null, maxSessionSeconds: null, boundaryArn: input.PermissionsBoundary ?? null, tags,
  }
  await orRefuse(service.database.transact(transactions.insertEntity, { entity: user, entitiesMax: ENTITIES_MAX.user }), {
    exists: () => errors.EntityAlreadyExists(`User with name ${user.name} already exists.`),
    limit: () => errors.LimitExceeded(`Cannot exceed quota for UsersPerAccount: ${ENTITIES_MAX.user}`),
  })
  return { User: describeWhole(user) }
}

/** Without a name: the caller, who may be the account's root. Source: IAM API reference, GetUser. */
export async function getUser({ UserName }: GetUserRequest, call: Call, service: IamService): Promise<GetUserResponse> {
  const name = UserName ?? ownUserName(call)
  if (name !== undefined) return { User: describeWhole(await requireEntity(service, named(call, 'user', name))) }
  const { accountId } = call.scope
  const account = await reads.findAccount(service.database, accountId)
  return { User: { UserId: accountId, Arn: rootArn(accountId), CreateDate: new Date(account!.createdAtMs) } as User }
}

export async function listUsers(input: ListUsersRequest, call: Call, { database }: IamService): Promise<ListUsersResponse> {
  const users = await reads.listEntities(database, { accountId: call.scope.accountId, kind: 'user' }, { pathPrefix: input.PathPrefix ?? '/', ...sliceFor(input) })
  const { page, info } = pageOf(users, ({ name }) => nameKey(name), input)
  return { Users: page.map(describeUser), ...info }
}

/** Keys, policies and groups stay with a renamed user. Observed: AWS, 05-03-2026, recorded by localstack's TestUserRename. */
export async function updateUser({ UserName, NewUserName, NewPath }: Valid<UpdateUserRequest>, call: Call, { database }: IamService): Promise<void> {
  const entity = named(call, 'user', UserName)
  await orRefuse(database.transact(transactions.renameEntity, { entity, newName: NewUserName ?? UserName, newPath: NewPath }), {
    'no entity': () => cannotBeFound(entity),
    exists: () => errors.EntityAlreadyExists(`User with name ${NewUserName} already exists.`),
  })
}

export async function deleteUser({ UserName }: Valid<DeleteUserRequest>, call: Call, { database }: IamService): Promise<void> {
  await deleteEntity(named(call, 'user', UserName), database)
}

/** Observed: AWS, 19-02-2026, recorded by localstack's test_delete_user_with_attached_policy and …_inline_policy; the others as users report them. */
export async function deleteEntity(entity: Parameters<typeof cannotBeFound>[0] & { accountId: string }, database: IamService['database']): Promise<void> {
  const mustFirst = (what: string) => () => errors.DeleteConflict(`Cannot delete entity, must ${what} first.`)
  await orRefuse(database.transact(transactions.deleteEntity, entity), {
    'no entity': () => cannotBeFound(entity),
    keys: mustFirst('delete access keys'),
    attachments: mustFirst('detach all policies'),
    'inline policies': mustFirst('delete policies'),
    members: mustFirst('remove users from group'),
    groups: mustFirst('remove users from group'),
  })
}
