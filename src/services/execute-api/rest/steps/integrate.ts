// Step 9: calls what stands behind the method.

import type { Clock } from '#lib/clock.ts'
import type { Invoker } from '#services/lambda/index.ts'
import { filledUri } from '../../backends/address.ts'
import { notServed } from '../../not-served.ts'
import type { ApiCall, IntegrationRequest, IntegrationResult } from '../exchange.ts'
import { callService, type ServiceOptions } from '../integrations/aws-service.ts'
import { callHttp, type HttpOptions } from '../integrations/http.ts'
import { invokeProxyFunction } from '../integrations/lambda-proxy.ts'
import { invokeFunction, functionArnOf } from '../integrations/lambda.ts'
import { answerMock } from '../integrations/mock.ts'

export interface IntegrateOptions extends HttpOptions, ServiceOptions {
  invoker: Pick<Invoker, 'invoke'>
  clock: Clock
}

/** @throws GatewayRefusal 504 after the integration's timeout, 500 and 502 for what the integration does wrong. */
export async function integrate(call: ApiCall, request: IntegrationRequest, options: IntegrateOptions): Promise<IntegrationResult> {
  const { exchange, integration } = call
  const { type, uri, connectionType, responseTransferMode } = integration.definition
  if (type === 'MOCK') {
    const result = answerMock(request)
    exchange.trace.add('integration', { type, status: result.status })
    return result
  }
  // Ours: refused when an API is edited too.
  if (connectionType === 'VPC_LINK') throw notServed('VPC links')
  if (responseTransferMode === 'STREAM') throw notServed('streamed responses (responseTransferMode STREAM)')
  if (type === 'HTTP' || type === 'HTTP_PROXY') return callHttp(call, request, options)
  const functionArn = functionArnOf(filledUri(uri ?? '', type === 'AWS' ? request.path : {}, call.route.deployed.stage.variables), {})
  if (functionArn === undefined && type === 'AWS') return callService(call, request, options)
  if (functionArn === undefined) throw notServed('proxy integrations with services other than Lambda')
  return type === 'AWS_PROXY' ? invokeProxyFunction(call, functionArn, request, options) : invokeFunction(call, functionArn, request, options)
}
