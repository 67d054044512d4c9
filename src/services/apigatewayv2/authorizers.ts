// Authorizers: who decides about a caller. Tokens (JWT) or a function (REQUEST).

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { changedAuthorizer, newAuthorizer, requireFreeName } from './authorizer-rules.ts'
import { editApi, editStage, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing, tooMany } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { AUTHORIZERS_PER_API_MAX } from './limits.ts'
import type { ApiDesign, Authorizer } from './model.ts'
import { own } from './own.ts'
import { pageOf } from './pages.ts'

export function createAuthorizer(
  { ApiId, ...request }: Input<sdk.CreateAuthorizerRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.CreateAuthorizerResponse> {
  return editApi(gateway, call, ApiId, ({ settings, design }) => {
    const authorizer = newAuthorizer(request, { authorizerId: newId(gateway.random), settings })
    requireFreeName(design, authorizer)
    if (Object.keys(design.authorizers).length >= AUTHORIZERS_PER_API_MAX) throw tooMany('Authorizers')
    design.authorizers[authorizer.authorizerId] = authorizer
    return describeAuthorizer(authorizer)
  })
}

export async function getAuthorizer(
  { ApiId, AuthorizerId }: Input<sdk.GetAuthorizerRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetAuthorizerResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  return describeAuthorizer(requireAuthorizer(design, AuthorizerId))
}

export async function getAuthorizers(
  { ApiId, ...page }: Input<sdk.GetAuthorizersRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetAuthorizersResponse> {
  const { design } = await readApi(gateway, call, ApiId)
  const { Items, NextToken } = pageOf(Object.values(design.authorizers), ({ authorizerId }) => authorizerId, page)
  return { Items: Items.map(describeAuthorizer), NextToken }
}

export function updateAuthorizer(
  { ApiId, AuthorizerId, ...request }: Input<sdk.UpdateAuthorizerRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateAuthorizerResponse> {
  return editApi(gateway, call, ApiId, ({ settings, design }) => {
    const authorizer = changedAuthorizer(requireAuthorizer(design, AuthorizerId), request, settings)
    requireFreeName(design, authorizer)
    design.authorizers[AuthorizerId] = authorizer
    return describeAuthorizer(authorizer)
  })
}

/** Seen in reports: sst/sst issue 5586 (one in use; of several routes, the first is named). */
export function deleteAuthorizer({ ApiId, AuthorizerId }: Input<sdk.DeleteAuthorizerRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  return editApi(gateway, call, ApiId, ({ design }) => {
    const { name } = requireAuthorizer(design, AuthorizerId)
    const user = Object.values(design.routes).find(({ authorizerId }) => authorizerId === AuthorizerId)
    if (user) throw errors.ConflictException(`Cannot delete authorizer '${name}', is referenced in route: ${user.routeKey}`)
    delete design.authorizers[AuthorizerId]
  })
}

/** Every process that keeps results of the stage's authorizers forgets them. */
export async function resetAuthorizersCache(
  { ApiId, StageName }: Input<sdk.ResetAuthorizersCacheRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<void> {
  await readApi(gateway, call, ApiId)
  await editStage(gateway, { apiId: ApiId, stageName: StageName }, (stage) => {
    stage.authorizerFlushes = (stage.authorizerFlushes ?? 0) + 1
    return false
  })
}

function requireAuthorizer({ authorizers }: ApiDesign, authorizerId: string): Authorizer {
  const authorizer = own(authorizers, authorizerId)
  if (!authorizer) throw missing.authorizer(authorizerId)
  return authorizer
}

/** As AWS shows an authorizer. Source: AWS CLI reference, examples of `create-authorizer` and `get-authorizers`. */
export function describeAuthorizer(authorizer: Authorizer): sdk.Authorizer {
  const { jwtConfiguration: jwt } = authorizer
  return {
    AuthorizerCredentialsArn: authorizer.authorizerCredentialsArn,
    AuthorizerId: authorizer.authorizerId,
    AuthorizerPayloadFormatVersion: authorizer.authorizerPayloadFormatVersion,
    AuthorizerResultTtlInSeconds: authorizer.authorizerResultTtlInSeconds,
    AuthorizerType: authorizer.authorizerType,
    AuthorizerUri: authorizer.authorizerUri,
    EnableSimpleResponses: authorizer.enableSimpleResponses,
    IdentitySource: authorizer.identitySource,
    IdentityValidationExpression: authorizer.identityValidationExpression,
    JwtConfiguration: jwt && { Audience: jwt.audience, Issuer: jwt.issuer },
    Name: authorizer.name,
  }
}
