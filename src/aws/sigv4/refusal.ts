// Why a signature is refused: a fault that each service family turns into its own code and status, and AWS's own sentence.

/** Why a signature is refused. Each service family gives it its own code, status and form. */
export type SignatureFault =
  | 'missing' | 'incomplete' | 'both-forms' | 'unknown-key' | 'invalid-token' | 'expired-token'
  | 'scope' | 'expired' | 'not-yet-current' | 'mismatch' | 'unsupported'

/**
 * The message is AWS's own sentence.
 *
 * That of a mismatch repeats the canonical request, and so every signed header that the client sent, its session token
 * included: it is for the answer, never for a log.
 */
export class SignatureRefusal extends Error {
  readonly fault: SignatureFault
  /** The message without what it repeats of the request's headers: for logs and traces. */
  readonly withoutSecrets: string
  constructor(fault: SignatureFault, message: string, withoutSecrets = message) {
    super(message)
    this.name = 'SignatureRefusal'
    this.fault = fault
    this.withoutSecrets = withoutSecrets
  }
}
