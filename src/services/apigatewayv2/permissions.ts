// What callers need permission for: HTTP methods as actions, paths as resources.

import { formatArn, parseArn } from '#aws/arn.ts'
import type { Call, Permission } from '#aws/service.ts'

type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Actions are HTTP methods, resources are paths without an account, `arn:aws:apigateway:{region}::/apis/{id}/…`.
 * Source: Service Authorization Reference, "Amazon API Gateway Management V2".
 */
export function mayAt(verb: Verb, { scope: { region } }: Pick<Call, 'scope'>, ...path: string[]): Permission {
  return { action: `apigateway:${verb}`, resource: formatArn({ service: 'apigateway', region, accountId: '', resource: `/${path.join('/')}` }) }
}

/** At what is below an API. */
export function may(verb: Verb, call: Pick<Call, 'scope'>, { ApiId }: { ApiId: string }, ...path: string[]): Permission {
  return mayAt(verb, call, 'apis', ApiId, ...path)
}

export function mayTag(verb: Verb, call: Pick<Call, 'scope'>, resourceArn: string): Permission {
  return mayAt(verb, call, 'tags', encodeURIComponent(resourceArn))
}

/** Naming a role that API Gateway takes on. Source: API Gateway developer guide, "Control access to an API with IAM permissions". */
export function mayPassRole(...credentials: readonly (string | undefined)[]): Permission[] {
  return [...new Set(credentials.flatMap((one) => roleOf(one) ?? []))]
    .map((role) => ({ action: 'iam:PassRole', resource: role, context: { 'iam:passedtoservice': 'apigateway.amazonaws.com' } }))
}

/** The role that credentials name: not the caller's own identity (`arn:aws:iam::*:user/*`), not a stage variable. */
function roleOf(credentials: string | undefined): string | undefined {
  return credentials !== undefined && parseArn(credentials)?.resource.startsWith('role/') ? credentials : undefined
}
