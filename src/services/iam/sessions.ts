// Sessions of roles: keys that no table knows. The token carries everything, sealed, so that it is good on every node and after a restart.

import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { SessionTerms } from '#aws/caller.ts'
import type { SessionCredentials } from '#aws/identity.ts'
import { newAccessKeyId, newSecretAccessKey } from './model.ts'

/** What a session token says once it is opened. */
export interface Session {
  accessKeyId: string
  secretAccessKey: string
  accountId: string
  roleId: string
  sessionName: string
  issuedAtMs: number
  expiresAtMs: number
  terms?: SessionTerms
}

/** What is sealed: short names, as the token travels with every request. */
interface Sealed { k: string, s: string, a: string, r: string, n: string, i: number, e: number, t?: SessionTerms }

const purpose = 'sts.session-token'

export interface Sessions {
  /** Makes keys for a session. `now` is when it begins. */
  issue(session: Omit<Session, 'accessKeyId' | 'secretAccessKey'>): SessionCredentials
  /** Undefined for a token that this server's master key did not seal. */
  open(token: string): Session | undefined
}

export function createSessions({ random, sealer }: { random: RandomSource, sealer: Pick<Sealer, 'sealText' | 'openText'> }): Sessions {
  return {
    issue(session) {
      const accessKeyId = newAccessKeyId('ASIA', session.accountId, random)
      const secretAccessKey = newSecretAccessKey(random)
      const { accountId, roleId, sessionName, issuedAtMs, expiresAtMs, terms } = session
      const sealed: Sealed = {
        k: accessKeyId, s: secretAccessKey, a: accountId, r: roleId, n: sessionName, i: issuedAtMs, e: expiresAtMs, ...(terms && { t: terms }),
      }
      return { accessKeyId, secretAccessKey, sessionToken: sealer.sealText(JSON.stringify(sealed), purpose), expiresAtMs }
    },
    open(token) {
      const text = sealer.openText(token, purpose)
      if (text === undefined) return undefined
      const { k, s, a, r, n, i, e, t } = JSON.parse(text) as Sealed
      return { accessKeyId: k, secretAccessKey: s, accountId: a, roleId: r, sessionName: n, issuedAtMs: i, expiresAtMs: e, ...(t && { terms: t }) }
    },
  }
}
