// What `@connections` refuses with, each error declared once, and how a refusal is answered.

import type { HttpResponse } from '#lib/http.ts'
import { GatewayRefusal, renderRefusal } from '../../gateway-responses.ts'

/**
 * A stage that is not there, has no deployment, is closed to this address, or is no WebSocket API's.
 * Source: aws/aws-sdk-php issue 1955 (no stage in the path), aws/aws-sdk-net issue 1860 (the default endpoint is disabled).
 */
export function forbidden(): GatewayRefusal {
  return new GatewayRefusal('DEFAULT_4XX', 'Forbidden', { status: 403, errorType: 'ForbiddenException' })
}

/**
 * @param path below the stage, decoded.
 * Source: aws-samples/simple-websockets-chat-app issue 40 and cognitect-labs/aws-api issue 201 (the sentence); 404 and the type are those of the same
 * sentence where other APIs of AWS answer it.
 */
export function noSuchMethod(method: string, path: string): GatewayRefusal {
  return new GatewayRefusal('RESOURCE_NOT_FOUND', `No method found matching route ${path.replace(/^\//, '')} for http method ${method}.`, { errorType: 'NotFoundException' })
}

/** Source: dherault/serverless-offline issue 749; localstack/localstack issue 4694: only what could be an id is gone. */
export function invalidConnectionId(connectionId: string): GatewayRefusal {
  return new GatewayRefusal('DEFAULT_4XX', `Invalid connectionId: ${connectionId}`, { status: 400, errorType: 'BadRequestException' })
}

/**
 * Without a body. Source: georgeboot/laravel-echo-api-gateway issue 9 (a client that asks for JSON finds none), aws/aws-sdk-js issue 3773 (the message that
 * a client puts in for none), aws/aws-sdk-java issue 2200.
 */
export function gone(): GatewayRefusal {
  return new GatewayRefusal('DEFAULT_4XX', '', { status: 410, errorType: 'GoneException' })
}

/** Source: API Gateway Management API reference, PostToConnection, PayloadTooLargeException, which has a message. Ours: its sentence. */
export function payloadTooLarge(): GatewayRefusal {
  return new GatewayRefusal('REQUEST_TOO_LARGE', 'Message too long', { errorType: 'PayloadTooLargeException' })
}

/** Source: as above, LimitExceededException: "the WebSocket client side buffer is full"; it has no message. */
export function limitExceeded(): GatewayRefusal {
  return new GatewayRefusal('THROTTLED', '', { errorType: 'LimitExceededException' })
}

/** Gateway responses are REST APIs' alone: nothing of the API changes these. */
export function renderManagementRefusal(refusal: GatewayRefusal): HttpResponse {
  const typed = { 'x-amzn-ErrorType': refusal.errorType }
  if (refusal.message === '') return { status: refusal.status, headers: typed, body: '' }
  const { status, headers, body = '' } = renderRefusal(refusal, {}, { lookup: () => undefined })
  return { status, headers: { ...headers, ...typed }, body }
}
