// STS as the rest of the program sees it: its operations, over the roles that IAM keeps.

import type { Clock } from '#lib/clock.ts'
import { createIssuerKeys } from '#lib/issuer-keys.ts'
import type { Caller } from '#aws/caller.ts'
import type { AwsError } from '#aws/errors.ts'
import type { ServiceDefinition } from '#aws/service.ts'
import type { Iam } from '#services/iam/index.ts'
import { operations } from './api.ts'
import type { StsService } from './api.ts'
import { errors } from './errors.ts'

export interface Sts {
  definition: ServiceDefinition<StsService>
}

/** Source: the session policies and tags that AssumeRole takes, and what surrounds them. */
const BODY_BYTES_MAX = 256 * 1024

export interface StsOptions {
  iam: Pick<Iam, 'roles' | 'findManagedPolicy' | 'accountOfAccessKey' | 'findOidcProvider'>
  clock: Pick<Clock, 'now'>
}

export function createSts({ iam, clock }: StsOptions): Sts {
  return {
    definition: {
      model: 'sts-2011-06-15',
      operations,
      service: { roles: iam.roles, policies: iam, keys: iam, providers: iam, issuerKeys: createIssuerKeys({ clock }) },
      refusesCaller,
      bodyBytesMax: BODY_BYTES_MAX,
      errors: {
        validation: { code: 'ValidationError', status: 400 },
        accessDenied: { code: 'AccessDenied', status: 403 },
      },
    },
  }
}

/**
 * What sessions of users and of federated users may call here.
 * Source: STS API reference, GetSessionToken and GetFederationToken, permissions. The sentence is that of the two operations themselves.
 */
function refusesCaller(caller: Caller, operation: string): AwsError | undefined {
  const isOwnSession = (caller.is === 'user' || caller.is === 'root') && caller.temporary !== undefined
  const allowed = isOwnSession ? ['AssumeRole', 'GetCallerIdentity'] : caller.is === 'federated' ? ['GetCallerIdentity'] : undefined
  return allowed === undefined || allowed.includes(operation) ? undefined : errors.AccessDenied(`Cannot call ${operation} with session credentials`)
}
