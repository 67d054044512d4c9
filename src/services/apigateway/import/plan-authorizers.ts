// The security schemes of a definition that are authorizers of API Gateway.

import type * as sdk from '@aws-sdk/client-api-gateway'
import type { NewAuthorizer } from '../authorizer-rules.ts'
import { isObject, listOf, objectOf, resolved, textOf, type Definition, type JsonObject } from './read-definition.ts'

/** Name → scheme. */
export function securitySchemes({ format, document }: Definition): JsonObject {
  return format === 'swagger2' ? objectOf(document['securityDefinitions']) : objectOf(objectOf(document['components'])['securitySchemes'])
}

/** All of them, whether a method uses them or not. Source: API Gateway developer guide, "x-amazon-apigateway-authorizer". */
export function planAuthorizers(definition: Definition): NewAuthorizer[] {
  return Object.entries(securitySchemes(definition)).flatMap(([name, reference]) => {
    const scheme = resolved(definition.document, reference)
    const extension = scheme['x-amazon-apigateway-authorizer']
    return isObject(extension) ? [planAuthorizer(name, scheme, extension)] : []
  })
}

export const isAuthorizer = (scheme: JsonObject): boolean => isObject(scheme['x-amazon-apigateway-authorizer'])

export const isCognito = (scheme: JsonObject): boolean => typeOf(objectOf(scheme['x-amazon-apigateway-authorizer'])) === 'COGNITO_USER_POOLS'

const typeOf = (extension: JsonObject): string => textOf(extension['type'])?.toUpperCase() ?? ''

/** Where the token is: the extension says so, or the scheme names a header. Of several parameters only the extension tells. */
function planAuthorizer(name: string, scheme: JsonObject, extension: JsonObject): NewAuthorizer {
  const type = typeOf(extension)
  const header = textOf(scheme['in'])?.toLowerCase() === 'header' ? textOf(scheme['name']) : undefined
  const ttl = extension['authorizerResultTtlInSeconds']
  return {
    name,
    type: type as sdk.AuthorizerType,
    authType: textOf(scheme['x-amazon-apigateway-authtype']),
    providerARNs: listOf(extension['providerARNs']).flatMap((arn) => textOf(arn) ?? []),
    authorizerUri: textOf(extension['authorizerUri']),
    authorizerCredentials: textOf(extension['authorizerCredentials']),
    identitySource: textOf(extension['identitySource']) ?? (type === 'REQUEST' || header === undefined ? undefined : `method.request.header.${header}`),
    identityValidationExpression: textOf(extension['identityValidationExpression']),
    authorizerResultTtlInSeconds: ttl === undefined || ttl === null ? undefined : Number(ttl),
  }
}
