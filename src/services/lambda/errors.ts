// Lambda's errors: code, status and the member that says whose fault it was.

import { declareErrors } from '#aws/errors.ts'
import { AwsError } from '#aws/errors.ts'

const members = { Type: 'User' } as const

/** Source: Lambda API reference, errors of each operation. */
export const errors = declareErrors({
  InvalidParameterValueException: { status: 400, members },
  InvalidRequestContentException: { status: 400, members },
  ResourceConflictException: { status: 409, members },
  ResourceNotFoundException: { status: 404, members },
  ProvisionedConcurrencyConfigNotFoundException: { status: 404, members },
  PreconditionFailedException: { status: 412, members },
  PolicyLengthExceededException: { status: 400, members },
  /** Without a Type. Observed: AWS, 10-04-2024, recorded by localstack's test_oversized_zipped_create_lambda. */
  RequestEntityTooLargeException: { status: 413 },
  TooManyRequestsException: { status: 429, members },
  ServiceException: { status: 500, members: { Type: 'Service' } },
  /** Without a Type. Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions: violated constraints. */
  ValidationException: { status: 400 },
  /** Ours: authorization's refusals have no Type either. */
  AccessDeniedException: { status: 403 },
})

/** A part of an operation that is served otherwise. Ours: AWS has no such answer. */
export function notServed(what: string): AwsError {
  return new AwsError('NotImplemented', 501, `Lambda.${what} is not implemented by Countersign.`)
}
