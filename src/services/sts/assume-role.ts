// AssumeRole: who may become whom, for how long, and with what laid down for the session.

import type { AssumeRoleRequest, AssumeRoleResponse, Tag } from '@aws-sdk/client-sts'
import { deflateRawSync } from 'node:zlib'
import type { Caller, SessionTerms } from '#aws/caller.ts'
import type { ConditionContext } from '#aws/policy/document.ts'
import { MalformedPolicy } from '#aws/policy/document.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import type { Call, Permission, Valid } from '#aws/service.ts'
import { errors } from './errors.ts'
import type { StsService } from './api.ts'

type Input = Valid<AssumeRoleRequest>

/** Source: STS API reference, AssumeRole, DurationSeconds; IAM user guide, "Roles terms and concepts", role chaining. */
const SESSION_SECONDS_DEFAULT = 3_600
const CHAINED_SESSION_SECONDS_MAX = 3_600
/** Source: STS API reference, AssumeRole, Policy and PolicyArns. */
const SESSION_POLICY_CHARACTERS_MAX = 2_048
const SESSION_POLICIES_MAX = 10
/** What a session's policies and tags may take, packed. Ours: AWS does not say how it packs them. */
const PACKED_BYTES_MAX = 4_096

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
  const tags = (Tags ?? []) as { Key: string, Value: string }[]
  return {
    'sts:RoleSessionName': RoleSessionName,
    ...(ExternalId !== undefined && { 'sts:ExternalId': ExternalId }),
    ...(SourceIdentity !== undefined && { 'sts:SourceIdentity': SourceIdentity }),
    ...(TransitiveTagKeys?.length && { 'sts:TransitiveTagKeys': TransitiveTagKeys }),
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    ...(tags.length > 0 && { 'aws:TagKeys': tags.map(({ Key }) => Key) }),
  }
}

/** @throws ValidationError. Observed: AWS, 21-07-2025, recorded by localstack's test_sts_invalid_parameters. */
function checkRoleArn(arn: string): void {
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
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = await service.roles.issue({
    role, sessionName: input.RoleSessionName, durationSeconds, ...(terms && { terms }),
  })
  return {
    AssumedRoleUser: {
      AssumedRoleId: `${role.roleId}:${input.RoleSessionName}`,
      Arn: `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${input.RoleSessionName}`,
    },
    Credentials: { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: new Date(expiresAtMs) },
    ...(packedPercent > 0 && { PackedPolicySize: packedPercent }),
    ...(terms?.sourceIdentity !== undefined && { SourceIdentity: terms.sourceIdentity }),
  }
}

/** The sentences are STS's as users report them. */
function sessionSeconds({ DurationSeconds = SESSION_SECONDS_DEFAULT }: Input, caller: Caller, { maxSessionSeconds }: { maxSessionSeconds: number }): number {
  if (caller.is === 'role' && DurationSeconds > CHAINED_SESSION_SECONDS_MAX) {
    throw errors.ValidationError('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.')
  }
  if (DurationSeconds > maxSessionSeconds) throw errors.ValidationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
  return DurationSeconds
}

async function termsOf(input: Input, caller: Caller, role: { accountId: string }, service: StsService): Promise<SessionTerms | undefined> {
  const { Policy, PolicyArns } = input
  if (Policy !== undefined) checkSessionPolicy(Policy)
  const policyArns = await checkPolicyArns((PolicyArns ?? []).map(({ arn }) => arn ?? ''), role, service)
  const { tags, transitiveTagKeys } = sessionTags(input, caller)
  const sourceIdentity = sourceIdentityOf(input, caller)
  const terms: SessionTerms = {
    ...(Policy !== undefined && { policy: Policy }),
    ...(policyArns.length > 0 && { policyArns }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(transitiveTagKeys.length > 0 && { transitiveTagKeys }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  }
  return Object.keys(terms).length > 0 ? terms : undefined
}

function checkSessionPolicy(text: string): void {
  try {
    parsePolicy(text, 'identity')
  } catch (error) {
    if (error instanceof MalformedPolicy) throw errors.MalformedPolicyDocument(error.message)
    throw error
  }
  if (text.length > SESSION_POLICY_CHARACTERS_MAX) throw packedTooLarge(Math.ceil(text.length * 100 / SESSION_POLICY_CHARACTERS_MAX))
}

/**
 * Source: STS API reference, AssumeRole, PolicyArns: up to ten, in the role's account (or AWS's own).
 * Ours: the sentences.
 */
async function checkPolicyArns(arns: readonly string[], { accountId }: { accountId: string }, { policies }: StsService): Promise<string[]> {
  if (arns.length > SESSION_POLICIES_MAX) throw errors.ValidationError(`The number of session policy ARNs exceeds ${SESSION_POLICIES_MAX}.`)
  for (const arn of arns) {
    const isInAccount = arn.startsWith(`arn:aws:iam::${accountId}:policy/`) || arn.startsWith('arn:aws:iam::aws:policy/')
    if (!isInAccount || !await policies.findManagedPolicy(arn)) throw errors.InvalidParameterValue(`The session policy ${arn} does not exist in the account of the role.`)
  }
  return [...new Set(arns)]
}

/**
 * The tags of the session, with those that the calling session hands on.
 * Observed: AWS, 10-04-2025, recorded by localstack's test_assume_role_tag_validation and test_iam_role_chaining_override_transitive_tags.
 */
function sessionTags({ Tags, TransitiveTagKeys }: Input, caller: Caller): { tags: Record<string, string>, transitiveTagKeys: string[] } {
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

/** In percent of what a session may carry. Ours: the way of packing; AWS tells the percentage alone. */
function packedSize(terms: SessionTerms | undefined): number {
  if (!terms || (!terms.policy && !terms.policyArns && !terms.tags)) return 0
  const percent = Math.ceil(deflateRawSync(JSON.stringify(terms)).length * 100 / PACKED_BYTES_MAX)
  if (percent > 100) throw packedTooLarge(percent)
  return percent
}

/** Ours: the sentence. */
function packedTooLarge(percent: number): Error {
  return errors.PackedPolicyTooLarge(`Packed size of session policies and session tags consumes ${percent}% of allotted space.`)
}
