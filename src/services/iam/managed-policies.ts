// Managed policies and their versions: the account's own, and AWS's to read.

import type {
  CreatePolicyRequest, CreatePolicyResponse, CreatePolicyVersionRequest, CreatePolicyVersionResponse, DeletePolicyRequest, DeletePolicyVersionRequest,
  GetPolicyRequest, GetPolicyResponse, GetPolicyVersionRequest, GetPolicyVersionResponse, ListPoliciesRequest, ListPoliciesResponse, ListPolicyTagsRequest,
  ListPolicyTagsResponse, ListPolicyVersionsRequest, ListPolicyVersionsResponse, Policy, SetDefaultPolicyVersionRequest, TagPolicyRequest, UntagPolicyRequest,
} from '@aws-sdk/client-iam'
import type { Call, Valid } from '#aws/service.ts'
import { awsManagedPolicies } from './aws-managed.ts'
import { nowInSeconds, orRefuse, readDocument } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { charactersOf, encodeDocument, MANAGED_POLICY_CHARACTERS_MAX, newEntityId, POLICIES_MAX, policyArn, POLICY_VERSIONS_MAX, TAGS_MAX } from './model.ts'
import type { ManagedPolicy, PolicyVersion } from './model.ts'
import { pageOfAll } from './pages.ts'
import * as reads from './reads.ts'
import { nameKey, transactions } from './store.ts'
import { checkTags, pageOfTags, tooManyTags } from './tags.ts'

/** @throws ValidationError. Observed: AWS, 11-02-2026, recorded by localstack's test_role_managed_policy_errors. */
export function checkPolicyArn(arn: string): string {
  if (!/^arn:aws:iam::(aws|\d{12}):policy\/.+$/.test(arn)) throw errors.ValidationError(`ARN ${arn} is not valid.`)
  return arn
}

function describe(policy: ManagedPolicy, uses: { attachments: number, boundaries: number } = { attachments: 0, boundaries: 0 }): Policy {
  return {
    PolicyName: policy.name, PolicyId: policy.id, Arn: policy.arn, Path: policy.path, DefaultVersionId: `v${policy.defaultVersion}`,
    AttachmentCount: uses.attachments, PermissionsBoundaryUsageCount: uses.boundaries, IsAttachable: true,
    CreateDate: new Date(policy.createdAtMs), UpdateDate: new Date(policy.updatedAtMs),
  }
}

export async function createPolicy(input: Valid<CreatePolicyRequest>, call: Call, service: IamService): Promise<CreatePolicyResponse> {
  checkSize(input.PolicyDocument)
  readDocument(input.PolicyDocument, 'identity')
  const tags = checkTags(input.Tags, 'with case')
  const { accountId } = call.scope
  const path = input.Path ?? '/'
  const nowMs = nowInSeconds(service)
  const policy: ManagedPolicy = {
    accountId, arn: policyArn({ accountId, path, name: input.PolicyName }), name: input.PolicyName, path, id: newEntityId('policy', service.random),
    description: input.Description ?? null, defaultVersion: 1, createdAtMs: nowMs, updatedAtMs: nowMs, tags,
  }
  await orRefuse(service.database.transact(transactions.insertPolicy, { policy, document: input.PolicyDocument, policiesMax: POLICIES_MAX }), {
    // Observed: AWS, 10-02-2026, recorded by localstack's test_policy_errors.
    exists: () => errors.EntityAlreadyExists(`A policy called ${policy.name} already exists. Duplicate names are not allowed.`),
    limit: () => errors.LimitExceeded(`Cannot exceed quota for PoliciesPerAccount: ${POLICIES_MAX}`),
  })
  return { Policy: { ...describe(policy), ...(tags.length > 0 && { Tags: tags }) } }
}

/** An empty list of tags is there, unlike in answers about users and roles. Observed: AWS, 10-02-2026, recorded by localstack's test_policy_lifecycle. */
export async function getPolicy(input: Valid<GetPolicyRequest>, call: Call, { database }: IamService): Promise<GetPolicyResponse> {
  const policy = await requirePolicy(checkPolicyArn(input.PolicyArn), database)
  const uses = (await reads.countPolicyUses(database, call.scope.accountId)).get(policy.arn)
  return { Policy: { ...describe(policy, uses), ...(policy.description !== null && { Description: policy.description }), Tags: policy.tags } }
}

