// `countersign account`: makes further accounts on a running server, and lists them.

import { sendSigned, type Answer } from './request.ts'
import { CommandRefusal, type Session } from './session.ts'

export interface NewAccount {
  accountId: string
  accessKeyId: string
  secretAccessKey: string
}

/** Makes an account with this id, or with one that the server draws. The secret is told this once. Fails with the server's own sentence. */
export async function createAccount(session: Session, accountId: string | undefined, nowMs: number): Promise<NewAccount> {
  const body = Buffer.from(JSON.stringify({ accountId }))
  return resultOf(await sendSigned(session, { ...accounts(session), method: 'POST', body, headers: { 'content-type': 'application/json' } }, nowMs))
}

/** Every account with the moment it was made. Fails with the server's own sentence. */
export async function listAccounts(session: Session, nowMs: number): Promise<{ accountId: string, createdAt: string }[]> {
  return resultOf<{ accounts: { accountId: string, createdAt: string }[] }>(await sendSigned(session, { ...accounts(session), method: 'GET' }, nowMs)).accounts
}

/** The lines that make a shell the new account's root. */
export function exportLines({ accountId, accessKeyId, secretAccessKey }: NewAccount): string[] {
  return [
    `# root of account ${accountId}; the secret is shown this once`,
    `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
  ]
}

const accounts = ({ endpoint }: Session) => ({ url: `${endpoint}/_countersign/accounts`, service: 'countersign' })

function resultOf<Result>({ status, body }: Answer): Result {
  const value = JSON.parse(body.toString()) as Result & { message?: string }
  if (status !== 200) throw new CommandRefusal(String(value.message))
  return value
}
