// API keys: create, read, list, update, delete.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { checkKeyValue, newKeyValue, openKeyValue, sealKeyValue } from './api-key-values.ts'
import { refusing, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newApiId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import { API_KEY_NAME_CHARACTERS_MAX, API_KEYS_PER_REGION_MAX, TAGS_PER_RESOURCE_MAX, USAGE_PLANS_PER_KEY_MAX } from './limits.ts'
import { pageOf } from './pages.ts'
import { applyPatches, booleanOf, type PatchRule } from './patch.ts'
import type { ApiKeyRecord } from './usage-model.ts'
import { findKey, listKeys, type StoredKey } from './usage-store.ts'
import { transactions } from './store.ts'

/**
 * Without `enabled` the key is disabled. Source: API Gateway API reference, CreateApiKey.
 * Ours: the id is always distinct from the value, whatever the deprecated `generateDistinctId` says.
 */
export async function createApiKey(request: Input<sdk.CreateApiKeyRequest>, { scope }: Caller, gateway: ApiGateway): Promise<sdk.ApiKey> {
  const { database, clock, random, sealer } = gateway
  if (request.stageKeys?.length) throw errors.NotImplemented('stageKeys is not served: add the stage to a usage plan instead.')
  const now = clock.now()
  const key: ApiKeyRecord = {
    ...scope,
    id: newApiId(random),
    name: keyName(request.name),
    description: request.description || undefined,
    customerId: request.customerId || undefined,
    enabled: request.enabled ?? false,
    tags: checkTags(request.tags ?? {}),
    createdAtMs: now,
    lastUpdatedAtMs: now,
  }
  const value = request.value ? checkKeyValue(request.value) : newKeyValue(random)
  await refusing(database.transact(transactions.insertKeys, {
    keys: [{ key, ...sealKeyValue(value, key, sealer), planIds: [] }], keysMax: API_KEYS_PER_REGION_MAX, overwrites: false, plansMax: USAGE_PLANS_PER_KEY_MAX,
  }))
  return describeKey(key, value)
}

export async function getApiKey({ apiKey, includeValue }: Input<sdk.GetApiKeyRequest>, { scope }: Caller, gateway: ApiGateway): Promise<sdk.ApiKey> {
  const stored = await findKey(gateway.database, scope, apiKey)
  if (!stored) throw missing.apiKey()
  return describeKey(stored.key, includeValue ? openKeyValue(stored, gateway.sealer) : undefined)
}

/** Source: API Gateway API reference, GetApiKeys. Ours: `nameQuery` finds names that begin with it. */
export async function getApiKeys(
  { nameQuery, customerId, includeValues, ...page }: Input<sdk.GetApiKeysRequest>, { scope }: Caller, { database, sealer }: ApiGateway,
): Promise<sdk.ApiKeys> {
  const all = await listKeys(database, scope)
  const wanted = all.filter(({ key }) => (!nameQuery || key.name?.startsWith(nameQuery)) && (!customerId || key.customerId === customerId))
  const { items, position } = pageOf(wanted, keyOrder, page)
  return { items: items.map((stored) => describeKey(stored.key, includeValues ? openKeyValue(stored, sealer) : undefined)), position }
}

export async function updateApiKey(
  { apiKey, patchOperations }: Input<sdk.UpdateApiKeyRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.ApiKey> {
  return describeKey(await editKey(gateway, call, apiKey, (key) => applyPatches(key, patchOperations, patchRules, 'listed')))
}

export async function deleteApiKey({ apiKey }: Input<sdk.DeleteApiKeyRequest>, { scope }: Caller, { database }: ApiGateway): Promise<void> {
  if (!await database.transact(transactions.deleteKey, { ...scope, keyId: apiKey })) throw missing.apiKey()
}

/** Changes the caller's key, again on its newer version when another call changed it in between. */
export function editKey({ database, clock }: ApiGateway, { scope }: Caller, keyId: string, change: (key: ApiKeyRecord) => void): Promise<ApiKeyRecord> {
  return withRetries(async () => {
    const stored = await findKey(database, scope, keyId)
    if (!stored) throw missing.apiKey()
    const { key, fingerprint, revision } = stored
    change(key)
    key.lastUpdatedAtMs = clock.now()
    await database.transact(transactions.updateKey, { key, fingerprint, revision })
    return key
  })
}

/** Observed: AWS, 17-07-2025, recorded by localstack's test_create_api_key_with_invalid_name. */
export function keyName(name: string | undefined): string | undefined {
  if ((name?.length ?? 0) > API_KEY_NAME_CHARACTERS_MAX) {
    throw errors.BadRequestException(`Invalid API Key name, can be at most ${API_KEY_NAME_CHARACTERS_MAX} characters.`)
  }
  return name || undefined
}

/** Ours: the words. */
export function checkTags(tags: Record<string, string>): Record<string, string> {
  if (Object.keys(tags).length > TAGS_PER_RESOURCE_MAX) throw errors.BadRequestException(`A resource cannot have more than ${TAGS_PER_RESOURCE_MAX} tags`)
  return tags
}

/** As AWS shows a key. Observed: AWS, 27-07-2023, recorded by localstack's test_api_key_required_for_methods (a key's members when it is made). */
function describeKey({ id, name, description, customerId, enabled, tags, createdAtMs, lastUpdatedAtMs }: ApiKeyRecord, value?: string): sdk.ApiKey {
  return {
    id, value, name, description, customerId, enabled,
    createdDate: new Date(createdAtMs),
    lastUpdatedDate: new Date(lastUpdatedAtMs),
    // Stages are in usage plans; what is left of this deprecated member is its name.
    stageKeys: [],
    tags: Object.keys(tags).length > 0 ? tags : undefined,
  }
}

const keyOrder = ({ key }: StoredKey): string => `${String(key.createdAtMs).padStart(16, '0')}/${key.id}`

/** Source: API Gateway API reference, "Patch operations", UpdateApiKey. */
const patchRules: readonly PatchRule<ApiKeyRecord>[] = [
  { path: '/name', replace: (key, value) => { key.name = keyName(value) } },
  { path: '/description', replace: (key, value) => { key.description = value || undefined } },
  { path: '/customerId', replace: (key, value) => { key.customerId = value || undefined } },
  { path: '/enabled', replace: (key, value) => { key.enabled = booleanOf(value) } },
]
