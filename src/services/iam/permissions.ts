// What IAM asks for before each operation: its action, on the real ARN, with the condition keys that it knows.

import type { ConditionContext } from '#aws/policy/document.ts'
import type { Call, Permission } from '#aws/service.ts'
import { awsManagedPolicies } from './aws-managed.ts'
import { named, nameMembers, ownUserName } from './context.ts'
import type { IamService } from './context.ts'
import { entityArn, oidcProviderArn, policyArn, rootArn } from './model.ts'
import type { EntityKind, Tag } from './model.ts'
import { checkNames } from './names.ts'
import * as reads from './reads.ts'

type Input = Readonly<Record<string, any>>
type Access = (input: Input, call: Call, service: IamService) => Permission[] | Promise<Permission[]>

/** `aws:RequestTag/…` and `aws:TagKeys`. Source: Service authorization reference, "Condition keys for AWS IAM". */
function requestTags(tags: readonly Tag[] | undefined, removedKeys?: readonly string[]): ConditionContext {
  const keys = [...(tags ?? []).map(({ Key }) => Key), ...(removedKeys ?? [])]
  if (keys.length === 0) return {}
  return { ...Object.fromEntries((tags ?? []).map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])), 'aws:TagKeys': keys }
}

function resourceTags(tags: readonly Tag[]): ConditionContext {
  return Object.fromEntries(tags.flatMap(({ Key, Value }) => [[`aws:ResourceTag/${Key}`, Value], [`iam:ResourceTag/${Key}`, Value]]))
}

/** Keys that the input itself gives. */
function fromInput({ PolicyArn, PermissionsBoundary, Tags, TagKeys }: Input): ConditionContext {
  return {
    ...(PolicyArn !== undefined && { 'iam:PolicyARN': PolicyArn as string }),
    ...(PermissionsBoundary !== undefined && { 'iam:PermissionsBoundary': PermissionsBoundary as string }),
    ...requestTags(Tags as Tag[] | undefined, TagKeys as string[] | undefined),
  }
}

/**
 * Making a user, role or group under the path and name it shall have. Tagging it at once is an action of its own.
 * Source: Service authorization reference, "Actions, resources, and condition keys for AWS IAM": dependent actions.
 */
export function making(kind: EntityKind, action: string, tagAction?: string): Access {
  return (input, { scope }) => {
    checkNames(input)
    const resource = entityArn({ accountId: scope.accountId, kind, path: (input.Path as string | undefined) ?? '/', name: input[nameMembers[kind]] as string })
    const context = fromInput(input)
    const permissions: Permission[] = [{ action, resource, context }]
    if (tagAction && (input.Tags as Tag[] | undefined)?.length) permissions.push({ action: tagAction, resource, context })
    return permissions
  }
}

/**
 * Acting on a user, role or group. Refusals name it as IAM does: `role x`.
 * Observed: by users of AWS in refusals that they report (`iam:GetRole on resource: role x`); no recorded answer has one.
 */
export function acting(kind: EntityKind, action: string): Access {
  return async (input, call, { database }) => {
    checkNames(input)
    const name = (input[nameMembers[kind]] as string | undefined) ?? ownUserName(call)
    const { accountId } = call.scope
    if (name === undefined) return [{ action, resource: rootArn(accountId) }]
    const entity = await reads.findEntity(database, named(call, kind, name))
    return [{
      action,
      resource: entityArn(entity ?? { accountId, kind, path: '/', name }),
      shownAs: `${kind} ${name}`,
      context: {
        ...(entity && resourceTags(entity.tags)),
        ...(entity?.boundaryArn && { 'iam:PermissionsBoundary': entity.boundaryArn }),
        ...fromInput(input),
      },
    }]
  }
}

/** Listing users, roles or groups under a path. */
export function listing(kind: EntityKind, action: string): Access {
  return (input, { scope }) => {
    checkNames(input)
    return [{ action, resource: `arn:aws:iam::${scope.accountId}:${kind}${(input.PathPrefix as string | undefined) ?? '/'}` }]
  }
}

export function makingPolicy(action: string, tagAction: string): Access {
  return (input, { scope }) => {
    checkNames(input)
    const name = input.PolicyName as string
    const resource = policyArn({ accountId: scope.accountId, path: (input.Path as string | undefined) ?? '/', name })
    const permissions: Permission[] = [{ action, resource, shownAs: `policy ${name}`, context: fromInput(input) }]
    if ((input.Tags as Tag[] | undefined)?.length) permissions.push({ action: tagAction, resource, shownAs: `policy ${name}`, context: fromInput(input) })
    return permissions
  }
}

/** Acting on a managed policy, which stands in the account's own name or in AWS's. */
export function actingOnPolicy(action: string): Access {
  return async (input, _call, { database }) => {
    checkNames(input)
    const arn = input.PolicyArn as string
    const policy = awsManagedPolicies.get(arn) ?? await reads.findPolicy(database, arn)
    const { PolicyArn: _resource, ...rest } = input
    return [{ action, resource: arn, shownAs: `policy ${arn}`, context: { ...resourceTags(policy?.tags ?? []), ...fromInput(rest) } }]
  }
}

/** Making a provider of tokens; tagging it at once is an action of its own. */
export const makingProvider: Access = (input, { scope }) => {
  const resource = oidcProviderArn({ accountId: scope.accountId, url: input.Url as string })
  const actions = ['iam:CreateOpenIDConnectProvider', ...((input.Tags as Tag[] | undefined)?.length ? ['iam:TagOpenIDConnectProvider'] : [])]
  return actions.map((action) => ({ action, resource, context: fromInput(input) }))
}

export function actingOnProvider(action: string): Access {
  return async (input, _call, { database }) => {
    const arn = input.OpenIDConnectProviderArn as string
    const provider = await reads.findOidcProvider(database, arn)
    return [{ action, resource: arn, context: { ...resourceTags(provider?.tags ?? []), ...fromInput(input) } }]
  }
}

/** Source: Service authorization reference, AWS IAM: the list has no resource of its own. */
export const listingProviders: Access = (_input, { scope }) =>
  [{ action: 'iam:ListOpenIDConnectProviders', resource: `arn:aws:iam::${scope.accountId}:oidc-provider/*` }]

export function listingPolicies(action: string): Access {
  return (input, { scope }) => {
    checkNames(input)
    const path = (input.PathPrefix as string | undefined) ?? '/'
    return [{ action, resource: `arn:aws:iam::${scope.accountId}:policy${path}`, shownAs: `policy path ${path}` }]
  }
}
