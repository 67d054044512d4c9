// Further accounts of a server under test, made as the command line makes them.

import { createAccount } from '#src/cli/account.ts'
import type { Clients, Credentials, TestServer } from './server.ts'

export interface TestAccount extends Clients {
  accountId: string
  /** Of its root, as whom the clients act. */
  credentials: Credentials
}

/** Makes an account, by the root of the first. */
export async function newAccount(server: TestServer, accountId?: string): Promise<TestAccount> {
  const session = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials }
  const { accountId: made, ...credentials } = await createAccount(session, accountId, Date.now())
  return { accountId: made, credentials, ...server.clients(credentials) }
}

/** A policy document of these statements, as text. */
export function policyOf(...Statement: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement })
}
