// The REST protocol with JSON bodies: members travel in the path, the query string, headers, the status and the body.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import { AwsError } from '../errors.ts'
import type { OperationModel, ServiceModel, Shape, ShapeRef } from '../model.ts'
import { parseJson } from './aws-json.ts'
import { EVENT_STREAM, eventStreamOf, eventWriter } from './event-stream.ts'
import { base64, createJsonCodec, type JsonCodec } from './json-codec.ts'
import { errorMembers, wireErrors, type Protocol, type Route } from './protocol.ts'
import { createRouter } from './rest-routes.ts'
import { formatTimestamp, parseTimestamp } from './timestamps.ts'
import { typeFaultsOf, type TypeFault } from './type-faults.ts'

type Reader = (route: Route, request: HttpRequest, body: Buffer) => Record<string, unknown>
type Writer = (output: Record<string, unknown>, requestId: string) => HttpResponse

/** Source: Smithy, "AWS REST JSON protocol" and "HTTP bindings". */
export function createRestJsonProtocol(model: ServiceModel): Protocol {
  const codec = createJsonCodec(model)
  const fault = typeFaultsOf(model)
  const router = createRouter(model.operationNames.map((name) => model.operation(name)!))
  const readers = new Map<OperationModel, Reader>()
  const writers = new Map<OperationModel, Writer>()

  function routeByHead(request: HttpRequest): Route {
    const route = router(request.method, request.path, request.rawQuery)
    if (!route) throw new Unroutable()
    return route
  }

  return {
    family: 'rest-json',
    routeByHead,
    routeByBody: routeByHead,

    read(route, request, body) {
      let read = readers.get(route.operation)
      if (!read) readers.set(route.operation, read = compileReader(model, codec, fault, route.operation))
      return read(route, request, body)
    },

    write(operation, output, requestId) {
      let write = writers.get(operation)
      if (!write) writers.set(operation, write = compileWriter(model, codec, operation))
      return write(output, requestId)
    },

    writeError(error, requestId) {
      if (error instanceof Unroutable) return unroutableAnswer(error, requestId)
      const shape = model.errorShape(error.code)
      const headers: Record<string, string> = {
        'x-amzn-RequestId': requestId, 'x-amzn-ErrorType': shape?.name ?? error.code, 'Content-Type': 'application/json',
      }
      const members = errorMembers(error, shape?.members)
      if (shape) Object.assign(headers, headersOf(model, shape, members))
      return { status: error.status, headers, body: JSON.stringify(bodyOf(shape, members)) }
    },
  }
}

/** No operation has this method and path. Observed: any unknown path of Lambda and of other REST services, in published answers. */
class Unroutable extends AwsError {
  constructor() {
    const { code, status, message } = wireErrors.AccessDeniedException('Unable to determine service/operation name to be authorized')
    super(code, status, message)
  }
}

function unroutableAnswer({ status, code, message }: Unroutable, requestId: string): HttpResponse {
  return {
    status,
    headers: { 'x-amzn-RequestId': requestId, 'x-amzn-ErrorType': code },
    body: `<${code}>\n  <Message>${message}</Message>\n</${code}>\n`,
  }
}

function compileReader(model: ServiceModel, codec: JsonCodec, fault: TypeFault, { input }: OperationModel): Reader {
  if (!input) return () => ({})
  const members = Object.entries(input.members ?? {}).map(([name, ref]) => ({ name, ref, shape: model.shape(ref), wireName: ref.locationName ?? name }))
  const bound = members.filter(({ ref }) => ref.location !== undefined)
  const queryNames = new Set(bound.filter(({ ref, shape }) => ref.location === 'querystring' && shape.type !== 'map').map(({ wireName }) => wireName))
  const readBody = bodyReader(model, codec, input)
  return (route, request, body) => {
    const values = readBody(body)
    const query = queryNames.size > 0 || request.rawQuery !== '' ? new URLSearchParams(request.rawQuery) : undefined
    for (const { name, ref, shape, wireName } of bound) {
      const value = boundValue(ref, shape, wireName, { route, request, query, queryNames, model, fault })
      if (value !== undefined) values[name] = value
    }
    return values
  }
}

interface Bindings {
  route: Route
  request: HttpRequest
  query: URLSearchParams | undefined
  queryNames: ReadonlySet<string>
  model: ServiceModel
  fault: TypeFault
}

function boundValue(ref: ShapeRef, shape: Shape, wireName: string, { route, request, query, queryNames, model, fault }: Bindings): unknown {
  const scalar = (text: string | undefined, of: Shape) => text === undefined ? undefined : scalarOf(of, text, fault)
  switch (ref.location) {
    case 'uri': return scalar(route.labels?.[wireName], shape)
    case 'header': return scalar(request.headers.get(wireName), shape)
    case 'headers': {
      const prefix = wireName.toLowerCase()
      const entries = request.headers.entries().filter(([name]) => name.toLowerCase().startsWith(prefix))
      return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]))
    }
    case 'querystring': {
      if (!query) return undefined
      if (shape.type === 'list') return query.has(wireName) ? query.getAll(wireName).map((text) => scalar(text, model.shape(shape.member!))) : undefined
      if (shape.type !== 'map') return scalar(query.get(wireName) ?? undefined, shape)
      const isOfLists = model.shape(shape.value!).type === 'list'
      const names = [...new Set(query.keys())].filter((name) => !queryNames.has(name) && !name.startsWith('X-Amz-'))
      return Object.fromEntries(names.map((name) => [name, isOfLists ? query.getAll(name) : query.get(name)]))
    }
    default: return undefined
  }
}

