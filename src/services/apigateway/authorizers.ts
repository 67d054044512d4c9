// Authorizers: who decides, instead of IAM, whether a method may be called; and the results that stages keep of them.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { addAuthorizer, authorizerRules, checkAuthorizer, newAuthorizer, requireAuthorizer, userOf } from './authorizer-rules.ts'
import { editApi, readApi, withRetries, type Caller, type Input } from './edit.ts'
import { concurrentModification, errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import { pageOf } from './pages.ts'
import { applyPatches } from './patch.ts'
import { findStage, transactions } from './store.ts'

/** What is wrong with the authorizer is said before that there is no API. Observed: AWS, 15-04-2024, recorded by localstack's test_authorizer_crud_no_api. */
export async function createAuthorizer(
  { restApiId, ...request }: Input<sdk.CreateAuthorizerRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Authorizer> {
  const authorizer = newAuthorizer(newId(gateway.random), request)
  return editApi(gateway, call, restApiId, concurrentModification, ({ design }) => addAuthorizer(design, authorizer))
}

export async function getAuthorizer(
  { restApiId, authorizerId }: Input<sdk.GetAuthorizerRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Authorizer> {
  const { design } = await readApi(gateway, call, restApiId, missing.authorizer)
  return requireAuthorizer(design, authorizerId)
}

export async function getAuthorizers(
  { restApiId, ...page }: Input<sdk.GetAuthorizersRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Authorizers> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  return pageOf(Object.values(design.authorizers), ({ id }) => id, page)
}

export function updateAuthorizer(
  { restApiId, authorizerId, patchOperations }: Input<sdk.UpdateAuthorizerRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Authorizer> {
  return editApi(gateway, call, restApiId, missing.authorizer, ({ design }) => {
    const authorizer = requireAuthorizer(design, authorizerId)
    applyPatches(authorizer, patchOperations, authorizerRules, 'plain')
    checkAuthorizer(authorizer)
    return addAuthorizer(design, authorizer)
  })
}

export function deleteAuthorizer(
  { restApiId, authorizerId }: Input<sdk.DeleteAuthorizerRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, missing.authorizer, ({ design }) => {
    const { name } = requireAuthorizer(design, authorizerId)
    const user = userOf(design, authorizerId)
    if (user !== undefined) throw errors.ConflictException(`Cannot delete authorizer '${name}', is referenced in method: ${user}`)
    delete design.authorizers[authorizerId]
  })
}

/** Every process that serves the stage learns of it as it does of other changes of the stage. */
export async function flushStageAuthorizersCache(
  { restApiId: apiId, stageName }: Input<sdk.FlushStageAuthorizersCacheRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  const { database } = gateway
  await readApi(gateway, call, apiId, missing.stage)
  await withRetries(async () => {
    const stored = await findStage(database, { apiId, stageName })
    if (!stored) throw missing.stage()
    stored.stage.authorizerFlushes = (stored.stage.authorizerFlushes ?? 0) + 1
    await database.transact(transactions.updateStage, stored)
  })
}
