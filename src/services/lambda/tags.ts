// Tags of functions.

import type { ListTagsRequest, ListTagsResponse, TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors, notServed } from './errors.ts'
import { keyOf, requireFunction } from './functions.ts'
import { TAGS_MAX } from './limits.ts'
import { parseFunctionName, type FunctionReference } from './names.ts'
import { checkTags } from './settings.ts'
import { transactions } from './store.ts'

/** Source: Lambda API reference, TagResource. */
export async function tagResource({ Resource, Tags }: Valid<TagResourceRequest>, call: Call, service: LambdaService): Promise<void> {
  const reference = taggable(Resource, call, 'TagResource')
  // Observed: AWS, 10-04-2024, recorded by localstack's test_tag_exceptions.
  if (Object.keys(Tags).length === 0) throw errors.InvalidParameterValueException('An error occurred and the request cannot be processed.')
  checkTags(Tags)
  await changeTags(reference, { set: Tags, unset: [] }, service)
}

/** Source: Lambda API reference, UntagResource. */
export async function untagResource({ Resource, TagKeys }: Valid<UntagResourceRequest>, call: Call, service: LambdaService): Promise<void> {
  await changeTags(taggable(Resource, call, 'UntagResource'), { set: {}, unset: TagKeys }, service)
}

/** Source: Lambda API reference, ListTags. */
export async function listTags({ Resource }: Valid<ListTagsRequest>, call: Call, service: LambdaService): Promise<ListTagsResponse> {
  const { tags } = await requireFunction(taggable(Resource, call, 'ListTags'), service)
  return { Tags: { ...tags } }
}

async function changeTags(reference: FunctionReference, change: { set: Record<string, string>, unset: string[] }, { database }: LambdaService): Promise<void> {
  try {
    await database.transact(transactions.changeTags, { key: keyOf(reference), ...change, tagsMax: TAGS_MAX })
  } catch (error) {
    throw conflictError(error, reference)
  }
}

/** Source: Lambda developer guide, "Using tags on Lambda functions": functions as a whole have tags, versions and aliases have none. */
function taggable(resource: string, { scope }: Call, operation: string): FunctionReference {
  const other = /:\d{12}:(event-source-mapping|code-signing-config|capacity-provider):/.exec(resource)?.[1]
  if (other !== undefined) throw notServed(`${operation} for a resource of the type ${other}`)
  const reference = parseFunctionName(resource, scope)
  if (reference.qualifier !== undefined) throw errors.InvalidParameterValueException('Tags on function aliases and versions are not supported. Please specify a function ARN.')
  return reference
}
