// Who may call a function's address.

import { SignatureRefusal, type Authenticator, type SignatureClaim } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { AnonymousCaller, Caller } from '#aws/caller.ts'
import type { AuthorizerFacts } from '#aws/http-payload/events.ts'
import { signatureError } from '#aws/refusals.ts'
import type { Trace } from '#aws/trace.ts'
import type { HttpRequest } from '#lib/http.ts'
import type { FunctionUrl } from '../url-directory.ts'
import { forbidden, refusedAs } from './refusals.ts'

export interface UrlCallOptions {
  authenticator: Authenticator
  authorizer: Authorizer
}

const nobody: AnonymousCaller = { is: 'anonymous', accountId: '', arn: '', userId: '' }

/** @throws UrlRefusal 403, also for a signature for another region than the function's. The body has not been read. */
export async function beginSignature(request: HttpRequest, { config: { region } }: FunctionUrl, trace: Trace, authenticator: Authenticator): Promise<SignatureClaim> {
  try {
    const claim = await authenticator.begin(request, { services: ['lambda'], region })
    trace.add('authentication', { caller: claim.caller.arn, kind: claim.caller.is, region: claim.region })
    return claim
  } catch (error) {
    throw signatureRefusal(error, trace)
  }
}

/** @throws UrlRefusal 403. */
export function finishSignature(claim: SignatureClaim, body: Buffer, trace: Trace): void {
  try {
    claim.finish(body)
  } catch (error) {
    throw signatureRefusal(error, trace)
  }
}

function signatureRefusal(error: unknown, trace: Trace): unknown {
  if (!(error instanceof SignatureRefusal)) return error
  trace.add('authentication', { refused: error.fault })
  return error.fault === 'missing' ? forbidden('the request is not signed') : refusedAs(signatureError('rest-json', error))
}

/**
 * Source: Lambda developer guide, "Control access to Lambda function URLs": `lambda:InvokeFunctionUrl` under the address's kind of authorization. With
 * NONE, the function's own policy must let everybody; with AWS_IAM, the caller's policies or the function's, of another account both.
 * Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_url_invocation: that one permission suffices. Source: the same page: in accounts
 * that had no function URLs before October 2025 AWS wants `lambda:InvokeFunction` as well.
 *
 * @throws UrlRefusal 403; the trace has the statements that were looked at.
 */
export async function requirePermission(
  { request, atMs, trace }: { request: HttpRequest, atMs: number, trace: Trace }, url: FunctionUrl, caller: Caller | undefined, { authorizer }: Pick<UrlCallOptions, 'authorizer'>,
): Promise<void> {
  const { accountId, region, authType } = url.config
  const { allowed, message, statements } = await authorizer.decide({ caller: caller ?? nobody, scope: { accountId, region }, atMs, request }, {
    action: ACTION, resource: url.qualifiedArn, context: { 'lambda:FunctionUrlAuthType': authType, 'lambda:InvokedViaFunctionUrl': 'true' },
    ...(url.policy ? { resourcePolicy: url.policy } : {}),
  })
  trace.add('policy', { action: ACTION, resource: url.qualifiedArn, allowed, statements, ...(allowed ? {} : { message }) })
  if (!allowed) throw forbidden(message)
}

const ACTION = 'lambda:InvokeFunctionUrl'

/** Source: Lambda developer guide, "Invoking Lambda function URLs", request payload. */
export function authorizerFacts(caller: Caller | undefined): AuthorizerFacts | undefined {
  if (!caller || !('accessKeyId' in caller)) return undefined
  const { accessKeyId: accessKey, accountId, userId, arn: userArn } = caller
  return { iam: { accessKey, accountId, callerId: userId, cognitoIdentity: null, principalOrgId: null, userArn, userId } }
}
