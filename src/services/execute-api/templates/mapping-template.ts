// A mapping template as API Gateway runs it: Velocity with `$input`, `$util`, `$context` and `$stageVariables`.

import type { TemplateContext } from './context.ts'
import { Input, type RequestParameters } from './input.ts'
import { JsonPaths } from './json-path/path.ts'
import { Util } from './util.ts'
import { mapOf, type Value } from './values.ts'
import { compileTemplate } from './velocity/compile.ts'

/** A compiled mapping template. Belongs to a deployment; runs any number of times. */
export interface MappingTemplate {
  /**
   * @throws TemplateError with line and column: a method failed or a limit was reached.
   * @throws PayloadNotJson when `$input.json` or `$input.path` met a payload that is not JSON.
   */
  render(scope: TemplateScope): string
}

export interface TemplateScope {
  /** The body of the request, or of the integration's response. */
  payload: string
  parameters: RequestParameters
  context: TemplateContext
  stageVariables: Readonly<Record<string, string>>
}

/**
 * Whether templates may call macros and `#evaluate`.
 *
 * Ours: AWS has both switched off and leaves the calls standing as text (Observed: AWS, 13-08-2023, recorded by localstack/airspeed's
 * TestMacros). We run them, because a page that shows `#row($x)` to its readers is of no use; a template that must behave as on AWS
 * has no macros.
 */
const MACROS = 'run'

/** @throws TemplateError with line and column when the template does not parse. */
export function compileMappingTemplate(text: string): MappingTemplate {
  const template = compileTemplate(text, { macros: MACROS })
  // A template that never names a variable does not pay for making it.
  const mayNameAnything = text.includes('evaluate')
  const namesContext = mayNameAnything || text.includes('context')
  const namesStage = mayNameAnything || text.includes('stageVariables')
  const paths = new JsonPaths()
  const util = new Util()
  return {
    render: ({ payload, parameters, context, stageVariables }) => template.render(new Map<string, Value>([
      ['input', new Input(payload, parameters, paths)],
      ['util', util],
      ...(namesContext ? [['context', context.map] as const] : []),
      ...(namesStage ? [['stageVariables', mapOf(stageVariables)] as const] : []),
    ])),
  }
}
