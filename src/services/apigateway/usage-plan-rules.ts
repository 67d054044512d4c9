// What a usage plan may be: its name, throttles, quota and stages, and how each is patched.

import { errors } from './errors.ts'
import { STAGES_PER_PLAN_MAX } from './limits.ts'
import { unescapeSegment, type PatchOperation } from './patch.ts'
import type { PlanStage, Quota, RateLimit, UsagePlan } from './usage-model.ts'

export function planName(name: string | undefined): string {
  // Ours: the words.
  if (name === undefined || name.trim() === '') throw errors.BadRequestException('Usage Plan name cannot be empty')
  return name
}

/** Ours: the words. An empty object sets nothing. */
export function checkRate({ rateLimit, burstLimit }: RateLimit): RateLimit | undefined {
  if (rateLimit !== undefined && !(Number.isFinite(rateLimit) && rateLimit >= 0)) throw errors.BadRequestException('Usage Plan rate limit cannot be negative')
  if (burstLimit !== undefined && !(Number.isInteger(burstLimit) && burstLimit >= 0)) throw errors.BadRequestException('Usage Plan burst limit cannot be negative')
  return rateLimit === undefined && burstLimit === undefined ? undefined : { burstLimit, rateLimit }
}

/** Source: the offsets are those that the Terraform provider's validQuotaSettings admits, in its words. */
export function checkQuota({ limit, offset = 0, period }: { limit?: number | undefined, offset?: number | undefined, period?: string | undefined }): Quota {
  if (limit === undefined || !Number.isInteger(limit) || limit < 0) throw errors.BadRequestException('Usage Plan quota limit cannot be negative')
  if (period !== 'DAY' && period !== 'WEEK' && period !== 'MONTH') throw errors.BadRequestException('Usage Plan quota period must be one of: [DAY, WEEK, MONTH]')
  const last = { DAY: 0, WEEK: 6, MONTH: 27 }[period]
  if (!Number.isInteger(offset) || offset < 0 || offset > last) {
    throw errors.BadRequestException(period === 'DAY'
      ? 'Usage Plan quota offset must be zero in the DAY period'
      : `Usage Plan quota offset must be between 0 and ${last} inclusive in the ${period} period`)
  }
  return { limit, offset, period }
}

/** One entry for each stage, in order. */
export function checkStages(stages: readonly { apiId?: string | undefined, stage?: string | undefined, throttle?: Record<string, RateLimit> | undefined }[]): PlanStage[] {
  const seen = new Set<string>()
  const checked = stages.map(({ apiId, stage, throttle }) => {
    if (!apiId || !stage || seen.has(`${apiId}/${stage}`)) throw invalidStage()
    seen.add(`${apiId}/${stage}`)
    const methods = Object.entries(throttle ?? {}).flatMap(([method, limit]) => {
      const rate = checkRate(limit)
      return rate ? [[methodKey(method), rate] as const] : []
    })
    return methods.length > 0 ? { apiId, stage, throttle: Object.fromEntries(methods) } : { apiId, stage }
  })
  if (checked.length > STAGES_PER_PLAN_MAX) throw errors.LimitExceededException(`A usage plan cannot have more than ${STAGES_PER_PLAN_MAX} stages`)
  return checked
}

/**
 * `/pets/{petId}/GET`, as method throttles are named; the path may be escaped (`~1pets`) or not.
 * Source: CloudFormation user guide, AWS::ApiGateway::UsagePlan ApiStage, `Throttle`. Ours: the words of the refusal.
 */
function methodKey(written: string): string {
  const key = `/${written.split('/').map(unescapeSegment).join('/').replace(/^\/+/, '')}`
  const slash = key.lastIndexOf('/')
  if (!/^[A-Z]+$/.test(key.slice(slash + 1))) throw errors.BadRequestException(`Invalid method throttle specified: ${written}. Must be {resourcePath}/{httpMethod}`)
  // The root's path is its slash, so that its methods have two.
  return slash === 0 ? `/${key}` : key
}

/** Reported in boto3 issue 2629. */
export const invalidStage = () => errors.BadRequestException('Invalid API Stage specified')

/** Observed: AWS, 20-03-2024, recorded by localstack's test_usage_plan_crud. */
export const noSuchStage = ({ apiId, stage }: { apiId: string, stage: string }, planId: string) =>
  errors.NotFoundException(`Invalid API Stage {api: ${apiId}, stage: ${stage}} specified for usageplan ${planId}`)

const methodThrottle = '/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>'
const values = ['/quota/limit', '/quota/offset', '/quota/period', '/throttle/burstLimit', '/throttle/rateLimit', '/productCode']

/**
 * The paths of each operation, as refusals list them.
 * Source: API Gateway API reference, "Patch operations", UpdateUsagePlan; the list of `remove` as reported in boto3 issue 2629.
 * Ours: the order of the others.
 */
const paths: Readonly<Record<string, readonly string[]>> = {
  add: ['/apiStages', ...values, `${methodThrottle}/rateLimit`, `${methodThrottle}/burstLimit`, '/apiStages/<apidId:stageName>/throttle'],
  replace: ['/name', '/description', ...values, `${methodThrottle}/rateLimit`, `${methodThrottle}/burstLimit`, '/apiStages/<apidId:stageName>/throttle'],
  remove: ['/apiStages', '/quota', '/throttle', '/productCode', methodThrottle, '/apiStages/<apidId:stageName>/throttle'],
}

