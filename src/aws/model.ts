// Typed access to a service model: its operations, shapes and errors, as the vendored JSON describes them.

import { readFileSync } from 'node:fs'

/** A mention of a shape, with what the place adds to it. */
export interface ShapeRef {
  shape: string
  /** The name on the wire where it is not the member's own. */
  locationName?: string
  /** Where in an HTTP message a member goes; absent: in the body. */
  location?: 'uri' | 'querystring' | 'header' | 'headers' | 'statusCode'
  timestampFormat?: TimestampFormat
  /** Of an event: the member whose bytes are the message. */
  eventpayload?: boolean
}

export type TimestampFormat = 'unixTimestamp' | 'iso8601' | 'rfc822'

export type ShapeType =
  | 'structure' | 'list' | 'map' | 'string' | 'blob' | 'boolean' | 'timestamp'
  | 'integer' | 'long' | 'float' | 'double'

export interface Shape {
  readonly name: string
  readonly type: ShapeType
  /** Of a structure. */
  readonly members?: Readonly<Record<string, ShapeRef>>
  readonly required?: readonly string[]
  /** The member of a structure that is the whole body. */
  readonly payload?: string
  /** Of a list. */
  readonly member?: ShapeRef
  /** Of a map. */
  readonly key?: ShapeRef
  readonly value?: ShapeRef
  /** A list or map whose elements stand without a wrapper. */
  readonly flattened?: boolean
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly timestampFormat?: TimestampFormat
  readonly streaming?: boolean
  readonly eventstream?: boolean
  readonly sensitive?: boolean
  readonly exception?: boolean
  readonly error?: { readonly code?: string, readonly httpStatusCode?: number, readonly senderFault?: boolean }
}

export interface OperationModel {
  readonly name: string
  readonly method: string
  /** With `{labels}`, and with `?name=value` where that tells operations apart. */
  readonly requestUri: string
  readonly responseCode: number
  readonly input: Shape | undefined
  readonly output: Shape | undefined
  /** Of the query protocol. */
  readonly resultWrapper: string | undefined
}

export interface ModelMetadata {
  readonly apiVersion: string
  readonly protocol: 'query' | 'json' | 'rest-json'
  /** As people call the service: `API Gateway`. */
  readonly serviceId: string
  readonly serviceFullName: string
  readonly endpointPrefix: string
  readonly signingName?: string
  readonly jsonVersion?: string
  readonly targetPrefix?: string
  readonly xmlNamespace?: string
}

export interface ServiceModel {
  /** File name without its ending: `lambda-2015-03-31`. */
  readonly name: string
  readonly metadata: ModelMetadata
  /** The service in a credential scope. */
  readonly signingName: string
  /** In the order of the alphabet. */
  readonly operationNames: readonly string[]
  operation(name: string): OperationModel | undefined
  shape(ref: ShapeRef): Shape
  /** The declared error of this wire code or shape name. */
  errorShape(code: string): Shape | undefined
}

interface ModelFile {
  metadata: ModelMetadata
  operations: Record<string, {
    http: { method: string, requestUri: string, responseCode?: number }
    input?: ShapeRef
    output?: ShapeRef & { resultWrapper?: string }
  }>
  shapes: Record<string, Omit<Shape, 'name'>>
}

/** Reads a vendored model. Throws when there is none of that name: a mistake in the program. */
export function loadModel(name: string): ServiceModel {
  const file = JSON.parse(readFileSync(new URL(`./models/${name}.json`, import.meta.url), 'utf8')) as ModelFile
  return modelFrom(name, file)
}

/** A model from its parsed file. */
export function modelFrom(name: string, file: ModelFile): ServiceModel {
  const { metadata } = file
  const shapes = new Map<string, Shape>()
  const errors = new Map<string, Shape>()
  for (const [shapeName, shape] of Object.entries(file.shapes)) {
    const named = Object.assign(shape, { name: shapeName })
    shapes.set(shapeName, named)
    if (!shape.exception) continue
    errors.set(shapeName, named)
    if (shape.error?.code) errors.set(shape.error.code, named)
  }
  const shape = (ref: ShapeRef): Shape => {
    const found = shapes.get(ref.shape)
    if (!found) throw new Error(`${name} has no shape ${ref.shape}`)
    return found
  }
  const operations = new Map<string, OperationModel>()
  for (const [operationName, { http, input, output }] of Object.entries(file.operations)) {
    operations.set(operationName, {
      name: operationName,
      method: http.method,
      requestUri: http.requestUri,
      responseCode: http.responseCode ?? 200,
      input: input && shape(input),
      output: output && shape(output),
      resultWrapper: output?.resultWrapper,
    })
  }
  return {
    name,
    metadata,
    signingName: metadata.signingName ?? metadata.endpointPrefix,
    operationNames: [...operations.keys()].sort(),
    operation: (operationName) => operations.get(operationName),
    shape,
    errorShape: (code) => errors.get(code),
  }
}
