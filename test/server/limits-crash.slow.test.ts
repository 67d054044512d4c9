// Killed again and again while a quota is used up: it never admits one request too many, and a crash wastes one lease at most.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { APIGatewayClient, GetUsageCommand } from '@aws-sdk/client-api-gateway'
import { keyed, type Keyed } from '#test/support/keyed-api.ts'
import { startProcess } from '#test/support/process.ts'

const LIMIT = 3_000
const ROUNDS = 8

test(`a quota of ${LIMIT} under ${ROUNDS} times kill -9`, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-limits-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  let api: Keyed | undefined
  /** Answered with 200, and sent without an answer when the server was killed: those may have passed or not. */
  let admitted = 0
  let unknown = 0
  for (let round = 0; round <= ROUNDS; round++) {
    const isLast = round === ROUNDS
    const server = await startProcess({ dataDir })
    const port = Number(new URL(server.endpoint).port)
    const apigateway = new APIGatewayClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 })
    api ??= await keyed({ apigateway, port }, { quota: { limit: LIMIT, period: 'MONTH' } })
    const { sign, value, keyId, usagePlanId } = api
    let isOver = false
    const callers = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        try {
          const { status } = await sign(value, port)
          if (status === 200) admitted += 1
          else {
            assert.equal(status, 429)
            if (isLast) return
          }
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error
          unknown += 1
          return
        }
      }
    })
    if (!isLast) {
      await new Promise((done) => setTimeout(done, 100 + Math.random() * 150))
      await server.end('SIGKILL')
      isOver = true
      await Promise.all(callers)
      apigateway.destroy()
      continue
    }
    await Promise.all(callers)
    assert.ok(admitted <= LIMIT, `${admitted} of ${LIMIT} admitted`)
    // A lease is a tenth of what is left at most, and doubles only while it is used up within a second.
    const wasted = LIMIT - admitted - unknown
    assert.ok(wasted <= ROUNDS * LIMIT / 10, `${wasted} wasted by ${ROUNDS} crashes`)
    const range = { startDate: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10), endDate: new Date().toISOString().slice(0, 10) }
    const { items } = await apigateway.send(new GetUsageCommand({ usagePlanId, keyId, ...range }))
    assert.equal(items![keyId]!.reduce((sum, [used = 0]) => sum + used, 0), LIMIT)
    t.diagnostic(`${admitted} admitted, ${unknown} unknown, ${wasted} wasted`)
    apigateway.destroy()
    await server.end('SIGTERM')
  }
})
