// What a function answered, as an HTTP answer: the formats 1.0 and 2.0 of HTTP APIs, and 2.0 of function URLs.

export interface PayloadAnswer {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
}

/** Source: API Gateway developer guide, "Lambda proxy integrations for HTTP APIs": what an answer without a content type is. */
const DEFAULT_CONTENT_TYPE = 'text/plain;charset=UTF-8'

/**
 * Format 2.0: with a `statusCode` it is a response, without one it is the body of a 200. Undefined when it is neither.
 * Source: as above, "Lambda function response for format 2.0".
 */
export function answerV2(payload: Buffer): PayloadAnswer | undefined {
  const value = parsed(payload)
  if (value === undefined) return undefined
  if (!isObject(value) || value['statusCode'] === undefined || value['statusCode'] === null) {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(typeof value === 'string' ? value : payload.toString('utf8')) }
  }
  const { cookies } = value
  if (cookies !== undefined && cookies !== null && !(Array.isArray(cookies) && cookies.every((cookie) => typeof cookie === 'string'))) return undefined
  return responseOf(value, {}, (cookies ?? []) as string[])
}

/** Format 1.0: a response, and nothing else. */
export function answerV1(payload: Buffer): PayloadAnswer | undefined {
  const value = parsed(payload)
  if (!isObject(value)) return undefined
  const { multiValueHeaders } = value
  if (multiValueHeaders !== undefined && multiValueHeaders !== null && !isObject(multiValueHeaders)) return undefined
  return responseOf(value, multiValueHeaders ?? {}, [])
}

function responseOf(value: Record<string, unknown>, multiValueHeaders: Record<string, unknown>, cookies: readonly string[]): PayloadAnswer | undefined {
  const { statusCode, headers, body, isBase64Encoded } = value
  const status = Number(statusCode ?? NaN)
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined
  if (headers !== undefined && headers !== null && !isObject(headers)) return undefined
  if (body !== undefined && body !== null && typeof body !== 'string') return undefined
  const named = new Map<string, string[]>()
  for (const [name, single] of Object.entries(headers ?? {})) {
    if (!isScalar(single)) return undefined
    named.set(name.toLowerCase(), [String(single)])
  }
  for (const [name, several] of Object.entries(multiValueHeaders)) {
    if (!Array.isArray(several) || !several.every(isScalar)) return undefined
    named.set(name.toLowerCase(), several.map(String))
  }
  if (cookies.length > 0) named.set('set-cookie', [...named.get('set-cookie') ?? [], ...cookies])
  if (!named.has('content-type')) named.set('content-type', [DEFAULT_CONTENT_TYPE])
  for (const values of named.values()) if (values.some((one) => /[\r\n\0]/.test(one))) return undefined
  for (const name of named.keys()) if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return undefined
  for (const name of ownHeaders) named.delete(name)
  return {
    status,
    headers: Object.fromEntries([...named].map(([name, values]) => [name, values.length === 1 ? values[0]! : values])),
    body: Buffer.from((body as string | null | undefined) ?? '', isBase64Encoded === true ? 'base64' : 'utf8'),
  }
}

/** The server's own affair. */
const ownHeaders = ['connection', 'content-length', 'transfer-encoding', 'keep-alive', 'upgrade']

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isScalar = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value)
