// The operations of IAM that are served. Whatever is not here answers 501.

import { operation } from '#aws/service.ts'
import type { Operations } from '#aws/service.ts'
import * as keys from './access-keys.ts'
import * as attached from './attached-policies.ts'
import * as boundaries from './boundaries.ts'
import type { IamService } from './context.ts'
import * as groups from './groups.ts'
import * as inline from './inline-policies.ts'
import * as policies from './managed-policies.ts'
import * as providers from './oidc-providers.ts'
import {
  acting, actingOnPolicy, actingOnProvider, listing, listingPolicies, listingProviders, making, makingPolicy, makingProvider,
} from './permissions.ts'
import * as roles from './roles.ts'
import * as tags from './tags.ts'
import * as users from './users.ts'

export const operations: Operations<IamService> = {
  CreateUser: operation({ access: making('user', 'iam:CreateUser', 'iam:TagUser'), run: users.createUser }),
  GetUser: operation({ access: acting('user', 'iam:GetUser'), run: users.getUser }),
  ListUsers: operation({ access: listing('user', 'iam:ListUsers'), run: users.listUsers }),
  UpdateUser: operation({ access: acting('user', 'iam:UpdateUser'), run: users.updateUser }),
  DeleteUser: operation({ access: acting('user', 'iam:DeleteUser'), run: users.deleteUser }),

  CreateAccessKey: operation({ access: acting('user', 'iam:CreateAccessKey'), run: keys.createAccessKey }),
  ListAccessKeys: operation({ access: acting('user', 'iam:ListAccessKeys'), run: keys.listAccessKeys }),
  UpdateAccessKey: operation({ access: acting('user', 'iam:UpdateAccessKey'), run: keys.updateAccessKey }),
  DeleteAccessKey: operation({ access: acting('user', 'iam:DeleteAccessKey'), run: keys.deleteAccessKey }),

  CreateRole: operation({ access: making('role', 'iam:CreateRole', 'iam:TagRole'), run: roles.createRole }),
  GetRole: operation({ access: acting('role', 'iam:GetRole'), run: roles.getRole }),
  ListRoles: operation({ access: listing('role', 'iam:ListRoles'), run: roles.listRoles }),
  UpdateRole: operation({ access: acting('role', 'iam:UpdateRole'), run: roles.updateRole }),
  UpdateRoleDescription: operation({ access: acting('role', 'iam:UpdateRoleDescription'), run: roles.updateRoleDescription }),
  UpdateAssumeRolePolicy: operation({ access: acting('role', 'iam:UpdateAssumeRolePolicy'), run: roles.updateAssumeRolePolicy }),
  DeleteRole: operation({ access: acting('role', 'iam:DeleteRole'), run: roles.deleteRole }),

  CreateGroup: operation({ access: making('group', 'iam:CreateGroup'), run: groups.createGroup }),
  GetGroup: operation({ access: acting('group', 'iam:GetGroup'), run: groups.getGroup }),
  ListGroups: operation({ access: listing('group', 'iam:ListGroups'), run: groups.listGroups }),
  UpdateGroup: operation({ access: acting('group', 'iam:UpdateGroup'), run: groups.updateGroup }),
  DeleteGroup: operation({ access: acting('group', 'iam:DeleteGroup'), run: groups.deleteGroup }),
  AddUserToGroup: operation({ access: acting('group', 'iam:AddUserToGroup'), run: groups.addUserToGroup }),
  RemoveUserFromGroup: operation({ access: acting('group', 'iam:RemoveUserFromGroup'), run: groups.removeUserFromGroup }),
  ListGroupsForUser: operation({ access: acting('user', 'iam:ListGroupsForUser'), run: groups.listGroupsForUser }),

  PutUserPolicy: operation({ access: acting('user', 'iam:PutUserPolicy'), run: inline.putInlinePolicy('user') }),
  GetUserPolicy: operation({ access: acting('user', 'iam:GetUserPolicy'), run: inline.getInlinePolicy('user') }),
  ListUserPolicies: operation({ access: acting('user', 'iam:ListUserPolicies'), run: inline.listInlinePolicies('user') }),
  DeleteUserPolicy: operation({ access: acting('user', 'iam:DeleteUserPolicy'), run: inline.deleteInlinePolicy('user') }),
  PutRolePolicy: operation({ access: acting('role', 'iam:PutRolePolicy'), run: inline.putInlinePolicy('role') }),
  GetRolePolicy: operation({ access: acting('role', 'iam:GetRolePolicy'), run: inline.getInlinePolicy('role') }),
  ListRolePolicies: operation({ access: acting('role', 'iam:ListRolePolicies'), run: inline.listInlinePolicies('role') }),
  DeleteRolePolicy: operation({ access: acting('role', 'iam:DeleteRolePolicy'), run: inline.deleteInlinePolicy('role') }),
  PutGroupPolicy: operation({ access: acting('group', 'iam:PutGroupPolicy'), run: inline.putInlinePolicy('group') }),
  GetGroupPolicy: operation({ access: acting('group', 'iam:GetGroupPolicy'), run: inline.getInlinePolicy('group') }),
  ListGroupPolicies: operation({ access: acting('group', 'iam:ListGroupPolicies'), run: inline.listInlinePolicies('group') }),
  DeleteGroupPolicy: operation({ access: acting('group', 'iam:DeleteGroupPolicy'), run: inline.deleteInlinePolicy('group') }),

  AttachUserPolicy: operation({ access: acting('user', 'iam:AttachUserPolicy'), run: attached.attachPolicy('user') }),
  DetachUserPolicy: operation({ access: acting('user', 'iam:DetachUserPolicy'), run: attached.detachPolicy('user') }),
  ListAttachedUserPolicies: operation({ access: acting('user', 'iam:ListAttachedUserPolicies'), run: attached.listAttachedPolicies('user') }),
  AttachRolePolicy: operation({ access: acting('role', 'iam:AttachRolePolicy'), run: attached.attachPolicy('role') }),
  DetachRolePolicy: operation({ access: acting('role', 'iam:DetachRolePolicy'), run: attached.detachPolicy('role') }),
  ListAttachedRolePolicies: operation({ access: acting('role', 'iam:ListAttachedRolePolicies'), run: attached.listAttachedPolicies('role') }),
  AttachGroupPolicy: operation({ access: acting('group', 'iam:AttachGroupPolicy'), run: attached.attachPolicy('group') }),
  DetachGroupPolicy: operation({ access: acting('group', 'iam:DetachGroupPolicy'), run: attached.detachPolicy('group') }),
  ListAttachedGroupPolicies: operation({ access: acting('group', 'iam:ListAttachedGroupPolicies'), run: attached.listAttachedPolicies('group') }),
  ListEntitiesForPolicy: operation({ access: actingOnPolicy('iam:ListEntitiesForPolicy'), run: attached.listEntitiesForPolicy }),

  CreatePolicy: operation({ access: makingPolicy('iam:CreatePolicy', 'iam:TagPolicy'), run: policies.createPolicy }),
  GetPolicy: operation({ access: actingOnPolicy('iam:GetPolicy'), run: policies.getPolicy }),
  ListPolicies: operation({ access: listingPolicies('iam:ListPolicies'), run: policies.listPolicies }),
  DeletePolicy: operation({ access: actingOnPolicy('iam:DeletePolicy'), run: policies.deletePolicy }),
  CreatePolicyVersion: operation({ access: actingOnPolicy('iam:CreatePolicyVersion'), run: policies.createPolicyVersion }),
  GetPolicyVersion: operation({ access: actingOnPolicy('iam:GetPolicyVersion'), run: policies.getPolicyVersion }),
  ListPolicyVersions: operation({ access: actingOnPolicy('iam:ListPolicyVersions'), run: policies.listPolicyVersions }),
  SetDefaultPolicyVersion: operation({ access: actingOnPolicy('iam:SetDefaultPolicyVersion'), run: policies.setDefaultPolicyVersion }),
  DeletePolicyVersion: operation({ access: actingOnPolicy('iam:DeletePolicyVersion'), run: policies.deletePolicyVersion }),

  PutUserPermissionsBoundary: operation({ access: acting('user', 'iam:PutUserPermissionsBoundary'), run: boundaries.putBoundary('user') }),
  DeleteUserPermissionsBoundary: operation({ access: acting('user', 'iam:DeleteUserPermissionsBoundary'), run: boundaries.deleteBoundary('user') }),
  PutRolePermissionsBoundary: operation({ access: acting('role', 'iam:PutRolePermissionsBoundary'), run: boundaries.putBoundary('role') }),
  DeleteRolePermissionsBoundary: operation({ access: acting('role', 'iam:DeleteRolePermissionsBoundary'), run: boundaries.deleteBoundary('role') }),

  CreateOpenIDConnectProvider: operation({ access: makingProvider, run: providers.createProvider }),
  GetOpenIDConnectProvider: operation({ access: actingOnProvider('iam:GetOpenIDConnectProvider'), run: providers.getProvider }),
  ListOpenIDConnectProviders: operation({ access: listingProviders, run: providers.listProviders }),
  DeleteOpenIDConnectProvider: operation({ access: actingOnProvider('iam:DeleteOpenIDConnectProvider'), run: providers.deleteProvider }),
  AddClientIDToOpenIDConnectProvider: operation({ access: actingOnProvider('iam:AddClientIDToOpenIDConnectProvider'), run: providers.addClientId }),
  RemoveClientIDFromOpenIDConnectProvider: operation({ access: actingOnProvider('iam:RemoveClientIDFromOpenIDConnectProvider'), run: providers.removeClientId }),
  UpdateOpenIDConnectProviderThumbprint: operation({ access: actingOnProvider('iam:UpdateOpenIDConnectProviderThumbprint'), run: providers.updateThumbprints }),
  TagOpenIDConnectProvider: operation({ access: actingOnProvider('iam:TagOpenIDConnectProvider'), run: providers.tagProvider }),
  UntagOpenIDConnectProvider: operation({ access: actingOnProvider('iam:UntagOpenIDConnectProvider'), run: providers.untagProvider }),
  ListOpenIDConnectProviderTags: operation({ access: actingOnProvider('iam:ListOpenIDConnectProviderTags'), run: providers.listProviderTags }),

  TagUser: operation({ access: acting('user', 'iam:TagUser'), run: tags.tagEntity('user') }),
  UntagUser: operation({ access: acting('user', 'iam:UntagUser'), run: tags.untagEntity('user') }),
  ListUserTags: operation({ access: acting('user', 'iam:ListUserTags'), run: tags.listEntityTags('user') }),
  TagRole: operation({ access: acting('role', 'iam:TagRole'), run: tags.tagEntity('role') }),
  UntagRole: operation({ access: acting('role', 'iam:UntagRole'), run: tags.untagEntity('role') }),
  ListRoleTags: operation({ access: acting('role', 'iam:ListRoleTags'), run: tags.listEntityTags('role') }),
  TagPolicy: operation({ access: actingOnPolicy('iam:TagPolicy'), run: policies.tagPolicy }),
  UntagPolicy: operation({ access: actingOnPolicy('iam:UntagPolicy'), run: policies.untagPolicy }),
  ListPolicyTags: operation({ access: actingOnPolicy('iam:ListPolicyTags'), run: policies.listPolicyTags }),
}
