// What a function answered, as an HTTP answer: the formats 1.0 and 2.0 of HTTP APIs, and 2.0 of function URLs.

export interface PayloadAnswer {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
}

/**
 * What a response of an HTTP API is that names no content type. Source: answers that users publish (aasisodiya.github.io, "AWS API Gateway Response
 * Handling", of 2020) and fujiwara/ridge pull request 9.
 */
const TEXT = 'text/plain; charset=utf-8'

/**
 * Format 2.0: with a `statusCode` it is a response, without one it is the body of a 200: a text without its quotes, any other JSON without
 * spaces. Undefined when it is neither.
 *
 * Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", "Lambda function response for format 2.0".
 * Observed: AWS, 24-11-2025, recorded by localstack's TestLambdaURL::test_lambda_url_invocation (texts, spaces; of function URLs).
 *
 * @param contentType of a response that names none: function URLs say `application/json`.
 */
export function answerV2(payload: Buffer, { contentType = TEXT }: { contentType?: string } = {}): PayloadAnswer | undefined {
  const value = parsed(payload)
  if (value === undefined) return undefined
  if (!isObject(value) || value['statusCode'] === undefined || value['statusCode'] === null) {
    const body = typeof value === 'string' ? value : withoutSpaces(payload.toString('utf8'))
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) }
  }
  const { cookies } = value
  if (cookies !== undefined && cookies !== null && !(Array.isArray(cookies) && cookies.every((cookie) => typeof cookie === 'string'))) return undefined
  return responseOf(value, {}, (cookies ?? []) as string[], contentType)
}

/**
 * Format 1.0: a response with a `statusCode`, and nothing else. Source: as above; aws/aws-sam-cli pull request 2941 (the status must be there; members that
 * nobody knows are nothing); aws/aws-lambda-dotnet's tests of its LambdaTestTool, against API Gateway (lists of headers are joined by single ones).
 */
export function answerV1(payload: Buffer): PayloadAnswer | undefined {
  const value = parsed(payload)
  if (!isObject(value)) return undefined
  const { multiValueHeaders } = value
  if (multiValueHeaders !== undefined && multiValueHeaders !== null && !isObject(multiValueHeaders)) return undefined
  return responseOf(value, multiValueHeaders ?? {}, [], TEXT)
}

/** JSON, without what stands between its tokens; numbers stay as they were written. */
function withoutSpaces(json: string): string {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|\s+/g, (token) => (token.startsWith('"') ? token : ''))
}

function responseOf(
  value: Record<string, unknown>, multiValueHeaders: Record<string, unknown>, cookies: readonly string[], contentType: string,
): PayloadAnswer | undefined {
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
    const lower = name.toLowerCase()
    const values = several.map(String)
    named.set(lower, [...values, ...(named.get(lower) ?? []).filter((single) => !values.includes(single))])
  }
  if (cookies.length > 0) named.set('set-cookie', [...named.get('set-cookie') ?? [], ...cookies])
  if (!named.has('content-type')) named.set('content-type', [contentType])
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