/** Text of a path, query or header as a value. Times there are written in ISO 8601 or as HTTP does; both are read. */
function scalarOf(shape: Shape, text: string, fault: TypeFault): unknown {
  switch (shape.type) {
    case 'integer':
    case 'long': {
      if (!/^[+-]?\d{1,15}$/.test(text)) throw fault(text, shape, false)
      return Number(text)
    }
    case 'float':
    case 'double': {
      if (text.trim() === '' || !Number.isFinite(Number(text))) throw fault(text, shape, false)
      return Number(text)
    }
    case 'boolean': {
      if (text !== 'true' && text !== 'false') throw fault(text, shape, false)
      return text === 'true'
    }
    case 'timestamp': {
      const at = parseTimestamp(text)
      if (!at) throw fault(text, shape, false)
      return at
    }
    case 'blob': return Buffer.from(text, 'base64')
    default: return text
  }
}

/** Reads the body of an input: its payload member, or a JSON object of the members that are bound to nothing else. */
function bodyReader(model: ServiceModel, codec: JsonCodec, input: Shape): (body: Buffer) => Record<string, unknown> {
  if (input.payload !== undefined) {
    const name = input.payload
    const ref = input.members![name]!
    const { type } = model.shape(ref)
    if (type === 'blob') return (body) => body.length === 0 ? {} : { [name]: body }
    if (type === 'string') return (body) => body.length === 0 ? {} : { [name]: body.toString('utf8') }
    const decode = codec.decoder(ref)
    return (body) => body.length === 0 ? {} : { [name]: decode(notNull(parseJson(body)), 0) }
  }
  const inBody = (ref: ShapeRef): boolean => ref.location === undefined
  if (!Object.values(input.members ?? {}).some(inBody)) return () => ({})
  const decode = codec.structureDecoder(input, inBody)
  return (body) => body.length === 0 ? {} : decode(notNull(parseJson(body)), 0) as Record<string, unknown>
}

function notNull(value: unknown): unknown {
  if (value === null) throw wireErrors.SerializationException('')
  return value
}

function compileWriter(model: ServiceModel, codec: JsonCodec, { output, responseCode }: OperationModel): Writer {
  if (!output) return (_output, requestId) => ({ status: responseCode, headers: { 'x-amzn-RequestId': requestId } })
  const statusMember = Object.entries(output.members ?? {}).find(([, ref]) => ref.location === 'statusCode')?.[0]
  const hasHeaders = Object.values(output.members ?? {}).some((ref) => ref.location === 'header' || ref.location === 'headers')
  const writeBody = bodyWriter(model, codec, output)
  const contentType = output.payload !== undefined && model.shape(output.members![output.payload]!).eventstream ? EVENT_STREAM : 'application/json'
  return (values, requestId) => {
    const headers: Record<string, string> = { 'x-amzn-RequestId': requestId }
    const status = (statusMember === undefined ? undefined : values[statusMember] as number | undefined) ?? responseCode
    const body = status === 204 ? undefined : writeBody(values)
    if (body !== undefined) headers['Content-Type'] = contentType
    if (hasHeaders) Object.assign(headers, headersOf(model, output, values))
    return body === undefined ? { status, headers } : { status, headers, body }
  }
}

/**
 * Writes the body of an output.
 *
 * Ours: a payload of bytes whose operation declares no content type is labelled `application/json`, which is what Lambda's Invoke says.
 */
function bodyWriter(model: ServiceModel, codec: JsonCodec, output: Shape): (values: Record<string, unknown>) => HttpResponse['body'] {
  if (output.payload !== undefined) {
    const name = output.payload
    const ref = output.members![name]!
    const shape = model.shape(ref)
    if (shape.eventstream) {
      const write = eventWriter(model, codec, shape)
      return (values) => eventStreamOf(values[name] as AsyncIterable<Record<string, unknown>>, write)
    }
    if (shape.type === 'blob' || shape.type === 'string') {
      return (values) => values[name] instanceof Uint8Array && !Buffer.isBuffer(values[name])
        ? Buffer.from(values[name])
        : values[name] as HttpResponse['body']
    }
    const encode = codec.encoder(ref)
    return (values) => values[name] === undefined ? undefined : JSON.stringify(encode(values[name]))
  }
  // Source: Lambda API reference of 2014, InvokeAsync: a status that is a member is in the body as well.
  const encode = codec.structureEncoder(output, (ref) => ref.location === undefined || ref.location === 'statusCode')
  return (values) => JSON.stringify(encode(values))
}

/** The members of an output or error that travel in headers. */
function headersOf(model: ServiceModel, shape: Shape, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, ref] of Object.entries(shape.members ?? {})) {
    const value = values[name]
    if (value === undefined || value === null) continue
    if (ref.location === 'header') headers[ref.locationName ?? name] = headerText(model.shape(ref), ref, value)
    if (ref.location === 'headers') for (const [key, text] of Object.entries(value)) headers[`${ref.locationName}${key}`] = String(text)
  }
  return headers
}

/** The other members of an error, by their names on the wire. */
function bodyOf(shape: Shape | undefined, members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const inBody = Object.entries(members).filter(([name]) => shape?.members?.[name]?.location !== 'header')
  return Object.fromEntries(inBody.map(([name, value]) => [shape?.members?.[name]?.locationName ?? name, value]))
}

function headerText(shape: Shape, ref: ShapeRef, value: unknown): string {
  if (shape.type === 'timestamp') return String(formatTimestamp(value as Date, ref.timestampFormat ?? shape.timestampFormat ?? 'rfc822'))
  return shape.type === 'blob' ? base64(value as Uint8Array) : String(value)
}
