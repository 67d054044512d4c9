// How CloudWatch Logs says no. Source: the API reference, errors of each operation; every one is a 400.

import { declareErrors } from '#aws/errors.ts'

export const errors = declareErrors({
  InvalidParameterException: { status: 400 },
  ResourceNotFoundException: { status: 400 },
  ResourceAlreadyExistsException: { status: 400 },
  OperationAbortedException: { status: 400 },
  TooManyTagsException: { status: 400 },
  ValidationException: { status: 400 },
})

/** Observed: AWS, 03-02-2026, recorded by localstack's test_resource_does_not_exist. */
export const noSuchGroup = () => errors.ResourceNotFoundException('The specified log group does not exist.')

/** Observed: AWS, 03-02-2026, recorded by localstack's test_put_log_events_to_invalid_stream. */
export const noSuchStream = () => errors.ResourceNotFoundException('The specified log stream does not exist.')

/** Observed: AWS, 03-02-2026, recorded by localstack's test_get_log_events_invalid_token. */
export const badToken = () => errors.InvalidParameterException('The specified nextToken is invalid.')
