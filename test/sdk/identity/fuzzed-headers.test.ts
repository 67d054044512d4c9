// The grammar of signatures, fuzzed against a real server.

import { test } from 'node:test'
import { startServer } from '#test/support/server.ts'
import { refusesWhateverLooksSigned } from './fuzzed-headers.ts'

test('a request that only looks signed is refused, whatever it says and wherever it goes', async (t) => {
  await refusesWhateverLooksSigned(await startServer(t), 500)
})
