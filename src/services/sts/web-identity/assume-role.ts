// AssumeRoleWithWebIdentity: a role for whoever shows a token of an issuer that the role's account has registered.

import type { AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse, Tag } from '@aws-sdk/client-sts'
import type { SessionTerms } from '#aws/caller.ts'
import type { ConditionContext } from '#aws/policy/document.ts'
import { parseArn } from '#aws/arn.ts'
import type { Call, Valid } from '#aws/service.ts'
import type { StsService } from '../api.ts'
import { assumedRoleUser, checkRoleArn, sessionSeconds, sessionTags } from '../assume-role.ts'
import { errors } from '../errors.ts'
import { credentialsOf, packedSize, requestTagKeys, sessionPolicyTerms } from '../session-terms.ts'
import { verifyToken, type WebIdentity } from './verify-token.ts'

type Input = Valid<AssumeRoleWithWebIdentityRequest>

/**
 * The token must be good, and the role's trust policy must let its provider assume the role, with tags and a source identity where the
 * token brings any. There is no caller whose own policies could count.
 *
 * Source: STS API reference, AssumeRoleWithWebIdentity; IAM user guide, "Pass session tags in AWS STS" (the claims).
 * Ours: `ProviderId`, which is for OAuth 2.0 access tokens of three companies, is refused.
 */
export async function assumeRoleWithWebIdentity(input: Input, call: Call, service: StsService): Promise<AssumeRoleWithWebIdentityResponse> {
  checkRoleArn(input.RoleArn)
  if (input.ProviderId !== undefined) throw errors.InvalidParameterValue('ProviderId is for OAuth 2.0 access tokens, which are not taken here.')
  const accountId = parseArn(input.RoleArn)?.accountId ?? ''
  const identity = await verifyToken(input.WebIdentityToken, { providers: service.providers, issuerKeys: service.issuerKeys, accountId, nowMs: call.atMs })
  const { tags: given, transitiveTagKeys: transitive, sourceIdentity } = claimedTerms(identity.claims)
  const role = await service.roles.findRole(input.RoleArn)
  const context = conditionKeys(input, identity, given, sourceIdentity)
  const actions = ['sts:AssumeRoleWithWebIdentity', ...(given.length > 0 ? ['sts:TagSession'] : []), ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity'])]
  for (const action of actions) {
    await call.require({ action, resource: input.RoleArn, provider: identity.provider.arn, isAssumption: true, context, ...(role && { resourcePolicy: role.trustPolicy }) })
  }
  // Without a role there was no trust policy, and nothing was allowed.
  if (!role) throw errors.AccessDenied('Not authorized to perform sts:AssumeRoleWithWebIdentity')
  const durationSeconds = sessionSeconds(input, call.caller, role)
  const { tags, transitiveTagKeys } = sessionTags({ Tags: given, TransitiveTagKeys: transitive }, call.caller)
  const terms: SessionTerms = {
    ...await sessionPolicyTerms(input, role.accountId, service),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(transitiveTagKeys.length > 0 && { transitiveTagKeys }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    federatedProvider: identity.provider.arn,
  }
  const packedPercent = packedSize(terms)
  const credentials = await service.roles.issue({ role, sessionName: input.RoleSessionName, durationSeconds, terms })
  return {
    AssumedRoleUser: assumedRoleUser(role, input.RoleSessionName),
    Credentials: credentialsOf(credentials),
    SubjectFromWebIdentityToken: identity.subject,
    // Source: EKS user guide, "Configure Pods to use a Kubernetes service account", its example of the answer: the ARN.
    Provider: identity.provider.arn,
    Audience: identity.audience,
    ...(packedPercent > 0 && { PackedPolicySize: packedPercent }),
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
  }
}

/** Source: IAM user guide, "IAM and AWS STS condition context keys", available keys for AWS OIDC federation: named after the provider. */
function conditionKeys({ RoleSessionName }: Input, { provider, subject, audience, claims }: WebIdentity, tags: readonly Tag[], sourceIdentity: string | undefined): ConditionContext {
  const name = provider.url.replace(/^https?:\/\//, '')
  const texts = (value: unknown) => (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string')
  return {
    [`${name}:sub`]: subject,
    [`${name}:aud`]: audience,
    ...(claims.azp !== undefined && { [`${name}:oaud`]: texts(claims.aud) }),
    ...(claims.amr !== undefined && { [`${name}:amr`]: texts(claims.amr) }),
    'aws:FederatedProvider': provider.arn,
    'sts:RoleSessionName': RoleSessionName,
    ...(sourceIdentity !== undefined && { 'sts:SourceIdentity': sourceIdentity }),
    ...requestTagKeys(tags),
  }
}

/** What the token lays down for the session, in claims of AWS's names. @throws InvalidIdentityToken when they have another form. Ours: the sentence. */
function claimedTerms(claims: WebIdentity['claims']): { tags: Tag[], transitiveTagKeys: string[], sourceIdentity: string | undefined } {
  const written = claims['https://aws.amazon.com/tags'] as { principal_tags?: Record<string, unknown>, transitive_tag_keys?: unknown } | undefined
  const sourceIdentity = claims['https://aws.amazon.com/source_identity']
  const tags = Object.entries(written?.principal_tags ?? {}).map(([Key, value]) => ({ Key, Value: Array.isArray(value) && value.length === 1 ? value[0] as unknown : value }))
  const transitiveTagKeys = written?.transitive_tag_keys ?? []
  const isFit = tags.every(({ Value }) => typeof Value === 'string') && Array.isArray(transitiveTagKeys) && transitiveTagKeys.every((key) => typeof key === 'string')
    && (sourceIdentity === undefined || (typeof sourceIdentity === 'string' && /^[\w+=,.@-]{2,64}$/.test(sourceIdentity)))
  if (!isFit || tags.length > SESSION_TAGS_MAX) throw errors.InvalidIdentityToken('The claims of the token about the session are malformed.')
  return { tags: tags as Tag[], transitiveTagKeys: transitiveTagKeys as string[], sourceIdentity: sourceIdentity as string | undefined }
}

/** Source: STS API reference, AssumeRole, Tags. */
const SESSION_TAGS_MAX = 50
