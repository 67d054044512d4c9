// GetExport: what a stage serves, as a definition that an import reads.

import { createRequire } from 'node:module'
import type * as sdk from '@aws-sdk/client-api-gateway'
import { readApi, type Caller, type Input } from '../edit.ts'
import { errors, missing } from '../errors.ts'
import type { ApiGateway } from '../index.ts'
import { findSnapshot, findStage } from '../store.ts'
import { exportDefinition, type ExportFormat, type ExportParts } from './definition.ts'

/** Loaded with the first export in YAML: most processes never need it. */
const load = createRequire(import.meta.url)

/**
 * Observed: AWS, 15-04-2024, recorded by localstack's test_export_swagger_openapi: the file's name, and `application/octet-stream` although
 * the client takes JSON. Source: API Gateway API reference, GetExport; ours: the words of the refusals.
 */
export async function getExport(request: Input<sdk.GetExportRequest>, call: Caller, { database, ...gateway }: ApiGateway): Promise<sdk.ExportResponse> {
  const { restApiId, stageName, exportType, accepts, parameters = {} } = request
  const api = await readApi({ database, ...gateway }, call, restApiId, missing.stage)
  const stored = await findStage(database, { apiId: restApiId, stageName })
  const snapshot = stored && await findSnapshot(database, [restApiId, stored.stage.deploymentId])
  if (!snapshot) throw missing.stage()
  if (exportType !== 'swagger' && exportType !== 'oas30') throw errors.BadRequestException(`No API exporter for type '${exportType}'`)
  const isYaml = yamlIsAccepted(accepts)
  const version = api.settings.version ?? new Date(api.createdAtMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const definition = exportDefinition(snapshot, { format: exportType satisfies ExportFormat, stageName, version, parts: partsOf(parameters) })
  const text = isYaml ? (load('yaml') as typeof import('yaml')).stringify(definition, { aliasDuplicateObjects: false }) : JSON.stringify(definition, null, 2)
  return {
    contentType: 'application/octet-stream',
    contentDisposition: `attachment; filename="${exportType}_${version}.${isYaml ? 'yaml' : 'json'}"`,
    body: Buffer.from(text),
  }
}

/** JSON unless YAML is asked for by name. */
function yamlIsAccepted(accepts: string | undefined): boolean {
  const types = (accepts || '*/*').split(',').map((type) => type.split(';')[0]!.trim().toLowerCase())
  if (types.some((type) => type === 'application/json' || type === '*/*' || type === 'application/*')) return false
  if (types.includes('application/yaml')) return true
  throw errors.BadRequestException(`Invalid content type specified: ${accepts}. Must be one of: [application/json, application/yaml]`)
}

const NO_PARTS: ExportParts = { integrations: false, authorizers: false, apigateway: false }

function partsOf(parameters: Readonly<Record<string, string>>): ExportParts {
  const names = (parameters['extensions'] ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '')
  const parts = { ...NO_PARTS }
  for (const name of names) {
    // Ours: refused rather than left out.
    if (name === 'postman') throw errors.NotImplemented('Exports with Postman\'s extensions are not served.')
    if (!Object.hasOwn(NO_PARTS, name)) throw errors.BadRequestException(`Invalid extension specified: ${name}. Must be one of: [integrations, authorizers, apigateway]`)
    parts[name as keyof ExportParts] = true
  }
  return parts
}
