// InvokeAsync: the first way in which functions were invoked, before Invoke had types.

import type { InvokeAsyncRequest } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { payloadOf } from './invoke.ts'
import { parseFunctionName, qualifiedArn } from './names.ts'

/** Source: Lambda API reference, InvokeAsync. */
export async function invokeAsync({ FunctionName, InvokeArgs }: Valid<InvokeAsyncRequest>, call: Call, { invoker }: LambdaService): Promise<{ Status: number }> {
  const functionArn = qualifiedArn(parseFunctionName(FunctionName, call.scope))
  const { status } = await invoker.invoke({
    functionArn, payload: payloadOf(InvokeArgs as unknown as Uint8Array, 'Event'), type: 'Event', caller: call.caller, requestId: call.requestId,
    traceHeader: call.request.headers.get('x-amzn-trace-id'),
  })
  call.trace.add('invocation', { function: functionArn, status })
  return { Status: status }
}