/** A quota is checked when all operations are applied: its members arrive one by one. */
export type PlanDraft = Omit<UsagePlan, 'quota'> & { quota?: { limit?: number | undefined, offset?: number | undefined, period?: string | undefined } | undefined }

/** Applies the operations in order. @throws BadRequestException, NotFoundException; the plan is a copy that is dropped then. */
export function patchPlan(plan: UsagePlan, operations: readonly PatchOperation[] | undefined): void {
  const draft: PlanDraft = plan
  for (const operation of operations ?? []) patchOnce(draft, operation)
  plan.quota = draft.quota && checkQuota(draft.quota)
  plan.throttle = draft.throttle && checkRate(draft.throttle)
  plan.apiStages = checkStages(plan.apiStages)
}

function patchOnce(plan: PlanDraft, operation: PatchOperation): void {
  const { op = '', path = '', value = '' } = operation
  const stage = /^\/apiStages\/([^/]+)\/throttle(?:\/(.+))?$/.exec(path)
  if (stage) return patchStageThrottle(plan, operation, stage[1]!, stage[2])
  if (!paths[op]?.includes(path)) throw invalidPath(operation)
  switch (path) {
    case '/name': plan.name = planName(value); return
    case '/description': plan.description = value || undefined; return
    case '/productCode': plan.productCode = op === 'remove' ? undefined : value || undefined; return
    case '/quota': plan.quota = undefined; return
    case '/throttle': plan.throttle = undefined; return
    case '/quota/limit': plan.quota = { ...plan.quota, limit: numberOf(value) }; return
    case '/quota/offset': plan.quota = { ...plan.quota, offset: numberOf(value) }; return
    case '/quota/period': plan.quota = { ...plan.quota, period: value }; return
    case '/throttle/burstLimit': plan.throttle = { ...plan.throttle, burstLimit: numberOf(value) }; return
    case '/throttle/rateLimit': plan.throttle = { ...plan.throttle, rateLimit: numberOf(value) }; return
    default: plan.apiStages = op === 'add' ? [...plan.apiStages, stageOf(value)] : withoutStage(plan, stageOf(value))
  }
}

/** `{apiId}:{stageName}`. */
function stageOf(value: string): PlanStage {
  const [apiId, stage, ...rest] = value.split(':')
  if (!apiId || !stage || rest.length > 0) throw invalidStage()
  return { apiId, stage }
}

function withoutStage({ apiStages, id }: PlanDraft, { apiId, stage }: PlanStage): PlanStage[] {
  const others = apiStages.filter((one) => one.apiId !== apiId || one.stage !== stage)
  if (others.length === apiStages.length) throw noSuchStage({ apiId, stage }, id)
  return others
}

function patchStageThrottle(plan: PlanDraft, operation: PatchOperation, name: string, below: string | undefined): void {
  const { op, value = '' } = operation
  const wanted = stageOf(unescapeSegment(name))
  const stage = plan.apiStages.find(({ apiId, stage: stageName }) => apiId === wanted.apiId && stageName === wanted.stage)
  if (!stage) throw noSuchStage(wanted, plan.id)
  if (below === undefined) {
    if (op !== 'remove' && op !== 'add' && op !== 'replace') throw invalidPath(operation)
    stage.throttle = op === 'remove' ? undefined : throttlesOf(value)
    return
  }
  const member = /^(.+)\/(rateLimit|burstLimit)$/.exec(below)
  if (op === 'remove' && !member) {
    const key = methodKey(below)
    const { [key]: removed, ...others } = stage.throttle ?? {}
    if (!removed) throw errors.NotFoundException(`Invalid method throttle specified: ${key}`)
    stage.throttle = Object.keys(others).length > 0 ? others : undefined
    return
  }
  if (!member || op !== 'add' && op !== 'replace') throw invalidPath(operation)
  const key = methodKey(member[1]!)
  stage.throttle = { ...stage.throttle, [key]: { ...stage.throttle?.[key], [member[2]!]: numberOf(value) } }
}

/** `{"/pets/GET":{"rateLimit":1,"burstLimit":2}}`, as the AWS CLI's users write it. */
function throttlesOf(value: string): Record<string, RateLimit> {
  try {
    const parsed: unknown = JSON.parse(value)
    if (typeof parsed === 'object' && parsed !== null && Object.values(parsed).every((one) => typeof one === 'object' && one !== null)) {
      return parsed as Record<string, RateLimit>
    }
  } catch { /* the same refusal */ }
  throw errors.BadRequestException('Invalid throttle settings specified')
}

/** Ours: the words. */
function numberOf(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number)) throw errors.BadRequestException(`Invalid value ${value} specified. Must be a number`)
  return number
}

/** The two spaces are AWS's. Reported in boto3 issue 2629. */
function invalidPath({ op, path }: PatchOperation) {
  return errors.BadRequestException(`Invalid patch path  '${path ?? null}' specified for op '${op}'. Must be one of: [${(paths[op ?? ''] ?? []).join(', ')}]`)
}
