// Sessions of users: their own for a while, or one for somebody for whom they vouch.

import type { GetFederationTokenRequest, GetFederationTokenResponse, GetSessionTokenRequest, GetSessionTokenResponse } from '@aws-sdk/client-sts'
import type { Caller, SessionTerms } from '#aws/caller.ts'
import type { Call, Permission, Valid } from '#aws/service.ts'
import type { StsService } from './api.ts'
import { sessionTags } from './assume-role.ts'
import { errors } from './errors.ts'
import { credentialsOf, packedSize, requestTagKeys, sessionPolicyTerms } from './session-terms.ts'

/** Source: STS API reference, GetSessionToken and GetFederationToken, DurationSeconds. */
const SESSION_SECONDS_DEFAULT = 43_200
/** Source: as above: sessions of the account's root. A longer wish becomes this. */
const ROOT_SESSION_SECONDS_MAX = 3_600

/**
 * A session of the caller itself. It needs no permission: policies cannot control it.
 * Source: IAM user guide, "Permissions for GetSessionToken".
 *
 * Ours: `SerialNumber` and `TokenCode` are refused, as nobody here has an MFA device; AWS's sentence for a device that is not the user's.
 */
export async function getSessionToken({ DurationSeconds, SerialNumber, TokenCode }: Valid<GetSessionTokenRequest>, { caller }: Call, { roles }: StsService): Promise<GetSessionTokenResponse> {
  const user = requireLongLived(caller, 'GetSessionToken')
  if (SerialNumber !== undefined || TokenCode !== undefined) throw errors.AccessDenied('MultiFactorAuthentication failed with invalid MFA one time pass code.')
  const credentials = await roles.issueForUser({ accountId: user.accountId, userId: user.userId, durationSeconds: sessionSeconds(user, DurationSeconds) })
  return { Credentials: credentialsOf(credentials) }
}

type FederationInput = Valid<GetFederationTokenRequest>

/** Source: Service authorization reference, "Actions, resources, and condition keys for AWS Security Token Service". */
export function mayGetFederationToken({ Name, Tags }: FederationInput, { caller }: Call): Permission[] {
  requireLongLived(caller, 'GetFederationToken')
  const permission = { resource: federatedUserArn(caller.accountId, Name), context: requestTagKeys(Tags) }
  return ['sts:GetFederationToken', ...(Tags?.length ? ['sts:TagSession'] : [])].map((action) => ({ action, ...permission }))
}

/**
 * A session for somebody else, who may do what the caller and the session policies both allow; without any session policy, only what
 * resources' policies allow to the federated user.
 *
 * Observed: AWS, 05-06-2024, recorded by localstack's test_get_federation_token: the fields, and a `PackedPolicySize` of 0 without policies.
 * @throws ValidationError, InvalidParameterValue, MalformedPolicyDocument, PackedPolicyTooLarge
 */
export async function getFederationToken(input: FederationInput, { caller }: Call, service: StsService): Promise<GetFederationTokenResponse> {
  const { accountId, userId } = requireLongLived(caller, 'GetFederationToken')
  const { tags } = sessionTags({ Tags: input.Tags }, caller)
  const terms: SessionTerms = { ...await sessionPolicyTerms(input, accountId, service), ...(Object.keys(tags).length > 0 && { tags }) }
  const packedPercent = packedSize(terms)
  const credentials = await service.roles.issueForUser({
    accountId, userId, durationSeconds: sessionSeconds(caller, input.DurationSeconds), federated: { name: input.Name, terms },
  })
  return {
    Credentials: credentialsOf(credentials),
    FederatedUser: { FederatedUserId: `${accountId}:${input.Name}`, Arn: federatedUserArn(accountId, input.Name) },
    PackedPolicySize: packedPercent,
  }
}

/** @throws AccessDenied. Source: the refusal of both operations as users of AWS report it (hashicorp/vault pull request 4108, aws/aws-sdk-net issue 1704). */
function requireLongLived(caller: Caller, operation: string): Extract<Caller, { is: 'user' | 'root' }> {
  if ((caller.is === 'user' || caller.is === 'root') && !caller.temporary) return caller
  throw errors.AccessDenied(`Cannot call ${operation} with session credentials`)
}

function sessionSeconds({ is }: Caller, wished = SESSION_SECONDS_DEFAULT): number {
  return is === 'root' ? Math.min(wished, ROOT_SESSION_SECONDS_MAX) : wished
}

/** Source: IAM user guide, "IAM identifiers", IAM ARNs. */
function federatedUserArn(accountId: string, name: string): string {
  return `arn:aws:sts::${accountId}:federated-user/${name}`
}
