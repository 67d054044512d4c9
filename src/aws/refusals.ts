// How a refused signature, an unread body and a failure of ours look: one table for each family of protocols.

import { AwsError } from './errors.ts'
import type { SignatureFault, SignatureRefusal } from './authenticate.ts'
import type { OperationModel, ServiceModel } from './model.ts'
import type { Protocol } from './protocols/protocol.ts'

type Family = Protocol['family']

interface Refusal {
  code: string
  status: number
  /** Instead of the signature's own sentence. */
  message?: string
}

/**
 * Source: "Common Errors" of the IAM and DynamoDB API references; dynalite's tests against DynamoDB; recorded answers of STS (a wrong scope
 * and a wrong date are a `SignatureDoesNotMatch` there) and of Lambda (the unsigned request of its REST front end).
 */
const signatureRefusals: Readonly<Record<Family, Readonly<Record<SignatureFault, Refusal>>>> = {
  query: {
    missing: { code: 'MissingAuthenticationToken', status: 403 },
    incomplete: { code: 'IncompleteSignature', status: 400 },
    unsupported: { code: 'IncompleteSignature', status: 400 },
    'both-forms': { code: 'SignatureDoesNotMatch', status: 403 },
    'unknown-key': { code: 'InvalidClientTokenId', status: 403 },
    'invalid-token': { code: 'InvalidClientTokenId', status: 403 },
    'expired-token': { code: 'ExpiredToken', status: 403 },
    scope: { code: 'SignatureDoesNotMatch', status: 403 },
    expired: { code: 'SignatureDoesNotMatch', status: 403 },
    'not-yet-current': { code: 'SignatureDoesNotMatch', status: 403 },
    mismatch: { code: 'SignatureDoesNotMatch', status: 403 },
  },
  json: {
    missing: { code: 'MissingAuthenticationTokenException', status: 400 },
    incomplete: { code: 'IncompleteSignatureException', status: 400 },
    unsupported: { code: 'IncompleteSignatureException', status: 400 },
    'both-forms': { code: 'InvalidSignatureException', status: 400 },
    'unknown-key': { code: 'UnrecognizedClientException', status: 400 },
    'invalid-token': { code: 'UnrecognizedClientException', status: 400 },
    'expired-token': { code: 'ExpiredTokenException', status: 400 },
    scope: { code: 'InvalidSignatureException', status: 400 },
    expired: { code: 'InvalidSignatureException', status: 400 },
    'not-yet-current': { code: 'InvalidSignatureException', status: 400 },
    mismatch: { code: 'InvalidSignatureException', status: 400 },
  },
  'rest-json': {
    missing: { code: 'MissingAuthenticationTokenException', status: 403, message: 'Missing Authentication Token' },
    incomplete: { code: 'IncompleteSignatureException', status: 403 },
    unsupported: { code: 'IncompleteSignatureException', status: 403 },
    'both-forms': { code: 'InvalidSignatureException', status: 403 },
    'unknown-key': { code: 'UnrecognizedClientException', status: 403 },
    'invalid-token': { code: 'UnrecognizedClientException', status: 403 },
    'expired-token': { code: 'ExpiredTokenException', status: 403 },
    scope: { code: 'InvalidSignatureException', status: 403 },
    expired: { code: 'InvalidSignatureException', status: 403 },
    'not-yet-current': { code: 'InvalidSignatureException', status: 403 },
    mismatch: { code: 'InvalidSignatureException', status: 403 },
  },
}

/** A refused signature as the services of a family answer it. */
export function signatureError(family: Family, { fault, message }: SignatureRefusal): AwsError {
  const refusal = signatureRefusals[family][fault]
  return new AwsError(refusal.code, refusal.status, refusal.message ?? message)
}

/**
 * A body above the service's limit. It was not read to its end.
 *
 * Source: Lambda's published answers for the sentence, "Common Error Types" for the status; the REST services know the operation by now.
 */
export function bodyTooLargeError(family: Family, bytesMax: number, operation: OperationModel | undefined): AwsError {
  const code = family === 'query' ? 'RequestEntityTooLarge' : 'RequestEntityTooLargeException'
  return new AwsError(code, 413, `Request must be smaller than ${bytesMax} bytes${operation ? ` for the ${operation.name} operation` : ''}`)
}

/** Source: "Common Error Types": the one error of a server's own failure that a service declares, else the common one. */
export function internalError(model: ServiceModel): AwsError {
  const message = 'The request processing has failed because of an unknown error, exception or failure.'
  const code = ['InternalServerError', 'ServiceException', 'InternalFailure'].find((declared) => model.errorShape(declared)) ?? 'InternalFailure'
  return new AwsError(code, 500, message, code === 'ServiceException' ? { Type: 'Service' } : {})
}

/**
 * An operation of the model that this server does not have. 501 is no status that an SDK retries.
 *
 * Ours: AWS has no such answer.
 */
export function notImplementedError({ metadata }: ServiceModel, operation: OperationModel): AwsError {
  return new AwsError('NotImplemented', 501, `${metadata.serviceId}.${operation.name} is not implemented by Countersign.`)
}
