// Acknowledged means flushed: seen from outside, in the server's own system calls, and after it was killed.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { CreateUserCommand, GetUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { absent } from '#test/support/programs.ts'
import { descendants, startProcess, type ServerProcess } from '#test/support/process.ts'

function clientsOf({ endpoint, credentials }: ServerProcess) {
  const options = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }
  return { dynamodb: new DynamoDBClient(options), iam: new IAMClient(options) }
}

const table = { TableName: 'Things', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] } as const

describe('what was acknowledged', () => {
  test('was flushed to disk between the request and its answer', { skip: absent('strace') }, async (t) => {
    const dataDir = keptDirectory()
    const log = join(dataDir, 'calls')
    const server = await startProcess({ dataDir, under: ['strace', '-f', '-q', '-y', '-s', '120', '-e', 'trace=fsync,fdatasync,read,recvfrom,write,writev,sendto,sendmsg', '-o', log] })
    const [traced] = descendants(server.child.pid!)
    t.after(async () => {
      process.kill(traced!, 'SIGKILL')
      await server.ended
    })
    const { dynamodb, iam } = clientsOf(server)
    await dynamodb.send(new CreateTableCommand({ ...table, KeySchema: [...table.KeySchema], AttributeDefinitions: [...table.AttributeDefinitions] }))
    await new Promise((done) => setTimeout(done, 300))

    // The request's own words mark its arrival, the next answer on a socket its end.
    for (const [name, call] of [
      ['marker-item', () => dynamodb.send(new PutItemCommand({ TableName: 'Things', Item: { id: { S: 'marker-item' } } }))],
      ['marker-user', () => iam.send(new CreateUserCommand({ UserName: 'marker-user' }))],
    ] as const) {
      const before = readFileSync(log, 'utf8').length
      await call()
      await new Promise((done) => setTimeout(done, 300))
      const calls = readFileSync(log, 'utf8').slice(before).split('\n')
      const answer = calls.findIndex((line) => /(write|writev|sendto|sendmsg)\(\d+<socket.*HTTP\/1\.1 200/.test(line))
      assert.ok(answer !== -1, `${name}: no answer among the calls`)
      const flush = calls.findIndex((line) => /f(data)?sync\(\d+<.*core\.db/.test(line) || /f(data)?sync resumed/.test(line))
      assert.ok(flush !== -1 && flush < answer, `${name}: no flush of the store before the answer`)
    }
  })

  test('is there after the server was killed, and the next start needs no help', async (t) => {
    const dataDir = keptDirectory()
    const first = await startProcess({ dataDir })
    t.after(() => first.end('SIGKILL'))
    const { dynamodb, iam } = clientsOf(first)
    await dynamodb.send(new CreateTableCommand({ ...table, KeySchema: [...table.KeySchema], AttributeDefinitions: [...table.AttributeDefinitions] }))
    const acknowledged: string[] = []
    let isKilled = false
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !isKilled; n++) {
        const id = `${writer}-${n}`
        try {
          await dynamodb.send(new PutItemCommand({ TableName: 'Things', Item: { id: { S: id } } }))
          acknowledged.push(id)
        } catch { /* in the moment of the kill */ }
      }
    })
    await iam.send(new CreateUserCommand({ UserName: 'kept' }))
    while (acknowledged.length < 200) await new Promise((done) => setTimeout(done, 5))
    await first.end('SIGKILL')
    isKilled = true
    await Promise.all(writers)

    const second = await startProcess({ dataDir })
    t.after(() => second.end('SIGTERM'))
    const after = clientsOf(second)
    assert.equal((await after.iam.send(new GetUserCommand({ UserName: 'kept' }))).User!.UserName, 'kept')
    for (const id of acknowledged) assert.deepEqual((await after.dynamodb.send(new GetItemCommand({ TableName: 'Things', Key: { id: { S: id } } }))).Item, { id: { S: id } })
  })
})
