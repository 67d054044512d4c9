// Step 8: what the integration gets: parameters as they are mapped, and the template for the content type, or the body as it came.

import { refuseMappedHeaders } from '../../backends/permitted-headers.ts'
import { configurationError, GatewayRefusal } from '../../gateway-responses.ts'
import type { Overrides } from '../../templates/context.ts'
import type { CompiledTemplate } from '../../templates/stored-template.ts'
import { requestPayload } from '../content-handling.ts'
import type { ApiCall, IntegrationRequest } from '../exchange.ts'
import { chooseByContentType } from '../media-types.ts'
import { mapRequestParameters, type MappedRequest } from '../parameter-mapping.ts'
import { runTemplate } from '../run-template.ts'

/**
 * Source: developer guide, "Method request behavior for payloads without mapping templates": a body that no template matches is passed
 * through `WHEN_NO_MATCH`; `WHEN_NO_TEMPLATES` it is refused as soon as there is any template; `NEVER` it is always refused.
 *
 * @throws GatewayRefusal 415; 400 for a body that is mapped and is no JSON; 500 for bytes that a template should take; what `runTemplate` throws.
 */
export function mapRequest(call: ApiCall): IntegrationRequest {
  const { integration, body, exchange, route } = call
  const { type, contentHandling } = integration.definition
  const mapped = mapRequestParameters(call)
  refuseMappedHeaders(type, Object.keys(mapped.header))
  // A function is sent an event, in which a binary body has its own form.
  if (type === 'AWS_PROXY') return requestOf(mapped, body, undefined)
  const contentType = sentContentType(call)
  const { binaryMediaTypes } = route.deployed.snapshot
  const payload = requestPayload(body, exchange.request.headers.get('content-type'), { binaryMediaTypes, contentHandling })
  if (type === 'HTTP_PROXY') return requestOf(mapped, payload.bytes, contentType)
  const template = chooseTemplate(call)
  if (!template || template.is === 'empty') return requestOf(mapped, payload.bytes, contentType)
  // Source: serverless/serverless-application-model issue 553 and many more: with `*/*` among the binary types, even of no body at all.
  if (payload.is === 'binary') throw configurationError('Unable to transform request')
  const output = runTemplate(call, template, payload.bytes, 'request-template')
  override(mapped, call.context.overrides().request)
  return requestOf(mapped, output === undefined ? payload.bytes : Buffer.from(output), contentType ?? 'application/json')
}

function chooseTemplate({ exchange, integration }: ApiCall): CompiledTemplate | undefined {
  const { requestTemplates } = integration
  const { passthroughBehavior } = integration.definition
  const template = chooseByContentType(requestTemplates, exchange.request)
  if (template) return template
  const isRefused = passthroughBehavior === 'NEVER' || (passthroughBehavior === 'WHEN_NO_TEMPLATES' && requestTemplates.size > 0)
  exchange.trace.add('request-template', { template: null, passthroughBehavior, refused: isRefused })
  if (isRefused) throw new GatewayRefusal('UNSUPPORTED_MEDIA_TYPE', 'Unsupported Media Type')
  return undefined
}

const requestOf = ({ header, path, querystring }: MappedRequest, body: Buffer, contentType: string | undefined): IntegrationRequest =>
  ({ body, headers: header, path, querystring, contentType })

/** Of requests that have no body the content type is not passed on. Observed: AWS, 17-07-2024, recorded by localstack's test_apigateway_header_remapping_http[HTTP]. */
function sentContentType({ exchange: { request } }: ApiCall): string | undefined {
  return ['GET', 'HEAD', 'OPTIONS'].includes(request.method) ? undefined : request.headers.get('content-type')
}

/**
 * What a template sets wins over what is mapped; names of headers have no case.
 * Source: developer guide, "Override your API's request and response parameters and status codes".
 */
function override(mapped: MappedRequest, { header, path, querystring }: Overrides['request']): void {
  for (const [name, values] of Object.entries(header)) {
    const known = Object.keys(mapped.header).find((given) => given.toLowerCase() === name.toLowerCase())
    if (known !== undefined) delete mapped.header[known]
    mapped.header[name] = values.join(',')
  }
  Object.assign(mapped.path, path)
  Object.assign(mapped.querystring, querystring)
}
