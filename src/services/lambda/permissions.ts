// The resource policy of a function: who else may invoke it.

import type { AddPermissionRequest, AddPermissionResponse, GetPolicyRequest, GetPolicyResponse, RemovePermissionRequest } from '@aws-sdk/client-lambda'
import type { PolicyStatement } from '#aws/policy/document.ts'
import type { Call, Valid } from '#aws/service.ts'
import { findAlias } from './alias-store.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { policyDocument } from './directory.ts'
import { errors } from './errors.ts'
import { keyOf, requireFunction } from './functions.ts'
import { RESOURCE_POLICY_BYTES_MAX } from './limits.ts'
import { isVersionNumber, LATEST, type PermissionStatement } from './model.ts'
import { functionArn, parseFunctionName, qualifiedArn, type FunctionReference } from './names.ts'
import { findFunction, findVersion, transactions } from './store.ts'

/** Source: Lambda API reference, AddPermission. */
export async function addPermission(input: Valid<AddPermissionRequest>, { scope }: Call, service: LambdaService): Promise<AddPermissionResponse> {
  const { database, random } = service
  const reference = parseFunctionName(input.FunctionName, scope, input.Qualifier)
  // Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions.
  if (reference.qualifier === LATEST) throw errors.InvalidParameterValueException('We currently do not support adding policies for $LATEST.')
  await requireTarget(reference, service)
  const statement = statementOf(input, qualifiedArn(reference))
  const target = { key: keyOf(reference), qualifier: reference.qualifier, revisionId: input.RevisionId }
  try {
    await database.transact(transactions.addStatement, { target, statement, revisionId: random.uuid(), policyBytesMax: RESOURCE_POLICY_BYTES_MAX })
  } catch (error) {
    throw conflictError(error, reference, { sid: statement.Sid })
  }
  return { Statement: JSON.stringify(statement) }
}

/** Source: Lambda API reference, GetPolicy. */
export async function getPolicy({ FunctionName, Qualifier }: Valid<GetPolicyRequest>, { scope }: Call, service: LambdaService): Promise<GetPolicyResponse> {
  const { database } = service
  const reference = withoutLatest(parseFunctionName(FunctionName, scope, Qualifier))
  const { qualifier } = reference
  await requireFunction({ ...reference, qualifier: undefined }, service)
  const found = qualifier === undefined ? await findFunction(database, reference)
    : isVersionNumber(qualifier) ? await findVersion(database, reference, qualifier) : await findAlias(database, reference, qualifier)
  // Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions.
  if (!found || found.policy.length === 0) throw errors.ResourceNotFoundException('The resource you requested does not exist.')
  return { Policy: JSON.stringify(policyDocument(found.policy)), RevisionId: found.revisionId }
}

/** Source: Lambda API reference, RemovePermission. */
export async function removePermission({ FunctionName, StatementId, Qualifier, RevisionId }: Valid<RemovePermissionRequest>, { scope }: Call, service: LambdaService): Promise<void> {
  const { database, random } = service
  const reference = withoutLatest(parseFunctionName(FunctionName, scope, Qualifier))
  // Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions.
  if (!await findFunction(database, reference)) throw errors.ResourceNotFoundException(`No policy found for: ${functionArn(reference)}`)
  await requireTarget(reference, service)
  const target = { key: keyOf(reference), qualifier: reference.qualifier, revisionId: RevisionId }
  try {
    await database.transact(transactions.removeStatement, { target, sid: StatementId, revisionId: random.uuid() })
  } catch (error) {
    throw conflictError(error, reference, { sid: StatementId })
  }
}

/** A policy's function, version or alias. @throws ResourceNotFoundException */
async function requireTarget(reference: FunctionReference, { database }: LambdaService): Promise<void> {
  const { qualifier } = reference
  await requireFunction({ ...reference, qualifier: undefined }, { database })
  if (qualifier === undefined) return
  if (isVersionNumber(qualifier)) {
    if (!await findVersion(database, reference, qualifier)) throw conflictError('missing', reference)
  } else if (qualifier.includes('$')) {
    // Observed: AWS, 10-04-2024, recorded by localstack's test_permission_exceptions: no alias can be named so, and none is missed.
    throw conflictError('missing', reference)
  } else if (!await findAlias(database, reference, qualifier)) throw conflictError('alias missing', reference)
}

function withoutLatest(reference: FunctionReference): FunctionReference {
  return reference.qualifier === LATEST ? { ...reference, qualifier: undefined } : reference
}

/** Source: LocalStack's provider, whose tests compare it with AWS: which input becomes which condition. */
function statementOf(input: Valid<AddPermissionRequest>, resource: string): PermissionStatement {
  const equals: Record<string, string> = {}
  if (input.SourceAccount) equals['AWS:SourceAccount'] = input.SourceAccount
  if (input.PrincipalOrgID) equals['aws:PrincipalOrgID'] = input.PrincipalOrgID
  if (input.EventSourceToken) equals['lambda:EventSourceToken'] = input.EventSourceToken
  if (input.FunctionUrlAuthType) equals['lambda:FunctionUrlAuthType'] = input.FunctionUrlAuthType
  const Condition: Record<string, Record<string, string>> = {
    ...(Object.keys(equals).length > 0 ? { StringEquals: equals } : {}),
    ...(input.InvokedViaFunctionUrl === undefined ? {} : { Bool: { 'lambda:InvokedViaFunctionUrl': String(input.InvokedViaFunctionUrl) } }),
    ...(input.SourceArn ? { ArnLike: { 'AWS:SourceArn': input.SourceArn } } : {}),
  }
  return {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal: principalOf(input.Principal),
    Action: input.Action,
    Resource: resource,
    ...(Object.keys(Condition).length > 0 ? { Condition } : {}),
  }
}

/** Source: Lambda API reference, AddPermission, Principal. Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions. */
function principalOf(principal: string): NonNullable<PolicyStatement['Principal']> {
  if (principal === '*') return '*'
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` }
  if (/^arn:aws[a-zA-Z-]*:(iam|sts)::\d{12}:.+$/.test(principal)) return { AWS: principal }
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal|alexa)$/.test(principal) || principal === 'alexa-appkit.amazon.com') return { Service: principal }
  throw errors.InvalidParameterValueException('The provided principal was invalid. Please check the principal and try again.')
}
