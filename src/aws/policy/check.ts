// What IAM says about the actions, resources and principals of a policy that is otherwise well-formed.

import { listOf, MalformedPolicy } from './document.ts'
import type { PolicyStatement } from './document.ts'

/** @throws MalformedPolicy. Observed: AWS, 18-02-2026, recorded by localstack's test_create_policy_invalid_document[invalid-11 to 15]. */
export function checkActions(statements: readonly PolicyStatement[]): void {
  for (const action of statements.flatMap(({ Action, NotAction }) => listOf(Action ?? NotAction))) {
    if (action === '*') continue
    const [vendor, ...rest] = action.split(':') as [string, ...string[]]
    if (rest.length === 0) throw new MalformedPolicy('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.')
    if (rest.length > 1) throw new MalformedPolicy('Actions/Condition can contain only one colon.')
    if (vendor !== '*' && !/^[a-zA-Z0-9.-]*$/.test(vendor)) throw new MalformedPolicy(`Vendor ${vendor} is not valid`)
  }
}

/** The kinds of IAM resources. Observed: AWS, 18-02-2026, localstack's test_create_policy_invalid_document[invalid-35]. */
const iamResources = [
  'user/', 'federated-user/', 'role/', 'group/', 'instance-profile/', 'mfa/', 'server-certificate/', 'policy/', 'sms-mfa/',
  'saml-provider/', 'oidc-provider/', 'report/', 'access-report/',
]

/**
 * The first fault of a resource that is reported once statement ids, actions and the presence of resources have been judged; until
 * one is found, an ARN that the old parser cannot read refuses the policy at once.
 * Observed: AWS, 18-02-2026, recorded by localstack's test_create_policy_invalid_document[invalid-16 to 25, 35 to 38, 55, 56, 68, 71, 77].
 *
 * @throws MalformedPolicy
 */
export function checkResources(statements: readonly PolicyStatement[]): string | undefined {
  for (const resource of statements.flatMap(({ Resource, NotResource }) => listOf(Resource ?? NotResource))) {
    const fault = faultOf(resource)
    if (fault) return fault
    const colons = resource.split(':').length - 1
    const isReadable = resource === '*' || ((colons >= 5 || !resource.includes('::')) && resource.split(':')[2] !== '')
    if (!isReadable) throw new MalformedPolicy('The policy failed legacy parsing')
  }
  return undefined
}

function faultOf(resource: string): string | undefined {
  if (resource === '*') return undefined
  const [, partition, service, region, account, ...path] = resource.split(':')
  if (partition === undefined) return `Resource ${resource} must be in ARN format or "*".`
  if (partition !== 'aws') {
    const fields = resource.split(':').slice(2)
    const filled = [...fields, ...Array<string>(Math.max(0, 4 - fields.length)).fill('*')]
    return `Partition "${partition}" is not valid for resource "arn:${partition}:${filled.join(':')}".`
  }
  // Source: IAM user guide, "IAM JSON policy elements: Resource": no wildcards in the segment that names the service.
  if (service === undefined || /[*?]/.test(service)) return 'Resource vendor must be fully qualified and cannot contain regexes.'
  if (service === 'iam' && region) return `IAM resource ${resource} cannot contain region information.`
  if (service === 's3' && region) return `Resource ${resource} can not contain region information.`
  if (service === 'iam' && account !== undefined && path.length > 0 && !isIamPath(path.join(':'))) {
    return `IAM resource path must either be "*", root, or start with ${iamResources.join(', ')}.`
  }
  return undefined
}

/** A path may begin with a wildcard or a variable in place of its kind. */
function isIamPath(path: string): boolean {
  return path === '*' || path === 'root' || iamResources.some((start) => path.startsWith(start))
    || iamResources.some((start) => start.startsWith(path.replace(/[*?$].*$/s, '')) && /[*?$]/.test(path))
}

/**
 * The rules of a role's trust policy.
 * Observed: AWS, 11-02-2026, recorded by localstack's test_update_assume_role_policy_errors (`Has prohibited field Resource`,
 * `AssumeRole policy may only specify STS AssumeRole actions.`). The other sentences are those that users report from IAM.
 *
 * @throws MalformedPolicy
 */
export function checkTrust(statements: readonly PolicyStatement[]): void {
  for (const { Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource } of statements) {
    if (Resource !== undefined) throw new MalformedPolicy('Has prohibited field Resource')
    if (NotResource !== undefined) throw new MalformedPolicy('AssumeRole policy must not contain resources.')
    if (NotPrincipal !== undefined && Effect === 'Allow') throw new MalformedPolicy('Allow with NotPrincipal is not allowed.')
    if (Principal === undefined && NotPrincipal === undefined) throw new MalformedPolicy('Missing required field Principal')
    const principal = Principal ?? NotPrincipal!
    if (principal !== '*' && Object.values(principal).every((names) => listOf(names).length === 0)) {
      throw new MalformedPolicy('Missing required field Principal cannot be empty!')
    }
    if (principal !== '*') for (const [kind, names] of Object.entries(principal)) checkPrincipals(kind, listOf(names))
    if (listOf(Action ?? NotAction).some((action) => !isTrustAction(action))) {
      throw new MalformedPolicy('AssumeRole policy may only specify STS AssumeRole actions.')
    }
  }
}

/** Source: IAM user guide, "AWS JSON policy elements: Principal". The sentence is IAM's as users report it. */
function checkPrincipals(kind: string, names: readonly string[]): void {
  const pattern = principalPatterns[kind]
  for (const name of names) {
    if (pattern && !pattern.test(name)) throw new MalformedPolicy(`Invalid principal in policy: "${kind === 'Service' ? 'SERVICE' : kind}":"${name}"`)
  }
}

const principalPatterns: Readonly<Record<string, RegExp>> = {
  AWS: /^(\*|\d{12}|A[A-Z0-9]{15,127}|arn:aws:iam::\d{12}:(root|(user|role)\/[^*?]+)|arn:aws:sts::\d{12}:(assumed-role|federated-user)\/[^*?]+)$/,
  Service: /^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$/,
}

/** `sts:AssumeRole` and its kin, `sts:TagSession`, `sts:SetSourceIdentity` and `sts:SetContext`. Source: IAM user guide, "Update a role trust policy". */
function isTrustAction(action: string): boolean {
  return /^sts:(assumerole|tagsession|setsourceidentity|setcontext|\*)/i.test(action)
}
