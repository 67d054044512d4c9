// The records of functions, their permissions and code, on both engines.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachDatabase } from '#test/support/each-database.ts'
import { findAlias, listAliases } from './alias-store.ts'
import { migrations as concurrencyMigrations } from './concurrency/migrations.ts'
import { migrations as eventMigrations } from './events/migrations.ts'
import { migrations as functionMigrations } from './migrations.ts'
import type { FunctionRecord } from './model.ts'
import { findLayerVersion, listLayerNames, listLayerVersions } from './layer-store.ts'
import { findArchive, findFunction, findVersion, listFunctions, listVersions, readUsage, transactions } from './store.ts'
import { findUrl, findUrlById, listUrls } from './url-store.ts'

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

/** With a function go the settings that other tables keep for it. */
const migrations = [...functionMigrations, ...eventMigrations, ...concurrencyMigrations]

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

const publication = (number: number) => ({ description: undefined, codeSha256: undefined, atMs: number, revisionId: `v${number}`, generation: `vg${number}`, latestRevisionId: `l${number}` })
const layer = (changes: object = {}) => ({
  accountId: '000000000000', region: 'us-east-1', name: 'l', description: '', licenseInfo: undefined, runtimes: ['nodejs22.x'], architectures: undefined,
  codeSha256: 'll', codeBytes: 5, unzippedBytes: 6, createdMs: 1, policy: [], policyRevisionId: 'p1', ...changes,
})

