// Step 2: who calls, and whether that caller may call the route.

import type { Authenticator, SignatureClaim } from '#aws/authenticate.ts'
import { formatArn } from '#aws/arn.ts'
import { decodedPath } from '#aws/http-payload/request-parts.ts'
import type { InvokeQuestion } from '../../authorizers/question.ts'
import { authorizeByFunction, type FunctionAuthorizerOptions } from '../authorization/function.ts'
import { beginSignature, finishSignature, mayInvoke, type IamOptions } from '../authorization/iam.ts'
import { authorizeByToken, type TokenOptions } from '../authorization/token.ts'
import type { CompiledRoute } from '../deployment.ts'
import type { HttpExchange } from '../exchange.ts'
import { forbidden } from '../refusals.ts'
import { readBody } from './read-body.ts'

export interface AuthorizeOptions extends IamOptions, TokenOptions, FunctionAuthorizerOptions {
  authenticator: Authenticator
}

/**
 * The body, where it had to be read: that of a signed call, once key, date and scope are known to be right.
 *
 * @throws HttpRefusal 403 for whatever is wrong with a signature or forbidden to its caller, 401 for tokens and callers that authorizers do not
 * know, 500 when an authorizer fails.
 */
export async function authorize(exchange: HttpExchange, route: CompiledRoute, options: AuthorizeOptions): Promise<Buffer | undefined> {
  const { authorizationType } = route.definition
  switch (authorizationType) {
    case 'NONE':
      exchange.trace.add('authentication', { required: false })
      return undefined
    case 'AWS_IAM': {
      const claim: SignatureClaim = exchange.claim = await beginSignature(exchange, options.authenticator)
      const body = await readBody(exchange)
      finishSignature(exchange, claim, body)
      await mayInvoke(exchange, claim, questionOf(exchange), options)
      return body
    }
    case 'JWT':
      await authorizeByToken(exchange, route, options)
      return undefined
    case 'CUSTOM':
      await authorizeByFunction(exchange, route, questionOf(exchange), options)
      return undefined
    default:
      // What is not known here must not let anybody through.
      throw forbidden(`the route has authorization ${String(authorizationType)}`)
  }
}

/**
 * The path decoded, as HTTP APIs decode it: an encoded letter must not slip past a policy's Deny.
 * Source: middleapi/standard-server pull request 93, from captured events (HTTP APIs decode paths); the ARN's form: API Gateway developer guide,
 * "Control access to HTTP APIs with IAM authorization".
 */
function questionOf({ request, atMs, target, deployed }: HttpExchange): InvokeQuestion {
  const { accountId, region, apiId } = deployed!.snapshot
  const resource = formatArn({ service: 'execute-api', region, accountId, resource: `${apiId}/${target.stageName}/${request.method}${decodedPath(target.path || '/')}` })
  return { resource, scope: { accountId, region }, request, atMs }
}
