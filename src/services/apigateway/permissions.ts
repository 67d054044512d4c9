// What callers need permission for: HTTP methods as actions, paths as resources.

import { formatArn } from '#aws/arn.ts'
import type { Call, Permission } from '#aws/service.ts'
import { roleOf } from './integration-rules.ts'

type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Actions are HTTP methods, resources are paths below `/restapis` without an account.
 * Source: Service Authorization Reference, "Amazon API Gateway Management".
 */
export function may(verb: Verb, { scope: { region } }: Pick<Call, 'scope'>, ...path: (string | undefined)[]): Permission {
  return { action: `apigateway:${verb}`, resource: pathArn(region, ['restapis', ...path]) }
}

/** At a path that is not below an API: `/apikeys`, `/usageplans/{id}/keys`. */
export function mayAt(verb: Verb, { scope: { region } }: Pick<Call, 'scope'>, ...path: string[]): Permission {
  return { action: `apigateway:${verb}`, resource: pathArn(region, path) }
}

const pathArn = (region: string, path: (string | undefined)[]) =>
  formatArn({ service: 'apigateway', region, accountId: '', resource: `/${path.join('/')}` })

/** At a method, or at what is below it. */
export function mayMethod(
  verb: Verb, call: Pick<Call, 'scope'>, { restApiId, resourceId, httpMethod }: { restApiId: string, resourceId: string, httpMethod: string },
  ...below: (string | undefined)[]
): Permission {
  return may(verb, call, restApiId, 'resources', resourceId, 'methods', httpMethod, ...below)
}

/** Setting a resource policy. Source: Service Authorization Reference, "Amazon API Gateway Management", UpdateRestApiPolicy. */
export function maySetPolicy({ scope: { region } }: Pick<Call, 'scope'>, apiId = '*'): Permission {
  return { action: 'apigateway:UpdateRestApiPolicy', resource: pathArn(region, ['restapis', apiId]) }
}

/** Naming a role that API Gateway takes on. Source: API Gateway developer guide, "Control access to an API with IAM permissions". */
export function mayPassRole(credentials: string | undefined): Permission[] {
  const role = roleOf(credentials)
  return role === undefined ? [] : [{ action: 'iam:PassRole', resource: role, context: { 'iam:passedtoservice': 'apigateway.amazonaws.com' } }]
}

export function mayTag(verb: Verb, { scope: { region } }: Call, resourceArn: string): Permission {
  return { action: `apigateway:${verb}`, resource: pathArn(region, ['tags', encodeURIComponent(resourceArn)]) }
}
