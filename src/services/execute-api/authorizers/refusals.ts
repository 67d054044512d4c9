// What callers read whom a policy does not let in.

import { GatewayRefusal } from '../gateway-responses.ts'

/**
 * Source: public reports of such answers, of 2021 (without an explicit deny) and of 2024 and later (with one).
 */
export function denied(outcome: 'explicit-deny' | 'implicit-deny'): GatewayRefusal {
  const message = 'User is not authorized to access this resource'
  return new GatewayRefusal('ACCESS_DENIED', outcome === 'explicit-deny' ? `${message} with an explicit deny in an identity-based policy` : message)
}

/** Source: public reports of such answers, among them ASFHyP3/hyp3 issue 2283: eight asterisks and the last four digits. */
export function maskedAccount(arn: string): string {
  return arn.replace(/^(arn:[^:]*:[^:]*:[^:]*:)\d{8}(\d{4}:)/, '$1********$2')
}
