// Tags of users, roles and managed policies.

import type { ListUserTagsResponse, Tag as SdkTag } from '@aws-sdk/client-iam'
import type { Call } from '#aws/service.ts'
import { cannotBeFound, named, nameMembers, orRefuse, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { TAGS_MAX } from './model.ts'
import type { Tag } from './model.ts'
import { pageOfAll } from './pages.ts'
import { transactions } from './store.ts'

type Input = Readonly<Record<string, any>>

/**
 * Keys of users' and roles' tags compare without case, those of policies with it.
 * Observed: AWS, 11-02-2026 and 10-02-2026, recorded by localstack's test_role_tag_errors and test_policy_tag_create_errors.
 *
 * @throws InvalidInput
 */
export function checkTags(given: readonly SdkTag[] | undefined, keys: 'without case' | 'with case' = 'without case'): Tag[] {
  const tags = (given ?? []) as Tag[]
  const distinct = new Set(tags.map(({ Key }) => keys === 'with case' ? Key : Key.toLowerCase()))
  if (distinct.size < tags.length) {
    throw errors.InvalidInput(keys === 'with case' ? 'Duplicate tag keys found.' : 'Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  }
  return tags.map(({ Key, Value }) => ({ Key, Value }))
}

/** Ours: the sentence; AWS's is not documented. */
export const tooManyTags = () => errors.LimitExceeded(`Cannot exceed quota for TagsPerResource: ${TAGS_MAX}`)

export function tagEntity(kind: 'user' | 'role') {
  return async (input: Input, call: Call, { database }: IamService): Promise<void> => {
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    await orRefuse(database.transact(transactions.tagEntity, { entity, added: checkTags(input.Tags as SdkTag[]), removed: [], tagsMax: TAGS_MAX }), {
      'no entity': () => cannotBeFound(entity),
      limit: tooManyTags,
    })
  }
}

export function untagEntity(kind: 'user' | 'role') {
  return async (input: Input, call: Call, { database }: IamService): Promise<void> => {
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    await orRefuse(database.transact(transactions.tagEntity, { entity, added: [], removed: input.TagKeys as string[], tagsMax: Infinity }), {
      'no entity': () => cannotBeFound(entity),
    })
  }
}

export function listEntityTags(kind: 'user' | 'role') {
  return async (input: Input, call: Call, service: IamService): Promise<ListUserTagsResponse> => {
    const { tags } = await requireEntity(service, named(call, kind, input[nameMembers[kind]] as string))
    return pageOfTags(tags, input)
  }
}

/** In order of their keys. Observed: AWS, 10-02-2026, recorded by localstack's test_policy_tag_lifecycle (`A` before `a`). */
export function pageOfTags(tags: readonly Tag[], input: Input): ListUserTagsResponse {
  const ordered = tags.toSorted((one, other) => one.Key < other.Key ? -1 : 1)
  const { page, info } = pageOfAll(ordered, ({ Key }) => Key, input)
  return { Tags: page, ...info }
}