export async function listPolicies(input: ListPoliciesRequest, call: Call, { database }: IamService): Promise<ListPoliciesResponse> {
  const { accountId } = call.scope
  const { Scope = 'All', OnlyAttached = false, PathPrefix = '/', PolicyUsageFilter } = input
  const uses = await reads.countPolicyUses(database, accountId)
  const usesOf = ({ arn }: ManagedPolicy) => uses.get(arn) ?? { attachments: 0, boundaries: 0 }
  const policies = [
    ...(Scope === 'AWS' ? [] : await reads.listPolicies(database, accountId)),
    ...(Scope === 'Local' ? [] : awsManagedPolicies.values()),
  ]
  const wanted = policies.filter((policy) => {
    const { attachments, boundaries } = usesOf(policy)
    if (!policy.path.startsWith(PathPrefix) || (OnlyAttached && attachments === 0)) return false
    return PolicyUsageFilter === undefined || (PolicyUsageFilter === 'PermissionsBoundary' ? boundaries : attachments) > 0
  })
  const nameOf = ({ name, arn }: ManagedPolicy) => `${nameKey(name)} ${arn}`
  const { page, info } = pageOfAll(wanted.toSorted((one, other) => nameOf(one) < nameOf(other) ? -1 : 1), nameOf, input)
  return { Policies: page.map((policy) => describe(policy, usesOf(policy))), ...info }
}

export async function deletePolicy(input: Valid<DeletePolicyRequest>, call: Call, { database }: IamService): Promise<void> {
  const arn = requireOwn(input.PolicyArn, call)
  await orRefuse(database.transact(transactions.deletePolicy, { arn }), {
    'no policy': () => notFound(arn),
    attachments: () => errors.DeleteConflict('Cannot delete a policy attached to entities.'),
    versions: () => errors.DeleteConflict('This policy has more than one version. Before you delete a policy, you must delete the policy\'s versions. '
      + 'The default version is deleted with the policy.'),
  })
}

export async function createPolicyVersion(input: Valid<CreatePolicyVersionRequest>, call: Call, service: IamService): Promise<CreatePolicyVersionResponse> {
  const arn = requireOwn(input.PolicyArn, call)
  const { PolicyDocument: document, SetAsDefault: setAsDefault = false } = input
  checkSize(document)
  readDocument(document, 'identity')
  const nowMs = nowInSeconds(service)
  const version = await orRefuse(service.database.transact(transactions.insertPolicyVersion, { arn, document, setAsDefault, versionsMax: POLICY_VERSIONS_MAX, nowMs }), {
    'no policy': () => notFound(arn),
    // Observed: AWS, 10-02-2026, recorded by localstack's test_policy_version_limit.
    limit: () => errors.LimitExceeded(`A managed policy can have up to ${POLICY_VERSIONS_MAX} versions. Before you create a new version, you must delete an existing version.`),
  })
  return { PolicyVersion: { VersionId: `v${version}`, IsDefaultVersion: setAsDefault, CreateDate: new Date(nowMs) } }
}

export async function getPolicyVersion(input: Valid<GetPolicyVersionRequest>, _call: Call, { database }: IamService): Promise<GetPolicyVersionResponse> {
  const arn = checkPolicyArn(input.PolicyArn)
  const version = numberOf(input.VersionId)
  const ofAws = awsManagedPolicies.get(arn)
  if (ofAws) {
    if (ofAws.defaultVersion !== version) throw noSuchVersion(arn, input.VersionId)
    return { PolicyVersion: { ...describeVersion({ version, document: '', createdAtMs: ofAws.updatedAtMs }, version), Document: encodeDocument(ofAws.document) } }
  }
  const policy = await reads.findPolicy(database, arn)
  const found = policy && await reads.findPolicyVersion(database, { arn, version })
  if (!policy || !found) throw noSuchVersion(arn, input.VersionId)
  return { PolicyVersion: { ...describeVersion(found, policy.defaultVersion), Document: encodeDocument(found.document) } }
}

/** Newest first, and without documents. Observed: AWS, 10-02-2026, recorded by localstack's test_policy_version_lifecycle. */
export async function listPolicyVersions(input: Valid<ListPolicyVersionsRequest>, _call: Call, { database }: IamService): Promise<ListPolicyVersionsResponse> {
  const arn = checkPolicyArn(input.PolicyArn)
  const policy = await requirePolicy(arn, database)
  const versions = awsManagedPolicies.has(arn)
    ? [{ version: policy.defaultVersion, document: '', createdAtMs: policy.updatedAtMs }]
    : await reads.listPolicyVersions(database, arn)
  const orderOf = ({ version }: PolicyVersion) => String(Number.MAX_SAFE_INTEGER - version)
  const { page, info } = pageOfAll(versions, orderOf, input)
  return { Versions: page.map((version) => describeVersion(version, policy.defaultVersion)), ...info }
}

