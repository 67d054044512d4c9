// `$input`: the payload and the parameters of the request that a template maps.

import { parseJson, printJson, JsonSyntaxError } from './json.ts'
import { JsonPathError, type JsonPaths } from './json-path/path.ts'
import { HostObject, JavaMap, mapOf, noSuchMethod, toText, type Value } from './values.ts'

/** A request's parameters, decoded. Of a parameter that came several times, the last value counts. */
export interface RequestParameters {
  path: Readonly<Record<string, string>>
  querystring: Readonly<Record<string, string>>
  header: Readonly<Record<string, string>>
}

/** The payload was asked for as JSON, and is not. */
export class PayloadNotJson extends Error {
  constructor(cause: JsonSyntaxError) {
    super(cause.message, { cause })
    this.name = 'PayloadNotJson'
  }
}

/** What an absent payload reads as. Observed: AWS, 19-03-2025, recorded by localstack's test_input_body_formatting. */
const EMPTY_PAYLOAD = '{}'

/**
 * Source: API Gateway developer guide, "Variables for data transformations", `$input` variables.
 */
export class Input extends HostObject {
  readonly #payload: string
  readonly #parameters: RequestParameters
  readonly #paths: JsonPaths
  #parsed: { value: Value } | undefined
  #parameterMaps: JavaMap | undefined

  constructor(payload: string, parameters: RequestParameters, paths: JsonPaths) {
    super()
    this.#payload = payload === '' ? EMPTY_PAYLOAD : payload
    this.#parameters = parameters
    this.#paths = paths
  }

  override property(name: string): Value {
    return name === 'body' ? this.#payload : undefined
  }

  override call(name: string, args: readonly Value[]): Value | typeof noSuchMethod {
    if (name === 'params' && args.length === 0) return this.#allParameters()
    if (args.length !== 1) return noSuchMethod
    switch (name) {
      case 'params': return this.#parameter(toText(args[0]))
      case 'path': return this.#read(toText(args[0]))
      case 'json': return this.#json(toText(args[0]))
      default: return noSuchMethod
    }
  }

  print(): string {
    return this.#payload
  }

  /** The first of path, query string and header that has the parameter, or empty text. */
  #parameter(name: string): string {
    const { path, querystring, header } = this.#parameters
    for (const values of [path, querystring, header]) {
      if (Object.hasOwn(values, name)) return values[name]!
    }
    // Header names have no case.
    const lower = name.toLowerCase()
    const found = Object.keys(header).find((key) => key.toLowerCase() === lower)
    return found === undefined ? '' : header[found]!
  }

  #allParameters(): JavaMap {
    const { path, querystring, header } = this.#parameters
    return (this.#parameterMaps ??= mapOf({ path: mapOf(path), querystring: mapOf(querystring), header: mapOf(header) }))
  }

  /** @throws PayloadNotJson */
  #read(path: string): Value {
    this.#parsed ??= { value: parsePayload(this.#payload) }
    try {
      return this.#paths.get(path).read(this.#parsed.value)
    } catch (error) {
      if (error instanceof JsonPathError) throw new RangeError(error.message)
      throw error
    }
  }

  /**
   * The value at the path as JSON. A path that leads nowhere gives an empty JSON text.
   * Source: localstack's emulation of `$input.json`, which answers `""`; the developer guide does not say.
   */
  #json(path: string): string {
    const value = this.#read(path)
    return value === undefined ? '""' : printJson(value, 'with plain slashes')
  }
}

function parsePayload(payload: string): Value {
  try {
    return parseJson(payload)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new PayloadNotJson(error)
    throw error
  }
}
