// Invoke: the API's way to a function.

import type { InvocationRequest } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { errors } from './errors.ts'
import { requireVersion } from './functions.ts'
import { checkPayloadSize, type Invocation } from './invoker.ts'
import { jsonFault } from './json-fault.ts'
import { parseFunctionName, qualifiedArn } from './names.ts'

export interface InvokeAnswer {
  StatusCode: number
  FunctionError?: string | undefined
  LogResult?: string | undefined
  ExecutedVersion?: string | undefined
  Payload?: Buffer | undefined
}

/** Source: Lambda API reference, Invoke. */
export async function invoke(input: Valid<InvocationRequest>, call: Call, service: LambdaService): Promise<InvokeAnswer> {
  const reference = parseFunctionName(input.FunctionName, call.scope, input.Qualifier)
  const type = input.InvocationType === 'Event' ? 'Event' : 'RequestResponse'
  const payload = payloadOf(input.Payload, type)
  if (input.InvocationType === 'DryRun') {
    await requireVersion(reference, service)
    return { StatusCode: 204 }
  }
  const result = await service.invoker.invoke({
    functionArn: qualifiedArn(reference),
    payload,
    type,
    caller: call.caller,
    requestId: call.requestId,
    clientContext: input.ClientContext === undefined ? undefined : clientContextOf(input.ClientContext),
    traceHeader: call.request.headers.get('x-amzn-trace-id'),
  })
  const { logTail, ...traced } = { ...result, payload: undefined }
  call.trace.add('invocation', { function: qualifiedArn(reference), status: traced.status, functionError: traced.functionError, payloadBytes: result.payload.length })
  return {
    StatusCode: result.status,
    FunctionError: result.functionError,
    // Observed: AWS, 24-11-2025, recorded by localstack's test_invocation_type_event: none of an event.
    ExecutedVersion: result.executedVersion || undefined,
    Payload: result.payload,
    ...(input.LogType === 'Tail' && type === 'RequestResponse' ? { LogResult: logTail.toString('base64') } : {}),
  }
}

/** The event, judged. @throws RequestEntityTooLargeException, InvalidRequestContentException */
export function payloadOf(bytes: Uint8Array | undefined, type: Invocation['type'] = 'RequestResponse'): Buffer {
  const payload = bytes === undefined ? Buffer.alloc(0) : asBuffer(bytes)
  checkPayloadSize(payload.length, type)
  const fault = payload.length === 0 ? undefined : jsonFault(payload)
  if (fault !== undefined) throw errors.InvalidRequestContentException(`Could not parse request body into json: Could not parse payload into json: ${fault}`)
  return payload
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Source: Lambda API reference, Invoke, ClientContext: base64 of JSON. */
export function clientContextOf(encoded: string): string {
  const bytes = Buffer.from(encoded, 'base64')
  try {
    return JSON.stringify(JSON.parse(bytes.toString('utf8'))).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  } catch {
    throw errors.InvalidRequestContentException('Client context must be a valid Base64-encoded JSON object.')
  }
}
