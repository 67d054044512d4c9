// The rules over what belongs to an API as a whole: defaults, endpoint types, compression, the resource policy.

import type { CreateRestApiRequest } from '@aws-sdk/client-api-gateway'
import type { Scope } from '#aws/arn.ts'
import { MalformedPolicy } from '#aws/policy/document.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import { errors } from './errors.ts'
import { MINIMUM_COMPRESSION_SIZE_BYTES_MAX, POLICY_CHARACTERS_MAX } from './limits.ts'
import type { ApiSettings, EndpointConfiguration } from './model.ts'

/** The settings of a new API: defaults and rules. Observed: AWS, 2025, recorded by localstack's TestApiGatewayApiRestApi. */
export function newSettings(request: Omit<CreateRestApiRequest, 'cloneFrom'>, at: Scope & { apiId: string }): ApiSettings {
  const { name, description, version, binaryMediaTypes, minimumCompressionSize, apiKeySource, endpointConfiguration, policy } = request
  if (description === '') throw errors.BadRequestException('Description cannot be an empty string')
  return {
    name: apiName(name),
    description,
    version: version === '' ? undefined : version,
    binaryMediaTypes: binaryMediaTypes?.length ? [...new Set(binaryMediaTypes)] : undefined,
    // Ours: a text is refused, in the words that are recorded for a number out of range.
    minimumCompressionSize: compressionSize(typeof minimumCompressionSize === 'string' ? NaN : minimumCompressionSize),
    apiKeySource: apiKeySource ?? 'HEADER',
    endpointConfiguration: endpoints(endpointConfiguration ?? {}),
    policy: policyText(policy, at),
    disableExecuteApiEndpoint: request.disableExecuteApiEndpoint ?? false,
    securityPolicy: request.securityPolicy,
    tags: request.tags,
  }
}

export function apiName(name: string | undefined): string {
  // Ours: the words.
  if (name === undefined || name.trim() === '') throw errors.BadRequestException('REST API name cannot be empty')
  return name
}

/** Bytes from whatever a client sent; undefined switches compression off. */
export function compressionSize(size: unknown): number | undefined {
  if (size === undefined || size === null || size === '') return undefined
  const bytes = typeof size === 'number' || typeof size === 'string' ? Number(size) : NaN
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > MINIMUM_COMPRESSION_SIZE_BYTES_MAX) {
    throw errors.BadRequestException(`Invalid minimum compression size, must be between 0 and ${MINIMUM_COMPRESSION_SIZE_BYTES_MAX}`)
  }
  return bytes
}

export function endpoints(
  { types = ['EDGE'], ipAddressType, vpcEndpointIds }: {
    types?: readonly string[] | undefined, ipAddressType?: string | undefined, vpcEndpointIds?: string[] | undefined
  },
): EndpointConfiguration {
  if (types.length === 0) throw errors.BadRequestException('REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.')
  if (types.length > 1) throw errors.BadRequestException('Cannot create an api with multiple Endpoint Types.')
  const type = endpointType(types[0]!)
  if (type === 'PRIVATE' && ipAddressType === 'ipv4') throw onlyDualstack()
  if (vpcEndpointIds?.length && type !== 'PRIVATE') throw errors.BadRequestException('VPCEndpoints can only be specified with PRIVATE apis.')
  return {
    types: [type],
    ipAddressType: (ipAddressType ?? (type === 'PRIVATE' ? 'dualstack' : 'ipv4')) as EndpointConfiguration['ipAddressType'],
    vpcEndpointIds: vpcEndpointIds?.length ? vpcEndpointIds : undefined,
  }
}

export function endpointType(type: string): EndpointConfiguration['types'][number] {
  if (type !== 'REGIONAL' && type !== 'EDGE' && type !== 'PRIVATE') {
    throw errors.BadRequestException('Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE')
  }
  return type
}

export const onlyDualstack = () => errors.BadRequestException('Only dualstack ipAddressType is supported for Private APIs.')

/**
 * A resource policy as it is stored: compact JSON, with `execute-api:/stage/METHOD/path` written out as the API's ARN; undefined for none.
 * Source: API Gateway developer guide, "Create and attach an API Gateway resource policy to an API".
 */
export function policyText(policy: string | object | undefined, { accountId, region, apiId }: Scope & { apiId: string }): string | undefined {
  if (policy === undefined || policy === '') return undefined
  let text: string
  try {
    const document: unknown = typeof policy === 'string' ? JSON.parse(policy) : policy
    text = JSON.stringify(document, (key, value: unknown) => key === 'Resource' || key === 'NotResource' ? expand(value) : value)
    parsePolicy(text, 'resource')
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof MalformedPolicy)) throw error
    // Seen in reports of refused policies.
    throw errors.BadRequestException('Invalid policy document. Please check the policy syntax and ensure that Principals are valid.')
  }
  // Ours: the words.
  if (text.length > POLICY_CHARACTERS_MAX) throw errors.BadRequestException(`Policy cannot be longer than ${POLICY_CHARACTERS_MAX} characters`)
  return text

  function expand(resource: unknown): unknown {
    if (Array.isArray(resource)) return resource.map(expand)
    if (typeof resource !== 'string' || !resource.startsWith('execute-api:/')) return resource
    return `arn:aws:execute-api:${region}:${accountId}:${apiId}/${resource.slice('execute-api:/'.length)}`
  }
}
