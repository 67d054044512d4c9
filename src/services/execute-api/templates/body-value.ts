// What a JSONPath finds in a body, as parameter mappings and selection expressions want it: text.

import { JsonPath, JsonPathError } from './json-path/path.ts'
import { JsonSyntaxError, parseJson, printJson } from './json.ts'
import { JavaList, JavaMap, toText, type Value } from './values.ts'

/** The body begins like JSON, and is none. */
export class BodyNotJson extends Error {
  override name = 'BodyNotJson'
}

/**
 * A whole body (`body`), or what a JSONPath finds in it (`body.a[0]`); undefined when it finds nothing. An absent body reads as an empty object.
 * One that begins like JSON must be it, even where it is taken whole; any other has nothing to be found in.
 *
 * Source: localstack's parameter mapping and its unit tests, tried on AWS by their authors.
 *
 * @throws BodyNotJson
 */
export function bodyValue(body: Buffer, expression: string): string | undefined {
  const text = body.toString('utf8').trim() || '{}'
  const parsed = /^[{['"]/.test(text) ? parsedBody(text) : undefined
  if (expression === 'body') return text
  if (parsed === undefined) return undefined
  try {
    const value = JsonPath.compile(`$${expression.slice('body'.length)}`).read(parsed)
    if (value === undefined || value === null) return undefined
    return value instanceof JavaList || value instanceof JavaMap ? printJson(value, 'with plain slashes') : toText(value)
  } catch (error) {
    if (error instanceof JsonPathError) return undefined
    throw error
  }
}

function parsedBody(text: string): Value {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new BodyNotJson(error.message, { cause: error })
    throw error
  }
}
