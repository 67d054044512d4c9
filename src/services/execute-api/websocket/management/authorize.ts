// Who asks, and whether that caller may manage connections of the stage.

import { formatArn } from '#aws/arn.ts'
import { SignatureRefusal, type Authenticator, type SignatureClaim } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import { BodyTooLarge } from '#lib/http.ts'
import type { DeployedV2Stage } from '#services/apigatewayv2/index.ts'
import { maskedAccount } from '../../authorizers/refusals.ts'
import { GatewayRefusal } from '../../gateway-responses.ts'
import { signatureRefusal } from '../../signature-refusals.ts'
import { MESSAGE_BYTES_MAX } from '../limits.ts'
import { payloadTooLarge } from './errors.ts'
import type { ManagementExchange } from './exchange.ts'

/** Source: Service Authorization Reference, "Amazon API Gateway Management" (execute-api). */
const MANAGE_CONNECTIONS = 'execute-api:ManageConnections'

/**
 * The body, once it is known whose it is.
 *
 * @throws GatewayRefusal 403 for a signature that is missing, for another region, of an unknown key, out of date, or of another body; 413 for more than a message may have.
 */
export async function readSigned(
  exchange: ManagementExchange, { snapshot: { region } }: DeployedV2Stage, authenticator: Authenticator,
): Promise<{ claim: SignatureClaim, body: Buffer }> {
  const { request, trace } = exchange
  try {
    const claim = await authenticator.begin(request, { services: ['execute-api'], region })
    const body = await request.body(MESSAGE_BYTES_MAX)
    claim.finish(body)
    const { caller } = exchange.claim = claim
    const key = 'accessKeyId' in caller ? { accessKeyId: caller.accessKeyId } : {}
    trace.add('authentication', { caller: caller.arn, kind: caller.is, region: claim.region, ...key, valid: true })
    return { claim, body }
  } catch (error) {
    if (error instanceof BodyTooLarge) throw payloadTooLarge()
    if (!(error instanceof SignatureRefusal)) throw error
    trace.add('authentication', { refused: error.fault })
    throw signatureRefusal(error)
  }
}

/**
 * AWS asks for all connections at once: the last part of the resource is the word `{connectionId}` itself.
 * Source: API Gateway developer guide, "Control access to WebSocket APIs with IAM authorization"; aws/aws-cdk issue 18410 and other published refusals, which
 * show the resource so, its account masked.
 *
 * Ours: a Deny of one connection holds as well. WebSocket APIs have no resource policy, so that callers of other accounts are refused.
 *
 * @throws GatewayRefusal 403.
 */
export async function authorize(
  { request, atMs, target: { apiId, stageName }, trace }: ManagementExchange, { snapshot: { accountId, region } }: DeployedV2Stage, { caller }: SignatureClaim,
  connectionId: string, authorizer: Authorizer,
): Promise<void> {
  const resourceOf = (last: string) => formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/${stageName}/${request.method}/@connections/${last}` })
  const every = resourceOf('{connectionId}')
  const decide = (resource: string) =>
    authorizer.decide({ caller, scope: { accountId, region }, request, atMs }, { action: MANAGE_CONNECTIONS, resource, shownAs: maskedAccount(every) })
  const decision = await decide(every)
  trace.add('policy', { action: MANAGE_CONNECTIONS, resource: every, allowed: decision.allowed, statements: decision.statements })
  if (!decision.allowed) throw new GatewayRefusal('ACCESS_DENIED', decision.message)
  const one = resourceOf(connectionId)
  const { allowed, statements, message } = await decide(one)
  if (allowed || !statements.some(({ effect }) => effect === 'Deny')) return
  trace.add('policy', { action: MANAGE_CONNECTIONS, resource: one, allowed, statements })
  throw new GatewayRefusal('ACCESS_DENIED', message)
}
