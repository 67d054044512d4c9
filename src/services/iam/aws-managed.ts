// AWS's own managed policies, which every account can attach by name: those that the services here are used with.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { alphabets } from '#lib/random.ts'
import { compilePolicy } from '#aws/policy/compile.ts'
import type { Policy, PolicyDocument } from '#aws/policy/document.ts'
import type { ManagedPolicy } from './model.ts'

export interface AwsManagedPolicy extends ManagedPolicy {
  /** As GetPolicyVersion gives it. */
  document: string
  compiled: Policy
}

interface Published {
  name: string
  path: string
  version: number
  publishedAt: string
  description: string
  document: PolicyDocument
}

/**
 * By ARN, in order of name.
 *
 * Source: AWS Managed Policy Reference; documents and dates as GetPolicyVersion answered them, kept by zoph-io/MAMIP.
 * Ours: only the newest version that we know exists, its date stands for the policy's as well, and the policy's id is derived from its ARN.
 */
export const awsManagedPolicies: ReadonlyMap<string, AwsManagedPolicy> = new Map(read().map((policy) => [policy.arn, policy]))

function read(): AwsManagedPolicy[] {
  const published = JSON.parse(readFileSync(new URL('./aws-managed-policies.json', import.meta.url), 'utf8')) as Published[]
  return published.map(({ name, path, version, publishedAt, description, document }) => {
    const arn = `arn:aws:iam::aws:policy${path}${name}`
    const publishedAtMs = Date.parse(publishedAt)
    return {
      accountId: 'aws', arn, name, path, id: `ANPA${idFrom(arn)}`, description, defaultVersion: version,
      createdAtMs: publishedAtMs, updatedAtMs: publishedAtMs, tags: [],
      document: JSON.stringify(document, null, 4), compiled: compilePolicy(document, arn),
    }
  })
}

function idFrom(arn: string): string {
  const digest = createHash('sha256').update(arn).digest()
  return Array.from(digest.subarray(0, 17), (byte) => alphabets.base32[byte % 32]).join('')
}
