// Layers: archives that functions find below `/opt`.

import type {
  DeleteLayerVersionRequest, GetLayerVersionByArnRequest, GetLayerVersionRequest, GetLayerVersionResponse, LayerVersionsListItem, ListLayersRequest,
  ListLayersResponse, ListLayerVersionsRequest, ListLayerVersionsResponse, PublishLayerVersionRequest, PublishLayerVersionResponse,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { downloadUrl } from './downloads.ts'
import { errors, notServed } from './errors.ts'
import { layerArn, layerVersionArn, parseLayerName, parseLayerVersionArn } from './layer-names.ts'
import { findLayerVersion, listLayerNames, listLayerVersions as listStored, type LayerKey, type LayerVersionKey } from './layer-store.ts'
import { LAYERS_PER_PAGE_MAX } from './limits.ts'
import { formatLastModified, type LayerVersionRecord } from './model.ts'
import { pageOf, pageRequest } from './pages.ts'
import { checkCompatibilities, checkCompatibleRuntime } from './settings.ts'
import { transactions } from './store.ts'

/** Source: Lambda API reference, PublishLayerVersion. Every call makes a version, also of what was published before. */
export async function publishLayerVersion(input: Valid<PublishLayerVersionRequest>, { scope }: Call, service: LambdaService): Promise<PublishLayerVersionResponse> {
  const { database, code, clock, random } = service
  const { Content } = input
  const key = parseLayerName(input.LayerName, scope)
  checkCompatibilities(input.CompatibleRuntimes, input.CompatibleArchitectures)
  if (key.accountId !== scope.accountId || key.region !== scope.region) throw errors.InvalidParameterValueException(`The layer ${layerArn(key)} belongs to another account or region.`)
  if (Content.S3Bucket !== undefined || Content.S3Key !== undefined) throw notServed('PublishLayerVersion with content from S3 (send the archive as ZipFile)')
  if (Content.ZipFile === undefined) throw errors.InvalidParameterValueException('Please provide a source for layer content.')
  const archive = Buffer.from(Content.ZipFile)
  const { sha256, bytes, unzippedBytes } = await code.accept(archive)
  const layer: Omit<LayerVersionRecord, 'version'> = {
    ...key, description: input.Description ?? '', licenseInfo: input.LicenseInfo, runtimes: input.CompatibleRuntimes, architectures: input.CompatibleArchitectures,
    codeSha256: sha256, codeBytes: bytes, unzippedBytes, createdMs: clock.now(), policy: [], policyRevisionId: random.uuid(),
  }
  const version = await database.transact(transactions.insertLayerVersion, { layer, archive })
  return describeLayer({ ...layer, version }, service)
}

/** Source: Lambda API reference, GetLayerVersion. */
export async function getLayerVersion({ LayerName, VersionNumber }: Valid<GetLayerVersionRequest>, { scope }: Call, service: LambdaService): Promise<GetLayerVersionResponse> {
  checkVersionNumber(VersionNumber)
  return describeLayer(await requireLayer({ ...parseLayerName(LayerName, scope), version: VersionNumber }, service), service)
}

/** Observed: AWS, 10-04-2024, recorded by localstack's test_layer_exceptions. */
const LAYER_VERSION_ARN_PATTERN = 'arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+'

/** Source: Lambda API reference, GetLayerVersionByArn. */
export async function getLayerVersionByArn({ Arn }: Valid<GetLayerVersionByArnRequest>, _call: Call, service: LambdaService): Promise<GetLayerVersionResponse> {
  const key = parseLayerVersionArn(Arn)
  if (!key) throw errors.ValidationException(`1 validation error detected: Value '${Arn}' at 'arn' failed to satisfy constraint: Member must satisfy regular expression pattern: ${LAYER_VERSION_ARN_PATTERN}`)
  return describeLayer(await requireLayer(key, service), service)
}

/**
 * Source: Lambda API reference, ListLayers: each layer with its latest version, of those that fit where a runtime or an architecture is asked for.
 * Ours: `NextMarker` may come with fewer layers than fit a page, when layers were left out.
 */
export async function listLayers(input: Valid<ListLayersRequest>, { scope }: Call, { database }: LambdaService): Promise<ListLayersResponse> {
  checkCompatibleRuntime(input.CompatibleRuntime)
  const { limit, after = '' } = pageRequest({ Marker: input.Marker, MaxItems: input.MaxItems }, LAYERS_PER_PAGE_MAX)
  const { items, next } = pageOf(await listLayerNames(database, { ...scope, after, limit: limit + 1 }), limit, (name) => name)
  const layers = []
  for (const name of items) {
    const key = { ...scope, name }
    const latest = await findLatest(key, input, database)
    if (latest) layers.push({ LayerName: name, LayerArn: layerArn(key), LatestMatchingVersion: describeInList(latest) })
  }
  return { Layers: layers, ...next }
}

/** Source: Lambda API reference, ListLayerVersions. Observed: AWS, 10-04-2024, recorded by localstack's test_layer_lifecycle: latest first. */
export async function listLayerVersions(input: Valid<ListLayerVersionsRequest>, { scope }: Call, { database }: LambdaService): Promise<ListLayerVersionsResponse> {
  checkCompatibleRuntime(input.CompatibleRuntime)
  const key = parseLayerName(input.LayerName, scope)
  const { limit, after } = pageRequest({ Marker: input.Marker, MaxItems: input.MaxItems }, LAYERS_PER_PAGE_MAX)
  const found: LayerVersionRecord[] = []
  let before = after === undefined ? undefined : Number(after)
  for (;;) {
    const more = await listStored(database, { ...key, before, limit: LAYERS_PER_PAGE_MAX + 1 })
    found.push(...more.filter((layer) => fits(layer, input)))
    before = more.at(-1)?.version
    if (more.length <= LAYERS_PER_PAGE_MAX || found.length > limit) break
  }
  const { items, next } = pageOf(found, limit, ({ version }) => String(version))
  return { LayerVersions: items.map(describeInList), ...next }
}

/** Observed: AWS, 10-04-2024, recorded by localstack's test_layer_exceptions: what is not there is deleted as well. */
export async function deleteLayerVersion({ LayerName, VersionNumber }: Valid<DeleteLayerVersionRequest>, { scope }: Call, { database }: LambdaService): Promise<void> {
  checkVersionNumber(VersionNumber)
  const key = parseLayerName(LayerName, scope)
  await database.transact(transactions.deleteLayerVersion, { ...key, version: VersionNumber })
}

/** Observed: AWS, 10-04-2024, recorded by localstack's test_layer_exceptions. */
export function checkVersionNumber(version: number): void {
  if (version < 1) throw errors.InvalidParameterValueException('Layer Version Cannot be less than 1')
}

async function requireLayer(key: LayerVersionKey, { database }: LambdaService): Promise<LayerVersionRecord> {
  const layer = await findLayerVersion(database, key)
  if (!layer) throw noLayer()
  return layer
}

/** Observed: AWS, 10-04-2024, recorded by localstack's test_layer_exceptions. */
function noLayer() {
  return errors.ResourceNotFoundException('The resource you requested does not exist.')
}

type Filter = Pick<ListLayersRequest, 'CompatibleRuntime' | 'CompatibleArchitecture'>

async function findLatest(key: LayerKey, filter: Filter, database: LambdaService['database']): Promise<LayerVersionRecord | undefined> {
  for (let before: number | undefined; ;) {
    const versions = await listStored(database, { ...key, before, limit: LAYERS_PER_PAGE_MAX })
    const found = versions.find((layer) => fits(layer, filter))
    if (found || versions.length < LAYERS_PER_PAGE_MAX) return found
    before = versions.at(-1)!.version
  }
}

function fits({ runtimes, architectures }: LayerVersionRecord, { CompatibleRuntime, CompatibleArchitecture }: Filter): boolean {
  return (CompatibleRuntime === undefined || !!runtimes?.includes(CompatibleRuntime)) && (CompatibleArchitecture === undefined || !!architectures?.includes(CompatibleArchitecture))
}

function describeLayer(layer: LayerVersionRecord, service: LambdaService): PublishLayerVersionResponse {
  return {
    ...describeInList(layer),
    LayerArn: layerArn(layer),
    Content: {
      Location: downloadUrl(layer.codeSha256, { ...service, endpoint: service.endpoint.url() }),
      CodeSha256: Buffer.from(layer.codeSha256, 'hex').toString('base64'),
      CodeSize: layer.codeBytes,
    },
  }
}

function describeInList({ description, licenseInfo, runtimes, architectures, createdMs, ...key }: LayerVersionRecord): LayerVersionsListItem {
  return {
    LayerVersionArn: layerVersionArn(key),
    Version: key.version,
    Description: description,
    CreatedDate: formatLastModified(createdMs),
    ...(runtimes && { CompatibleRuntimes: [...runtimes] as NonNullable<LayerVersionsListItem['CompatibleRuntimes']> }),
    ...(architectures && { CompatibleArchitectures: [...architectures] as NonNullable<LayerVersionsListItem['CompatibleArchitectures']> }),
    ...(licenseInfo === undefined ? {} : { LicenseInfo: licenseInfo }),
  }
}
