// A service of which nothing is served: its clients are answered in their own form, 501, by operation.

import type { ServiceDefinition } from './service.ts'

/** Enough for any request that is going to be refused by name; the body must be read to judge the signature. */
const BODY_BYTES_MAX = 10 * 1024 * 1024

/** A definition without operations for a model, such as `apigatewayv2-2018-11-29`. */
export function notServed(model: string): ServiceDefinition {
  return {
    model,
    operations: {},
    service: undefined,
    bodyBytesMax: BODY_BYTES_MAX,
    errors: { validation: { code: 'ValidationException', status: 400 }, accessDenied: { code: 'AccessDeniedException', status: 403 } },
  }
}
