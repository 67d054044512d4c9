// Versions: what `$LATEST` was when it was published.

import type { FunctionConfiguration, ListVersionsByFunctionRequest, ListVersionsByFunctionResponse, PublishVersionRequest } from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { errors, notServed } from './errors.ts'
import { keyOf, requireFunction, variablesOfRecord } from './functions.ts'
import { VERSIONS_PER_PAGE_MAX } from './limits.ts'
import { describe, describeInList } from './model.ts'
import { parseFunctionName } from './names.ts'
import { pageOf, pageRequest } from './pages.ts'
import { listVersions, transactions, type Publication } from './store.ts'

/**
 * Source: Lambda API reference, PublishVersion: nothing is published when nothing has changed since the last version, which is the answer then.
 * Ours: whether it has is seen in the settings, not in their revision, so that an update that changes nothing is no reason for a version.
 */
export async function publishVersion(input: Valid<PublishVersionRequest>, { scope }: Call, service: LambdaService): Promise<FunctionConfiguration> {
  const { database } = service
  if (input.PublishTo) throw notServed('PublishVersion with PublishTo')
  const reference = { ...parseFunctionName(input.FunctionName, scope), qualifier: undefined }
  const publication = publicationOf({ description: input.Description, codeSha256: input.CodeSha256 && hexadecimal(input.CodeSha256) }, service)
  try {
    const published = await database.transact(transactions.publishVersion, { expected: { key: keyOf(reference), revisionId: input.RevisionId }, publication })
    // Observed: AWS, 10-04-2024, recorded by localstack's test_alias_lifecycle: the answer's version is active.
    return describe(published, { variables: variablesOfRecord(published, service), moment: 'now', qualifier: published.version })
  } catch (error) {
    if (error instanceof Conflict && error.reason === 'code') {
      const current = Buffer.from((await requireFunction(reference, service)).codeSha256, 'hex').toString('base64')
      // Observed: AWS, 10-04-2024, recorded by localstack's test_publish_with_wrong_sha256.
      throw errors.InvalidParameterValueException(`CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${current}). Please try again with the CodeSHA256 in $LATEST.`)
    }
    throw conflictError(error, reference)
  }
}

/** Source: Lambda API reference, ListVersionsByFunction. `$LATEST` comes first. */
export async function listVersionsByFunction(
  { FunctionName, Marker, MaxItems }: Valid<ListVersionsByFunctionRequest>, { scope }: Call, service: LambdaService,
): Promise<ListVersionsByFunctionResponse> {
  const reference = { ...parseFunctionName(FunctionName, scope), qualifier: undefined }
  await requireFunction(reference, service)
  const { limit, after = '-1' } = pageRequest({ Marker, MaxItems }, VERSIONS_PER_PAGE_MAX)
  const found = await listVersions(service.database, { ...keyOf(reference), after: { name: reference.name, version: after }, limit: limit + 1 })
  const { items, next } = pageOf(found, limit, ({ version }) => version)
  return { Versions: items.map((record) => describeInList(record, { variables: variablesOfRecord(record, service), qualifier: record.version })), ...next }
}

/** What a transaction needs to publish. */
export function publicationOf({ description, codeSha256 }: { description?: string | undefined, codeSha256?: string | undefined }, { random, clock }: LambdaService): Publication {
  return { description, codeSha256, atMs: clock.now(), revisionId: random.uuid(), generation: random.uuid(), latestRevisionId: random.uuid() }
}

/** What is no base64 of a digest is not the code's digest either. */
function hexadecimal(codeSha256: string): string {
  return Buffer.from(codeSha256, 'base64').toString('hex')
}
