// Step 11: the answer, from the selected response's template, mappings and overrides.

import type { ContentHandling } from '#services/apigateway/index.ts'
import { configurationError } from '../../gateway-responses.ts'
import { responsePayload, templateOutput, type Payload } from '../content-handling.ts'
import type { CompiledTemplate } from '../../templates/stored-template.ts'
import type { CompiledResponse } from '../deployment.ts'
import type { ApiCall, IntegrationResult } from '../exchange.ts'
import { mapResponseParameters } from '../parameter-mapping.ts'
import { runTemplate } from '../run-template.ts'

export interface Answer {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
}

/** @throws GatewayRefusal 500 when the template fails, or the body cannot be converted as it should be. */
export function mapResponse(call: ApiCall, { definition, templates }: CompiledResponse, result: IntegrationResult): Answer {
  const headers: Record<string, string | string[]> = { 'Content-Type': 'application/json' }
  const chosen = chooseTemplate(call, templates)
  const { contentHandling } = definition
  // A mock's answer has no body but the one that a template makes.
  const isMock = call.integration.definition.type === 'MOCK'
  const payload: Payload = isMock ? { bytes: result.body, is: 'text' } : payloadOf(call, result, contentHandling)
  let body = payload.bytes
  if (chosen) {
    if (payload.is === 'binary' && chosen.template.is !== 'empty') throw configurationError('Unable to transform response')
    const output = runTemplate(call, chosen.template, payload.bytes, 'response-template')
    if (output !== undefined) body = isMock ? templateOutput(output, contentHandling) : Buffer.from(output)
    headers['Content-Type'] = chosen.contentType
  }
  setAll(headers, mapResponseParameters(call, definition, result))
  const { status, header } = call.context.overrides().response
  setAll(headers, header)
  return { status: status ?? Number(definition.statusCode), headers, body }
}

function payloadOf({ exchange, route }: ApiCall, { body, headers }: IntegrationResult, contentHandling: ContentHandling | undefined): Payload {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'content-type')
  const contentType = name === undefined ? undefined : [headers[name]!].flat()[0]
  const { binaryMediaTypes } = route.deployed.snapshot
  return responsePayload(body, { contentType, accept: exchange.request.headers.get('accept') }, { binaryMediaTypes, contentHandling })
}

/**
 * By what the client accepts, else JSON, else the first. Source: localstack's integration response handler, after AWS's
 * "Method response behavior for payloads without mapping templates".
 */
function chooseTemplate(
  { exchange }: ApiCall,
  templates: ReadonlyMap<string, CompiledTemplate>,
): { contentType: string, template: CompiledTemplate } | undefined {
  if (templates.size === 0) return undefined
  const accepted = exchange.request.headers.all('accept').at(-1)?.toLowerCase() ?? ''
  for (const contentType of [accepted, 'application/json', ...templates.keys()]) {
    const template = templates.get(contentType)
    if (template) return { contentType, template }
  }
  return undefined
}

/** Header names have no case: a mapping takes the place of a default. */
function setAll(headers: Record<string, string | string[]>, added: Readonly<Record<string, string | string[]>>): void {
  for (const [name, value] of Object.entries(added)) {
    const lower = name.toLowerCase()
    for (const existing of Object.keys(headers)) if (existing.toLowerCase() === lower) delete headers[existing]
    headers[name] = Array.isArray(value) && value.length === 1 ? value[0]! : value
  }
}
