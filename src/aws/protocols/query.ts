// The query protocol: `Action` and `Version` in a form or the query string, dotted names, answers in XML, or in JSON for who accepts it.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { OperationModel, ServiceModel } from '../model.ts'
import { createFormReaders, treeOf, type FormReader } from './form-tree.ts'
import { createJsonCodec, type Encode } from './json-codec.ts'
import { mediaTypeOf, wireErrors, type Protocol, type Route } from './protocol.ts'
import { createXmlWriters, escapeXml } from './xml-writer.ts'

/**
 * Source: Smithy, "AWS query protocol"; for JSON kubernetes-sigs/aws-iam-authenticator, which reads GetCallerIdentity so, and of errors answers
 * of queues behind API Gateway that users published. API Gateway's AWS integrations accept JSON unless they map the header.
 */
export function createQueryProtocol(model: ServiceModel): Protocol {
  const { apiVersion, xmlNamespace = '' } = model.metadata
  const readerOf = createFormReaders(model)
  const writers = createXmlWriters(model)
  const readers = new Map<OperationModel, FormReader>()
  const memberWriters = new Map<OperationModel, (value: unknown) => string>()
  const codec = createJsonCodec(model)
  const encoders = new Map<OperationModel, Encode>()

  function jsonMembers(operation: OperationModel, output: Record<string, unknown>): object {
    let encode = encoders.get(operation)
    if (!encode) encoders.set(operation, encode = operation.output ? codec.structureEncoder(operation.output, () => true) : () => ({}))
    return encode(output) as object
  }

  function routeByBody(request: HttpRequest, body: Buffer): Route {
    const form = new URLSearchParams(request.rawQuery)
    if (mediaTypeOf(request) === 'application/x-www-form-urlencoded') {
      for (const [name, value] of new URLSearchParams(body.toString('utf8'))) form.append(name, value)
    }
    const action = form.get('Action')
    if (!action) throw wireErrors.MissingAction('Missing Action')
    const version = form.get('Version')
    const operation = version === apiVersion ? model.operation(action) : undefined
    // Observed: SES, 20-01-2013, reported to the AWS CLI's tracker (issue 37): the sentence. `NO_VERSION_SPECIFIED`: published answers of STS.
    if (!operation) throw wireErrors.InvalidAction(`Could not find operation ${action} for version ${version ?? 'NO_VERSION_SPECIFIED'}`)
    return { operation, form }
  }

  return {
    family: 'query',
    routeByHead: () => undefined,
    routeByBody,

    read({ operation, form }) {
      if (!operation.input || !form) return {}
      let read = readers.get(operation)
      if (!read) readers.set(operation, read = readerOf({ shape: operation.input.name }))
      return read(treeOf(form)) as Record<string, unknown>
    },

    write(operation, output, requestId, request) {
      if (acceptsJson(request)) {
        const members = jsonMembers(operation, output)
        const result = operation.resultWrapper === undefined ? members : { [operation.resultWrapper]: members }
        return answer(200, requestId, JSON.stringify({ [`${operation.name}Response`]: { ...result, ResponseMetadata: { RequestId: requestId } } }), 'application/json')
      }
      let write = memberWriters.get(operation)
      if (!write) memberWriters.set(operation, write = operation.output ? writers.members(operation.output) : () => '')
      const wrapper = operation.resultWrapper
      const members = write(output)
      const result = wrapper === undefined ? members : `<${wrapper}>${members}</${wrapper}>`
      return answer(200, requestId, `<${operation.name}Response xmlns="${xmlNamespace}">${result}`
        + `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation.name}Response>`)
    },

    writeError(error, requestId, request) {
      const code = model.errorShape(error.code)?.error?.code ?? error.code
      if (acceptsJson(request)) {
        const Type = error.status < 500 ? 'Sender' : 'Receiver'
        return answer(error.status, requestId, JSON.stringify({ Error: { Code: code, Message: error.message, Type }, RequestId: requestId }), 'application/json')
      }
      return answer(error.status, requestId, `<ErrorResponse xmlns="${xmlNamespace}"><Error>`
        + `<Type>${error.status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message>`
        + `</Error><RequestId>${requestId}</RequestId></ErrorResponse>`)
    },
  }
}

/** Whether JSON is the first that a client accepts. */
function acceptsJson(request: HttpRequest): boolean {
  return /^\s*application\/json\s*(?:[,;]|$)/i.test(request.headers.get('accept') ?? '')
}

function answer(status: number, requestId: string, body: string, contentType = 'text/xml'): HttpResponse {
  return { status, headers: { 'x-amzn-RequestId': requestId, 'Content-Type': contentType }, body }
}
