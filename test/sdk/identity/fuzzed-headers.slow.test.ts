// The property of fuzzed-headers.test.ts, for 20,000 requests.

import { test } from 'node:test'
import { startServer } from '#test/support/server.ts'
import { refusesWhateverLooksSigned } from './fuzzed-headers.ts'

test('a request that only looks signed is refused, whatever it says and wherever it goes', async (t) => {
  await refusesWhateverLooksSigned(await startServer(t), 20_000)
})
