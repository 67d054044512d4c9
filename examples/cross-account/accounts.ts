// The two accounts: A from the usual variables, B from those that begin with `OTHER_`.

import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

export interface Account {
  id: string
  credentials: { accessKeyId: string, secretAccessKey: string, sessionToken?: string }
}

/** @throws Error that says which variables are missing, or that both are one account. */
export async function openAccounts(environment: NodeJS.ProcessEnv, region: string): Promise<{ a: Account, b: Account }> {
  const [a, b] = await Promise.all([open(environment, '', region), open(environment, 'OTHER_', region)])
  if (a.id === b.id) throw new Error(`Both keys are of account ${a.id}; OTHER_AWS_ACCESS_KEY_ID must be of another one.`)
  return { a, b }
}

async function open(environment: NodeJS.ProcessEnv, prefix: string, region: string): Promise<Account> {
  const { [`${prefix}AWS_ACCESS_KEY_ID`]: accessKeyId, [`${prefix}AWS_SECRET_ACCESS_KEY`]: secretAccessKey, [`${prefix}AWS_SESSION_TOKEN`]: sessionToken } = environment
  if (!accessKeyId || !secretAccessKey) throw new Error(`Set ${prefix}AWS_ACCESS_KEY_ID and ${prefix}AWS_SECRET_ACCESS_KEY.`)
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
  const { Account: id } = await new STSClient({ region, credentials }).send(new GetCallerIdentityCommand({}))
  return { id: id!, credentials }
}
