// Step 8: what the integration gets: the template for the content type, or the body as it came.

import { GatewayRefusal } from '../../gateway-responses.ts'
import { chooseByContentType } from '../media-types.ts'
import { mapRequestParameters } from '../parameter-mapping.ts'
import { runTemplate } from '../run-template.ts'
import type { ApiCall, IntegrationRequest } from '../exchange.ts'

/**
 * Source: developer guide, "Method request behavior for payloads without mapping templates": a body that no template matches is passed
 * through `WHEN_NO_MATCH`; `WHEN_NO_TEMPLATES` it is refused as soon as there is any template; `NEVER` it is always refused.
 *
 * @throws GatewayRefusal 415, and what `runTemplate` throws.
 */
export function mapRequest(call: ApiCall): IntegrationRequest {
  const { exchange, integration, body } = call
  const { type, passthroughBehavior } = integration.definition
  const { headers } = mapRequestParameters(call)
  if (type === 'AWS_PROXY' || type === 'HTTP_PROXY') return { body, headers }
  const { requestTemplates } = integration
  const template = chooseByContentType(requestTemplates, exchange.request)
  if (!template) {
    const isRefused = passthroughBehavior === 'NEVER' || (passthroughBehavior === 'WHEN_NO_TEMPLATES' && requestTemplates.size > 0)
    exchange.trace.add('request-template', { template: null, passthroughBehavior, refused: isRefused })
    if (isRefused) throw new GatewayRefusal('UNSUPPORTED_MEDIA_TYPE', 'Unsupported Media Type')
    return { body, headers }
  }
  const output = runTemplate(call, template, body, 'request-template')
  const overrides = call.context.overrides().request.header
  for (const name of Object.keys(overrides)) headers[name] = overrides[name]!.join(',')
  return { body: output === undefined ? body : Buffer.from(output), headers }
}
