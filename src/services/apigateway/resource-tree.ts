// The tree of an API's resources: which names may stand beside and below which, and what path each has.

import { errors, missing } from './errors.ts'
import { RESOURCES_PER_API_MAX } from './limits.ts'
import type { ApiDesign, Resource } from './model.ts'

/** A new resource below `parentId`, with AWS's refusals. Observed: AWS, 15-04-2024, recorded by localstack's TestApiGatewayApiResource. */
export function addResource(design: ApiDesign, { parentId, pathPart, id }: { parentId: string, pathPart: string, id: string }): Resource {
  const parent = requireResource(design, parentId)
  checkPlace(design, parent, pathPart)
  if (Object.keys(design.resources).length >= RESOURCES_PER_API_MAX) {
    throw errors.LimitExceededException('Maximum number of resources for this API has been reached.')
  }
  return design.resources[id] = { id, parentId, pathPart, path: childPath(parent, pathPart), methods: {} }
}

/** Gives a resource another name or another parent, and everything below it new paths. */
export function moveResource(design: ApiDesign, resource: Resource, { parentId, pathPart }: { parentId?: string, pathPart?: string }): void {
  if (resource.id === design.rootResourceId) {
    throw errors.BadRequestException(`Root resource cannot update its ${parentId === undefined ? 'pathPart' : 'parentId'}.`)
  }
  const parent = requireResource(design, parentId ?? resource.parentId!)
  const name = pathPart ?? resource.pathPart!
  // Before the cycle is looked for, AWS looks at the new siblings. Observed: AWS, 15-04-2024, recorded by localstack's test_update_resource_behaviour.
  checkPlace(design, parent, name, resource.id)
  if (isBelow(design, parent, resource.id)) throw errors.BadRequestException('Resources cannot be cyclical.')
  resource.parentId = parent.id
  resource.pathPart = name
  renamePaths(design, resource, childPath(parent, name))
}

/** Removes a resource with everything below it. */
export function removeResource(design: ApiDesign, { id }: Resource): void {
  if (id === design.rootResourceId) throw errors.BadRequestException('Root resource cannot be deleted.')
  for (const child of childrenOf(design, id)) removeResource(design, child)
  delete design.resources[id]
}

export function requireResource(design: ApiDesign, id: string): Resource {
  const resource = Object.hasOwn(design.resources, id) ? design.resources[id] : undefined
  if (!resource) throw missing.resource()
  return resource
}

export function findByPath(design: ApiDesign, path: string): Resource | undefined {
  return Object.values(design.resources).find((resource) => resource.path === path)
}

const childrenOf = ({ resources }: ApiDesign, id: string): Resource[] => Object.values(resources).filter(({ parentId }) => parentId === id)

const childPath = (parent: Resource, pathPart: string): string => `${parent.path === '/' ? '' : parent.path}/${pathPart}`

const isVariable = (pathPart: string | undefined): boolean => pathPart?.startsWith('{') ?? false

const isGreedy = (pathPart: string | undefined): boolean => pathPart?.endsWith('+}') ?? false

function checkPlace(design: ApiDesign, parent: Resource, pathPart: string, except?: string): void {
  if (!/^(?:[a-zA-Z0-9._\-:]+|\{[a-zA-Z0-9._\-:]+\+?\})$/.test(pathPart)) {
    // Seen in many reports; newer answers also name the colon.
    throw errors.BadRequestException(
      "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.")
  }
  if (isGreedy(parent.pathPart)) {
    throw errors.BadRequestException(`Cannot create a child of a resource with a greedy path variable: ${parent.pathPart}`)
  }
  const siblings = childrenOf(design, parent.id).filter(({ id }) => id !== except)
  if (siblings.some((sibling) => sibling.pathPart === pathPart)) {
    throw errors.ConflictException(`Another resource with the same parent already has this name: ${pathPart}`)
  }
  const variable = isVariable(pathPart) ? siblings.find((sibling) => isVariable(sibling.pathPart)) : undefined
  if (variable) {
    throw errors.BadRequestException(
      `A sibling (${variable.pathPart}) of this resource already has a variable path part -- only one is allowed`)
  }
}

function isBelow(design: ApiDesign, resource: Resource | undefined, ancestorId: string): boolean {
  for (let at = resource; at; at = at.parentId === undefined ? undefined : design.resources[at.parentId]) {
    if (at.id === ancestorId) return true
  }
  return false
}

function renamePaths(design: ApiDesign, resource: Resource, path: string): void {
  resource.path = path
  for (const child of childrenOf(design, resource.id)) renamePaths(design, child, childPath(resource, child.pathPart!))
}
