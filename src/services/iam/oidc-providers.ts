// OpenID Connect providers: whose tokens an account's roles take.

import type {
  AddClientIDToOpenIDConnectProviderRequest, CreateOpenIDConnectProviderRequest, CreateOpenIDConnectProviderResponse, DeleteOpenIDConnectProviderRequest,
  GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse, ListOpenIDConnectProvidersResponse, ListOpenIDConnectProviderTagsRequest,
  ListOpenIDConnectProviderTagsResponse, RemoveClientIDFromOpenIDConnectProviderRequest, TagOpenIDConnectProviderRequest, UntagOpenIDConnectProviderRequest,
  UpdateOpenIDConnectProviderThumbprintRequest,
} from '@aws-sdk/client-iam'
import type { Call, Valid } from '#aws/service.ts'
import { nowInSeconds, orRefuse } from './context.ts'
import type { IamService } from './context.ts'
import { errors } from './errors.ts'
import { OIDC_CLIENT_IDS_MAX, OIDC_PROVIDERS_MAX, OIDC_THUMBPRINTS_MAX, oidcProviderArn, TAGS_MAX, withoutScheme } from './model.ts'
import type { OidcProvider } from './model.ts'
import * as reads from './reads.ts'
import { transactions } from './store.ts'
import { checkTags, pageOfTags } from './tags.ts'

/**
 * The issuer's URL must be HTTPS. Ours: or HTTP on loopback, for issuers that run beside the server in a test.
 *
 * Source: OpenID Connect Discovery 1.0, 3: neither query nor fragment. Observed (the sentence): AWS, 18-02-2026, recorded by
 * localstack's test_create_open_id_connect_provider_invalid_url.
 * @throws ValidationError
 */
export function checkProviderUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isSafe = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(parsed.hostname))
  if (!parsed || !isSafe || parsed.search || parsed.hash || parsed.username || parsed.password || !/^https?:\/\/[\x21-\x7e]+$/.test(url)) {
    throw errors.ValidationError('Invalid Open ID Connect Provider URL')
  }
  return url
}

/**
 * Ours: a list of thumbprints that is left out stays empty, where AWS asks the issuer for its certificates.
 * Observed: AWS, 17-02-2026, recorded by localstack's TestOIDCProviderCreateErrors (the sentences).
 */
export async function createProvider(input: Valid<CreateOpenIDConnectProviderRequest>, call: Call, service: IamService): Promise<CreateOpenIDConnectProviderResponse> {
  const { accountId } = call.scope
  const url = checkProviderUrl(input.Url)
  const clientIds = [...new Set(input.ClientIDList)]
  if (clientIds.length > OIDC_CLIENT_IDS_MAX) throw tooManyClientIds()
  const tags = checkTags(input.Tags, 'with case')
  const provider: OidcProvider = {
    arn: oidcProviderArn({ accountId, url }), accountId, url, clientIds, thumbprints: checkThumbprints(input.ThumbprintList ?? []), tags, createdAtMs: nowInSeconds(service),
  }
  await orRefuse(service.database.transact(transactions.insertOidcProvider, { provider, providersMax: OIDC_PROVIDERS_MAX }), {
    exists: () => errors.EntityAlreadyExists(`Provider with url ${url} already exists.`),
    limit: () => errors.LimitExceeded(`Cannot exceed quota for OpenIdConnectProvidersPerAccount: ${OIDC_PROVIDERS_MAX}`),
  })
  return { OpenIDConnectProviderArn: provider.arn, ...(tags.length > 0 && { Tags: tags }) }
}

/** The URL without its scheme. Observed: AWS, 17-02-2026, recorded by localstack's test_get_open_id_connect_provider (an empty list of tags is there). */
export async function getProvider({ OpenIDConnectProviderArn: arn }: Valid<GetOpenIDConnectProviderRequest>, _call: Call, service: IamService): Promise<GetOpenIDConnectProviderResponse> {
  const { url, clientIds, thumbprints, tags, createdAtMs } = await requireProvider(arn, service)
  return { Url: withoutScheme(url), ClientIDList: clientIds, ThumbprintList: thumbprints, CreateDate: new Date(createdAtMs), Tags: tags }
}

export async function listProviders(_input: object, { scope }: Call, { database }: IamService): Promise<ListOpenIDConnectProvidersResponse> {
  return { OpenIDConnectProviderList: (await reads.listOidcProviders(database, scope.accountId)).map(({ arn }) => ({ Arn: arn })) }
}

