// What a session is begun with: the policies that limit it, its tags, their size, and its keys as STS answers them.

import type { Credentials, PolicyDescriptorType, Tag } from '@aws-sdk/client-sts'
import { deflateRawSync } from 'node:zlib'
import type { SessionTerms } from '#aws/caller.ts'
import type { SessionCredentials } from '#aws/identity.ts'
import type { ConditionContext } from '#aws/policy/document.ts'
import { MalformedPolicy } from '#aws/policy/document.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import type { StsService } from './api.ts'
import { errors } from './errors.ts'

/** Source: STS API reference, AssumeRole, Policy and PolicyArns. */
const SESSION_POLICY_CHARACTERS_MAX = 2_048
const SESSION_POLICIES_MAX = 10
/** What a session's policies and tags may take, packed. Ours: AWS does not say how it packs them. */
const PACKED_BYTES_MAX = 4_096

interface PolicyInput {
  Policy?: string | undefined
  PolicyArns?: readonly PolicyDescriptorType[] | undefined
}

/**
 * The session policies of an input, as the session's terms have them.
 * @throws ValidationError, InvalidParameterValue, MalformedPolicyDocument, PackedPolicyTooLarge
 */
export async function sessionPolicyTerms(
  { Policy, PolicyArns }: PolicyInput, accountId: string, service: Pick<StsService, 'policies'>,
): Promise<Pick<SessionTerms, 'policy' | 'policyArns'>> {
  if (Policy !== undefined) checkSessionPolicy(Policy)
  const policyArns = await checkPolicyArns((PolicyArns ?? []).map(({ arn }) => arn ?? ''), accountId, service)
  return { ...(Policy !== undefined && { policy: Policy }), ...(policyArns.length > 0 && { policyArns }) }
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
 * Source: STS API reference, AssumeRole and GetFederationToken, PolicyArns: up to ten, in the session's account (or AWS's own).
 * Ours: the sentences.
 */
async function checkPolicyArns(arns: readonly string[], accountId: string, { policies }: Pick<StsService, 'policies'>): Promise<string[]> {
  if (arns.length > SESSION_POLICIES_MAX) throw errors.ValidationError(`The number of session policy ARNs exceeds ${SESSION_POLICIES_MAX}.`)
  for (const arn of arns) {
    const isInAccount = arn.startsWith(`arn:aws:iam::${accountId}:policy/`) || arn.startsWith('arn:aws:iam::aws:policy/')
    if (!isInAccount || !await policies.findManagedPolicy(arn)) throw errors.InvalidParameterValue(`The session policy ${arn} does not exist in the account ${accountId}.`)
  }
  return [...new Set(arns)]
}

/** `aws:RequestTag/…` and `aws:TagKeys` of the session tags that an input has. */
export function requestTagKeys(given: readonly Tag[] | undefined): ConditionContext {
  const tags = (given ?? []) as { Key: string, Value: string }[]
  if (tags.length === 0) return {}
  return { ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])), 'aws:TagKeys': tags.map(({ Key }) => Key) }
}

export function credentialsOf({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs }: SessionCredentials): Credentials {
  return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: new Date(expiresAtMs) }
}

/** In percent of what a session may carry. Ours: the way of packing; AWS tells the percentage alone. */
export function packedSize(terms: SessionTerms | undefined): number {
  if (!terms || (!terms.policy && !terms.policyArns && !terms.tags)) return 0
  const percent = Math.ceil(deflateRawSync(JSON.stringify(terms)).length * 100 / PACKED_BYTES_MAX)
  if (percent > 100) throw packedTooLarge(percent)
  return percent
}

/** Ours: the sentence. */
function packedTooLarge(percent: number): Error {
  return errors.PackedPolicyTooLarge(`Packed size of session policies and session tags consumes ${percent}% of allotted space.`)
}
