// The query protocol: `Action` and `Version` in a form or the query string, dotted names, XML answers.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { OperationModel, ServiceModel } from '../model.ts'
import { createFormReaders, treeOf, type FormReader } from './form-tree.ts'
import { mediaTypeOf, wireErrors, type Protocol, type Route } from './protocol.ts'
import { createXmlWriters, escapeXml } from './xml-writer.ts'

/** Source: Smithy, "AWS query protocol". */
export function createQueryProtocol(model: ServiceModel): Protocol {
  const { apiVersion, xmlNamespace = '' } = model.metadata
  const readerOf = createFormReaders(model)
  const writers = createXmlWriters(model)
  const readers = new Map<OperationModel, FormReader>()
  const memberWriters = new Map<OperationModel, (value: unknown) => string>()

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

    write(operation, output, requestId) {
      let write = memberWriters.get(operation)
      if (!write) memberWriters.set(operation, write = operation.output ? writers.members(operation.output) : () => '')
      const wrapper = operation.resultWrapper
      const members = write(output)
      const result = wrapper === undefined ? members : `<${wrapper}>${members}</${wrapper}>`
      return answer(200, requestId, `<${operation.name}Response xmlns="${xmlNamespace}">${result}`
        + `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation.name}Response>`)
    },

    writeError(error, requestId) {
      const code = model.errorShape(error.code)?.error?.code ?? error.code
      return answer(error.status, requestId, `<ErrorResponse xmlns="${xmlNamespace}"><Error>`
        + `<Type>${error.status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message>`
        + `</Error><RequestId>${requestId}</RequestId></ErrorResponse>`)
    },
  }
}

function answer(status: number, requestId: string, body: string): HttpResponse {
  return { status, headers: { 'x-amzn-RequestId': requestId, 'Content-Type': 'text/xml' }, body }
}
