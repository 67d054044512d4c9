// Tags of APIs, stages and domain names.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { parseArn, type Scope } from '#aws/arn.ts'
import { editDomain, readDomain } from './domain-names.ts'
import { findDomain } from './domain-store.ts'
import { editApi, editStage, readApi, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGatewayV2 } from './index.ts'
import { TAGS_PER_RESOURCE_MAX } from './limits.ts'
import { findApi, findStage } from './store.ts'

type Tags = Record<string, string>

export async function tagResource({ ResourceArn, Tags: added = {} }: Input<sdk.TagResourceRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  await tagged(ResourceArn, call, gateway).edit((old) => checkTags({ ...old, ...added }))
}

export async function untagResource({ ResourceArn, TagKeys }: Input<sdk.UntagResourceRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  await tagged(ResourceArn, call, gateway).edit((old) => Object.fromEntries(Object.entries(old).filter(([key]) => !TagKeys.includes(key))))
}

export async function getTags({ ResourceArn }: Input<sdk.GetTagsRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetTagsResponse> {
  return { Tags: await tagged(ResourceArn, call, gateway).read() }
}

/** Ours: the words. */
export function checkTags(tags: Tags): Tags {
  if (Object.keys(tags).length > TAGS_PER_RESOURCE_MAX) throw errors.BadRequestException(`A resource cannot have more than ${TAGS_PER_RESOURCE_MAX} tags`)
  return tags
}

interface Tagged {
  read(): Promise<Tags>
  edit(change: (tags: Tags) => Tags): Promise<unknown>
}

/**
 * `arn:aws:apigateway:REGION::/apis/ID`, `…/stages/NAME` or `/domainnames/NAME`.
 * Source: API Gateway developer guide, "Tagging your API Gateway resources". Ours: the words.
 */
function tagged(resourceArn: string, call: Caller, gateway: ApiGatewayV2): Tagged {
  const arn = parseArn(resourceArn)
  const [, collection, id = '', below, name = '', ...rest] = (arn?.resource ?? '').split('/')
  if (arn?.service === 'apigateway' && arn.region === call.scope.region && id !== '' && rest.length === 0) {
    if (collection === 'apis' && below === undefined) return taggedApi(id, call, gateway)
    if (collection === 'apis' && below === 'stages' && name !== '') return taggedStage(id, name, call, gateway)
    if (collection === 'domainnames' && below === undefined) return taggedDomain(id, call, gateway)
  }
  throw errors.BadRequestException('Invalid ARN specified in the request')
}

function taggedApi(apiId: string, call: Caller, gateway: ApiGatewayV2): Tagged {
  return {
    read: async () => (await readApi(gateway, call, apiId)).settings.tags ?? {},
    edit: (change) => editApi(gateway, call, apiId, ({ settings }) => { settings.tags = change(settings.tags ?? {}) }, { deploys: false }),
  }
}

function taggedStage(apiId: string, stageName: string, call: Caller, gateway: ApiGatewayV2): Tagged {
  const key = { apiId, stageName }
  return {
    async read() {
      await readApi(gateway, call, apiId)
      const stored = await findStage(gateway.database, key)
      if (!stored) throw missing.stage()
      return stored.stage.tags
    },
    async edit(change) {
      await readApi(gateway, call, apiId)
      await editStage(gateway, key, (stage) => {
        stage.tags = change(stage.tags)
        return false
      })
    },
  }
}

function taggedDomain(domainName: string, call: Caller, gateway: ApiGatewayV2): Tagged {
  return {
    read: async () => (await readDomain(gateway, call, domainName)).tags,
    edit: (change) => editDomain(gateway, call, domainName, (domain) => { domain.tags = change(domain.tags) }),
  }
}

/**
 * The tags of what a permission's ARN names, for `aws:ResourceTag/…`: what is below an API has the API's, but a stage its own.
 * Source: API Gateway developer guide, "Using tags to control access to API Gateway resources": tag inheritance.
 */
export async function tagsAt(resourceArn: string, scope: Scope, { database }: Pick<ApiGatewayV2, 'database'>): Promise<Tags | undefined> {
  const [, collection, id = '', below, name] = (parseArn(resourceArn)?.resource ?? '').split('/')
  if (collection === 'domainnames') return (await findDomain(database, scope, id.toLowerCase()))?.domain.tags
  if (collection !== 'apis') return undefined
  const stored = await findApi(database, scope, id)
  if (!stored || below !== 'stages' || name === undefined) return stored?.api.settings.tags
  return (await findStage(database, { apiId: id, stageName: name }))?.stage.tags
}
