// Groups: their users have the policies of the group beside their own.

import type {
  AddUserToGroupRequest, CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest, GetGroupRequest, GetGroupResponse, Group, ListGroupsForUserRequest,
  ListGroupsForUserResponse, ListGroupsRequest, ListGroupsResponse, UpdateGroupRequest,
} from '@aws-sdk/client-iam'
import type { Call, Valid } from '#aws/service.ts'
import { cannotBeFound, named, nowInSeconds, orRefuse, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { ENTITIES_MAX, entityArn, GROUPS_PER_USER_MAX, newEntityId } from './model.ts'
import type { Entity } from './model.ts'
import { pageOf, sliceFor } from './pages.ts'
import * as reads from './reads.ts'
import { nameKey, transactions } from './store.ts'
import { deleteEntity, describeUser } from './users.ts'

function describe(group: Entity): Group {
  return { Path: group.path, GroupName: group.name, GroupId: group.id, Arn: entityArn(group), CreateDate: new Date(group.createdAtMs) }
}

export async function createGroup({ GroupName, Path }: Valid<CreateGroupRequest>, call: Call, service: IamService): Promise<CreateGroupResponse> {
  const group: Entity = {
    accountId: call.scope.accountId, kind: 'group', name: GroupName, path: Path ?? '/', id: newEntityId('group', service.random),
    createdAtMs: nowInSeconds(service), description: null, trustPolicy: null, maxSessionSeconds: null, boundaryArn: null, tags: [],
  }
  await orRefuse(service.database.transact(transactions.insertEntity, { entity: group, entitiesMax: ENTITIES_MAX.group }), {
    exists: () => errors.EntityAlreadyExists(`Group with name ${GroupName} already exists.`),
    limit: () => errors.LimitExceeded(`Cannot exceed quota for GroupsPerAccount: ${ENTITIES_MAX.group}`),
  })
  return { Group: describe(group) }
}

export async function getGroup(input: Valid<GetGroupRequest>, call: Call, service: IamService): Promise<GetGroupResponse> {
  const group = await requireEntity(service, named(call, 'group', input.GroupName))
  const { page, info } = pageOf(await reads.listMembers(service.database, { groupId: group.id }, sliceFor(input)), ({ name }) => nameKey(name), input)
  return { Group: describe(group), Users: page.map(describeUser), ...info }
}

export async function listGroups(input: ListGroupsRequest, call: Call, { database }: IamService): Promise<ListGroupsResponse> {
  const groups = await reads.listEntities(database, { accountId: call.scope.accountId, kind: 'group' }, { pathPrefix: input.PathPrefix ?? '/', ...sliceFor(input) })
  const { page, info } = pageOf(groups, ({ name }) => nameKey(name), input)
  return { Groups: page.map(describe), ...info }
}

export async function updateGroup({ GroupName, NewGroupName, NewPath }: Valid<UpdateGroupRequest>, call: Call, { database }: IamService): Promise<void> {
  const entity = named(call, 'group', GroupName)
  await orRefuse(database.transact(transactions.renameEntity, { entity, newName: NewGroupName ?? GroupName, newPath: NewPath }), {
    'no entity': () => cannotBeFound(entity),
    exists: () => errors.EntityAlreadyExists(`Group with name ${NewGroupName} already exists.`),
  })
}

export async function deleteGroup({ GroupName }: Valid<DeleteGroupRequest>, call: Call, { database }: IamService): Promise<void> {
  await deleteEntity(named(call, 'group', GroupName), database)
}

export async function addUserToGroup({ GroupName, UserName }: Valid<AddUserToGroupRequest>, call: Call, { database }: IamService): Promise<void> {
  const both = { group: named(call, 'group', GroupName), user: named(call, 'user', UserName) }
  await orRefuse(database.transact(transactions.addMember, { ...both, groupsMax: GROUPS_PER_USER_MAX }), {
    'no user': () => cannotBeFound(both.user),
    'no group': () => cannotBeFound(both.group),
    limit: () => errors.LimitExceeded(`Cannot exceed quota for GroupsPerUser: ${GROUPS_PER_USER_MAX}`),
  })
}

/** A user who is not in the group is no error. Observed: AWS, 11-02-2026, recorded by localstack's test_user_group_membership. */
export async function removeUserFromGroup({ GroupName, UserName }: Valid<AddUserToGroupRequest>, call: Call, { database }: IamService): Promise<void> {
  const both = { group: named(call, 'group', GroupName), user: named(call, 'user', UserName) }
  await orRefuse(database.transact(transactions.removeMember, both), {
    'no user': () => cannotBeFound(both.user),
    'no group': () => cannotBeFound(both.group),
  })
}

export async function listGroupsForUser(input: Valid<ListGroupsForUserRequest>, call: Call, service: IamService): Promise<ListGroupsForUserResponse> {
  const user = await requireEntity(service, named(call, 'user', input.UserName))
  const { page, info } = pageOf(await reads.listMembers(service.database, { userId: user.id }, sliceFor(input)), ({ name }) => nameKey(name), input)
  return { Groups: page.map(describe), ...info }
}
