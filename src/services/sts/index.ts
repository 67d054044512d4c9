// STS as the rest of the program sees it: its operations, over the roles that IAM keeps.

import type { ServiceDefinition } from '#aws/service.ts'
import type { Iam } from '#services/iam/index.ts'
import { operations } from './api.ts'
import type { StsService } from './api.ts'

export interface Sts {
  definition: ServiceDefinition<StsService>
}

/** Source: the session policies and tags that AssumeRole takes, and what surrounds them. */
const BODY_BYTES_MAX = 256 * 1024

export function createSts({ iam }: { iam: Pick<Iam, 'roles' | 'findManagedPolicy' | 'accountOfAccessKey'> }): Sts {
  return {
    definition: {
      model: 'sts-2011-06-15',
      operations,
      service: { roles: iam.roles, policies: iam, keys: iam },
      bodyBytesMax: BODY_BYTES_MAX,
      errors: {
        validation: { code: 'ValidationError', status: 400 },
        accessDenied: { code: 'AccessDenied', status: 403 },
      },
    },
  }
}
