// Reading an API or a stage for a caller, and changing it while other calls change it too.

import type { AwsError } from '#aws/errors.ts'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import { concurrentModification, errors, missing } from './errors.ts'
import type { ApiGateway } from './index.ts'
import { EDIT_ATTEMPTS_MAX } from './limits.ts'
import type { RestApi, StageRecord } from './model.ts'
import { findApi, findStage, transactions, type StageKey, type StoreConflict } from './store.ts'
import type { UsageConflict } from './usage-store.ts'

/** What handlers receive: an SDK input in which everything the model requires is present. */
export type Input<Request> = Valid<Request>

/** What handlers need of a call. */
export type Caller = Pick<Call, 'scope'>

/** The caller's API as it stands. Throws `absent()` when there is none. */
export async function readApi(
  { database }: Pick<ApiGateway, 'database'>, { scope }: Caller, apiId: string, absent: () => AwsError,
): Promise<RestApi> {
  const stored = await findApi(database, scope, apiId)
  if (!stored) throw absent()
  return stored.api
}

/**
 * Runs `change` on a copy of the caller's API and stores the copy; runs it again on the newer API when another call stored one in
 * between. What `change` throws leaves the API as it was.
 *
 * @throws whatever `absent` makes, when there is no such API.
 * @throws ConflictException (409) after EDIT_ATTEMPTS_MAX attempts.
 */
export async function editApi<Result>(
  { database }: Pick<ApiGateway, 'database'>, { scope }: Caller, apiId: string, absent: () => AwsError, change: (api: RestApi) => Result,
): Promise<Result> {
  return withRetries(async () => {
    const stored = await findApi(database, scope, apiId)
    if (!stored) throw absent()
    const result = change(stored.api)
    await database.transact(transactions.updateApi, stored)
    return result
  })
}

/** As `editApi`, for a stage. The caller must have been shown to own the API. */
export async function editStage(
  { database, clock }: Pick<ApiGateway, 'database' | 'clock'>, key: StageKey, absent: () => AwsError, change: (stage: StageRecord) => void,
): Promise<StageRecord> {
  return withRetries(async () => {
    const stored = await findStage(database, key)
    if (!stored) throw absent()
    change(stored.stage)
    stored.stage.lastUpdatedAtMs = clock.now()
    await database.transact(transactions.updateStage, stored)
    return stored.stage
  })
}

/** Runs `attempt` again while it ends in a conflict of revisions; other conflicts become AWS's errors. */
export async function withRetries<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let attempts = 0; attempts < EDIT_ATTEMPTS_MAX; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
      if (error.reason !== 'revision') throw refusalOf(error.reason as StoreConflict | UsageConflict)
    }
  }
  throw concurrentModification()
}

/** The transaction's result, or the store's refusal in AWS's words. */
export async function refusing<Result>(transaction: Promise<Result>): Promise<Result> {
  try {
    return await transaction
  } catch (error) {
    throw error instanceof Conflict ? refusalOf(error.reason as StoreConflict | UsageConflict) : error
  }
}

/** The store's refusals in AWS's words. */
export function refusalOf(reason: StoreConflict | UsageConflict): AwsError {
  switch (reason) {
    // Ours: the words; AWS counts each limit under a sentence of its own.
    case 'limit': return errors.LimitExceededException('Maximum number of items of this kind has been reached.')
    case 'api missing': return errors.NotFoundException('Invalid API identifier specified')
    case 'stage exists': return errors.ConflictException('Stage already exists')
    case 'stage missing': return errors.NotFoundException('Invalid stage identifier specified')
    // Observed: AWS, 30-05-2025, recorded by localstack's test_create_canary_deployment.
    case 'deployment missing': return errors.BadRequestException('Deployment id does not exist')
    // Observed: AWS, 07-09-2023, recorded by localstack's test_create_delete_deployments.
    case 'deployment in use': return errors.BadRequestException('Active stages pointing to this deployment must be moved or deleted')
    // Reported in many issues, serverless/serverless 6458 among them.
    case 'key exists': return errors.ConflictException('API Key already exists')
    case 'key missing': return missing.apiKey()
    case 'plan missing': return missing.usagePlan()
    // Ours: the words of these three.
    case 'plan key exists': return errors.ConflictException('The API Key is in the usage plan already')
    case 'stage in two plans': return errors.ConflictException('An API Key cannot be in several usage plans that have the same API Stage')
    case 'plan has stages': return errors.BadRequestException('Cannot delete Usage Plan because there are API Stages associated with it')
    case 'revision': return concurrentModification()
  }
}