eachDatabase('versions, aliases, addresses and layers', { migrations, transactionModules: [new URL('./store.ts', import.meta.url)] }, (open) => {
  test('a version is made when the content has changed, and stays as it is', async () => {
    const db = await open()
    const one = await db.transact(transactions.insertFunction, { record: record(), archive, publication: publication(1) })
    assert.deepEqual([one.version, one.revisionId, one.policy, (await findFunction(db, key))!.revisionId], ['1', 'v1', [], 'l1'])
    const publish = (number: number, changes: object = {}) => db.transact(transactions.publishVersion, { expected: { key, revisionId: undefined }, publication: { ...publication(number), ...changes } })
    assert.equal((await publish(2)).revisionId, 'v1')
    await assert.rejects(publish(2, { codeSha256: 'other' }), { reason: 'code' })
    const update = { settings: { memoryMb: 256 }, revisionId: 'r2', generation: 'g2', lastModifiedMs: 2, codeSha256: 'bb', codeBytes: 9, contentId: 'c2' }
    const two = await db.transact(transactions.updateFunction, { expected: { key, revisionId: 'l1' }, update, archive: Buffer.from('other'), publication: publication(2) })
    assert.deepEqual([two.version, two.settings.memoryMb, two.codeSha256], ['2', 256, 'bb'])
    const kept = (await findVersion(db, key, '1'))!
    assert.deepEqual([kept.settings.memoryMb, kept.codeSha256, kept.tags, Buffer.from(kept.environment!)], [128, 'aa', { a: 'b' }, Buffer.from([1, 2, 3])])
    assert.deepEqual((await listVersions(db, { ...key, after: { name: 'f', version: '-1' }, limit: 9 })).map(({ version }) => version), ['$LATEST', '1', '2'])
    assert.deepEqual((await listVersions(db, { accountId: key.accountId, region: key.region, after: { name: 'f', version: '1' }, limit: 9 })).map(({ version }) => version), ['2'])
    assert.deepEqual(await readUsage(db, key), { functions: 1, codeBytes: archive.length + 2 * 'other'.length })
    for (const absent of ['0', '01', '3', '1e0', '99999999999999999999']) assert.equal(await findVersion(db, key, absent), undefined)
  })

  test('what is referred to is not deleted, and what is deleted takes its archive along', async () => {
    const db = await open()
    await db.transact(transactions.insertFunction, { record: record(), archive, publication: publication(1) })
    const alias = { name: 'live', version: '1', weights: {}, description: '', revisionId: 'a1', policy: [] }
    await assert.rejects(db.transact(transactions.insertAlias, { key, alias: { ...alias, version: '2' } }), { reason: 'alias target missing' })
    await db.transact(transactions.insertAlias, { key, alias })
    await assert.rejects(db.transact(transactions.insertAlias, { key, alias }), { reason: 'alias exists' })
    await assert.rejects(db.transact(transactions.deleteVersion, { key, version: '1' }), { reason: 'referenced' })
    await assert.rejects(db.transact(transactions.updateAlias, { key, name: 'live', revisionId: 'a0', newRevisionId: 'a2', change: {} }), { reason: 'revision' })
    await assert.rejects(db.transact(transactions.updateAlias, { key, name: 'dead', revisionId: undefined, newRevisionId: 'a2', change: {} }), { reason: 'alias missing' })
    await db.transact(transactions.updateAlias, { key, name: 'live', revisionId: 'a1', newRevisionId: 'a2', change: { version: '$LATEST', description: 'd' } })
    assert.deepEqual(await findAlias(db, key, 'live'), { ...alias, version: '$LATEST', description: 'd', revisionId: 'a2' })
    assert.deepEqual(await listAliases(db, { ...key, version: '1', after: '', limit: 9 }), [])
    const update = { settings: {}, revisionId: 'r2', generation: 'g2', lastModifiedMs: 2, codeSha256: 'bb', codeBytes: 9, contentId: 'c2' }
    await db.transact(transactions.updateFunction, { expected: { key, revisionId: undefined }, update, archive: Buffer.from('other') })
    assert.ok(await findArchive(db, 'aa'))
    await db.transact(transactions.deleteVersion, { key, version: '1' })
    assert.equal(await findArchive(db, 'aa'), undefined)
    await db.transact(transactions.deleteVersion, { key, version: '1' })
  })

  test('a policy belongs to a function, a version or an alias', async () => {
    const db = await open()
    await db.transact(transactions.insertFunction, { record: record(), archive, publication: publication(1) })
    await db.transact(transactions.insertAlias, { key, alias: { name: 'live', version: '1', weights: {}, description: '', revisionId: 'a1', policy: [] } })
    const policies = async () => [(await findFunction(db, key))!, (await findVersion(db, key, '1'))!, (await findAlias(db, key, 'live'))!].map(({ policy, revisionId }) => [policy.length, revisionId])
    for (const [qualifier, revisionId] of [['1', 'x1'], ['live', 'x2']] as const) {
      await assert.rejects(db.transact(transactions.addStatement, { target: { key, qualifier, revisionId: 'old' }, statement, revisionId, policyBytesMax: 150 }), { reason: 'revision' })
      await db.transact(transactions.addStatement, { target: { key, qualifier, revisionId: undefined }, statement, revisionId, policyBytesMax: 150 })
    }
    assert.deepEqual(await policies(), [[0, 'l1'], [1, 'x1'], [1, 'x2']])
    await db.transact(transactions.removeStatement, { target: { key, qualifier: 'live', revisionId: 'x2' }, sid: 's', revisionId: 'x3' })
    assert.deepEqual(await policies(), [[0, 'l1'], [1, 'x1'], [0, 'x3']])
    await assert.rejects(db.transact(transactions.addStatement, { target: { key, qualifier: '2', revisionId: undefined }, statement, revisionId: 'x', policyBytesMax: 150 }), { reason: 'missing' })
  })

  test('an address is a function\'s or an alias\'s, and goes with it', async () => {
    const db = await open()
    const url = { ...key, alias: undefined, urlId: 'id1', authType: 'NONE', cors: undefined, invokeMode: 'BUFFERED', createdMs: 1, lastModifiedMs: 1 } as const
    await assert.rejects(db.transact(transactions.insertUrl, { url }), { reason: 'missing' })
    await db.transact(transactions.insertFunction, { record: record(), archive })
    await db.transact(transactions.insertUrl, { url })
    await assert.rejects(db.transact(transactions.insertUrl, { url: { ...url, urlId: 'id2' } }), { reason: 'url exists' })
    await assert.rejects(db.transact(transactions.insertUrl, { url: { ...url, alias: 'live' } }), { reason: 'alias missing' })
    await db.transact(transactions.insertAlias, { key, alias: { name: 'live', version: '$LATEST', weights: {}, description: '', revisionId: 'a1', policy: [] } })
    await db.transact(transactions.insertUrl, { url: { ...url, alias: 'live', urlId: 'id2' } })
    await db.transact(transactions.updateUrl, { key, alias: undefined, change: { cors: { MaxAge: 1 }, lastModifiedMs: 2 } })
    assert.deepEqual((await findUrl(db, key, undefined))!.cors, { MaxAge: 1 })
    assert.deepEqual((await listUrls(db, { ...key, after: undefined, limit: 9 })).map(({ alias }) => alias), [undefined, 'live'])
    await db.transact(transactions.deleteAlias, { key, name: 'live' })
    assert.equal(await findUrlById(db, 'id2'), undefined)
    await db.transact(transactions.deleteUrl, { key, alias: undefined })
    await assert.rejects(db.transact(transactions.deleteUrl, { key, alias: undefined }), { reason: 'url missing' })
    await assert.rejects(db.transact(transactions.updateUrl, { key, alias: undefined, change: { lastModifiedMs: 3 } }), { reason: 'url missing' })
  })

  test('layers count their versions, and functions keep the archives that they use', async () => {
    const db = await open()
    const publish = (changes: object = {}) => db.transact(transactions.insertLayerVersion, { layer: layer(changes), archive: Buffer.from('layer') })
    assert.deepEqual([await publish(), await publish(), await publish({ name: 'm' })], [1, 2, 1])
    assert.partialDeepStrictEqual(await findLayerVersion(db, { ...layer(), version: 2 }), { version: 2, runtimes: ['nodejs22.x'], codeSha256: 'll', unzippedBytes: 6, policyRevisionId: 'p1' })
    assert.deepEqual((await listLayerVersions(db, { ...layer(), before: undefined, limit: 9 })).map(({ version }) => version), [2, 1])
    assert.deepEqual(await listLayerNames(db, { ...layer(), after: '', limit: 9 }), ['l', 'm'])
    const use = { arn: 'arn', codeSha256: 'll', codeBytes: 5, unzippedBytes: 6 }
    await db.transact(transactions.insertFunction, { record: record({ settings: { ...record().settings, layers: [use] } }), archive, publication: publication(1) })
    for (const [name, version] of [['l', 1], ['l', 2], ['m', 1]] as const) await db.transact(transactions.deleteLayerVersion, { ...layer(), name, version })
    assert.equal(await publish(), 3)
    await db.transact(transactions.deleteLayerVersion, { ...layer(), version: 3 })
    await db.transact(transactions.updateFunction, { expected: { key, revisionId: undefined }, update: { settings: { layers: [] }, revisionId: 'r', generation: 'g', lastModifiedMs: 2 } })
    assert.ok(await findArchive(db, 'll'), 'the version has it still')
    await db.transact(transactions.deleteFunction, key)
    assert.equal(await findArchive(db, 'll'), undefined)
  })

  test('layers have policies within limits', async () => {
    const db = await open()
    const add = (version: number, Sid: string, revisionId?: string) =>
      db.transact(transactions.addLayerStatement, { key: { ...layer(), version }, statement: { ...statement, Sid }, revisionId, newRevisionId: `${Sid}-revision`, policyBytesMax: 150 })
    await db.transact(transactions.insertLayerVersion, { layer: layer(), archive })
    await assert.rejects(add(2, 's'), { reason: 'layer missing' })
    await assert.rejects(add(1, 's', 'old'), { reason: 'revision' })
    await add(1, 's', 'p1')
    await assert.rejects(add(1, 's'), { reason: 'statement exists' })
    await assert.rejects(add(1, 't'), { reason: 'policy too long' })
    const remove = (sid: string, revisionId?: string) => db.transact(transactions.removeLayerStatement, { key: { ...layer(), version: 1 }, sid, revisionId, newRevisionId: 'p3' })
    await assert.rejects(remove('t'), { reason: 'statement missing' })
    await assert.rejects(remove('s', 'old'), { reason: 'revision' })
    await remove('s', 's-revision')
    assert.deepEqual([(await findLayerVersion(db, { ...layer(), version: 1 }))!.policy, (await findLayerVersion(db, { ...layer(), version: 1 }))!.policyRevisionId], [[], 'p3'])
  })
})
