// Every error of IAM, with its status.

import { declareErrors } from '#aws/errors.ts'

/** Source: IAM API reference, errors of the operations and "Common Errors". */
export const errors = declareErrors({
  AccessDenied: { status: 403 },
  DeleteConflict: { status: 409 },
  EntityAlreadyExists: { status: 409 },
  InvalidInput: { status: 400 },
  LimitExceeded: { status: 409 },
  MalformedPolicyDocument: { status: 400 },
  NoSuchEntity: { status: 404 },
  PolicyNotAttachable: { status: 400 },
  UnmodifiableEntity: { status: 400 },
  ValidationError: { status: 400 },
})
