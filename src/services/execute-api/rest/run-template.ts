// Runs one template of a call to a REST API.

import { renderTraced, type TemplateStep } from '../templates/run-template.ts'
import type { CompiledTemplate } from '../templates/stored-template.ts'
import type { ApiCall } from './exchange.ts'

/** As `renderTraced`. @throws GatewayRefusal */
export function runTemplate({ exchange, route, parameters, context }: ApiCall, compiled: CompiledTemplate, payload: Buffer, step: TemplateStep): string | undefined {
  const stageVariables = route.deployed.stage.variables
  return renderTraced(compiled, { payload, parameters, context, stageVariables }, { trace: exchange.trace, step, mayTraceBodies: route.mayTraceBodies })
}
