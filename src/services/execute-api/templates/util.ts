// `$util`: the functions that every mapping template may call.

import { JsonSyntaxError, parseJson } from './json.ts'
import { HostObject, noSuchMethod, toText, type Value } from './values.ts'

/** Source: API Gateway developer guide, "Variables for data transformations", `$util` variables. */
export class Util extends HostObject {
  override call(name: string, args: readonly Value[]): Value | typeof noSuchMethod {
    const run = functions[name]
    if (run === undefined || !Object.hasOwn(functions, name) || args.length !== 1) return noSuchMethod
    return run(toText(args[0]))
  }

  print(): string {
    return ''
  }
}

const functions: Readonly<Record<string, (text: string) => Value>> = {
  escapeJavaScript,
  parseJson: (text) => {
    try {
      return parseJson(text)
    } catch (error) {
      throw error instanceof JsonSyntaxError ? new RangeError(`$util.parseJson: ${error.message}`) : error
    }
  },
  urlEncode,
  urlDecode: (text) => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '))
    } catch {
      throw new RangeError('$util.urlDecode: illegal hex characters in an escape (%) pattern')
    }
  },
  base64Encode: (text) => Buffer.from(text, 'utf8').toString('base64'),
  base64Decode: (text) => Buffer.from(text, 'base64').toString('utf8'),
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\b': '\\b', '\n': '\\n', '\t': '\\t', '\f': '\\f', '\r': '\\r', "'": "\\'", '"': '\\"', '\\': '\\\\', '/': '\\/',
}

/**
 * Text as it may stand in a JavaScript string. Anything beyond ASCII becomes `\uXXXX`, and `'` becomes `\'`, which JSON does not allow.
 * Source: API Gateway developer guide, `$util.escapeJavaScript()`: "using JavaScript string rules"; Apache Commons Lang 2.6,
 * StringEscapeUtils.escapeJavaScript, whose description that is.
 */
function escapeJavaScript(text: string): string {
  return text.replace(/[^ !#-&(-.0-[\]-~\u007f]/g, (character) =>
    shortEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
}

/** Source: Java SE API, URLEncoder: a blank becomes `+`, and only letters, digits and `.-*_` stay. */
function urlEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()~]|%20/g, (match) =>
    match === '%20' ? '+' : `%${match.charCodeAt(0).toString(16).toUpperCase()}`)
}
