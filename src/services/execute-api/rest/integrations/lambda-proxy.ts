// AWS_PROXY: the function gets the whole request as an event (payload format 1.0) and answers the whole response.

import type { InvocationResult } from '#services/lambda/index.ts'
import { errorMessageOf, parseAnswer, type ProxyAnswer } from '../../backends/function-answer.ts'
import { passesAuthorization } from '../../backends/permitted-headers.ts'
import { eventHeaders, eventIdentity } from '../../event-parts.ts'
import { GatewayRefusal, INTERNAL_SERVER_ERROR } from '../../gateway-responses.ts'
import type { ApiCall, IntegrationRequest, IntegrationResult } from '../exchange.ts'
import { isBinary, mediaTypeSent } from '../media-types.ts'
import type { IntegrateOptions } from '../steps/integrate.ts'
import { invoke } from './lambda.ts'

/** @throws GatewayRefusal 502 when the function fails or answers something else than a proxy response. */
export async function invokeProxyFunction(
  call: ApiCall,
  functionArn: string,
  { body }: IntegrationRequest,
  options: IntegrateOptions,
): Promise<IntegrationResult> {
  const payload = Buffer.from(JSON.stringify(proxyEvent(call, body)))
  const result = await invoke(call, { functionArn, payload, type: 'RequestResponse' }, options)
  const answer = result.functionError === undefined ? parseAnswer(result.payload) : undefined
  if (answer === undefined) {
    call.exchange.trace.add('integration', { malformed: result.functionError ?? 'the answer is not a proxy response' })
    throw new GatewayRefusal('INTEGRATION_FAILURE', INTERNAL_SERVER_ERROR, {
      status: 502,
      logLine: result.functionError === undefined
        ? 'Execution failed due to configuration error: Malformed Lambda proxy response'
        : functionErrorLine(result),
    })
  }
  return { ...answer, body: decodedBody(call, answer), isFinal: true }
}

/** Source: logs published by users: the function's message without its type, and a full stop before the request's id. */
function functionErrorLine({ status, payload, requestId }: InvocationResult): string {
  return `Lambda execution failed with status ${status} due to customer function error: ${errorMessageOf(payload) ?? ''}. Lambda request id: ${requestId}`
}

/** Source: developer guide, "Input format of a Lambda function for proxy integration". What is empty is null. */
function proxyEvent(call: ApiCall, body: Buffer): Record<string, unknown> {
  const { exchange, route, parameters, multiValues, facts } = call
  const { snapshot, stage } = route.deployed
  // Of any other type a body is text, whatever its bytes. Source: developer guide, "Content type conversions in API Gateway".
  const isBase64Encoded = body.length > 0 && isBinary(snapshot.binaryMediaTypes, mediaTypeSent(exchange.request))
  const { headers, multiValueHeaders } = eventHeaders(call, (name, [value = '']) => name !== 'authorization' || passesAuthorization(exchange, value))
  return {
    resource: route.method.resource.path,
    path: route.address.path,
    httpMethod: exchange.request.method,
    headers: nullIfEmpty(headers),
    multiValueHeaders: nullIfEmpty(multiValueHeaders),
    queryStringParameters: nullIfEmpty(parameters.querystring),
    multiValueQueryStringParameters: nullIfEmpty(multiValues.querystring),
    pathParameters: nullIfEmpty(route.rawPathParameters),
    stageVariables: nullIfEmpty(stage.variables),
    requestContext: { ...facts, identity: eventIdentity(facts.identity) },
    body: body.length === 0 ? null : body.toString(isBase64Encoded ? 'base64' : 'utf8'),
    isBase64Encoded,
  }
}

function nullIfEmpty<T extends object>(values: T): T | null {
  return Object.keys(values).length === 0 ? null : values
}

/**
 * Base64 is undone only for clients that accept a binary type of the API.
 * Source: developer guide, "Return binary media from a Lambda proxy integration".
 */
function decodedBody({ exchange, route }: ApiCall, { body, isBase64Encoded }: ProxyAnswer): Buffer {
  if (!isBase64Encoded) return body
  const accepted = exchange.request.headers.get('accept')?.split(',')[0]?.split(';')[0]?.trim().toLowerCase() ?? ''
  return isBinary(route.deployed.snapshot.binaryMediaTypes, accepted) ? Buffer.from(body.toString('utf8'), 'base64') : body
}
