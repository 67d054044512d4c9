// Tags of APIs and stages.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { parseArn } from '#aws/arn.ts'
import { editApi, editStage, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { TAGS_PER_RESOURCE_MAX } from './limits.ts'
import { findStage } from './store.ts'

export async function tagResource({ resourceArn, tags }: Input<sdk.TagResourceRequest>, call: Caller, gateway: ApiGateway): Promise<void> {
  await editTags(resourceArn, call, gateway, (old) => {
    const all = { ...old, ...tags }
    // Ours: the words.
    if (Object.keys(all).length > TAGS_PER_RESOURCE_MAX) throw errors.BadRequestException(`A resource cannot have more than ${TAGS_PER_RESOURCE_MAX} tags`)
    return all
  })
}

export async function untagResource(
  { resourceArn, tagKeys }: Input<sdk.UntagResourceRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  await editTags(resourceArn, call, gateway, (old) => Object.fromEntries(Object.entries(old).filter(([key]) => !tagKeys.includes(key))))
}

export async function getTags({ resourceArn }: Input<sdk.GetTagsRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.Tags> {
  const { apiId, stageName } = taggedResource(resourceArn, call)
  const api = await readApi(gateway, call, apiId, () => missing.api(call.scope, apiId))
  if (stageName === undefined) return { tags: api.settings.tags ?? {} }
  const stored = await findStage(gateway.database, { apiId, stageName })
  if (!stored) throw missing.stage()
  return { tags: stored.stage.tags }
}

async function editTags(
  resourceArn: string, call: Caller, gateway: ApiGateway, change: (tags: Record<string, string>) => Record<string, string>,
): Promise<void> {
  const { apiId, stageName } = taggedResource(resourceArn, call)
  const absent = () => missing.api(call.scope, apiId)
  if (stageName === undefined) {
    return editApi(gateway, call, apiId, absent, ({ settings }) => { settings.tags = change(settings.tags ?? {}) })
  }
  await readApi(gateway, call, apiId, absent)
  await editStage(gateway, { apiId, stageName }, missing.stage, (stage) => { stage.tags = change(stage.tags) })
}

/** `arn:aws:apigateway:REGION::/restapis/ID` or `…/stages/NAME`. Source: API Gateway developer guide, "Tagging your API Gateway resources". */
function taggedResource(resourceArn: string, { scope }: Caller): { apiId: string, stageName: string | undefined } {
  const arn = parseArn(resourceArn)
  const match = /^\/restapis\/([^/]+)(?:\/stages\/([^/]+))?$/.exec(arn?.resource ?? '')
  // Ours: the words.
  if (arn?.service !== 'apigateway' || arn.region !== scope.region || !match) throw errors.BadRequestException('Invalid ARN specified in the request')
  return { apiId: match[1]!, stageName: match[2] }
}
