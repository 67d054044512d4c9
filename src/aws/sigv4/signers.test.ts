// Independent signers judge ours: what they sign is accepted, any change of it is refused, and nothing else gets through.
// The same properties run longer in signers.slow.test.ts.

import { describe, test } from 'node:test'
import { acceptsAll, acceptsBotocore, refusesForgeries, refusesSpoilt } from '#test/support/signature-properties.ts'
import { signWithAws4, signWithSmithy } from '#test/support/signed-requests.ts'

describe('a random request', () => {
  test('signed by @smithy/signature-v4 is accepted', () => acceptsAll(signWithSmithy, 400))
  test('signed by aws4 is accepted', () => acceptsAll(signWithAws4, 600))
  test('signed by botocore is accepted', (t) => acceptsBotocore(t, 500))
  test('that was changed after signing is refused', () => refusesSpoilt(signWithAws4, 500))
})

test('nothing that only looks like a signature is accepted, and each is refused in words', () => refusesForgeries(2000))
