// The account as API Gateway sees it in a region: the role with which logs are written, and limits that no call changes.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { parseArn, type Scope } from '#aws/arn.ts'
import { findAccount, type AccountRecord } from './account-store.ts'
import type { Caller, Input } from './edit.ts'
import { errors } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { ACCOUNT_RATE_LIMIT } from './limits.ts'
import { applyPatches, type PatchRule } from './patch.ts'
import { transactions } from './store.ts'

/** What API Gateway asks of IAM about a role that is to write logs. */
export interface LoggingRoles {
  /** Whether the role exists, trusts API Gateway and may write logs in the region. */
  mayLog(roleArn: string, scope: Scope): Promise<boolean>
}

export async function getAccount(_request: Input<sdk.GetAccountRequest>, { scope }: Caller, gateway: ApiGateway): Promise<sdk.Account> {
  return describeAccount(await findAccount(gateway.database, scope), gateway)
}

/** Source: users' reports of all three refusals, among them aws/aws-cdk issue 2194 and Terraform's provider. */
export async function updateAccount({ patchOperations }: Input<sdk.UpdateAccountRequest>, { scope }: Caller, gateway: ApiGateway): Promise<sdk.Account> {
  const record = await findAccount(gateway.database, scope)
  const before = record.cloudwatchRoleArn
  applyPatches(record, patchOperations, patchRules, 'plain')
  const roleArn = record.cloudwatchRoleArn
  if (roleArn !== undefined && roleArn !== before && !await gateway.loggingRoles.mayLog(roleArn, scope)) {
    throw errors.BadRequestException(
      'The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.')
  }
  await gateway.database.transact(transactions.putAccount, { ...scope, record })
  return describeAccount(record, gateway)
}

/** Source: Terraform's provider and users' reports: an account's answer; an absent role is absent. */
function describeAccount({ cloudwatchRoleArn }: AccountRecord, { accountRateLimit = ACCOUNT_RATE_LIMIT }: Pick<ApiGateway, 'accountRateLimit'>): sdk.Account {
  return {
    cloudwatchRoleArn,
    throttleSettings: { rateLimit: accountRateLimit, burstLimit: Math.max(1, Math.floor(accountRateLimit / 2)) },
    features: ['UsagePlans'],
    apiKeyVersion: '4',
  }
}

/** Source: API Gateway API reference, "Patch operations", UpdateAccount; usage plans cannot be disabled: moto's tests. */
const patchRules: readonly PatchRule<AccountRecord>[] = [
  {
    path: '/cloudwatchRoleArn',
    add: setRole,
    replace: setRole,
    remove: (account) => { account.cloudwatchRoleArn = undefined },
  },
  {
    path: '/features',
    add: (_account, value) => { if (value !== 'UsagePlans') throw errors.BadRequestException(`Invalid feature specified: ${value}`) },
    remove: () => { throw errors.BadRequestException('Usage Plans cannot be disabled once enabled') },
  },
]

/** An empty value takes the role away. */
function setRole(account: AccountRecord, value: string): void {
  if (value !== '' && !parseArn(value)?.resource.startsWith('role/')) throw errors.BadRequestException('The role ARN is not well formed')
  account.cloudwatchRoleArn = value || undefined
}
