// What authentication and authorization need to know about principals. IAM provides it; the wire and execute-api use it.

import type { Caller } from './caller.ts'
import type { Policy } from './policy/document.ts'

export interface Identity {
  /**
   * The secret behind an access key, with the caller it stands for. Keys are judged as they are now: a deleted or deactivated
   * key, a deleted user or role, an expired token are refusals.
   */
  findCredential(accessKeyId: string, sessionToken: string | undefined): Promise<Credential | CredentialRefusal>
  /** The policies that decide what a caller may do, as they are now. */
  policiesFor(caller: Caller): Promise<CallerPolicies>
}

export interface Credential {
  caller: Caller
  secretAccessKey: string
}

export interface CredentialRefusal {
  refused: 'unknown key' | 'inactive key' | 'token missing' | 'token invalid' | 'token expired' | 'principal deleted'
}

export interface CallerPolicies {
  identity: readonly Policy[]
  /** The permissions boundary of the user or role. */
  boundary?: Policy
  /** Given when the session began; together they must allow. Source: IAM user guide, "Session policies". */
  session?: readonly Policy[]
  /** `aws:PrincipalTag/…`: the tags of the user or role, and over them those of the session. */
  tags?: Readonly<Record<string, string>>
}

/** The keys of one session. Expiry in milliseconds. */
export interface SessionCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  expiresAtMs: number
}
