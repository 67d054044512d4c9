// The rules over parameter mappings, templates and content types: what an integration may take from where.

import { errors, invalidMapping } from './errors.ts'
import { TEMPLATE_BYTES_MAX } from './limits.ts'
import type { Method } from './model.ts'

/**
 * Checks `integration.request.…` → source. A parameter of the method request must be declared on the method.
 *
 * Observed: AWS, 12-12-2024, recorded by localstack's test_put_integration_request_parameter_bool_type (the first sentence); the second is
 * seen in reports of refused imports.
 */
export function checkRequestMapping(mapping: Record<string, string> | undefined, method: Method): void {
  for (const [target, source] of Object.entries(mapping ?? {})) {
    if (!/^integration\.request\.(?:path|querystring|header|multivalueheader|multivaluequerystring)\.[^.\s]/.test(target)) throw invalidMapping(notAnExpression(target))
    if (isConstant(source) || /^method\.request\.body(?:\.|\[|$)/.test(source)) continue
    if (!/^method\.request\.(?:path|querystring|header|multivalueheader|multivaluequerystring)\.[^\s]+$/.test(source)) {
      throw invalidMapping(notAnExpression(source))
    }
    // The list forms stand for the same declared parameter.
    const declared = source.replace('.multivalueheader.', '.header.').replace('.multivaluequerystring.', '.querystring.')
    const parameters = method.requestParameters ?? {}
    if (!Object.hasOwn(parameters, source) && !Object.hasOwn(parameters, declared)) throw invalidMapping(notDeclared(source))
  }
}

/** Checks `method.response.header.…` → source. The header must be declared on the method response of that status, if there is one. */
export function checkResponseMapping(mapping: Record<string, string> | undefined, method: Method, statusCode: string): void {
  const declared = method.methodResponses?.[statusCode]?.responseParameters ?? {}
  for (const [target, source] of Object.entries(mapping ?? {})) {
    if (!/^method\.response\.(?:header|multivalueheader)\.[^\s]+$/.test(target)) throw invalidMapping(notAnExpression(target))
    if (!Object.hasOwn(declared, target)) throw invalidMapping(notDeclared(target))
    const isKnown = isConstant(source) || /^integration\.response\.(?:body(?:\.|\[|$)|(?:header|multivalueheader)\.[^\s]+$)/.test(source)
    if (!isKnown) throw invalidMapping(notAnExpression(source))
  }
}

const notAnExpression = (text: string): string => `Invalid mapping expression specified: ${text}`
const notDeclared = (parameter: string): string => `Invalid mapping expression parameter specified: ${parameter}`

/** Checks content type → template. */
export function checkTemplates(templates: Record<string, string | null> | undefined): void {
  for (const [contentType, template] of Object.entries(templates ?? {})) {
    requireContentType(contentType)
    // Ours: the words.
    if (Buffer.byteLength(template ?? '') > TEMPLATE_BYTES_MAX) {
      throw errors.BadRequestException(`Mapping template cannot be larger than ${TEMPLATE_BYTES_MAX} bytes`)
    }
  }
}

/** Observed: AWS, 18-06-2025, recorded by localstack's test_integration_response_invalid_responsetemplates. */
export function requireContentType(contentType: string): void {
  if (contentType === '$default') return
  if (!/^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+(?:\s*;.*)?$/.test(contentType)) {
    throw errors.BadRequestException(`Validation Result: warnings : [], errors : [Invalid content type specified: ${contentType}]`)
  }
}

/** A quoted text, a context variable or a stage variable. Source: API Gateway developer guide, "Parameter mapping". */
export function isConstant(source: string): boolean {
  return /^'[^']*'$/s.test(source) || /^(?:context|stageVariables)\.[^\s]+$/.test(source)
}
