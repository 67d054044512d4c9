// The resource policy of a layer version: which other accounts may use it.

import type {
  AddLayerVersionPermissionRequest, AddLayerVersionPermissionResponse, GetLayerVersionPolicyRequest, GetLayerVersionPolicyResponse,
  RemoveLayerVersionPermissionRequest,
} from '@aws-sdk/client-lambda'
import type { Call, Valid } from '#aws/service.ts'
import { Conflict } from '#storage/database.ts'
import type { LambdaService } from './api.ts'
import { conflictError } from './conflicts.ts'
import { policyDocument } from './directory.ts'
import { errors } from './errors.ts'
import { layerVersionArn, parseLayerName } from './layer-names.ts'
import { findLayerVersion, type LayerVersionKey } from './layer-store.ts'
import { checkVersionNumber } from './layers.ts'
import { RESOURCE_POLICY_BYTES_MAX } from './limits.ts'
import type { PermissionStatement } from './model.ts'
import { transactions } from './store.ts'

/** Source: Lambda API reference, AddLayerVersionPermission. */
export async function addLayerVersionPermission(
  input: Valid<AddLayerVersionPermissionRequest>, { scope }: Call, { database, random }: LambdaService,
): Promise<AddLayerVersionPermissionResponse> {
  checkVersionNumber(input.VersionNumber)
  const key = { ...parseLayerName(input.LayerName, scope), version: input.VersionNumber }
  const statement = statementOf(input, layerVersionArn(key))
  const newRevisionId = random.uuid()
  try {
    await database.transact(transactions.addLayerStatement, { key, statement, revisionId: input.RevisionId, newRevisionId, policyBytesMax: RESOURCE_POLICY_BYTES_MAX })
  } catch (error) {
    throw layerError(error, key, statement.Sid)
  }
  return { Statement: JSON.stringify(statement), RevisionId: newRevisionId }
}

/** Source: Lambda API reference, GetLayerVersionPolicy. */
export async function getLayerVersionPolicy(
  { LayerName, VersionNumber }: Valid<GetLayerVersionPolicyRequest>, { scope }: Call, { database }: LambdaService,
): Promise<GetLayerVersionPolicyResponse> {
  checkVersionNumber(VersionNumber)
  const key = { ...parseLayerName(LayerName, scope), version: VersionNumber }
  const layer = await findLayerVersion(database, key)
  if (!layer) throw layerError(new Conflict('layer missing'), key)
  if (layer.policy.length === 0) throw layerError(new Conflict('policy missing'), key)
  return { Policy: JSON.stringify(policyDocument(layer.policy)), RevisionId: layer.policyRevisionId }
}

/** Source: Lambda API reference, RemoveLayerVersionPermission. */
export async function removeLayerVersionPermission(input: Valid<RemoveLayerVersionPermissionRequest>, { scope }: Call, { database, random }: LambdaService): Promise<void> {
  checkVersionNumber(input.VersionNumber)
  const key = { ...parseLayerName(input.LayerName, scope), version: input.VersionNumber }
  try {
    await database.transact(transactions.removeLayerStatement, { key, sid: input.StatementId, revisionId: input.RevisionId, newRevisionId: random.uuid() })
  } catch (error) {
    throw layerError(error, key, input.StatementId)
  }
}

/** Observed: AWS, 10-04-2024, recorded by localstack's test_layer_policy_exceptions. */
function layerError(failure: unknown, key: LayerVersionKey, sid = ''): unknown {
  if (failure instanceof Conflict && failure.reason === 'layer missing') return errors.ResourceNotFoundException(`Layer version ${layerVersionArn(key)} does not exist.`)
  return conflictError(failure, { ...key, qualifier: undefined }, { sid, revisionFrom: 'GetLayerPolicy' })
}

/** Source: Lambda developer guide, "Granting layer access to other accounts". Observed: AWS, 10-04-2024, recorded by localstack's test_layer_policy_lifecycle. */
function statementOf({ StatementId, Action, Principal, OrganizationId }: Valid<AddLayerVersionPermissionRequest>, resource: string): PermissionStatement {
  const account = /^\d{12}$/.test(Principal) ? `arn:aws:iam::${Principal}:root` : Principal
  return {
    Sid: StatementId,
    Effect: 'Allow',
    Principal: account === '*' ? '*' : { AWS: account },
    Action,
    Resource: resource,
    ...(OrganizationId ? { Condition: { StringEquals: { 'aws:PrincipalOrgID': OrganizationId } } } : {}),
  }
}
