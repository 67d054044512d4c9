// What becomes of a server's answer, or of there being none.

import type { HttpHeaders } from '#lib/http.ts'
import type { HttpFailure } from '#lib/http-client.ts'
import { configurationError, endpointTimedOut, GatewayRefusal } from '../gateway-responses.ts'
import { PAYLOAD_BYTES_MAX } from '../payload-limit.ts'

/** Of each header its values, in the spelling that came first. */
export function joined(lines: ReturnType<HttpHeaders['entries']>): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  const spellings = new Map<string, string>()
  for (const [name, value] of lines) {
    const lower = name.toLowerCase()
    const spelling = spellings.get(lower) ?? name
    spellings.set(lower, spelling)
    const known = headers[spelling]
    headers[spelling] = known === undefined ? value : [known, value].flat()
  }
  return headers
}

/**
 * Source: answers and execution logs published by users, among them aws-samples for ECS behind API Gateway (a wrong host name),
 * RhinoSecurityLabs/IPRotate_Burp_Extension issue 17 (no connection), and localstack's HTTP integration (an address that is none).
 */
export function httpRefusal(failure: HttpFailure, host: string): GatewayRefusal {
  switch (failure.because) {
    case 'timeout': return endpointTimedOut()
    case 'network': return new GatewayRefusal('INTEGRATION_FAILURE', 'Network error communicating with endpoint', { logLine: 'Execution failed due to a network error communicating with endpoint' })
    case 'address': return configurationError('Invalid endpoint address')
    case 'wrong host': return configurationError(`Host name '${host}' does not match the certificate subject provided by the peer`)
    case 'untrusted': return configurationError('General SSLEngine problem')
    case 'too large': {
      const length = failure.announcedBytes === undefined ? '' : ` of reported length ${failure.announcedBytes}`
      return configurationError(`Integration response${length} is larger than allowed maximum of ${PAYLOAD_BYTES_MAX} bytes.`)
    }
  }
}
