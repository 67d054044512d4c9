// What is wrong with a signature, as API Gateway answers it: REST APIs, the handshakes of WebSocket APIs, and `@connections`.

import type { SignatureFault, SignatureRefusal } from '#aws/authenticate.ts'
import { GatewayRefusal, type GatewayResponseType } from './gateway-responses.ts'

/**
 * Each fault as the gateway answers it.
 * Source: API Gateway developer guide, "Gateway response types" (types and statuses); public reports of the answers (error types).
 */
const answers: Readonly<Record<SignatureFault, { type: GatewayResponseType, errorType: string }>> = {
  missing: { type: 'MISSING_AUTHENTICATION_TOKEN', errorType: 'MissingAuthenticationTokenException' },
  incomplete: { type: 'INVALID_SIGNATURE', errorType: 'IncompleteSignatureException' },
  unsupported: { type: 'INVALID_SIGNATURE', errorType: 'IncompleteSignatureException' },
  'both-forms': { type: 'INVALID_SIGNATURE', errorType: 'InvalidSignatureException' },
  'unknown-key': { type: 'INVALID_SIGNATURE', errorType: 'UnrecognizedClientException' },
  'invalid-token': { type: 'INVALID_SIGNATURE', errorType: 'UnrecognizedClientException' },
  'expired-token': { type: 'EXPIRED_TOKEN', errorType: 'ExpiredTokenException' },
  scope: { type: 'INVALID_SIGNATURE', errorType: 'InvalidSignatureException' },
  expired: { type: 'INVALID_SIGNATURE', errorType: 'InvalidSignatureException' },
  'not-yet-current': { type: 'INVALID_SIGNATURE', errorType: 'InvalidSignatureException' },
  mismatch: { type: 'INVALID_SIGNATURE', errorType: 'InvalidSignatureException' },
}

/** The answer to a signature that is refused: 403 in AWS's words. */
export function signatureRefusal({ fault, message }: Pick<SignatureRefusal, 'fault' | 'message'>): GatewayRefusal {
  const { type, errorType } = answers[fault]
  // The gateway has its own sentence for a request without any signature.
  return new GatewayRefusal(type, fault === 'missing' ? 'Missing Authentication Token' : message, { errorType })
}
