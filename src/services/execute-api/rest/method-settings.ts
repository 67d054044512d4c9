// The settings of a stage that apply to one method.

import type { MethodSetting, StageRecord } from '#services/apigateway/index.ts'

/**
 * The method's own settings, else the stage's for all methods.
 * Source: API Gateway API reference, Stage, `methodSettings`: keys are `{resource_path}/{http_method}`, or `*` and `*` for all.
 */
export function methodSetting(
  { methodSettings }: Pick<StageRecord, 'methodSettings'>,
  resourcePath: string,
  httpMethod: string,
): MethodSetting | undefined {
  return methodSettings[`${resourcePath.slice(1)}/${httpMethod}`] ?? methodSettings['*/*']
}
