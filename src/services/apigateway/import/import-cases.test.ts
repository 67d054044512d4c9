// What becomes of a definition: `test/cases/apigateway/import/*.json` against ImportRestApi and PutRestApi.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { AwsError } from '#aws/errors.ts'
import { systemClock } from '#lib/clock.ts'
import { openDatabase } from '#storage/open.ts'
import type { Store } from '#storage/database.ts'
import { createCaller, type Answer, type TestCaller } from '../caller.testing.ts'
import { migrations } from '../migrations.ts'

interface Import {
  /** A document, or text as it is sent. */
  definition: unknown
  parameters?: Record<string, string>
  failOnWarnings?: boolean
}

interface Case {
  says: string
  source: string
  /** An import and, with `then`, a PutRestApi into what it made. Functions named `gone` do not exist. */
  given: Import & { then?: Import & { mode?: string } }
  /** `GET /path` names a method. `{api.id}` in texts is the API's id. */
  expect: {
    error?: { status: number, code: string, message: string }
    api?: object
    warnings?: string[]
    /** Path → names of methods, complete. */
    resources?: Record<string, string[]>
    methods?: Record<string, object>
    absentIn?: Record<string, string[]>
    /** Status codes, complete. */
    methodResponses?: Record<string, string[]>
    /** As the data plane sees them. */
    snapshotMethods?: Record<string, object>
    /** Complete, by name. */
    authorizers?: Record<string, object>
    /** Complete, by name. */
    models?: Record<string, object>
    schemas?: Record<string, object>
    inlineModels?: number
    gatewayResponses?: Record<string, object>
    policyMatches?: string
    /** Paths whose resources have the ids that they had before `then`. */
    sameIds?: string[]
  }
}

const cases = new URL('../../../../test/cases/apigateway/import/', import.meta.url)

describe('imports of definitions', () => {
  let database: Store
  let caller: TestCaller
  const directory = mkdtempSync(join(tmpdir(), 'countersign-apigateway-'))
  before(async () => {
    database = await openDatabase({
      engine: { file: join(directory, 'core.db') }, store: 'core', migrations, transactionModules: [new URL('../store.ts', import.meta.url)], clock: systemClock,
    })
    caller = createCaller(database, { functions: { exists: async (functionArn) => !functionArn.endsWith(':gone') } })
  })
  after(async () => {
    await database.close()
    rmSync(directory, { recursive: true })
  })

  for (const file of readdirSync(cases)) {
    describe(file, () => {
      for (const { says, given, expect } of JSON.parse(readFileSync(new URL(file, cases), 'utf8')) as Case[]) {
        test(says, () => check(given, expect))
      }
    })
  }

  async function check({ then, ...given }: Case['given'], expect: Case['expect']): Promise<void> {
    const first = caller.run('ImportRestApi', inputOf(given))
    let api = expect.error && !then ? await refused(first, expect.error) : await first
    if (!api) return
    const restApiId = api['id'] as string
    const before = await resourcesOf(restApiId)
    if (then) {
      const second = caller.run('PutRestApi', { restApiId, ...inputOf(then) })
      api = (expect.error ? await refused(second, expect.error) : await second) ?? api
    }
    const resources = await resourcesOf(restApiId)
    const methodAt = (name: string): Answer => {
      const [httpMethod, path] = name.split(' ') as [string, string]
      return resources.find((resource) => resource['path'] === path)!['resourceMethods'][httpMethod] as Answer
    }
    if (expect.api) assert.partialDeepStrictEqual(api, expect.api)
    assert.deepEqual(expect.error ? [] : api['warnings'] ?? [], expect.warnings ?? [])
    if (expect.policyMatches) assert.match(api['policy'] as string, new RegExp(expect.policyMatches))
    if (expect.resources) {
      assert.deepEqual(Object.fromEntries(resources.map(({ path, resourceMethods }) => [path, Object.keys(resourceMethods ?? {}).sort()])), expect.resources)
    }
    for (const [name, method] of Object.entries(expect.methods ?? {})) assert.partialDeepStrictEqual(methodAt(name), method)
    for (const [name, members] of Object.entries(expect.absentIn ?? {})) for (const member of members) assert.equal(methodAt(name)[member], undefined)
    for (const [name, statuses] of Object.entries(expect.methodResponses ?? {})) assert.deepEqual(Object.keys(methodAt(name)['methodResponses'] as object), statuses)
    for (const path of expect.sameIds ?? []) assert.equal(idOf(resources, path), idOf(before, path) ?? 'an id')
    if (expect.authorizers) {
      const { items } = await caller.run('GetAuthorizers', { restApiId }) as { items: Answer[] }
      const byName = Object.fromEntries(items.map((one) => [one['name'], one])) as Record<string, Answer>
      assert.deepEqual(Object.keys(byName), Object.keys(expect.authorizers))
      assert.partialDeepStrictEqual(byName, expect.authorizers)
    }
    await checkModels(restApiId, expect)
    for (const [responseType, response] of Object.entries(expect.gatewayResponses ?? {})) {
      assert.partialDeepStrictEqual(await caller.run('GetGatewayResponse', { restApiId, responseType }), response)
    }
    if (expect.snapshotMethods) await checkSnapshot(restApiId, expect.snapshotMethods)
  }

  async function checkModels(restApiId: string, { models, schemas, inlineModels }: Case['expect']): Promise<void> {
    const items = (await caller.run('GetModels', { restApiId }))['items'] as Answer[]
    const byName = Object.fromEntries(items.map((model) => [model['name'], model])) as Record<string, Answer>
    if (models) {
      assert.deepEqual(Object.keys(byName), Object.keys(models))
      assert.partialDeepStrictEqual(byName, models)
    }
    for (const [name, schema] of Object.entries(schemas ?? {})) {
      assert.deepEqual(JSON.parse(byName[name]!['schema'] as string), JSON.parse(JSON.stringify(schema).replaceAll('{api.id}', restApiId)))
    }
    if (inlineModels !== undefined) assert.equal(Object.keys(byName).filter((name) => /^MODEL[a-z0-9]{6}$/.test(name)).length, inlineModels)
  }

  async function checkSnapshot(restApiId: string, expected: Record<string, object>): Promise<void> {
    await caller.run('CreateDeployment', { restApiId, stageName: 'dev' })
    const { snapshot } = (await caller.snapshots.findStage({ apiId: restApiId, stageName: 'dev' }))!
    for (const [name, method] of Object.entries(expected)) {
      const [httpMethod, path] = name.split(' ') as [string, string]
      assert.partialDeepStrictEqual(snapshot.resources.find((resource) => resource.path === path)!.methods[httpMethod], method)
    }
  }

  async function resourcesOf(restApiId: string): Promise<Answer[]> {
    return (await caller.run('GetResources', { restApiId, embed: ['methods'] }))['items'] as Answer[]
  }
})

function inputOf({ definition, ...input }: Import): Record<string, unknown> {
  return { ...input, body: Buffer.from(typeof definition === 'string' ? definition : JSON.stringify(definition)) }
}

async function refused(call: Promise<unknown>, expected: NonNullable<Case['expect']['error']>): Promise<undefined> {
  await assert.rejects(call, ({ status, code, message }: AwsError) => {
    assert.deepEqual({ status, code, message }, expected)
    return true
  })
}

const idOf = (resources: Answer[], path: string): unknown => resources.find((resource) => resource['path'] === path)?.['id']
