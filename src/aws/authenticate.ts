// Who signed a request: judged in two steps, so that a body is read only for a caller whose key, date and scope are good.

import type { HttpRequest } from '#lib/http.ts'
import type { Caller } from './caller.ts'

export interface Authenticator {
  /**
   * Judges everything about a signature that the body does not enter: its form, date, scope and key. Looks at the
   * `Authorization` header or the `X-Amz-…` query parameters.
   *
   * @param services the names that the credential scope may carry (`['execute-api']`, `['lambda']`).
   * @throws SignatureRefusal
   */
  begin(request: HttpRequest, expected: { services: readonly string[] }): Promise<SignatureClaim>
}

export interface SignatureClaim {
  caller: Caller
  /** From the credential scope. */
  region: string
  service: string
  /**
   * Judges the signature, in constant time, over the body as it was read.
   * @throws SignatureRefusal
   */
  finish(body: Buffer): void
}

/** Why a signature is refused. Each service family gives it its own code, status and form. */
export type SignatureFault =
  | 'missing' | 'incomplete' | 'both-forms' | 'unknown-key' | 'invalid-token' | 'expired-token'
  | 'scope' | 'expired' | 'not-yet-current' | 'mismatch' | 'unsupported'

/** The message is AWS's own sentence. */
export class SignatureRefusal extends Error {
  readonly fault: SignatureFault
  constructor(fault: SignatureFault, message: string) {
    super(message)
    this.name = 'SignatureRefusal'
    this.fault = fault
  }
}
