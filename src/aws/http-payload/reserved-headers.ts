// The headers that parameter mappings of HTTP APIs leave alone: the control plane refuses them, the data plane never touches them.

/** Names in lower case; those that begin with these, too. Source: API Gateway developer guide, "Transform API requests and responses for HTTP APIs", reserved headers. */
const reserved = ['access-control-', 'apigw-', 'authorization', 'connection', 'content-encoding', 'content-length', 'content-location', 'forwarded', 'keep-alive', 'origin',
  'proxy-authenticate', 'proxy-authorization', 'te', 'trailers', 'transfer-encoding', 'upgrade', 'x-amz-', 'x-amzn-', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'via']

/** Names compare without case. */
export function isReservedHeader(headerName: string): boolean {
  const lower = headerName.toLowerCase()
  return reserved.some((name) => name.endsWith('-') ? lower.startsWith(name) : lower === name)
}