export async function setDefaultPolicyVersion(input: Valid<SetDefaultPolicyVersionRequest>, call: Call, service: IamService): Promise<void> {
  const arn = requireOwn(input.PolicyArn, call)
  await orRefuse(service.database.transact(transactions.setDefaultPolicyVersion, { arn, version: numberOf(input.VersionId), nowMs: nowInSeconds(service) }), {
    'no version': () => noSuchVersion(arn, input.VersionId),
  })
}

export async function deletePolicyVersion(input: Valid<DeletePolicyVersionRequest>, call: Call, { database }: IamService): Promise<void> {
  const arn = requireOwn(input.PolicyArn, call)
  await orRefuse(database.transact(transactions.deletePolicyVersion, { arn, version: numberOf(input.VersionId) }), {
    'no version': () => noSuchVersion(arn, input.VersionId),
    'default version': () => errors.DeleteConflict('Cannot delete the default version of a policy.'),
  })
}

export async function tagPolicy(input: Valid<TagPolicyRequest>, call: Call, { database }: IamService): Promise<void> {
  const arn = requireOwn(input.PolicyArn, call)
  await orRefuse(database.transact(transactions.tagPolicy, { arn, added: checkTags(input.Tags, 'with case'), removed: [], tagsMax: TAGS_MAX }), {
    'no policy': () => notFound(arn),
    limit: tooManyTags,
  })
}

export async function untagPolicy(input: Valid<UntagPolicyRequest>, call: Call, { database }: IamService): Promise<void> {
  const arn = requireOwn(input.PolicyArn, call)
  await orRefuse(database.transact(transactions.tagPolicy, { arn, added: [], removed: input.TagKeys, tagsMax: TAGS_MAX }), { 'no policy': () => notFound(arn) })
}

export async function listPolicyTags(input: Valid<ListPolicyTagsRequest>, _call: Call, { database }: IamService): Promise<ListPolicyTagsResponse> {
  return pageOfTags((await requirePolicy(checkPolicyArn(input.PolicyArn), database)).tags, input)
}

async function requirePolicy(arn: string, database: IamService['database']): Promise<ManagedPolicy> {
  const policy = awsManagedPolicies.get(arn) ?? await reads.findPolicy(database, arn)
  if (!policy) throw notFound(arn)
  return policy
}

/** What changes a policy acts on the caller's own account's. The sentence is IAM's as users report it. */
function requireOwn(arn: string, { scope }: Call): string {
  checkPolicyArn(arn)
  if (!arn.startsWith(`arn:aws:iam::${scope.accountId}:`)) throw errors.AccessDenied('Policy is outside your own account.')
  return arn
}

/** Source: IAM user guide, "IAM and AWS STS quotas". The sentence is IAM's as users report it. */
function checkSize(document: string): void {
  if (charactersOf(document) > MANAGED_POLICY_CHARACTERS_MAX) throw errors.LimitExceeded(`Cannot exceed quota for PolicySize: ${MANAGED_POLICY_CHARACTERS_MAX}`)
}

function describeVersion({ version, createdAtMs }: PolicyVersion, defaultVersion: number) {
  return { VersionId: `v${version}`, IsDefaultVersion: version === defaultVersion, CreateDate: new Date(createdAtMs) }
}

/** `v3` is 3; `v3.x`, which the model allows, is none. */
function numberOf(versionId: string): number {
  const number = Number(versionId.slice(1))
  return Number.isSafeInteger(number) ? number : 0
}

/** Observed: AWS, 06-03-2025, recorded by localstack's test_delete_non_existent_policy_returns_no_such_entity. */
function notFound(arn: string): Error {
  return errors.NoSuchEntity(`Policy ${arn} was not found.`)
}

/** Observed: AWS, 10-02-2026, recorded by localstack's test_policy_version_errors. */
function noSuchVersion(arn: string, versionId: string): Error {
  return errors.NoSuchEntity(`Policy ${arn} version ${versionId} does not exist or is not attachable.`)
}
