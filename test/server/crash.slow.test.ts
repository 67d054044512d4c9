// Killed again and again at moments of no one's choosing: nothing acknowledged is lost, and no start needs help.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { startProcess } from '#test/support/process.ts'

const ROUNDS = 20

test(`${ROUNDS} times kill -9 lose nothing that was acknowledged, also with commits slowed by 5 ms`, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  /** The last acknowledged number of each key. */
  const acknowledged = new Map<string, number>()
  let number = 0
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startProcess({ dataDir, settings: round % 2 === 0 ? {} : { COMMIT_DELAY_MS: '5' } })
    t.after(() => server.end('SIGKILL'))
    const client = new DynamoDBClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 })
    if (round === 0) {
      await client.send(new CreateTableCommand({ TableName: 'Things', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] }))
    }
    for (const [id, last] of acknowledged) {
      const { Item } = await client.send(new GetItemCommand({ TableName: 'Things', Key: { id: { S: id } }, ConsistentRead: true }))
      assert.ok(Number(Item?.n?.N) >= last, `round ${round}: ${id} is ${Item?.n?.N}, but ${last} was acknowledged`)
    }
    let isKilled = false
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      while (!isKilled) {
        const n = ++number
        try {
          await client.send(new PutItemCommand({ TableName: 'Things', Item: { id: { S: `key-${writer}` }, n: { N: String(n) } } }))
          acknowledged.set(`key-${writer}`, n)
        } catch { /* in the moment of the kill */ }
      }
    })
    await new Promise((done) => setTimeout(done, 100 + Math.random() * 400))
    await server.end('SIGKILL')
    isKilled = true
    await Promise.all(writers)
    client.destroy()
  }
  assert.ok(acknowledged.size === 16)
})
