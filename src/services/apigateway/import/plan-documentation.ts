// Documentation parts of a definition: those that it lists. Texts that stand in other places of it are not kept.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { AwsError } from '#aws/errors.ts'
import { locationOf } from '../documentation-rules.ts'
import type { DocumentationPart } from '../model.ts'
import type { Findings } from './findings.ts'
import { isObject, listOf, objectOf, textOf, type Definition } from './read-definition.ts'

type NewPart = Omit<DocumentationPart, 'id'>

/** Source: API Gateway developer guide, "x-amazon-apigateway-documentation". Ours: the words of the warnings. */
export function planDocumentation({ document }: Definition, findings: Findings): NewPart[] {
  return listOf(objectOf(document['x-amazon-apigateway-documentation'])['documentationParts']).flatMap((part) => {
    const { location, properties } = objectOf(part)
    if (!isObject(location) || !isObject(properties)) {
      findings.warn('Ignoring a documentation part without a location or properties')
      return []
    }
    const [path, method, statusCode, name] = ['path', 'method', 'statusCode', 'name'].map((member) => textOf(location[member]))
    try {
      return [{ location: locationOf({ type: textOf(location['type']) as sdk.DocumentationPartType, path, method, statusCode, name }), properties: JSON.stringify(properties) }]
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      findings.warn(`Ignoring a documentation part: ${error.message}`)
      return []
    }
  })
}
