// Sessions of roles: keys that no table knows. The token carries everything, sealed, so that it is good on every node and after a restart.

import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { SessionTerms } from '#aws/caller.ts'
import type { SessionCredentials } from '#aws/identity.ts'
import { newAccessKeyId, newSecretAccessKey } from './model.ts'

/** Whose session: that of a role, a user's (or the root's) own, or that of somebody for whom a user (or the root) vouches. */
export type SessionKind = 'role' | 'user' | 'federated'

/** What a session token says once it is opened. */
export interface Session {
  kind: SessionKind
  accessKeyId: string
  secretAccessKey: string
  accountId: string
  /** The id of the role or user; the account's for its root. */
  principalId: string
  /** Empty for a user's own. */
  sessionName: string
  issuedAtMs: number
  expiresAtMs: number
  terms?: SessionTerms
}

/** What is sealed: short names, as the token travels with every request. */
interface Sealed { k: string, s: string, a: string, r: string, n: string, i: number, e: number, t?: SessionTerms, o?: Exclude<SessionKind, 'role'> }

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
      const { kind, accountId, principalId, sessionName, issuedAtMs, expiresAtMs, terms } = session
      const sealed: Sealed = {
        k: accessKeyId, s: secretAccessKey, a: accountId, r: principalId, n: sessionName, i: issuedAtMs, e: expiresAtMs, ...(terms && { t: terms }),
        ...(kind !== 'role' && { o: kind }),
      }
      return { accessKeyId, secretAccessKey, sessionToken: sealer.sealText(JSON.stringify(sealed), purpose), expiresAtMs }
    },
    open(token) {
      const text = sealer.openText(token, purpose)
      if (text === undefined) return undefined
      const { k, s, a, r, n, i, e, t, o } = JSON.parse(text) as Sealed
      return {
        kind: o ?? 'role', accessKeyId: k, secretAccessKey: s, accountId: a, principalId: r, sessionName: n, issuedAtMs: i, expiresAtMs: e,
        ...(t && { terms: t }),
      }
    },
  }
}
