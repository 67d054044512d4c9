// What a transaction refused, in Lambda's words.

import { Conflict } from '#storage/database.ts'
import { errors } from './errors.ts'
import { RESOURCE_POLICY_BYTES_MAX } from './limits.ts'
import { functionArn, qualifiedArn, type FunctionReference } from './names.ts'
import type { StoreConflict } from './store.ts'

/** The error for a refusal of the store; anything else comes back as it is. `detail` is the statement's id, or the call to get the revision. */
export function conflictError(failure: unknown, reference: FunctionReference, { sid = '', revisionFrom = 'GetFunction/GetAlias' } = {}): unknown {
  const reason = (failure instanceof Conflict ? failure.reason : failure) as StoreConflict
  switch (reason) {
    // Source: published answers of AWS to a second CreateFunction.
    case 'exists': return errors.ResourceConflictException(`Function already exist: ${reference.name}`)
    case 'missing': return errors.ResourceNotFoundException(`Function not found: ${qualifiedArn(reference)}`)
    // Observed: AWS, 30-09-2022, recorded by localstack's test_publish_with_wrong_revisionid.
    case 'revision': return errors.PreconditionFailedException(`The Revision Id provided does not match the latest Revision Id. Call the ${revisionFrom} API to retrieve the latest Revision Id`)
    // Source: published answers of AWS to a second AddPermission with the same id.
    case 'statement exists': return errors.ResourceConflictException(`The statement id (${sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`)
    case 'statement missing': return errors.ResourceNotFoundException(`Statement ${sid} is not found in resource policy.`)
    // Observed: AWS, 25-11-2025, recorded by localstack's test_permission_exceptions.
    case 'policy missing': return errors.ResourceNotFoundException('No policy is associated with the given resource.')
    case 'policy too long': return errors.PolicyLengthExceededException(`The final policy size is bigger than the limit (${RESOURCE_POLICY_BYTES_MAX}).`)
    // Observed: AWS, 10-04-2024, recorded by localstack's test_notfound_and_invalid_routingconfigs: this one and the next.
    case 'alias missing': return errors.ResourceNotFoundException(`Cannot find alias arn: ${qualifiedArn(reference)}`)
    case 'alias exists': return errors.ResourceConflictException(`Alias already exists: ${qualifiedArn(reference)}`)
    // Ours: the version has gone between two looks.
    case 'alias target missing': return errors.ResourceNotFoundException(`Function not found: ${functionArn(reference)}`)
    case 'too many tags': return errors.InvalidParameterValueException('Number of tags exceeds resource tag limit.')
    default: return failure
  }
}
