// What a documentation part may be about, and what it may say.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { errors, missing } from './errors.ts'
import { DOCUMENTATION_PARTS_PER_API_MAX } from './limits.ts'
import type { ApiDesign, DocumentationLocation, DocumentationPart } from './model.ts'

/** APIs that were made before there was documentation have none. */
export const documentationOf = (design: ApiDesign): Record<string, DocumentationPart> => (design.documentationParts ??= {})

export function requirePart(design: ApiDesign, id: string): DocumentationPart {
  const part = documentationOf(design)[id]
  if (!part) throw missing.documentationPart()
  return part
}

export const describePart = ({ id, location, properties }: DocumentationPart): sdk.DocumentationPart => ({ id, location: location as sdk.DocumentationPartLocation, properties })

/** Type → the members that its place has. Source: API Gateway API reference, DocumentationPartLocation. */
const membersOf: Readonly<Record<string, readonly (keyof DocumentationLocation)[]>> = {
  API: [],
  AUTHORIZER: ['name'],
  MODEL: ['name'],
  RESOURCE: ['path'],
  METHOD: ['path', 'method'],
  PATH_PARAMETER: ['path', 'method', 'name'],
  QUERY_PARAMETER: ['path', 'method', 'name'],
  REQUEST_HEADER: ['path', 'method', 'name'],
  REQUEST_BODY: ['path', 'method'],
  RESPONSE: ['path', 'method', 'statusCode'],
  RESPONSE_HEADER: ['path', 'method', 'statusCode', 'name'],
  RESPONSE_BODY: ['path', 'method', 'statusCode'],
}

const members = ['path', 'method', 'statusCode', 'name'] as const

/** Ours: the words of the refusals; the rules are those of the API reference. */
export function locationOf(location: sdk.DocumentationPartLocation): DocumentationLocation {
  const type = location.type ?? ''
  const allowed = membersOf[type]
  if (!allowed) throw errors.BadRequestException(`Invalid location type specified: ${type}`)
  for (const member of members) {
    if (location[member] && !allowed.includes(member)) throw errors.BadRequestException(`Invalid location: '${member}' is not valid for the type ${type}`)
  }
  if (allowed.includes('name') && !location.name) throw errors.BadRequestException(`Invalid location: 'name' is required for the type ${type}`)
  const { path, method, statusCode, name } = location
  return { type, ...path ? { path } : {}, ...method ? { method } : {}, ...statusCode ? { statusCode } : {}, ...name ? { name } : {} }
}

/** A JSON object as text. Ours: the words. */
export function propertiesText(properties: string | undefined): string {
  try {
    const parsed: unknown = JSON.parse(properties ?? '')
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return properties!
  } catch {
    // Refused below.
  }
  throw errors.BadRequestException('Documentation part properties must be a JSON object')
}

/** An absent member is its default, so that both are one place. Source: API Gateway API reference, DocumentationPartLocation, defaults. */
const placeOf = ({ type, path = '/', method = '*', statusCode = '*', name = '' }: DocumentationLocation): string => JSON.stringify([type, path, method, statusCode, name])

/**
 * Adds a part; with `merges` its attributes replace those of the part that is about the same, whose others stay.
 * Source: API Gateway developer guide, "Document an API using the API Gateway REST API" (the sentence of the conflict) and "Import API
 * documentation"; quotas.
 */
export function addPart(design: ApiDesign, part: DocumentationPart, { merges = false } = {}): DocumentationPart {
  const parts = documentationOf(design)
  const same = Object.values(parts).find(({ location }) => placeOf(location) === placeOf(part.location))
  if (same && !merges) {
    const named = (['type', 'path', 'name', 'method', 'statusCode'] as const).flatMap((member) => part.location[member] === undefined ? [] : [`${member} '${part.location[member]}'`])
    throw errors.ConflictException(`Documentation part already exists for the specified location: ${named.join(', ')}.`)
  }
  if (!same && Object.keys(parts).length >= DOCUMENTATION_PARTS_PER_API_MAX) throw errors.LimitExceededException('Maximum number of documentation parts has been reached.')
  const stored = same ? { ...same, properties: JSON.stringify({ ...JSON.parse(same.properties), ...JSON.parse(part.properties) }) } : part
  return parts[stored.id] = stored
}
