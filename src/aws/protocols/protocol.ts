// What a wire protocol does for the dispatcher: finds the operation, reads the input, writes the answer or the error.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import { declareErrors, type AwsError } from '../errors.ts'
import type { OperationModel } from '../model.ts'

/** A request matched to an operation, with what was learnt on the way. */
export interface Route {
  operation: OperationModel
  /** Values of the request line's `{labels}`, decoded. */
  labels?: Readonly<Record<string, string>>
  /** The decoded form of a query-protocol request. */
  form?: URLSearchParams
}

export interface Protocol {
  /** Errors have a family look: how a signature is refused depends on it. */
  readonly family: 'query' | 'json' | 'rest-json'
  /**
   * The operation, as far as the head of the request tells. `undefined` when only the body does.
   * @throws AwsError when the head already shows that there is none.
   */
  routeByHead(request: HttpRequest): Route | undefined
  /** The operation, now that the body is here. */
  routeByBody(request: HttpRequest, body: Buffer): Route
  /**
   * The operation's input, its types checked, its constraints not.
   * @throws AwsError where the body does not parse or a type is wrong.
   */
  read(route: Route, request: HttpRequest, body: Buffer): Record<string, unknown>
  /** The request says what the client accepts, where a protocol has a choice. */
  write(operation: OperationModel, output: Record<string, unknown>, requestId: string, request: HttpRequest): HttpResponse
  writeError(error: AwsError, requestId: string, request: HttpRequest): HttpResponse
}

/** Refusals of the wire itself, shared by the protocols. Source: "Common Error Types" in each service's API reference. */
export const wireErrors = declareErrors({
  SerializationException: { status: 400 },
  UnknownOperationException: { status: 400 },
  InvalidAction: { status: 400 },
  MissingAction: { status: 400 },
  MalformedInput: { status: 400 },
  /** AWS's front ends refuse so where path, method or content type lead to no operation. */
  AccessDeniedException: { status: 403 },
})

/** The content type without its parameters, lower-cased. */
export function mediaTypeOf(request: HttpRequest): string {
  const header = request.headers.get('content-type') ?? ''
  const end = header.indexOf(';')
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase()
}

/** Codes of AWS's own request framework; their message member has a capital letter. */
const frameworkCodes = new Set(['SerializationException', 'AccessDeniedException'])

/**
 * The JSON body of an error: the message under the name that the service's model gives it, and the error's other members.
 *
 * Observed: DynamoDB, by dynalite's tests against it: `SerializationException` and `AccessDeniedException` have `Message`, others `message`.
 */
export function errorMembers(error: AwsError, declared: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  const hasCapital = declared ? 'Message' in declared && !('message' in declared) : frameworkCodes.has(error.code)
  const members: Record<string, unknown> = { ...error.members }
  if (error.message !== '') members[hasCapital ? 'Message' : 'message'] = error.message
  return members
}
