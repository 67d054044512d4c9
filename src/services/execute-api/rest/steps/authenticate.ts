// Step 2: who calls, where the method asks for a signature. The body has not been read yet.

import { SignatureRefusal, type Authenticator, type SignatureClaim, type SignatureFault } from '#aws/authenticate.ts'
import { GatewayRefusal, type GatewayResponseType } from '../../gateway-responses.ts'
import type { Exchange, Route } from '../exchange.ts'

/** @throws GatewayRefusal 403 for a signature that is missing, malformed, of an unknown key, or out of date. */
export async function authenticate(
  exchange: Exchange,
  { method }: Route,
  authenticator: Authenticator,
): Promise<SignatureClaim | undefined> {
  // Authorizers find out themselves who calls.
  if (method.definition.authorizationType !== 'AWS_IAM') {
    exchange.trace.add('authentication', { required: false })
    return undefined
  }
  try {
    const claim = await authenticator.begin(exchange.request, { services: ['execute-api'] })
    const { caller } = claim
    const key = 'accessKeyId' in caller ? { accessKeyId: caller.accessKeyId } : {}
    exchange.trace.add('authentication', { caller: caller.arn, kind: caller.is, region: claim.region, ...key })
    return claim
  } catch (error) {
    throw error instanceof SignatureRefusal ? refusalOf(exchange, error) : error
  }
}

/** Judges the signature over the body, now that it is read. @throws GatewayRefusal 403 with AWS's canonical string. */
export function finishSignature(exchange: Exchange, claim: SignatureClaim, body: Buffer): void {
  try {
    claim.finish(body)
    exchange.trace.add('signature', { valid: true })
  } catch (error) {
    throw error instanceof SignatureRefusal ? refusalOf(exchange, error) : error
  }
}

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

function refusalOf(exchange: Exchange, { fault, message }: SignatureRefusal): GatewayRefusal {
  const { type, errorType } = answers[fault]
  exchange.trace.add('authentication', { refused: fault })
  // The gateway has its own sentence for a request without any signature.
  return new GatewayRefusal(type, fault === 'missing' ? 'Missing Authentication Token' : message, { errorType })
}
