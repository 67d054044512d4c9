// Properties of signature verification, for any number of random requests.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { createAuthenticator, SignatureRefusal } from '#aws/authenticate.ts'
import type { SigningCredentials } from '#aws/sigv4/sign.ts'
import { drafts, forgeries, received, signAllWithBotocore, spoilings, type Draft, type Sent, type Signer } from './signed-requests.ts'

/** What a signer signs is accepted. */
export async function acceptsAll(sign: Signer, runs: number): Promise<void> {
  await fc.assert(fc.asyncProperty(drafts, async (draft) => {
    await judge(draft, await sign(draft))
  }), { numRuns: runs })
}

/** The same for botocore, in one process; skipped where Python has none whose clock can be set. */
export async function acceptsBotocore(t: TestContext, runs: number): Promise<void> {
  try {
    execFileSync('python3', ['-c', 'import botocore.auth; botocore.auth.get_current_datetime'], { stdio: 'ignore' })
  } catch {
    t.skip('absent: botocore')
    return
  }
  const sample = fc.sample(drafts, runs).map((draft) => draft.expiresSeconds === undefined ? draft : { ...draft, query: distinct(draft.query), body: Buffer.alloc(0) })
  const sent = await signAllWithBotocore(sample)
  for (const [index, draft] of sample.entries()) {
    await judge(draft, sent[index]!).catch((error: unknown) => { throw new Error(`${JSON.stringify(sent[index])}: ${String(error)}`) })
  }
}

/** botocore's presigner reads the query into a dictionary: of a repeated name it keeps one value, and none that is empty. */
function distinct(query: readonly [string, string][]): [string, string][] {
  return [...new Map(query.filter(([, value]) => value !== ''))]
}

/** Every change of a signed request that alters what was signed is refused. */
export async function refusesSpoilt(sign: Signer, runs: number): Promise<void> {
  await fc.assert(fc.asyncProperty(drafts, fc.constantFrom(...Object.keys(spoilings)), fc.nat(), async (draft, name, at) => {
    const sent = await sign(draft)
    const spoilt = spoilings[name]!(sent, signedHeadersOf(sent), at)
    if (spoilt === undefined) return
    await assert.rejects(judge(draft, spoilt), SignatureRefusal, name)
  }), { numRuns: runs })
}

/** Whatever looks like a signature is refused with a sentence, and fails in no other way. */
export async function refusesForgeries(runs: number): Promise<void> {
  const authenticator = authenticatorFor({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' }, Date.UTC(2015, 7, 30, 12, 36, 0))
  await fc.assert(fc.asyncProperty(forgeries, fc.constantFrom('lambda', 'dynamodb', 'sts', 'execute-api', 'constructor'), async (request, service) => {
    try {
      const claim = await authenticator.begin(request, { services: [service] })
      claim.finish(Buffer.alloc(0))
    } catch (error) {
      assert.ok(error instanceof SignatureRefusal, String(error))
      assert.notEqual(error.message, '')
      return
    }
    assert.fail('accepted')
  }), { numRuns: runs })
}

async function judge(draft: Draft, sent: Sent): Promise<void> {
  const claim = await authenticatorFor(draft.credentials, draft.nowMs).begin(received(sent), { services: [draft.service] })
  claim.finish(sent.body)
  assert.equal(claim.region, draft.region)
}

function authenticatorFor({ accessKeyId, secretAccessKey, sessionToken }: SigningCredentials, nowMs: number): ReturnType<typeof createAuthenticator> {
  return createAuthenticator({
    clock: { now: () => nowMs },
    identity: {
      findCredential: async (id, token) => id === accessKeyId && token === sessionToken
        ? { secretAccessKey, caller: { is: 'root', accountId: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', accessKeyId } }
        : { refused: id === accessKeyId ? 'token invalid' : 'unknown key' },
    },
  })
}

function signedHeadersOf({ headers, rawQuery }: Sent): string[] {
  const authorization = headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? decodeURIComponent(rawQuery)
  return /SignedHeaders=([^,&\s]+)/.exec(authorization)?.[1]?.split(';') ?? []
}
