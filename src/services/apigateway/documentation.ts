// Documentation parts: texts about places of an API, kept beside its design and part of no deployment.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { addPart, describePart, documentationOf, locationOf, propertiesText, requirePart } from './documentation-rules.ts'
import { errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import { createFindings } from './import/findings.ts'
import { planDocumentation } from './import/plan-documentation.ts'
import { readDefinition } from './import/read-definition.ts'
import type { DocumentationPart } from './model.ts'
import { pageOf } from './pages.ts'
import { applyPatches, type PatchRule } from './patch.ts'

export function createDocumentationPart(
  { restApiId, location, properties }: Input<sdk.CreateDocumentationPartRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.DocumentationPart> {
  const id = newId(gateway.random)
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), ({ design }) =>
    describePart(addPart(design, { id, location: locationOf(location), properties: propertiesText(properties) })))
}

export async function getDocumentationPart(
  { restApiId, documentationPartId }: Input<sdk.GetDocumentationPartRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.DocumentationPart> {
  const { design } = await readApi(gateway, call, restApiId, missing.documentationPart)
  return describePart(requirePart(design, documentationPartId))
}

/** Ours: the order is that of the places; AWS promises none. Whatever has no documentation is not listed. */
export async function getDocumentationParts(
  { restApiId, type, nameQuery, path, locationStatus, ...page }: Input<sdk.GetDocumentationPartsRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.DocumentationParts> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  if (locationStatus === 'UNDOCUMENTED') throw errors.NotImplemented('Lists of what is not documented are not served.')
  const parts = Object.values(documentationOf(design)).filter(({ location }) =>
    (type === undefined || location.type === type) && (nameQuery === undefined || (location.name ?? '').includes(nameQuery)) && (path === undefined || location.path === path))
  const { items, position } = pageOf(parts, ({ id, location }) => `${location.path ?? ''} ${location.method ?? ''} ${location.type} ${id}`, page)
  return { items: items.map(describePart), position }
}

export function updateDocumentationPart(
  { restApiId, documentationPartId, patchOperations }: Input<sdk.UpdateDocumentationPartRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.DocumentationPart> {
  return editApi(gateway, call, restApiId, missing.documentationPart, ({ design }) => {
    const part = requirePart(design, documentationPartId)
    applyPatches(part, patchOperations, patchRules, 'listed')
    return describePart(part)
  })
}

/** Observed: AWS, 15-04-2024, recorded by localstack's test_invalid_delete_documentation_part: here the API is missed by name. */
export function deleteDocumentationPart(
  { restApiId, documentationPartId }: Input<sdk.DeleteDocumentationPartRequest>, call: Caller, gateway: ApiGateway,
): Promise<void> {
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), ({ design }) => {
    requirePart(design, documentationPartId)
    delete documentationOf(design)[documentationPartId]
  })
}

/** Observed: AWS, 09-02-2026 and 18-11-2025, recorded by localstack's test_import_documentation_parts and test_import_documentation_parts_bad_file. */
export function importDocumentationParts(
  { restApiId, body, mode = 'merge', failOnWarnings = false }: Input<sdk.ImportDocumentationPartsRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.DocumentationPartIds> {
  const findings = createFindings()
  const parts = planDocumentation(readable(body), findings)
  findings.settle({ failOnWarnings })
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), ({ design }) => {
    if (mode === 'overwrite') design.documentationParts = {}
    const ids = parts.map((part) => addPart(design, { ...part, id: newId(gateway.random) }, { merges: true }).id)
    return { ids, warnings: [...findings.warnings] }
  })
}

function readable(body: Uint8Array) {
  try {
    return readDefinition(body)
  } catch {
    throw errors.BadRequestException('Unable to build importer with provided input.')
  }
}

/** Observed: AWS, 15-04-2024, recorded by localstack's test_invalid_update_documentation_part. */
const patchRules: readonly PatchRule<DocumentationPart>[] = [
  { path: '/properties', replace: (part, value) => { part.properties = propertiesText(value) } },
]
