// Step 9: calls what stands behind the method.

import type { Clock } from '#lib/clock.ts'
import type { Invoker } from '#services/lambda/index.ts'
import { invokeFunction, functionArnOf } from '../integrations/lambda.ts'
import { invokeProxyFunction } from '../integrations/lambda-proxy.ts'
import { answerMock } from '../integrations/mock.ts'
import { notServed } from '../not-served.ts'
import type { ApiCall, IntegrationRequest, IntegrationResult } from '../exchange.ts'

export interface IntegrateOptions {
  invoker: Pick<Invoker, 'invoke'>
  clock: Clock
}

/** @throws GatewayRefusal 504 after the integration's timeout, 500 and 502 for what the integration does wrong. */
export async function integrate(call: ApiCall, request: IntegrationRequest, options: IntegrateOptions): Promise<IntegrationResult> {
  const { exchange, integration } = call
  const { type, uri, connectionType } = integration.definition
  if (type === 'MOCK') {
    const result = answerMock(request)
    exchange.trace.add('integration', { type, status: result.status })
    return result
  }
  if (type === 'HTTP' || type === 'HTTP_PROXY') throw notServed(`${type} integrations`)
  if (connectionType === 'VPC_LINK') throw notServed('VPC links')
  const functionArn = functionArnOf(uri ?? '', call.route.deployed.stage.variables)
  if (functionArn === undefined) throw notServed('integrations with services other than Lambda')
  if (integration.definition.credentials !== undefined) throw notServed('integrations with a role (credentials)')
  return type === 'AWS_PROXY' ? invokeProxyFunction(call, functionArn, request, options) : invokeFunction(call, functionArn, request, options)
}
