// The resource policy of a function: who else may invoke it.

import type { AddPermissionRequest, AddPermissionResponse, GetPolicyRequest, GetPolicyResponse, RemovePermissionRequest } from '@aws-sdk/client-lambda'
import type { PolicyStatement } from '#aws/policy/document.ts'
import type { Call, Valid } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { policyDocument } from './directory.ts'
import { errors } from './errors.ts'
import { keyOf, requireFunction } from './functions.ts'
import { RESOURCE_POLICY_BYTES_MAX } from './limits.ts'
import type { PermissionStatement } from './model.ts'
import { functionArn, parseFunctionName, type FunctionReference } from './names.ts'
import { transactions } from './store.ts'

/** Source: Lambda API reference, AddPermission. */
export async function addPermission(input: Valid<AddPermissionRequest>, { scope }: Call, service: LambdaService): Promise<AddPermissionResponse> {
  const { database, random } = service
  const reference = parseFunctionName(input.FunctionName, scope, input.Qualifier)
  // Source: published answers of AWS to permissions on the version of a function that was never published.
  if (reference.qualifier === '$LATEST') throw errors.InvalidParameterValueException('We currently do not support adding policies for $LATEST.')
  await requireFunction(reference, service)
  const statement = statementOf(input, functionArn(reference))
  const expected = { key: keyOf(reference), revisionId: input.RevisionId }
  try {
    await database.transact(transactions.addStatement, { expected, statement, revisionId: random.uuid(), policyBytesMax: RESOURCE_POLICY_BYTES_MAX })
  } catch (error) {
    throw conflictError(error, reference, { sid: statement.Sid, revisionFrom: 'GetPolicy' })
  }
  return { Statement: JSON.stringify(statement) }
}

/** Source: Lambda API reference, GetPolicy. */
export async function getPolicy({ FunctionName, Qualifier }: Valid<GetPolicyRequest>, { scope }: Call, service: LambdaService): Promise<GetPolicyResponse> {
  const record = await requireFunction(withoutLatest(parseFunctionName(FunctionName, scope, Qualifier)), service)
  // Source: published answers of AWS for a function without permissions.
  if (record.policy.length === 0) throw errors.ResourceNotFoundException('The resource you requested does not exist.')
  return { Policy: JSON.stringify(policyDocument(record)), RevisionId: record.revisionId }
}

/** Source: Lambda API reference, RemovePermission. */
export async function removePermission({ FunctionName, StatementId, Qualifier, RevisionId }: Valid<RemovePermissionRequest>, { scope }: Call, service: LambdaService): Promise<void> {
  const { database, random } = service
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  await requireFunction(reference, service)
  try {
    await database.transact(transactions.removeStatement, { expected: { key: keyOf(reference), revisionId: RevisionId }, sid: StatementId, revisionId: random.uuid() })
  } catch (error) {
    throw conflictError(error, reference, { sid: StatementId, revisionFrom: 'GetPolicy' })
  }
}

function withoutLatest(reference: FunctionReference): FunctionReference {
  return reference.qualifier === '$LATEST' ? { ...reference, qualifier: undefined } : reference
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
