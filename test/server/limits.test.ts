// Quotas over restarts and over several processes: what was used is used, wherever it is asked for.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { GetUsageCommand, UpdateApiKeyCommand } from '@aws-sdk/client-api-gateway'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { keyed } from '#test/support/keyed-api.ts'
import { freshPostgres, postgresIsAbsent } from '#test/support/postgres.ts'
import type { RawAnswer } from '#test/support/raw-request.ts'
import { startServer } from '#test/support/server.ts'

const admitted = (answers: readonly RawAnswer[]) => answers.filter(({ status }) => status === 200).length
const thisMonth = () => ({ startDate: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10), endDate: new Date().toISOString().slice(0, 10) })
const total = (days: readonly (readonly number[])[]) => days.reduce((sum, [used = 0]) => sum + used, 0)

test('a quota goes on where it was when the server is stopped and started: nothing is wasted', async (t) => {
  const dataDir = keptDirectory()
  const first = await startServer(undefined, { dataDir })
  const { sign, value, keyId, usagePlanId } = await keyed(first, { quota: { limit: 100, period: 'MONTH' } })
  for (let round = 0; round < 5; round++) assert.equal(admitted(await Promise.all(Array.from({ length: 12 }, () => sign(value)))), 12)
  await first.close()
  const second = await startServer(t, { dataDir })
  assert.equal(total((await second.apigateway.send(new GetUsageCommand({ usagePlanId, ...thisMonth() }))).items![keyId]!), 60)
  assert.equal(admitted(await Promise.all(Array.from({ length: 60 }, () => sign(value, second.port)))), 40)
})

test('two processes over one PostgreSQL admit together what the quota allows, and refuse a disabled key within a second', { skip: postgresIsAbsent() }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-limits-'))
  const { engine: { url }, remove } = await freshPostgres()
  const settings = { DATABASE_URL: url, MASTER_KEY_FILE: join(directory, 'master.key') }
  const first = await startServer(undefined, { settings })
  const second = await startServer(undefined, { settings })
  t.after(async () => {
    await first.close()
    await second.close()
    await remove()
    rmSync(directory, { recursive: true, force: true })
  })
  const { sign, value, keyId, usagePlanId } = await keyed(first, { quota: { limit: 120, period: 'MONTH' } })
  // The other process hears of the new key within a second.
  let sum = 0
  const until = performance.now() + 5_000
  while (performance.now() < until && sum === 0) sum += admitted([await sign(value, second.port)])
  assert.equal(sum, 1)
  for (let round = 0; round < 15; round++) {
    const answers = await Promise.all([first.port, second.port].flatMap((port) => Array.from({ length: 5 }, () => sign(value, port))))
    sum += admitted(answers)
    assert.ok(sum <= 120)
  }
  // What one of them holds and does not use goes back after a second.
  while (sum < 120 && performance.now() < until + 10_000) sum += admitted(await Promise.all([sign(value, first.port), sign(value, second.port)]))
  assert.equal(sum, 120)
  assert.deepEqual(await Promise.all([first, second].map(async ({ port }) => (await sign(value, port)).status)), [429, 429])
  for (const server of [first, second]) {
    assert.equal(total((await server.apigateway.send(new GetUsageCommand({ usagePlanId, ...thisMonth() }))).items![keyId]!), 120)
  }
  await first.apigateway.send(new UpdateApiKeyCommand({ apiKey: keyId, patchOperations: [{ op: 'replace', path: '/enabled', value: 'false' }] }))
  assert.equal((await sign(value, first.port)).status, 403)
  const disabledBy = performance.now() + 1_500
  let status = 429
  while (status !== 403 && performance.now() < disabledBy) status = (await sign(value, second.port)).status
  assert.equal(status, 403)
})
