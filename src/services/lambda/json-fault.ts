// What is wrong with a payload that is no JSON, as Lambda's parser says it.

/**
 * The sentence, or undefined for JSON.
 *
 * Source: published answers of AWS: `Unrecognized token 'a': was expecting …` for bare words, `Unexpected character ('x' (code 120)): …` for
 * others, `Unexpected end-of-input …` for JSON that stops; each ends with a place.
 */
export function jsonFault(payload: Buffer): string | undefined {
  const text = payload.toString('utf8')
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return sentence(text, (error as SyntaxError).message)
  }
}

const EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

function sentence(text: string, message: string): string {
  const at = Number(/position (\d+)/.exec(message)?.[1] ?? text.length)
  const found = /^\s*([A-Za-z_$][\w$]*)/.exec(text)
  if (found && !['true', 'false', 'null'].includes(found[1]!)) return `Unrecognized token '${found[1]}': ${EXPECTED}\n at ${place(text, found[0].length)}`
  if (at >= text.length) return `Unexpected end-of-input\n at ${place(text, text.length)}`
  const character = text[at]!
  return `Unexpected character ('${character}' (code ${character.codePointAt(0)})): expected a valid value ${EXPECTED.slice('was expecting '.length)}\n at ${place(text, at)}`
}

function place(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n')
  return `[Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: ${lines.length}, column: ${lines.at(-1)!.length + 1}]`
}
