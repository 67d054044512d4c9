// Resources: create, read, list, move, delete.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { editApi, readApi, type Caller, type Input } from './edit.ts'
import { missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import type { ApiDesign, Resource } from './model.ts'
import { pageOf } from './pages.ts'
import { applyPatches, type PatchRule } from './patch.ts'
import { addResource, moveResource, removeResource, requireResource } from './resource-tree.ts'

export function createResource(
  { restApiId, parentId, pathPart }: Input<sdk.CreateResourceRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Resource> {
  const id = newId(gateway.random)
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) =>
    describeResource(addResource(design, { parentId, pathPart, id })))
}

export async function getResource(
  { restApiId, resourceId, embed }: Input<sdk.GetResourceRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Resource> {
  const { design } = await readApi(gateway, call, restApiId, missing.resource)
  return describeResource(requireResource(design, resourceId), embed)
}

/** Ours: in the order of their paths; AWS promises none. */
export async function getResources(
  { restApiId, embed, ...page }: Input<sdk.GetResourcesRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Resources> {
  const { design } = await readApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId))
  const { items, position } = pageOf(Object.values(design.resources), ({ path }) => path, page)
  return { items: items.map((resource) => describeResource(resource, embed)), position }
}

export function updateResource(
  { restApiId, resourceId, patchOperations }: Input<sdk.UpdateResourceRequest>, call: Caller, gateway: ApiGateway,
): Promise<sdk.Resource> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => {
    const resource = requireResource(design, resourceId)
    applyPatches({ design, resource }, patchOperations, patchRules, 'listed')
    return describeResource(resource)
  })
}

export function deleteResource({ restApiId, resourceId }: Input<sdk.DeleteResourceRequest>, call: Caller, gateway: ApiGateway): Promise<void> {
  return editApi(gateway, call, restApiId, missing.resource, ({ design }) => removeResource(design, requireResource(design, resourceId)))
}

/** A resource with its methods' names, or with the methods when `embed` asks for them. Source: API Gateway API reference, GetResources, `embed`. */
function describeResource({ id, parentId, pathPart, path, methods }: Resource, embed: readonly string[] = []): sdk.Resource {
  const names = Object.keys(methods)
  const resourceMethods = Object.fromEntries(names.map((name) => [name, embed.includes('methods') ? methods[name]! : {}]))
  return { id, parentId, pathPart, path, resourceMethods: names.length > 0 ? resourceMethods : undefined }
}

/** Source: API Gateway API reference, "Patch operations", UpdateResource. */
const patchRules: readonly PatchRule<{ design: ApiDesign, resource: Resource }>[] = [
  { path: '/parentId', replace: ({ design, resource }, parentId) => moveResource(design, resource, { parentId }) },
  { path: '/pathPart', replace: ({ design, resource }, pathPart) => moveResource(design, resource, { pathPart }) },
]
