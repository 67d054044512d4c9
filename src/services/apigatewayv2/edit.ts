// Reading an API or a stage for a caller, and changing it while other calls change it too.

import type { AwsError } from '#aws/errors.ts'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { DomainConflict } from './domain-store.ts'
import { concurrentModification, errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import { EDIT_ATTEMPTS_MAX } from './limits.ts'
import type { StageRecord, V2Api } from './model.ts'
import { findApi, findStage, transactions, type AutoDeployment, type StageKey, type StoreConflict } from './store.ts'

/** What handlers receive: an SDK input in which everything the model requires is present. */
export type Input<Request> = Valid<Request>

/** What handlers need of a call. */
export type Caller = Pick<Call, 'scope'>

/** The caller's API as it stands. @throws NotFoundException when there is none. */
export async function readApi({ database }: Pick<ApiGatewayV2, 'database'>, { scope }: Caller, apiId: string): Promise<V2Api> {
  const stored = await findApi(database, scope, apiId)
  if (!stored) throw missing.api(scope, apiId)
  return stored.api
}

/**
 * Runs `change` on a copy of the caller's API, stores the copy and deploys it where auto-deploy asks for it; runs it again on the newer API
 * when another call stored one in between. What `change` throws leaves the API as it was. Tags are not part of what is deployed.
 *
 * @throws NotFoundException when there is no such API.
 * @throws ConflictException (409) after EDIT_ATTEMPTS_MAX attempts.
 */
export async function editApi<Result>(
  gateway: Pick<ApiGatewayV2, 'database' | 'clock' | 'random'>, { scope }: Caller, apiId: string, change: (api: V2Api) => Result,
  { deploys = true }: { deploys?: boolean } = {},
): Promise<Result> {
  const { database } = gateway
  return withRetries(async () => {
    const stored = await findApi(database, scope, apiId)
    if (!stored) throw missing.api(scope, apiId)
    const result = change(stored.api)
    await database.transact(transactions.updateApi, { ...stored, auto: deploys ? newAutoDeployment(gateway) : undefined })
    return result
  })
}

/** As `editApi`, for a stage; `change` says whether the API must be deployed to it. The caller must have been shown to own the API. */
export async function editStage(
  gateway: Pick<ApiGatewayV2, 'database' | 'clock' | 'random'>, key: StageKey, change: (stage: StageRecord) => boolean,
): Promise<StageRecord> {
  const { database, clock } = gateway
  return withRetries(async () => {
    const stored = await findStage(database, key)
    if (!stored) throw missing.stage()
    const deploys = change(stored.stage)
    stored.stage.lastUpdatedAtMs = clock.now()
    await database.transact(transactions.updateStage, { ...stored, auto: deploys ? newAutoDeployment(gateway) : undefined })
    return stored.stage
  })
}

export function newAutoDeployment({ clock, random }: Pick<ApiGatewayV2, 'clock' | 'random'>): AutoDeployment {
  return { deploymentId: newId(random), now: clock.now() }
}

/** Runs `attempt` again while it ends in a conflict of revisions; other conflicts become AWS's errors. */
export async function withRetries<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let attempts = 0; attempts < EDIT_ATTEMPTS_MAX; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
      if (error.reason !== 'revision') throw refusalOf(error.reason as KnownConflict)
    }
  }
  throw concurrentModification()
}

/** Of `api mapped`, DeleteApi speaks, which knows the API. */
type KnownConflict = Exclude<StoreConflict, 'api mapped'> | DomainConflict

/** The store's refusals in AWS's words. */
function refusalOf(reason: KnownConflict): AwsError {
  switch (reason) {
    // Ours: the words; AWS counts each limit under a sentence of its own.
    case 'limit': return errors.BadRequestException('Maximum number of items of this kind has been reached.')
    case 'api missing': return errors.NotFoundException('Invalid API identifier specified')
    case 'stage exists': return errors.ConflictException('Stage already exists')
    case 'stage missing': return missing.stage()
    case 'deployment missing': return errors.BadRequestException('Deployment id does not exist')
    case 'deployment in use': return errors.BadRequestException('Active stages pointing to this deployment must be moved or deleted')
    // Ours: the words, made after those about deployments.
    case 'stage mapped': return errors.ConflictException('Cannot delete Stage because it is referenced by an API mapping of a custom domain name')
    // Source: moto's tests of create_domain_name.
    case 'domain exists': return errors.ConflictException('The domain name resource already exists.')
    case 'domain missing': return missing.domain()
    // Seen in reports: users' logs of CreateApiMapping.
    case 'mapping exists': return errors.ConflictException('ApiMapping key already exists for this domain name')
    case 'mapping missing': return missing.mapping()
    case 'revision': return concurrentModification()
  }
}
