// The records of functions, their permissions and code, on both engines.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachDatabase } from '#test/support/each-database.ts'
import { migrations } from './migrations.ts'
import type { FunctionRecord } from './model.ts'
import { findArchive, findFunction, listFunctions, transactions } from './store.ts'

const record = (changes: Partial<FunctionRecord> = {}): FunctionRecord => ({
  accountId: '000000000000', region: 'us-east-1', name: 'f', id: 'id-1', version: '$LATEST', revisionId: 'r1', generation: 'g1', contentId: 'c1', codeSha256: 'aa', codeBytes: 3, lastModifiedMs: 1_700_000_000_000,
  settings: {
    runtime: 'nodejs22.x', role: 'arn', handler: 'index.handler', description: '', timeoutSeconds: 3, memoryMb: 128, ephemeralStorageMb: 512, architecture: 'x86_64',
    tracingMode: 'PassThrough', logGroup: '/aws/lambda/f',
  },
  environment: Buffer.from([1, 2, 3]), policy: [], tags: { a: 'b' }, ...changes,
})
const key = { accountId: '000000000000', region: 'us-east-1', name: 'f' }
const archive = Buffer.from('zip')
const target = { key, qualifier: undefined, revisionId: undefined }
const statement = { Sid: 's', Effect: 'Allow', Principal: '*', Action: 'lambda:InvokeFunction', Resource: 'arn' } as const

eachDatabase('functions', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  test('are not made twice, nor changed when they are missing or were changed before', async () => {
    const db = await open()
    await assert.rejects(db.transact(transactions.deleteFunction, key), { reason: 'missing' })
    await db.transact(transactions.insertFunction, { record: record(), archive })
    await assert.rejects(db.transact(transactions.insertFunction, { record: record({ id: 'id-2', codeSha256: 'bb' }), archive }), { reason: 'exists' })
    assert.equal(await findArchive(db, 'bb'), undefined, 'the archive of a refused function is not kept')
    const update = { settings: {}, revisionId: 'r2', generation: 'g2', lastModifiedMs: 1 }
    await assert.rejects(db.transact(transactions.updateFunction, { expected: { key, revisionId: 'r0' }, update }), { reason: 'revision' })
    await assert.rejects(db.transact(transactions.updateFunction, { expected: { key: { ...key, name: 'g' }, revisionId: undefined }, update }), { reason: 'missing' })
  })

  test('come back as they were stored', async () => {
    const db = await open()
    await db.transact(transactions.insertFunction, { record: record(), archive })
    const found = await findFunction(db, key)
    assert.deepEqual({ ...found!, environment: Buffer.from(found!.environment!) }, record())
    assert.deepEqual(await findArchive(db, 'aa'), archive)
    await db.transact(transactions.insertFunction, { record: record({ name: 'g', environment: null }), archive })
    assert.equal((await findFunction(db, { ...key, name: 'g' }))!.environment, null)
    assert.deepEqual((await listFunctions(db, { ...key, after: '', limit: 1 })).map(({ name }) => name), ['f'])
    assert.deepEqual((await listFunctions(db, { ...key, after: 'f', limit: 5 })).map(({ name }) => name), ['g'])
    assert.deepEqual(await listFunctions(db, { ...key, region: 'eu-west-1', after: '', limit: 5 }), [])
  })

  test('keep an archive as long as one of them has it', async () => {
    const db = await open()
    for (const name of ['f', 'g']) await db.transact(transactions.insertFunction, { record: record({ name }), archive })
    const update = { settings: { memoryMb: 256 }, revisionId: 'r2', generation: 'g2', lastModifiedMs: 2, codeSha256: 'bb', codeBytes: 5 }
    const updated = await db.transact(transactions.updateFunction, { expected: { key, revisionId: 'r1' }, update, archive: Buffer.from('other') })
    assert.deepEqual([updated.settings.memoryMb, updated.settings.runtime, updated.codeBytes], [256, 'nodejs22.x', 5])
    assert.deepEqual(await findArchive(db, 'aa'), archive)
    await db.transact(transactions.deleteFunction, { ...key, name: 'g' })
    assert.equal(await findArchive(db, 'aa'), undefined)
    assert.deepEqual(await findArchive(db, 'bb'), Buffer.from('other'))
  })

  test('have permissions and tags within limits', async () => {
    const db = await open()
    await db.transact(transactions.insertFunction, { record: record(), archive })
    await assert.rejects(db.transact(transactions.removeStatement, { target, sid: 's', revisionId: 'r' }), { reason: 'policy missing' })
    await db.transact(transactions.addStatement, { target, statement, revisionId: 'r2', policyBytesMax: 150 })
    assert.equal((await findFunction(db, key))!.revisionId, 'r2')
    await assert.rejects(db.transact(transactions.addStatement, { target, statement, revisionId: 'r3', policyBytesMax: 150 }), { reason: 'statement exists' })
    await assert.rejects(db.transact(transactions.addStatement, { target, statement: { ...statement, Sid: 't' }, revisionId: 'r3', policyBytesMax: 150 }), { reason: 'policy too long' })
    await assert.rejects(db.transact(transactions.removeStatement, { target, sid: 't', revisionId: 'r3' }), { reason: 'statement missing' })
    await db.transact(transactions.removeStatement, { target, sid: 's', revisionId: 'r3' })
    assert.deepEqual((await findFunction(db, key))!.policy, [])
    await assert.rejects(db.transact(transactions.changeTags, { key, set: { b: '1', c: '2' }, unset: [], tagsMax: 2 }), { reason: 'too many tags' })
    await db.transact(transactions.changeTags, { key, set: { b: '1' }, unset: ['a'], tagsMax: 2 })
    assert.deepEqual((await findFunction(db, key))!.tags, { b: '1' })
  })

  test('tell everybody when they change', async () => {
    const db = await open()
    const heard: string[] = []
    db.onChange((change) => { if (change?.topic === 'lambda.function') heard.push(change.key) })
    await db.transact(transactions.insertFunction, { record: record(), archive })
    await db.transact(transactions.deleteFunction, key)
    assert.deepEqual(heard, ['000000000000/us-east-1/f', '000000000000/us-east-1/f'])
  })
})
