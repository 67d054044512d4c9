// Step 6: the backend does its work.

import { functionArnOf } from '../../backends/function-arn.ts'
import type { FunctionOptions } from '../../backends/function.ts'
import { mockStatus } from '../../backends/mock-status.ts'
import { configurationError } from '../../gateway-responses.ts'
import { notServed } from '../../not-served.ts'
import type { SocketCall, SocketRequest, SocketResult } from '../exchange.ts'
import { invokeFunction, invokeProxy } from '../integrations/function.ts'
import { callServer, type ServerOptions } from '../integrations/server.ts'
import { callService, type ServiceOptions } from '../integrations/service.ts'

export interface IntegrateOptions extends FunctionOptions, ServerOptions, ServiceOptions {}

/** @throws GatewayRefusal as the integrations do. */
export async function integrate(call: SocketCall, request: SocketRequest, options: IntegrateOptions): Promise<SocketResult> {
  const { exchange, deployed: { stage }, integration: { definition } } = call
  const { integrationType, integrationUri = '', connectionType } = definition
  if (connectionType === 'VPC_LINK') throw notServed('VPC links')
  const functionArn = functionArnOf(integrationUri, stage.stageVariables)
  switch (integrationType) {
    case 'MOCK': {
      const status = mockStatus(request.body)
      exchange.trace.add('integration', { type: integrationType, status })
      return { status, headers: {}, body: Buffer.alloc(0), isFunction: false }
    }
    case 'HTTP':
    case 'HTTP_PROXY': return callServer(call, request, options)
    case 'AWS_PROXY': {
      if (functionArn === undefined) throw configurationError('Invalid endpoint address')
      return invokeProxy(call, functionArn, options)
    }
    case 'AWS': return functionArn === undefined ? callService(call, request, options) : invokeFunction(call, functionArn, request, options)
  }
}
