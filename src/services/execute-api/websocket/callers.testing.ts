// For tests of what callers may do with WebSocket APIs: users with their policies, and who judges them.

import { createAuthenticator, type Authenticator } from '#aws/authenticate.ts'
import { createAuthorizer, type Authorizer } from '#aws/authorize.ts'
import type { UserCaller } from '#aws/caller.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import type { SigningCredentials } from '#aws/sigv4/sign.ts'
import type { Clock } from '#lib/clock.ts'
import { accountId } from '../http/gateway.testing.ts'

/** Users by name, with the statements of their policies; one whose name begins with `other` is of account 222222222222. */
export type GivenUsers = Readonly<Record<string, readonly object[]>>

export interface Callers {
  authenticator: Authenticator
  authorizer: Authorizer
  keyOf(user: string): SigningCredentials
}

export function callersOf(users: GivenUsers, clock: Clock): Callers {
  const callers = Object.entries(users).map(([userName, statements]) => {
    const account = userName.startsWith('other') ? '222222222222' : accountId
    const caller: UserCaller = { is: 'user', accountId: account, userName, arn: `arn:aws:iam::${account}:user/${userName}`, userId: `AIDA${userName}`, accessKeyId: `AKIA${userName}` }
    const policies = statements.length === 0 ? [] : [compilePolicy(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'identity'), userName)]
    return { caller, policies }
  })
  const secretOf = (accessKeyId: string) => `secret of ${accessKeyId}`
  const identity = {
    findCredential: async (accessKeyId: string) => {
      const found = callers.find(({ caller }) => caller.accessKeyId === accessKeyId)
      return found ? { caller: found.caller, secretAccessKey: secretOf(accessKeyId) } : { refused: 'unknown key' as const }
    },
    policiesFor: async ({ arn }: { arn: string }) => ({ identity: callers.find(({ caller }) => caller.arn === arn)?.policies ?? [] }),
  }
  return {
    authenticator: createAuthenticator({ identity, clock }), authorizer: createAuthorizer({ identity, clock }),
    keyOf: (user) => ({ accessKeyId: `AKIA${user}`, secretAccessKey: secretOf(`AKIA${user}`) }),
  }
}
