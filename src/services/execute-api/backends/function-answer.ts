// What a function answered: a proxy's response, or an error.

export interface ProxyAnswer {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
  isBase64Encoded: boolean
}

const answerKeys = new Set(['isBase64Encoded', 'statusCode', 'headers', 'multiValueHeaders', 'body'])

/**
 * The function's answer, or undefined when it is malformed. Nothing in it is required, and nothing else may be in it.
 *
 * Observed: AWS, 15-11-2024, recorded by localstack's test_aws_proxy_response_payload_format_validation: only headers gives 200;
 * a status in quotes and booleans as header values are taken; an error object, or values of `multiValueHeaders` that are no lists, are not.
 */
export function parseAnswer(payload: Buffer): ProxyAnswer | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
  if (!isObject(answer) || Object.keys(answer).some((key) => !answerKeys.has(key))) return undefined
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = answer
  const status = statusCode === undefined || statusCode === null ? 200 : Number(statusCode)
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined
  if (body !== undefined && body !== null && typeof body !== 'string') return undefined
  const named = headersFrom(headers ?? {}, multiValueHeaders ?? {})
  if (named === undefined) return undefined
  return { status, headers: named, body: Buffer.from(body ?? '', 'utf8'), isBase64Encoded: isBase64Encoded === true }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Both kinds together; a name in both has its lists' values. Undefined when a value is neither text nor boolean. */
function headersFrom(single: unknown, multiple: unknown): Record<string, string | string[]> | undefined {
  if (!isObject(single) || !isObject(multiple)) return undefined
  const named: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(single)) {
    if (typeof value !== 'string' && typeof value !== 'boolean') return undefined
    named[name] = String(value)
  }
  for (const [name, values] of Object.entries(multiple)) {
    if (!Array.isArray(values) || values.some((value) => typeof value !== 'string' && typeof value !== 'boolean')) return undefined
    named[name] = values.map(String)
  }
  return named
}

/** Source: developer guide, "Handle Lambda errors in API Gateway": patterns are matched with the `errorMessage` of the answer. */
export function errorMessageOf(payload: Buffer): string | undefined {
  if (!payload.includes('"errorMessage"')) return undefined
  try {
    const answer = JSON.parse(payload.toString('utf8')) as { errorMessage?: unknown } | null
    return typeof answer?.errorMessage === 'string' ? answer.errorMessage : undefined
  } catch {
    return undefined
  }
}
