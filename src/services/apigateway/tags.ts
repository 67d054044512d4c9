// Tags of APIs, stages, API keys and usage plans.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { parseArn, type Scope } from '#aws/arn.ts'
import { checkTags, editKey } from './api-keys.ts'
import { editApi, editStage, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { findApi, findStage } from './store.ts'
import { editPlan, readPlan } from './usage-plans.ts'
import { findKey } from './usage-store.ts'

type Tags = Record<string, string>

export async function tagResource({ resourceArn, tags }: Input<sdk.TagResourceRequest>, call: Caller, gateway: ApiGateway): Promise<void> {
  await tagged(resourceArn, call, gateway).edit((old) => checkTags({ ...old, ...tags }))
}

export async function untagResource(
  { resourceArn, tagKeys }: Input<sdk.UntagResourceRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  await tagged(resourceArn, call, gateway).edit((old) => Object.fromEntries(Object.entries(old).filter(([key]) => !tagKeys.includes(key))))
}

export async function getTags({ resourceArn }: Input<sdk.GetTagsRequest>, call: Caller, gateway: ApiGateway): Promise<sdk.Tags> {
  return { tags: await tagged(resourceArn, call, gateway).read() }
}

interface Tagged {
  read(): Promise<Tags>
  edit(change: (tags: Tags) => Tags): Promise<unknown>
}

/**
 * `arn:aws:apigateway:REGION::/restapis/ID`, `…/stages/NAME`, `/apikeys/ID` or `/usageplans/ID`.
 * Source: API Gateway developer guide, "Tagging your API Gateway resources". Ours: the words.
 */
function tagged(resourceArn: string, call: Caller, gateway: ApiGateway): Tagged {
  const arn = parseArn(resourceArn)
  const [, collection, id = '', below, name = '', ...rest] = (arn?.resource ?? '').split('/')
  if (arn?.service === 'apigateway' && arn.region === call.scope.region && id !== '' && rest.length === 0) {
    if (collection === 'restapis' && below === undefined) return taggedApi(id, call, gateway)
    if (collection === 'restapis' && below === 'stages' && name !== '') return taggedStage(id, name, call, gateway)
    if (collection === 'apikeys' && below === undefined) return taggedKey(id, call, gateway)
    if (collection === 'usageplans' && below === undefined) return taggedPlan(id, call, gateway)
  }
  throw errors.BadRequestException('Invalid ARN specified in the request')
}

function taggedApi(apiId: string, call: Caller, gateway: ApiGateway): Tagged {
  const absent = () => missing.api(call.scope, apiId)
  return {
    read: async () => (await readApi(gateway, call, apiId, absent)).settings.tags ?? {},
    edit: (change) => editApi(gateway, call, apiId, absent, ({ settings }) => { settings.tags = change(settings.tags ?? {}) }),
  }
}

function taggedStage(apiId: string, stageName: string, call: Caller, gateway: ApiGateway): Tagged {
  const key = { apiId, stageName }
  const requireApi = () => readApi(gateway, call, apiId, () => missing.api(call.scope, apiId))
  return {
    async read() {
      await requireApi()
      const stored = await findStage(gateway.database, key)
      if (!stored) throw missing.stage()
      return stored.stage.tags
    },
    async edit(change) {
      await requireApi()
      await editStage(gateway, key, missing.stage, (stage) => { stage.tags = change(stage.tags) })
    },
  }
}

function taggedKey(keyId: string, call: Caller, gateway: ApiGateway): Tagged {
  return {
    async read() {
      const stored = await findKey(gateway.database, call.scope, keyId)
      if (!stored) throw missing.apiKey()
      return stored.key.tags
    },
    edit: (change) => editKey(gateway, call, keyId, (key) => { key.tags = change(key.tags) }),
  }
}

function taggedPlan(planId: string, call: Caller, gateway: ApiGateway): Tagged {
  return {
    read: async () => (await readPlan(gateway, call, planId)).tags,
    edit: (change) => editPlan(gateway, call, planId, (plan) => { plan.tags = change(plan.tags) }),
  }
}

/**
 * The tags of what a permission's ARN names, for `aws:ResourceTag/…`: what is below an API has the API's, but a stage its own.
 * Source: API Gateway developer guide, "Using tags to control access to API Gateway resources": tag inheritance.
 */
export async function tagsAt(resourceArn: string, scope: Scope, { database }: Pick<ApiGateway, 'database'>): Promise<Tags | undefined> {
  const [, collection, id = '', below, name] = (parseArn(resourceArn)?.resource ?? '').split('/')
  if (collection === 'apikeys') return (await findKey(database, scope, id))?.key.tags
  if (collection !== 'restapis') return undefined
  const stored = await findApi(database, scope, id)
  if (!stored || below !== 'stages' || name === undefined) return stored?.api.settings.tags
  return (await findStage(database, { apiId: id, stageName: name }))?.stage.tags
}
