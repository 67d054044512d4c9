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

/** Every value of these that occurs in a text is masked there too: events of functions repeat headers and keys. */
export function maskedIn(text: string, secrets: readonly string[]): string {
  let shown = text
  for (const secret of secrets) if (secret.length > LEGIBLE_CHARACTERS) shown = shown.replaceAll(secret, masked(secret))
  return shown
}
