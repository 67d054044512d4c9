// AssumeRole: who may become whom, for how long, and with what laid down for the session.

import type { AssumedRoleUser, AssumeRoleRequest, AssumeRoleResponse, Tag } from '@aws-sdk/client-sts'
import type { Caller, SessionTerms } from '#aws/caller.ts'
import type { ConditionContext } from '#aws/policy/document.ts'
import type { Call, Permission, Valid } from '#aws/service.ts'
import type { Role } from '#services/iam/index.ts'
import { errors } from './errors.ts'
import type { StsService } from './api.ts'
import { credentialsOf, packedSize, requestTagKeys, sessionPolicyTerms } from './session-terms.ts'

type Input = Valid<AssumeRoleRequest>

/** Source: STS API reference, AssumeRole, DurationSeconds; IAM user guide, "Roles terms and concepts", role chaining. */
const SESSION_SECONDS_DEFAULT = 3_600
const CHAINED_SESSION_SECONDS_MAX = 3_600

/**
 * The role's trust policy must allow the caller. Naming the caller itself, it suffices within the account; naming the caller's
 * account, or from another account, the caller's own policies must allow as well. Tags and a source identity are actions of their own.
 *
 * A role that does not exist is refused like one that does not trust the caller.
 * Source: IAM user guide, "Evaluating policies within a single account", "Pass session tags in AWS STS", "Monitor and control
 * actions taken with assumed roles".
 */
export async function mayAssumeRole(input: Input, { caller }: Call, { roles }: StsService): Promise<Permission[]> {
  checkRoleArn(input.RoleArn)
  if (caller.is === 'root') throw errors.AccessDenied('Roles may not be assumed by root accounts.')
  const role = await roles.findRole(input.RoleArn)
  const context = conditionKeys(input)
  const actions = ['sts:AssumeRole']
  if (input.Tags?.length) actions.push('sts:TagSession')
  if (input.SourceIdentity !== undefined) actions.push('sts:SetSourceIdentity')
  return actions.map((action) => ({ action, resource: input.RoleArn, context, isAssumption: true as const, ...(role && { resourcePolicy: role.trustPolicy }) }))
}

/** Source: Service authorization reference, "Condition keys for AWS Security Token Service". */
function conditionKeys({ RoleSessionName, ExternalId, SourceIdentity, Tags, TransitiveTagKeys }: Input): ConditionContext {
  return {
    'sts:RoleSessionName': RoleSessionName,
    ...(ExternalId !== undefined && { 'sts:ExternalId': ExternalId }),
    ...(SourceIdentity !== undefined && { 'sts:SourceIdentity': SourceIdentity }),
    ...(TransitiveTagKeys?.length && { 'sts:TransitiveTagKeys': TransitiveTagKeys }),
    ...requestTagKeys(Tags),
  }
}

/** @throws ValidationError. Observed: AWS, 21-07-2025, recorded by localstack's test_sts_invalid_parameters. */
export function checkRoleArn(arn: string): void {
  const [start, partition, service, , , ...resource] = arn.split(':')
  if (start !== 'arn' || !partition || !service || !resource.join(':')) throw errors.ValidationError(`${arn} is invalid`)
}

/** @throws ValidationError, InvalidParameterValue, MalformedPolicyDocument, PackedPolicyTooLarge */
export async function assumeRole(input: Input, { caller }: Call, service: StsService): Promise<AssumeRoleResponse> {
  const role = await service.roles.findRole(input.RoleArn)
  // Deleted since it was asked for a moment ago.
  if (!role) throw errors.AccessDenied(`User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${input.RoleArn}`)
  const durationSeconds = sessionSeconds(input, caller, role)
  const terms = await termsOf(input, caller, role, service)
  const packedPercent = packedSize(terms)
  const credentials = await service.roles.issue({ role, sessionName: input.RoleSessionName, durationSeconds, ...(terms && { terms }) })
  return {
    AssumedRoleUser: assumedRoleUser(role, input.RoleSessionName),
    Credentials: credentialsOf(credentials),
    ...(packedPercent > 0 && { PackedPolicySize: packedPercent }),
    ...(terms?.sourceIdentity !== undefined && { SourceIdentity: terms.sourceIdentity }),
  }
}

