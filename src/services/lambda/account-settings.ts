// GetAccountSettings: the quotas of an account in a region, and what it uses of them.

import type { GetAccountSettingsRequest, GetAccountSettingsResponse } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { readUnreserved } from './concurrency/store.ts'
import { ACCOUNT_EXECUTIONS_MAX, TOTAL_CODE_BYTES_MAX, UNZIPPED_BYTES_MAX, ZIPPED_BYTES_MAX } from './limits.ts'
import { readUsage } from './store.ts'

/** Source: Lambda API reference, GetAccountSettings. */
export async function getAccountSettings(_input: Valid<GetAccountSettingsRequest>, { scope }: Call, { database }: LambdaService): Promise<GetAccountSettingsResponse> {
  const [{ functions, codeBytes }, unreserved] = await Promise.all([readUsage(database, scope), readUnreserved(database, scope, { executionsMax: ACCOUNT_EXECUTIONS_MAX })])
  return {
    AccountLimit: {
      TotalCodeSize: TOTAL_CODE_BYTES_MAX,
      CodeSizeUnzipped: UNZIPPED_BYTES_MAX,
      CodeSizeZipped: ZIPPED_BYTES_MAX,
      ConcurrentExecutions: ACCOUNT_EXECUTIONS_MAX,
      UnreservedConcurrentExecutions: unreserved,
    },
    AccountUsage: { TotalCodeSize: codeBytes, FunctionCount: functions },
  }
}
