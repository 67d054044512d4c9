// Reads a policy document and refuses what is none, in the order and the words in which IAM does.

import { checkActions, checkResources, checkTrust } from './check.ts'
import { parseDate } from './dates.ts'
import { listOf, MalformedPolicy, statementsOf } from './document.ts'
import type { PolicyDocument, PolicyKind, PolicyStatement } from './document.ts'
import { parseOperator } from './operators.ts'

/**
 * The document in `text`.
 *
 * IAM judges in this order: form, version, dates and spelling ("legacy parsing"), statement ids, actions, resources.
 * Observed: AWS, 18-02-2026, recorded by localstack's test_create_policy_invalid_document (78 documents).
 * Cases: test/cases/policy/documents.json
 *
 * @throws MalformedPolicy
 */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  const document = parseForm(text, kind)
  const statements = statementsOf(document)
  if (kind === 'identity' && document.Version !== '2012-10-17') {
    throw new MalformedPolicy('Policy document must be version 2012-10-17 or greater.')
  }
  if (kind === 'identity') refuseAny(statements, ({ Principal, NotPrincipal }) => Principal !== undefined || NotPrincipal !== undefined,
    'Policy document should not specify a principal.')
  if (kind === 'resource') refuseAny(statements, ({ Principal, NotPrincipal }) => Principal === undefined && NotPrincipal === undefined,
    'Missing required field Principal')
  if (kind === 'trust') checkTrust(statements)
  refuseAny(statements, isMisspelt, 'The policy failed legacy parsing')
  const resourceFault = kind === 'trust' ? undefined : checkResources(statements)
  const sids = statements.map(({ Sid }) => Sid).filter((sid) => sid)
  if (new Set(sids).size < sids.length) throw new MalformedPolicy('Statement IDs (SID) in a single policy must be unique.')
  refuseAny(statements, ({ Action, NotAction }) => listOf(Action ?? NotAction).length === 0, 'Policy statement must contain actions.')
  if (kind !== 'trust') {
    refuseAny(statements, ({ Resource, NotResource }) => listOf(Resource ?? NotResource).length === 0, 'Policy statement must contain resources.')
  }
  if (resourceFault) throw new MalformedPolicy(resourceFault)
  checkActions(statements)
  return document
}

function refuseAny(statements: readonly PolicyStatement[], isFaulty: (statement: PolicyStatement) => boolean, message: string): void {
  if (statements.some(isFaulty)) throw new MalformedPolicy(message)
}

/** Observed: AWS, 06-03-2025, recorded by localstack's test_create_role_with_malformed_assume_role_policy_document (the trust policy's sentence). */
function parseForm(text: string, kind: PolicyKind): PolicyDocument {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new MalformedPolicy(kind === 'identity' ? 'Syntax errors in policy.' : 'This policy contains invalid Json')
  }
  if (kind === 'trust' && isObject(value) && Array.isArray(value.Statement) && value.Statement.length === 0) {
    throw new MalformedPolicy('Could not parse the policy: Statement is empty!')
  }
  if (!isDocument(value)) throw new MalformedPolicy('Syntax errors in policy.')
  return value
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string'
const isTextOrTexts = (value: unknown): boolean => isText(value) || (Array.isArray(value) && value.every(isText))
const isScalar = (value: unknown): boolean => isText(value) || typeof value === 'number' || typeof value === 'boolean'
const has = (members: object, names: readonly string[]): boolean => Object.keys(members).every((name) => names.includes(name))
const fits = (value: unknown, test: (value: unknown) => boolean): boolean => value === undefined || test(value)

function isDocument(value: unknown): value is PolicyDocument {
  if (!isObject(value) || !has(value, ['Version', 'Id', 'Statement'])) return false
  const { Version, Id, Statement } = value
  const statements = isObject(Statement) ? [Statement] : Statement
  return fits(Version, (version) => version === '2008-10-17' || version === '2012-10-17') && fits(Id, isText)
    && Array.isArray(statements) && statements.length > 0 && statements.every(isStatement)
}

const statementMembers = [
  'Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition',
]

function isStatement(value: unknown): boolean {
  if (!isObject(value) || !has(value, statementMembers)) return false
  const { Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition } = value
  const isEitherOf = (one: unknown, other: unknown) => one === undefined || other === undefined
  return isText(Effect) && /^(allow|deny)$/i.test(Effect) && fits(Sid, isText)
    && isEitherOf(Action, NotAction) && isEitherOf(Resource, NotResource) && isEitherOf(Principal, NotPrincipal)
    && [Action, NotAction, Resource, NotResource].every((element) => fits(element, isTextOrTexts))
    && [Principal, NotPrincipal].every((element) => fits(element, isPrincipal)) && fits(Condition, isCondition)
}

function isPrincipal(value: unknown): boolean {
  return value === '*' || (isObject(value) && has(value, ['AWS', 'Service', 'Federated', 'CanonicalUser']) && Object.values(value).every(isTextOrTexts))
}

/** An operator without keys is let through whatever its name. Observed: AWS, 10-02-2026, localstack's test_create_policy_valid_document[valid-19]. */
function isCondition(value: unknown): boolean {
  return isObject(value) && Object.entries(value).every(([operator, keys]) => isObject(keys)
    && (Object.keys(keys).length === 0 || parseOperator(operator) !== undefined)
    && Object.values(keys).every((values) => isScalar(values) || (Array.isArray(values) && values.every(isScalar))))
}

/** An effect in the wrong case, or a date that is none. */
function isMisspelt({ Effect, Condition }: PolicyStatement): boolean {
  if (Effect !== 'Allow' && Effect !== 'Deny') return true
  return Object.entries(Condition ?? {}).some(([name, keys]) => parseOperator(name)?.comparison.startsWith('date')
    && Object.values(keys).some((values) => listOf(values).some((value) => parseDate(String(value)) === undefined)))
}
