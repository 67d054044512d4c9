// The properties of signers.test.ts, 100,000 requests in all.

import { describe, test } from 'node:test'
import { acceptsAll, acceptsBotocore, refusesForgeries, refusesSpoilt } from '#test/support/signature-properties.ts'
import { signWithAws4, signWithSmithy } from '#test/support/signed-requests.ts'

describe('a random request', () => {
  test('signed by @smithy/signature-v4 is accepted', () => acceptsAll(signWithSmithy, 30_000))
  test('signed by aws4 is accepted', () => acceptsAll(signWithAws4, 40_000))
  test('signed by botocore is accepted', (t) => acceptsBotocore(t, 30_000))
  test('that was changed after signing is refused', () => refusesSpoilt(signWithAws4, 40_000))
  test('that was changed after @smithy/signature-v4 signed it is refused', () => refusesSpoilt(signWithSmithy, 10_000))
})

test('nothing that only looks like a signature is accepted, and each is refused in words', () => refusesForgeries(100_000))
