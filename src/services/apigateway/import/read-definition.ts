// The bytes of a definition as a document, or API Gateway's refusal.

import { parseDefinition, type Definition } from '#aws/open-api.ts'
import { errors } from '../errors.ts'
import { IMPORT_BODY_BYTES_MAX } from '../limits.ts'

export { isObject, listOf, objectOf, resolved, textOf, textsOf, type Definition, type Json, type JsonObject } from '#aws/open-api.ts'

/** @throws BadRequestException. Observed: AWS, 18-11-2025, recorded by localstack's test_import_api_bad_file (what cannot be read). */
export function readDefinition(body: Uint8Array): Definition {
  if (body.length > IMPORT_BODY_BYTES_MAX) throw errors.BadRequestException(`API definition cannot be larger than ${IMPORT_BODY_BYTES_MAX} bytes`)
  const definition = parseDefinition(Buffer.from(body).toString('utf8'))
  if (!definition) throw errors.BadRequestException('Invalid OpenAPI input.')
  return definition
}
