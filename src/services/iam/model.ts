// Users, roles, groups, policies and keys: their records, ids, ARNs and quotas.

import type { RandomSource } from '#lib/random.ts'
import { alphabets } from '#lib/random.ts'

/** Principals and groups share a table and most of their operations. */
export type EntityKind = 'user' | 'role' | 'group'

export interface Tag { Key: string, Value: string }

export interface Entity {
  accountId: string
  kind: EntityKind
  name: string
  path: string
  /** `AIDA…`, `AROA…` or `AGPA…`; never given twice, so that a principal of the same name is another one. */
  id: string
  createdAtMs: number
  description: string | null
  /** Of roles, as written. */
  trustPolicy: string | null
  maxSessionSeconds: number | null
  boundaryArn: string | null
  tags: Tag[]
}

export interface AccessKey {
  id: string
  accountId: string
  /** A user's id; the account's id for keys of its root. */
  ownerId: string
  status: 'Active' | 'Inactive'
  sealedSecret: string
  createdAtMs: number
}

export interface ManagedPolicy {
  accountId: string
  arn: string
  name: string
  path: string
  id: string
  description: string | null
  defaultVersion: number
  createdAtMs: number
  updatedAtMs: number
  tags: Tag[]
}

export interface PolicyVersion {
  version: number
  document: string
  createdAtMs: number
}

/** Whose tokens an account takes: the issuer of OpenID Connect tokens, and for which clients. */
export interface OidcProvider {
  arn: string
  accountId: string
  /** As tokens name their issuer, scheme included. */
  url: string
  clientIds: string[]
  /** SHA-1 of certificates, hexadecimal. */
  thumbprints: string[]
  tags: Tag[]
  createdAtMs: number
}

/** An account of this server. */
export interface Account {
  accountId: string
  createdAtMs: number
}

/** Source: IAM user guide, "IAM and AWS STS quotas"; characters of documents count without white space. */
export const ACCESS_KEYS_PER_USER_MAX = 2
export const MANAGED_POLICIES_PER_ENTITY_MAX = 10
export const POLICY_VERSIONS_MAX = 5
export const MANAGED_POLICY_CHARACTERS_MAX = 6_144
export const TRUST_POLICY_CHARACTERS_MAX = 2_048
export const GROUPS_PER_USER_MAX = 10
export const TAGS_MAX = 50
export const INLINE_POLICY_CHARACTERS_MAX: Readonly<Record<EntityKind, number>> = { user: 2_048, role: 10_240, group: 5_120 }
export const ENTITIES_MAX: Readonly<Record<EntityKind, number>> = { user: 5_000, role: 1_000, group: 300 }
export const POLICIES_MAX = 1_500
export const OIDC_PROVIDERS_MAX = 100
export const OIDC_CLIENT_IDS_MAX = 100
export const OIDC_THUMBPRINTS_MAX = 5
/** Ours: accounts of one server. */
export const ACCOUNTS_MAX = 10_000

/** Source: IAM user guide, "IAM identifiers", unique identifiers. */
const idPrefixes = { user: 'AIDA', role: 'AROA', group: 'AGPA', policy: 'ANPA' } as const

export function newEntityId(kind: keyof typeof idPrefixes, random: RandomSource): string {
  return `${idPrefixes[kind]}${random.text(17, alphabets.base32)}`
}

/**
 * A new access key's id. The account stands in it, as in AWS's own ids: in base 32 after the prefix, bit 46 down to bit 7 of the
 * first 48 bits, under a leading bit that is set.
 *
 * Observed: AWS, in its ids as researchers took them apart ("A short note on AWS KEY ID", T. Beckers, 2023).
 */
export function newAccessKeyId(prefix: 'AKIA' | 'ASIA', accountId: string, random: RandomSource): string {
  const noise = random.bytes(5)
  const bits = (((1n << 40n) | BigInt(accountId)) << 39n) | (BigInt(`0x${noise.toString('hex')}`) & 0x7f_ffff_ffffn)
  let text = ''
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += alphabets.base32[Number((bits >> shift) & 31n)]
  return prefix + text
}

/** The account that an access key's id tells, or undefined. */
export function accountOfAccessKeyId(accessKeyId: string): string | undefined {
  const text = /^(?:AKIA|ASIA)(?<text>[A-Z2-7]{16})$/.exec(accessKeyId)?.groups?.text
  if (!text) return undefined
  const bits = Array.from(text).reduce((sum, character) => (sum << 5n) | BigInt(alphabets.base32.indexOf(character)), 0n)
  const accountId = (bits >> 39n) & 0xff_ffff_ffffn
  return accountId <= 999_999_999_999n ? accountId.toString().padStart(12, '0') : undefined
}

export function newSecretAccessKey(random: RandomSource): string {
  return random.text(40, alphabets.secret)
}

/** `arn:aws:iam::123456789012:user/path/name`. Source: IAM user guide, "IAM identifiers", IAM ARNs. */
export function entityArn({ accountId, kind, path, name }: Pick<Entity, 'accountId' | 'kind' | 'path' | 'name'>): string {
  return `arn:aws:iam::${accountId}:${kind}${path}${name}`
}

export function policyArn({ accountId, path, name }: Pick<ManagedPolicy, 'accountId' | 'path' | 'name'>): string {
  return `arn:aws:iam::${accountId}:policy${path}${name}`
}

/** `arn:aws:iam::123456789012:oidc-provider/host/path`: the URL without its scheme. Source: IAM user guide, "IAM identifiers", IAM ARNs. */
export function oidcProviderArn({ accountId, url }: Pick<OidcProvider, 'accountId' | 'url'>): string {
  return `arn:aws:iam::${accountId}:oidc-provider/${withoutScheme(url)}`
}

export function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//, '')
}

export function rootArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`
}

/** Source: IAM user guide, "IAM and AWS STS quotas": white space does not count. */
export function charactersOf(document: string): number {
  return document.replace(/\s/g, '').length
}

/** Policy documents leave IAM percent-encoded. Source: IAM API reference, GetRolePolicy: RFC 3986. */
export function encodeDocument(document: string): string {
  return encodeURIComponent(document).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
