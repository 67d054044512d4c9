// Where a deployed API answers: on AWS, or behind the endpoint that the environment names.

import { lookup } from 'node:dns/promises'

/**
 * The address of a REST API without its stage. With `AWS_ENDPOINT_URL` set, the host form where the machine resolves it, else
 * the path form of the same endpoint.
 */
export async function apiUrl(apiId: string, region = 'us-east-1'): Promise<string> {
  const endpoint = process.env.AWS_ENDPOINT_URL
  if (endpoint === undefined) return `https://${apiId}.execute-api.${region}.amazonaws.com`
  const { protocol, port, origin } = new URL(endpoint)
  const host = `${apiId}.execute-api.${region}.localhost`
  return await resolves(host) ? `${protocol}//${host}${port === '' ? '' : `:${port}`}` : `${origin}/_aws/execute-api/${apiId}`
}

async function resolves(host: string): Promise<boolean> {
  try {
    return /^(127\.|::1$)/.test((await lookup(host)).address)
  } catch {
    return false
  }
}
