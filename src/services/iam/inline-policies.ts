// Policies written into a user, role or group itself. The three kinds differ in names alone.

import type { Call } from '#aws/service.ts'
import { cannotBeFound, named, nameMembers, orRefuse, readDocument, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { encodeDocument, INLINE_POLICY_CHARACTERS_MAX } from './model.ts'
import type { EntityKind } from './model.ts'
import { pageOf, sliceFor } from './pages.ts'
import type { PageInfo } from './pages.ts'
import * as reads from './reads.ts'
import { transactions } from './store.ts'

type Input = Readonly<Record<string, any>>

export function putInlinePolicy(kind: EntityKind) {
  return async (input: Input, call: Call, service: IamService): Promise<void> => {
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    const document = input.PolicyDocument as string
    await requireEntity(service, entity)
    readDocument(document, 'identity')
    const charactersMax = INLINE_POLICY_CHARACTERS_MAX[kind]
    await orRefuse(service.database.transact(transactions.putInlinePolicy, { entity, policyName: input.PolicyName as string, document, charactersMax }), {
      'no entity': () => cannotBeFound(entity),
      size: () => errors.LimitExceeded(`Maximum policy size of ${charactersMax} bytes exceeded for ${kind} ${entity.name}`),
    })
  }
}

export function getInlinePolicy(kind: EntityKind) {
  return async (input: Input, call: Call, service: IamService): Promise<Record<string, string>> => {
    const entity = await requireEntity(service, named(call, kind, input[nameMembers[kind]] as string))
    const policyName = input.PolicyName as string
    const document = await reads.findInlinePolicy(service.database, { ownerId: entity.id, policyName })
    if (document === undefined) throw noSuchPolicy(kind, policyName)
    return { [nameMembers[kind]]: entity.name, PolicyName: policyName, PolicyDocument: encodeDocument(document) }
  }
}

export function listInlinePolicies(kind: EntityKind) {
  return async (input: Input, call: Call, service: IamService): Promise<{ PolicyNames: string[] } & PageInfo> => {
    const entity = await requireEntity(service, named(call, kind, input[nameMembers[kind]] as string))
    const policies = await reads.listInlinePolicies(service.database, entity.id, sliceFor(input))
    const { page, info } = pageOf(policies, ({ name }) => name, input)
    return { PolicyNames: page.map(({ name }) => name), ...info }
  }
}

export function deleteInlinePolicy(kind: EntityKind) {
  return async (input: Input, call: Call, { database }: IamService): Promise<void> => {
    const entity = named(call, kind, input[nameMembers[kind]] as string)
    const policyName = input.PolicyName as string
    await orRefuse(database.transact(transactions.deleteInlinePolicy, { entity, policyName }), {
      'no entity': () => cannotBeFound(entity),
      'no policy': () => noSuchPolicy(kind, policyName),
    })
  }
}

/** Observed: AWS, 11-02-2026 and 12-02-2026, recorded by localstack's test_role_inline_policy_errors and test_get_group_policy. */
function noSuchPolicy(kind: EntityKind, policyName: string): Error {
  return errors.NoSuchEntity(`The ${kind} policy with name ${policyName} cannot be found.`)
}
