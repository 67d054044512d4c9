// Step 3: whether the caller may invoke the method.

import type { SignatureClaim } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import { formatArn } from '#aws/arn.ts'
import { configurationError, GatewayRefusal } from '../../gateway-responses.ts'
import type { Exchange, Route } from '../exchange.ts'

/** @throws GatewayRefusal 403 with AWS's sentence, in which the account of the API is masked. */
export async function authorize(
  exchange: Exchange,
  { address, deployed, deployment }: Route,
  claim: SignatureClaim | undefined,
  authorizer: Authorizer,
): Promise<void> {
  if (claim === undefined) return
  const { policy } = deployment
  if (policy !== undefined && 'broken' in policy) throw configurationError(`Invalid resource policy: ${policy.broken}`)
  const { accountId, region, apiId } = deployed.snapshot
  // The path as it was sent; of the root only its slash.
  const resourcePath = `${apiId}/${address.stageName}/${exchange.request.method}${address.path}`
  const resource = formatArn({ service: 'execute-api', region, accountId, resource: resourcePath })
  const shownAs = formatArn({ service: 'execute-api', region, accountId: masked(accountId), resource: resourcePath })
  const decision = await authorizer.decide(
    { caller: claim.caller, scope: { accountId, region }, atMs: exchange.atMs, request: exchange.request },
    { action: 'execute-api:Invoke', resource, shownAs, ...(policy ? { resourcePolicy: policy } : {}) },
  )
  exchange.trace.add('policy', { action: 'execute-api:Invoke', resource, allowed: decision.allowed, statements: decision.statements })
  if (!decision.allowed) throw new GatewayRefusal('ACCESS_DENIED', decision.message)
}

/** Source: public reports of such answers, among them ASFHyP3/hyp3 issue 2283: eight asterisks and the last four digits. */
function masked(accountId: string): string {
  return `********${accountId.slice(-4)}`
}