/** Observed: AWS, 18-02-2026, recorded by localstack's test_delete_open_id_connect_provider: deleting twice is refused, in other words than looking. */
export async function deleteProvider({ OpenIDConnectProviderArn: arn }: Valid<DeleteOpenIDConnectProviderRequest>, _call: Call, { database }: IamService): Promise<void> {
  await orRefuse(database.transact(transactions.deleteOidcProvider, { arn }), {
    'no provider': () => errors.NoSuchEntity(`OpenId connect Provider ${arn} cannot be found.`),
  })
}

/** Adding one that is there is no error. Source: IAM API reference, AddClientIDToOpenIDConnectProvider. */
export async function addClientId({ OpenIDConnectProviderArn: arn, ClientID }: Valid<AddClientIDToOpenIDConnectProviderRequest>, _call: Call, service: IamService): Promise<void> {
  await update(service, { arn, addedClientId: ClientID })
}

/** Removing one that is not there is no error. Source: IAM API reference, RemoveClientIDFromOpenIDConnectProvider. */
export async function removeClientId({ OpenIDConnectProviderArn: arn, ClientID }: Valid<RemoveClientIDFromOpenIDConnectProviderRequest>, _call: Call, service: IamService): Promise<void> {
  await update(service, { arn, removedClientId: ClientID })
}

export async function updateThumbprints({ OpenIDConnectProviderArn: arn, ThumbprintList }: Valid<UpdateOpenIDConnectProviderThumbprintRequest>, _call: Call, service: IamService): Promise<void> {
  await update(service, { arn, thumbprints: checkThumbprints(ThumbprintList) })
}

export async function tagProvider({ OpenIDConnectProviderArn: arn, Tags }: Valid<TagOpenIDConnectProviderRequest>, _call: Call, { database }: IamService): Promise<void> {
  await orRefuse(database.transact(transactions.tagOidcProvider, { arn, added: checkTags(Tags, 'with case'), removed: [], tagsMax: TAGS_MAX }), {
    'no provider': () => notFound(arn),
    // Observed: AWS, 18-02-2026, recorded by localstack's test_open_id_connect_provider_tags_limit.
    limit: () => errors.LimitExceeded('The number of tags has reached the maximum limit.'),
  })
}

export async function untagProvider({ OpenIDConnectProviderArn: arn, TagKeys }: Valid<UntagOpenIDConnectProviderRequest>, _call: Call, { database }: IamService): Promise<void> {
  await orRefuse(database.transact(transactions.tagOidcProvider, { arn, added: [], removed: TagKeys, tagsMax: Infinity }), { 'no provider': () => notFound(arn) })
}

export async function listProviderTags(input: Valid<ListOpenIDConnectProviderTagsRequest>, _call: Call, service: IamService): Promise<ListOpenIDConnectProviderTagsResponse> {
  return pageOfTags((await requireProvider(input.OpenIDConnectProviderArn, service)).tags, input)
}

async function update({ database }: IamService, change: { arn: string, addedClientId?: string, removedClientId?: string, thumbprints?: string[] }): Promise<void> {
  await orRefuse(database.transact(transactions.updateOidcProvider, { ...change, clientIdsMax: OIDC_CLIENT_IDS_MAX }), {
    'no provider': () => notFound(change.arn),
    limit: tooManyClientIds,
  })
}

async function requireProvider(arn: string, { database }: IamService): Promise<OidcProvider> {
  const provider = await reads.findOidcProvider(database, arn)
  if (!provider) throw notFound(arn)
  return provider
}

function checkThumbprints(thumbprints: readonly string[]): string[] {
  if (thumbprints.length > OIDC_THUMBPRINTS_MAX) throw errors.InvalidInput(`Thumbprint list must contain fewer than ${OIDC_THUMBPRINTS_MAX} entries.`)
  return thumbprints.map((thumbprint) => thumbprint.toLowerCase())
}

/** Observed: AWS, 17-02-2026, recorded by localstack's test_create_open_id_connect_provider_quota_error. */
function tooManyClientIds(): Error {
  return errors.LimitExceeded(`Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${OIDC_CLIENT_IDS_MAX}`)
}

/** Observed: AWS, 18-02-2026, recorded by localstack's test_get_open_id_connect_provider_not_found. */
function notFound(arn: string): Error {
  return errors.NoSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`)
}
