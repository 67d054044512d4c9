// API Gateway's extensions of a definition, as an import reads them.

import { INTEGRATION_TIMEOUT_MS_MAX } from '../limits.ts'
import type { Authorizer, Integration, IntegrationResponse } from '../model.ts'
import type { RestApiSnapshot, SnapshotMethod } from '../snapshot.ts'

/** What is as an import makes it anyway is left out. Source: developer guide, "x-amazon-apigateway-integration". */
export function integrationExtension(integration: Integration): object {
  const { type, httpMethod, uri, connectionType, connectionId, credentials, requestParameters, requestTemplates, passthroughBehavior, contentHandling } = integration
  const { timeoutInMillis, cacheNamespace: _namespace, cacheKeyParameters, tlsConfig, responseTransferMode, integrationResponses = {} } = integration
  return defined({
    httpMethod, uri, connectionId, credentials,
    connectionType: connectionType === 'INTERNET' ? undefined : connectionType,
    responses: Object.keys(integrationResponses).length > 0
      ? Object.fromEntries(Object.values(integrationResponses).map((response) => [response.selectionPattern || 'default', responseExtension(response)])) : undefined,
    requestParameters: filled(requestParameters),
    requestTemplates: filled(requestTemplates),
    passthroughBehavior: passthroughBehavior.toLowerCase(),
    contentHandling,
    timeoutInMillis: timeoutInMillis === INTEGRATION_TIMEOUT_MS_MAX ? undefined : timeoutInMillis,
    cacheKeyParameters: cacheKeyParameters.length > 0 ? cacheKeyParameters : undefined,
    tlsConfig,
    responseTransferMode: responseTransferMode === 'BUFFERED' ? undefined : responseTransferMode,
    type: type.toLowerCase(),
  })
}

function responseExtension({ statusCode, responseParameters, responseTemplates, contentHandling }: IntegrationResponse): object {
  return defined({ statusCode, responseParameters: filled(responseParameters), responseTemplates: filled(responseTemplates), contentHandling })
}

/** Source: developer guide, "x-amazon-apigateway-authorizer", with its examples of each type. */
export function authorizerScheme(
  { type, authType, providerARNs, authorizerUri, authorizerCredentials, identitySource, identityValidationExpression, authorizerResultTtlInSeconds }: Authorizer,
  { withExtensions }: { withExtensions: boolean },
): object {
  const header = /^method\.request\.header\.([^,]+)$/.exec(identitySource ?? '')?.[1]
  const scheme = { type: 'apiKey', name: type === 'REQUEST' ? 'Unused' : header ?? 'Unused', in: 'header' }
  if (!withExtensions) return scheme
  return {
    ...scheme,
    'x-amazon-apigateway-authtype': authType,
    'x-amazon-apigateway-authorizer': defined({
      type: type.toLowerCase(), providerARNs, authorizerUri, authorizerCredentials, identityValidationExpression, authorizerResultTtlInSeconds,
      identitySource: type === 'REQUEST' || header === undefined ? identitySource : undefined,
    }),
  }
}

/** What belongs to the API as a whole. Source: developer guide, "OpenAPI extensions for API Gateway", the page of each. */
export function apiExtensions(snapshot: RestApiSnapshot): object {
  const { apiId, region, accountId, binaryMediaTypes, minimumCompressionSize, apiKeySource, policy, gatewayResponses, endpointConfiguration, disableExecuteApiEndpoint }
    = snapshot
  const validators = snapshot.resources.flatMap(({ methods }) => Object.values<SnapshotMethod>(methods)).flatMap(({ requestValidator }) => requestValidator ?? [])
  const { vpcEndpointIds } = endpointConfiguration
  return defined({
    'x-amazon-apigateway-request-validators': filled(Object.fromEntries(validators.map((validator) => [
      validatorName(validator),
      { validateRequestParameters: validator.validateRequestParameters, validateRequestBody: validator.validateRequestBody },
    ]))),
    'x-amazon-apigateway-gateway-responses': filled(Object.fromEntries(Object.values(gatewayResponses).map(({ responseType, statusCode, responseParameters, responseTemplates }) => [
      responseType,
      defined({ statusCode: statusCode === undefined ? undefined : Number(statusCode), responseParameters: filled(responseParameters), responseTemplates: filled(responseTemplates) }),
    ]))),
    // Ours: AWS names the API in it, so that the policy would be another's after an import.
    'x-amazon-apigateway-policy': policy === undefined ? undefined : parsed(policy.replaceAll(`arn:aws:execute-api:${region}:${accountId}:${apiId}/`, 'execute-api:/')),
    'x-amazon-apigateway-binary-media-types': binaryMediaTypes,
    'x-amazon-apigateway-minimum-compression-size': minimumCompressionSize,
    'x-amazon-apigateway-api-key-source': apiKeySource === 'HEADER' ? undefined : apiKeySource,
    'x-amazon-apigateway-endpoint-configuration': filled(defined({ vpcEndpointIds, disableExecuteApiEndpoint: disableExecuteApiEndpoint || undefined })),
  })
}

/** Deployments of earlier versions kept no names of validators; those are named as the console names its own. */
export function validatorName({ name, validateRequestBody, validateRequestParameters }: NonNullable<SnapshotMethod['requestValidator']>): string {
  if (name !== undefined) return name
  const checked = [...validateRequestBody ? ['body'] : [], ...validateRequestParameters ? ['query string parameters and headers'] : []]
  return `Validate ${checked.join(', ') || 'nothing'}`
}

function parsed(policy: string): unknown {
  try {
    return JSON.parse(policy)
  } catch {
    return policy
  }
}

const defined = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

const filled = <Map extends object>(map: Map | undefined): Map | undefined => (map && Object.keys(map).length > 0 ? map : undefined)
