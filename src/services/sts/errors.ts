// Every error of STS, with its status.

import { declareErrors } from '#aws/errors.ts'

/** Source: STS API reference, errors of the operations and "Common Errors". */
export const errors = declareErrors({
  AccessDenied: { status: 403 },
  ExpiredTokenException: { status: 400 },
  IDPCommunicationError: { status: 400 },
  InvalidIdentityToken: { status: 400 },
  InvalidParameterValue: { status: 400 },
  MalformedPolicyDocument: { status: 400 },
  PackedPolicyTooLarge: { status: 400 },
  ValidationError: { status: 400 },
})
