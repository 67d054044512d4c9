// Where an integration's request goes: its URI with path parameters and stage variables put in, and the query.

import { configurationError } from '../gateway-responses.ts'

/** Stage variables may stand anywhere; one that is not there is empty. Source: developer guide, "API Gateway stage variables reference". */
export function withStageVariables(text: string, stageVariables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{stageVariables\.([A-Za-z0-9_]+)\}/g, (_, name: string) => stageVariables[name] ?? '')
}

/**
 * A URI with every `{parameter}` that has a value. In the path a value keeps its slashes, as those of `{proxy+}` must; in the query nothing
 * of it means anything but itself.
 *
 * Source: developer guide, "Amazon API Gateway important notes": parameters are decoded, and sent on encoded again.
 * Observed: AWS, 18-07-2024, recorded by localstack's test_http_proxy_integration_request_data_mappings (parameters in the query).
 */
export function filledUri(uri: string, parameters: Readonly<Record<string, string>>, stageVariables: Readonly<Record<string, string>>): string {
  const question = uri.indexOf('?')
  const [path, query] = question === -1 ? [uri, ''] : [uri.slice(0, question), uri.slice(question)]
  const fill = (text: string, encode: (value: string) => string) =>
    text.replace(/(?<!\$)\{([^{}]+)\}/g, (whole, name: string) => (Object.hasOwn(parameters, name) ? encode(parameters[name]!) : whole))
  return withStageVariables(fill(path, encodedPath), stageVariables) + withStageVariables(fill(query, encodeURIComponent), stageVariables)
}

const encodedPath = (value: string): string => value.split('/').map(encodeURIComponent).join('/').replace(/%(?:3A|40|24|2C|3B|2B|3D|26)/g, decodeURIComponent)

/**
 * A URI's own query with further parameters behind it. Source: as for `filledUri`.
 *
 * @throws GatewayRefusal 500 for what is no URL.
 */
export function withQuery(uri: string, parameters: Readonly<Record<string, readonly string[]>>): string {
  const added = queryOf(parameters)
  // A parameter that nothing was mapped to stands there still.
  if (/[{}\s]/.test(uri)) throw configurationError('Invalid endpoint address')
  const whole = uri.split('#')[0]!
  if (added === '') return whole
  return whole.includes('?') ? `${whole}${/[?&]$/.test(whole) ? '' : '&'}${added}` : `${whole}?${added}`
}

/** Names and values, percent-encoded. */
export function queryOf(parameters: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(parameters).flatMap(([name, values]) => values.map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)).join('&')
}
