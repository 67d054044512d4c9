// AWS_IAM: a signature, and a permission to invoke. Whatever is wrong, the client is told one word.

import { SignatureRefusal, type Authenticator, type SignatureClaim } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { Caller } from '#aws/caller.ts'
import type { IamFacts } from '#aws/http-payload/events.ts'
import { INVOKE, type InvokeQuestion } from '../../authorizers/question.ts'
import type { HttpExchange } from '../exchange.ts'
import { forbidden } from '../refusals.ts'

export interface IamOptions {
  authorizer: Authorizer
}

/** @throws HttpRefusal 403 for a signature that is missing, malformed, for another region, of an unknown key, or out of date. The body has not been read. */
export async function beginSignature(exchange: HttpExchange, authenticator: Authenticator): Promise<SignatureClaim> {
  try {
    const claim = await authenticator.begin(exchange.request, { services: ['execute-api'], region: exchange.deployed!.snapshot.region })
    const { caller } = claim
    exchange.trace.add('authentication', { caller: caller.arn, kind: caller.is, region: claim.region, ...('accessKeyId' in caller ? { accessKeyId: caller.accessKeyId } : {}) })
    return claim
  } catch (error) {
    throw refusalOf(exchange, error)
  }
}

/** @throws HttpRefusal 403. */
export function finishSignature(exchange: HttpExchange, claim: SignatureClaim, body: Buffer): void {
  try {
    claim.finish(body)
    exchange.trace.add('signature', { valid: true })
  } catch (error) {
    throw refusalOf(exchange, error)
  }
}

function refusalOf(exchange: HttpExchange, error: unknown): unknown {
  if (!(error instanceof SignatureRefusal)) return error
  exchange.trace.add('authentication', { refused: error.fault, message: error.withoutSecrets })
  return forbidden(error.fault)
}

/** @throws HttpRefusal 403; the statements looked at stand in the trace. */
export async function mayInvoke(exchange: HttpExchange, { caller }: SignatureClaim, { resource, ...call }: InvokeQuestion, { authorizer }: IamOptions): Promise<void> {
  const { allowed, message, statements } = await authorizer.decide({ caller, ...call }, { action: INVOKE, resource })
  exchange.trace.add('policy', { action: INVOKE, resource, allowed, statements, ...(allowed ? {} : { message }) })
  if (!allowed) throw forbidden(message)
  exchange.authorizer = { iam: iamFacts(caller) }
}

/** Source: API Gateway developer guide, "Lambda proxy integrations for HTTP APIs", `requestContext.authorizer.iam`. There are no organizations here. */
function iamFacts(caller: Caller): IamFacts {
  const { accountId, arn, userId } = caller
  return {
    accessKey: 'accessKeyId' in caller ? caller.accessKeyId : '', accountId, callerId: userId, cognitoIdentity: null, principalOrgId: null, userArn: arn, userId,
  }
}
