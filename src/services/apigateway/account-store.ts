// SQL of what an account has set for all its APIs in a region.

import { defineTransactions, sql, type Reader } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'

export interface AccountRecord {
  /** The role with which API Gateway writes logs; absent until it is set. */
  cloudwatchRoleArn?: string | undefined
}

/** What the account has set; nothing until it sets something. */
export async function findAccount(db: Reader, { accountId, region }: Scope): Promise<AccountRecord> {
  const [row] = await db.query(sql`select record from apigateway_accounts where account_id = ${accountId} and region = ${region}`)
  return row ? JSON.parse(row['record'] as string) as AccountRecord : {}
}

export const accountTransactions = defineTransactions('apigateway', {
  /** The last one counts: an account's settings are one value. */
  async putAccount(tx, { accountId, region, record }: Scope & { record: AccountRecord }): Promise<void> {
    await tx.run(sql`delete from apigateway_accounts where account_id = ${accountId} and region = ${region}`)
    await tx.run(sql`insert into apigateway_accounts (account_id, region, record) values (${accountId}, ${region}, ${JSON.stringify(record)})`)
  },
})
