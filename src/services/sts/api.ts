// The operations of STS that are served. Whatever is not here answers 501.

import type { GetAccessKeyInfoRequest, GetAccessKeyInfoResponse, GetCallerIdentityResponse } from '@aws-sdk/client-sts'
import type { IssuerKeys } from '#lib/issuer-keys.ts'
import { operation } from '#aws/service.ts'
import type { Call, Operations, Valid } from '#aws/service.ts'
import type { Iam, Roles } from '#services/iam/index.ts'
import { assumeRole, mayAssumeRole } from './assume-role.ts'
import { errors } from './errors.ts'
import { getFederationToken, getSessionToken, mayGetFederationToken } from './user-sessions.ts'
import { assumeRoleWithWebIdentity } from './web-identity/assume-role.ts'

export interface StsService {
  roles: Roles
  policies: Pick<Iam, 'findManagedPolicy'>
  keys: Pick<Iam, 'accountOfAccessKey'>
  providers: Pick<Iam, 'findOidcProvider'>
  issuerKeys: IssuerKeys
}

export const operations: Operations<StsService> = {
  AssumeRole: operation({ access: mayAssumeRole, run: assumeRole }),

  // What the token proves is what the trust policy is asked about: the handler does both.
  AssumeRoleWithWebIdentity: operation({ isUnsigned: true, access: () => [], run: assumeRoleWithWebIdentity }),

  // No policy controls it. Source: IAM user guide, "Permissions for GetSessionToken".
  GetSessionToken: operation({ access: () => [], run: getSessionToken }),

  GetFederationToken: operation({ access: mayGetFederationToken, run: getFederationToken }),

  // Nobody needs a permission, and no policy can deny it. Source: STS API reference, GetCallerIdentity.
  GetCallerIdentity: operation({ access: () => [], run: getCallerIdentity }),

  GetAccessKeyInfo: operation({ access: () => [{ action: 'sts:GetAccessKeyInfo', resource: '*' }], run: getAccessKeyInfo }),
}

function getCallerIdentity(_input: object, { caller }: Call): GetCallerIdentityResponse {
  return { UserId: caller.userId, Account: caller.accountId, Arn: caller.arn }
}

/** The account stands in the key's id, whether or not the key still exists. Ours: the sentence for an id that tells none. */
async function getAccessKeyInfo({ AccessKeyId }: Valid<GetAccessKeyInfoRequest>, _call: Call, { keys }: StsService): Promise<GetAccessKeyInfoResponse> {
  const accountId = await keys.accountOfAccessKey(AccessKeyId)
  if (accountId === undefined) throw errors.ValidationError(`${AccessKeyId} is not a valid access key ID`)
  return { Account: accountId }
}