export function assumedRoleUser({ roleId, accountId, name }: Pick<Role, 'roleId' | 'accountId' | 'name'>, sessionName: string): AssumedRoleUser {
  return { AssumedRoleId: `${roleId}:${sessionName}`, Arn: `arn:aws:sts::${accountId}:assumed-role/${name}/${sessionName}` }
}

/** The sentences are STS's as users report them. */
export function sessionSeconds({ DurationSeconds = SESSION_SECONDS_DEFAULT }: Pick<Input, 'DurationSeconds'>, caller: Caller, { maxSessionSeconds }: { maxSessionSeconds: number }): number {
  if (caller.is === 'role' && DurationSeconds > CHAINED_SESSION_SECONDS_MAX) {
    throw errors.ValidationError('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.')
  }
  if (DurationSeconds > maxSessionSeconds) throw errors.ValidationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
  return DurationSeconds
}

async function termsOf(input: Input, caller: Caller, role: { accountId: string }, service: StsService): Promise<SessionTerms | undefined> {
  const policies = await sessionPolicyTerms(input, role.accountId, service)
  const { tags, transitiveTagKeys } = sessionTags(input, caller)
  const sourceIdentity = sourceIdentityOf(input, caller)
  const terms: SessionTerms = {
    ...policies,
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(transitiveTagKeys.length > 0 && { transitiveTagKeys }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  }
  return Object.keys(terms).length > 0 ? terms : undefined
}

/**
 * The tags of the session, with those that the calling session hands on.
 * Observed: AWS, 10-04-2025, recorded by localstack's test_assume_role_tag_validation and test_iam_role_chaining_override_transitive_tags.
 */
export function sessionTags({ Tags, TransitiveTagKeys }: Pick<Input, 'Tags' | 'TransitiveTagKeys'>, caller: Caller): { tags: Record<string, string>, transitiveTagKeys: string[] } {
  const given = (Tags ?? []) as Required<Tag>[]
  const keys = new Set(given.map(({ Key }) => Key!.toLowerCase()))
  if (keys.size < given.length) throw errors.InvalidParameterValue('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  if ((TransitiveTagKeys ?? []).some((key) => !keys.has(key.toLowerCase()))) {
    throw errors.InvalidParameterValue('The specified transitive tag key must be included in the requested tags.')
  }
  const session = caller.is === 'role' ? caller.session : undefined
  const inherited = session?.transitiveTagKeys ?? []
  if (inherited.some((key) => keys.has(key.toLowerCase()))) {
    throw errors.InvalidParameterValue('One of the specified transitive tag keys can\'t be set because it conflicts with a transitive tag key from the calling session.')
  }
  return {
    tags: { ...Object.fromEntries(inherited.map((key) => [key, session!.tags![key]!])), ...Object.fromEntries(given.map(({ Key, Value }) => [Key!, Value!])) },
    transitiveTagKeys: [...inherited, ...given.map(({ Key }) => Key!).filter((key) => (TransitiveTagKeys ?? []).some((transitive) => transitive.toLowerCase() === key.toLowerCase()))],
  }
}

/**
 * A source identity stays for the whole chain of roles.
 * Source: IAM user guide, "Monitor and control actions taken with assumed roles". Ours: the sentence.
 */
function sourceIdentityOf({ SourceIdentity }: Input, caller: Caller): string | undefined {
  const before = caller.is === 'role' ? caller.session?.sourceIdentity : undefined
  if (before !== undefined && SourceIdentity !== undefined && SourceIdentity !== before) {
    throw errors.AccessDenied('The source identity of the calling session cannot be changed.')
  }
  return before ?? SourceIdentity
}
