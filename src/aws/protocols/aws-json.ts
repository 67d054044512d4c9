// The JSON protocols 1.0 and 1.1: `POST /`, the operation in `X-Amz-Target`, input and output one JSON object each.

import { crc32 } from 'node:zlib'
import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import { declareErrors, type AwsError } from '../errors.ts'
import type { OperationModel, ServiceModel } from '../model.ts'
import { createJsonCodec, type Decode, type Encode } from './json-codec.ts'
import { errorMembers, mediaTypeOf, wireErrors, type Protocol, type Route } from './protocol.ts'
import { nestingFault } from './type-faults.ts'

/** Wrong method or content type: no protocol at all is recognized, and the answer is a bare XML element. */
const bareErrors = declareErrors({ UnknownOperationException: { status: 404 } })

/** Source: dynalite's tests against DynamoDB (`connection.js`) for every refusal before the body is read. */
export function createAwsJsonProtocol(model: ServiceModel): Protocol {
  const { jsonVersion = '1.0', targetPrefix } = model.metadata
  const contentType = `application/x-amz-json-${jsonVersion}`
  const codec = createJsonCodec(model)
  const decoders = new Map<OperationModel, Decode>()
  const encoders = new Map<OperationModel, Encode>()
  const isDynamoDb = model.signingName === 'dynamodb'

  function routeByHead(request: HttpRequest): Route {
    const mediaType = mediaTypeOf(request)
    const isSpoken = mediaType === contentType || mediaType === 'application/json' || !hasBody(request)
    if (request.method !== 'POST' || !isSpoken) throw bareErrors.UnknownOperationException('')
    const target = request.headers.get('x-amz-target') ?? ''
    const dot = target.indexOf('.')
    const operation = dot !== -1 && target.slice(0, dot) === targetPrefix ? model.operation(target.slice(dot + 1)) : undefined
    if (!operation) throw wireErrors.UnknownOperationException('')
    return { operation }
  }

  function respond(status: number, members: unknown, requestId: string): HttpResponse {
    const body = JSON.stringify(members)
    const headers: Record<string, string> = { 'x-amzn-RequestId': requestId, 'Content-Type': contentType }
    // SDKs check it where it is there. Source: dynalite's tests against DynamoDB.
    if (isDynamoDb) headers['x-amz-crc32'] = String(crc32(body))
    return { status, headers, body }
  }

  return {
    family: 'json',
    routeByHead,
    routeByBody: routeByHead,

    read({ operation }, _request, body) {
      // An empty body is no JSON either.
      const value = parseJson(body)
      if (value === null) throw wireErrors.SerializationException('')
      if (!operation.input) return {}
      return compiled(decoders, operation, () => codec.decoder({ shape: operation.input!.name }))(value, 0) as Record<string, unknown>
    },

    write(operation, output, requestId) {
      if (!operation.output) {
        // Source: dynalite and recorded answers of CloudWatch Logs: DynamoDB writes an empty object, the others nothing.
        return isDynamoDb ? respond(200, {}, requestId) : { status: 200, headers: { 'x-amzn-RequestId': requestId, 'Content-Type': contentType } }
      }
      return respond(200, compiled(encoders, operation, () => codec.encoder({ shape: operation.output!.name }))(output), requestId)
    },

    writeError(error, requestId) {
      if (isBareRefusal(error)) return bareAnswer(requestId, isDynamoDb)
      const shape = model.errorShape(error.code)
      const type = `${isDynamoDb ? dynamodbNamespace(error.code, shape !== undefined) : ''}${shape?.name ?? error.code}`
      const members = errorMembers(error, shape?.members)
      const encoded = shape ? { ...members, ...(codec.encoder({ shape: shape.name })(members) as object) } : members
      return respond(error.status, { __type: type, ...encoded }, requestId)
    },
  }
}

/** Parses a JSON body. Throws a `SerializationException` without a message when it is none, as AWS does. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw error instanceof RangeError ? nestingFault() : wireErrors.SerializationException('')
  }
}

function compiled<Codec>(codecs: Map<OperationModel, Codec>, operation: OperationModel, compile: () => Codec): Codec {
  const known = codecs.get(operation)
  if (known) return known
  const made = compile()
  codecs.set(operation, made)
  return made
}

function hasBody({ headers }: HttpRequest): boolean {
  const length = headers.get('content-length')
  return headers.get('transfer-encoding') !== undefined || (length !== undefined && Number(length) !== 0)
}

/** Source: dynalite's tests against DynamoDB. */
function dynamodbNamespace(code: string, isDeclared: boolean): string {
  if (code === 'ValidationException') return 'com.amazon.coral.validate#'
  return isDeclared ? 'com.amazonaws.dynamodb.v20120810#' : 'com.amazon.coral.service#'
}

function bareAnswer(requestId: string, hasChecksum: boolean): HttpResponse {
  const body = '<UnknownOperationException/>\n'
  const headers: Record<string, string> = { 'x-amzn-RequestId': requestId }
  if (hasChecksum) headers['x-amz-crc32'] = String(crc32(body))
  return { status: 404, headers, body }
}

/** Whether an error is the bare refusal of a request that no protocol recognizes. */
const isBareRefusal = (error: AwsError): boolean => error.code === 'UnknownOperationException' && error.status === 404
