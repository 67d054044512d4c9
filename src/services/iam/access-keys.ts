// Access keys of users and of the account's root.

import type {
  AccessKey, CreateAccessKeyRequest, CreateAccessKeyResponse, DeleteAccessKeyRequest, ListAccessKeysRequest, ListAccessKeysResponse, UpdateAccessKeyRequest,
} from '@aws-sdk/client-iam'
import type { Call, Valid } from '#aws/service.ts'
import { cannotBeFound, named, nowInSeconds, orRefuse, ownUserName, requireEntity } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { accessKeyPurpose } from './identity.ts'
import { ACCESS_KEYS_PER_USER_MAX, newAccessKeyId, newSecretAccessKey } from './model.ts'
import { pageOfAll } from './pages.ts'
import * as reads from './reads.ts'
import { transactions } from './store.ts'

/** The user named, or the caller; the root's keys belong to the account itself. */
async function ownerOf(userName: string | undefined, call: Call, service: IamService): Promise<{ ownerId: string, userName: string | undefined }> {
  const name = userName ?? ownUserName(call)
  if (name === undefined) return { ownerId: call.scope.accountId, userName: undefined }
  const user = await requireEntity(service, named(call, 'user', name))
  return { ownerId: user.id, userName: user.name }
}

/** The only time that the secret is shown. It is stored sealed. */
export async function createAccessKey(input: CreateAccessKeyRequest, call: Call, service: IamService): Promise<CreateAccessKeyResponse> {
  const { ownerId, userName } = await ownerOf(input.UserName, call, service)
  const { accountId } = call.scope
  const id = newAccessKeyId('AKIA', accountId, service.random)
  const secretAccessKey = newSecretAccessKey(service.random)
  const key = {
    id, accountId, ownerId, status: 'Active' as const, sealedSecret: service.sealer.sealText(secretAccessKey, accessKeyPurpose(id)), createdAtMs: nowInSeconds(service),
  }
  await orRefuse(service.database.transact(transactions.insertAccessKey, { key, keysMax: ACCESS_KEYS_PER_USER_MAX }), {
    'no entity': () => cannotBeFound({ kind: 'user', name: userName ?? '' }),
    // Observed: AWS, 11-02-2026, recorded by localstack's test_access_key_limit.
    limit: () => errors.LimitExceeded(`Cannot exceed quota for AccessKeysPerUser: ${ACCESS_KEYS_PER_USER_MAX}`),
  })
  return { AccessKey: { ...userNameOf(userName), AccessKeyId: id, Status: 'Active', SecretAccessKey: secretAccessKey, CreateDate: new Date(key.createdAtMs) } as AccessKey }
}

export async function listAccessKeys(input: ListAccessKeysRequest, call: Call, service: IamService): Promise<ListAccessKeysResponse> {
  const { ownerId, userName } = await ownerOf(input.UserName, call, service)
  const keys = (await reads.listAccessKeys(service.database, ownerId)).toSorted((one, other) => one.id < other.id ? -1 : 1)
  const { page, info } = pageOfAll(keys, ({ id }) => id, input)
  return {
    AccessKeyMetadata: page.map(({ id, status, createdAtMs }) => ({ ...userNameOf(userName), AccessKeyId: id, Status: status, CreateDate: new Date(createdAtMs) })),
    ...info,
  }
}

/** `Expired` is a state that only AWS itself sets. */
export async function updateAccessKey({ UserName, AccessKeyId, Status }: Valid<UpdateAccessKeyRequest>, call: Call, service: IamService): Promise<void> {
  if (Status === 'Expired') throw errors.InvalidInput('Status Expired cannot be set.')
  const { ownerId } = await ownerOf(UserName, call, service)
  await orRefuse(service.database.transact(transactions.setAccessKeyStatus, { id: AccessKeyId, ownerId, status: Status }), { 'no key': () => noSuchKey(AccessKeyId) })
}

export async function deleteAccessKey({ UserName, AccessKeyId }: Valid<DeleteAccessKeyRequest>, call: Call, service: IamService): Promise<void> {
  const { ownerId } = await ownerOf(UserName, call, service)
  await orRefuse(service.database.transact(transactions.deleteAccessKey, { id: AccessKeyId, ownerId }), { 'no key': () => noSuchKey(AccessKeyId) })
}

/** Observed: AWS, 24-02-2026, recorded by localstack's test_access_key_errors. */
function noSuchKey(id: string): Error {
  return errors.NoSuchEntity(`The Access Key with id ${id} cannot be found.`)
}

/** Keys of the root have no user name. */
function userNameOf(userName: string | undefined): { UserName?: string } {
  return userName === undefined ? {} : { UserName: userName }
}
