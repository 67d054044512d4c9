// Secrets of a request, as logs and traces may show them: how long they are, and their last characters.

/** Headers and query parameters whose values are never written. Source: developer guide, "CloudWatch log formats for API Gateway". */
const secretNames = new Set(['authorization', 'proxy-authorization', 'x-api-key', 'x-amz-security-token', 'x-amz-signature'])

export const isSecret = (name: string): boolean => secretNames.has(name.toLowerCase())

const LEGIBLE_CHARACTERS = 6

/**
 * All but the last six characters as asterisks; nothing of a short value is legible.
 * Source: execution logs that users published (brefphp/bref issue 534: 34 asterisks before the last six of a key's 40 characters).
 */
export function masked(value: string): string {
  const legible = value.length > 2 * LEGIBLE_CHARACTERS ? value.slice(-LEGIBLE_CHARACTERS) : ''
  return '*'.repeat(value.length - legible.length) + legible
}

/**
 * Every value of these that occurs in a text is masked there too, as it is, in JSON, in JSON inside JSON (a function that answers with its event) and in a
 * URI. Of a short one only what is all of a JSON text or begins a query's value, since it may be a part of any word.
 */
export function maskedIn(text: string, secrets: readonly string[]): string {
  let shown = text
  for (const secret of secrets) {
    const inJson = escapedText(secret)
    const forms = new Set([secret, inJson, escapedText(inJson), encodeURIComponent(secret.toWellFormed())])
    for (const form of forms) {
      if (form.length > LEGIBLE_CHARACTERS) shown = shown.replaceAll(form, masked(form))
      else if (form !== '') for (const [before, after] of [['"', '"'], ['\\"', '\\"'], ['=', '']] as const) shown = shown.replaceAll(before + form + after, before + masked(form) + after)
    }
  }
  return shown
}

const escapedText = (text: string): string => JSON.stringify(text).slice(1, -1)
