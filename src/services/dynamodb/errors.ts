// How DynamoDB says no. Source: the API reference, "Error handling with DynamoDB"; every one of these is a 400.

import { declareErrors } from '#aws/errors.ts'

export const errors = declareErrors({
  ValidationException: { status: 400 },
  ResourceNotFoundException: { status: 400 },
  ResourceInUseException: { status: 400 },
  ConditionalCheckFailedException: { status: 400 },
  LimitExceededException: { status: 400 },
})

/** The most common beginning of a refusal. */
export const invalidParameter = (says: string) => errors.ValidationException(`One or more parameter values were invalid: ${says}`)
