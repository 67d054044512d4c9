// Which headers of an integration's answer reach the client, and under which names.

import type { Trace } from '#aws/trace.ts'
import type { IntegrationType } from '#services/apigateway/index.ts'

type Headers = Record<string, string | string[]>

/**
 * Renamed to `x-amzn-Remapped-…`, from every kind of integration.
 * Source: developer guide, "Amazon API Gateway important notes", headers that REST APIs remap.
 * Observed: AWS, 17-07-2024, recorded by localstack's test_apigateway_header_remapping_http (`Content-Length` too).
 */
const remapped = new Set(['authorization', 'connection', 'content-length', 'content-md5', 'date', 'max-forwards', 'server', 'user-agent', 'www-authenticate'])

/** Renamed where a mapping set them. Observed: as above; the guide calls them dropped, which stands for proxy integrations here. */
const remappedWhereMapped = new Set(['expect', 'host', 'proxy-authenticate', 'trailer', 'upgrade'])

/** Of an answer that another gateway gave. Observed: AWS, 18-07-2024, recorded by localstack's test_http_proxy_integration_request_data_mappings. */
const remappedFromBackends = new Set(['x-amzn-requestid', 'x-amz-apigw-id'])

/** Source: the guide, as above. Ours: `Keep-Alive`, which concerns a connection that the client does not have. */
const droppedFromProxies = new Set(['te', 'via', 'keep-alive'])

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** An integration names neither the length nor the framing of the answer, and cannot write lines of its own into its head. */
export function admissibleHeaders(headers: Headers, type: IntegrationType, trace: Trace): Headers {
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    const values = Array.isArray(value) ? value : [value]
    if (!headerName.test(name) || !values.every((one) => headerValue.test(one))) {
      trace.add('response-header', { dropped: name })
      continue
    }
    switch (fateOf(name.toLowerCase(), type)) {
      case 'kept': kept[name] = value; break
      case 'remapped': kept[`x-amzn-Remapped-${name}`] = value; break
      case 'dropped': break
    }
  }
  return kept
}

function fateOf(name: string, type: IntegrationType): 'kept' | 'remapped' | 'dropped' {
  const isProxy = type === 'AWS_PROXY' || type === 'HTTP_PROXY'
  if (name === 'transfer-encoding') return 'dropped'
  if (remapped.has(name) || remappedFromBackends.has(name)) return 'remapped'
  if (remappedWhereMapped.has(name)) return isProxy ? 'dropped' : 'remapped'
  return isProxy && droppedFromProxies.has(name) ? 'dropped' : 'kept'
}
