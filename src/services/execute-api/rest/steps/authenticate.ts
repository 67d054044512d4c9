// Step 2: who calls, where the method asks for a signature. The body has not been read yet.

import { SignatureRefusal, type Authenticator, type SignatureClaim } from '#aws/authenticate.ts'
import type { GatewayRefusal } from '../../gateway-responses.ts'
import { signatureRefusal } from '../../signature-refusals.ts'
import type { Exchange, Route } from '../exchange.ts'

/** @throws GatewayRefusal 403 for a signature that is missing, malformed, for another region, of an unknown key, or out of date. */
export async function authenticate(
  exchange: Exchange,
  { method, deployed }: Route,
  authenticator: Authenticator,
): Promise<SignatureClaim | undefined> {
  // Authorizers find out themselves who calls.
  if (method.definition.authorizationType !== 'AWS_IAM') {
    exchange.trace.add('authentication', { required: false })
    return undefined
  }
  try {
    const claim = await authenticator.begin(exchange.request, { services: ['execute-api'], region: deployed.snapshot.region })
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

function refusalOf(exchange: Exchange, refusal: SignatureRefusal): GatewayRefusal {
  exchange.trace.add('authentication', { refused: refusal.fault })
  return signatureRefusal(refusal)
}
