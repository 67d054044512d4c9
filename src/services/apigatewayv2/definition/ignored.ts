// What a definition says that HTTP APIs have no use for, and references in it that lead nowhere.

import { isObject, objectOf, referenced, textOf, type Json, type JsonObject } from '#aws/open-api.ts'
import type { Findings } from './findings.ts'

/** Members of an operation that OpenAPI knows and HTTP APIs do not. */
const IGNORED_IN_OPERATIONS = ['requestBody', 'responses', 'parameters', 'callbacks', 'deprecated', 'externalDocs', 'servers']
const IGNORED_IN_COMPONENTS = ['schemas', 'responses', 'parameters', 'examples', 'requestBodies', 'headers', 'links', 'callbacks']

/** Seen in reports: users' logs of ImportApi (`ImportInfo`). Source: Terraform's and moto's tests of failing on warnings (references that lead nowhere). */
export function noteIgnored(document: JsonObject, findings: Findings): void {
  const components = objectOf(document['components'])
  for (const key of IGNORED_IN_COMPONENTS) if (components[key] !== undefined) findings.inform(`components: key [${key}] will be ignored by API Gateway`)
  for (const [path, item] of Object.entries(objectOf(document['paths']))) {
    if (path.startsWith('x-')) continue
    for (const [method, operation] of Object.entries(objectOf(item))) {
      if (!isObject(operation) || method === 'parameters') continue
      for (const key of IGNORED_IN_OPERATIONS) {
        if (operation[key] !== undefined) findings.inform(`paths.${path}.${method}: key [${key}] will be ignored by API Gateway`)
      }
      noteDangling(document, operation, `paths.'${path}'(${method})`, findings)
    }
  }
}

function noteDangling(document: JsonObject, operation: JsonObject, at: string, findings: Findings): void {
  for (const [status, response] of Object.entries(objectOf(operation['responses']))) {
    noteContent(document, objectOf(response)['content'], `${at}.responses.${status}`, findings)
  }
  noteContent(document, objectOf(operation['requestBody'])['content'], `${at}.requestBody`, findings)
}

function noteContent(document: JsonObject, content: Json | undefined, at: string, findings: Findings): void {
  for (const body of Object.values(objectOf(content))) {
    const ref = textOf(objectOf(objectOf(body)['schema'])['$ref'])
    if (ref?.startsWith('#/') && referenced(document, ref) === undefined) findings.warn(`Parse issue: attribute ${at}.content.schema.${ref} is missing`)
  }
}
