// `cloneFrom`: what a clone shares with its source, and what it has of its own.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { openDatabase } from '#storage/open.ts'
import { createCaller } from './caller.testing.ts'
import { migrations } from './migrations.ts'

const definition = {
  swagger: '2.0', info: { title: 'source', version: '1' },
  definitions: { Order: { type: 'object', properties: { item: { $ref: '#/definitions/Item' } } }, Item: { type: 'string' } },
  'x-amazon-apigateway-request-validators': { body: { validateRequestBody: true, validateRequestParameters: false } },
  'x-amazon-apigateway-gateway-responses': { DEFAULT_4XX: { statusCode: 418 } },
  securityDefinitions: { pool: { type: 'apiKey', name: 'Authorization', in: 'header', 'x-amazon-apigateway-authorizer': { type: 'cognito_user_pools', providerARNs: ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abcdefghi'] } } },
  paths: { '/orders/{id}': { post: {
    responses: { 200: { description: 'fine' } }, security: [{ pool: [] }], 'x-amazon-apigateway-request-validator': 'body',
    parameters: [{ name: 'Order', in: 'body', schema: { $ref: '#/definitions/Order' } }], 'x-amazon-apigateway-integration': { type: 'mock' },
  } } },
}

test('a clone has the same methods, models, validators, authorizers and responses under ids of its own, and a life of its own', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-clone-'))
  const database = await openDatabase({
    engine: { file: join(directory, 'core.db') }, store: 'core', migrations, transactionModules: [new URL('./store.ts', import.meta.url)], clock: systemClock,
  })
  t.after(async () => {
    await database.close()
    rmSync(directory, { recursive: true })
  })
  const { run } = createCaller(database)
  await assert.rejects(run('CreateRestApi', { name: 'clone', cloneFrom: 'nothere123' }), { code: 'NotFoundException', message: 'Invalid API identifier specified 000000000000:nothere123' })
  const source = await run('ImportRestApi', { body: Buffer.from(JSON.stringify(definition)) })
  const clone = await run('CreateRestApi', { name: 'clone', cloneFrom: source['id'] })
  const of = async (restApiId: string) => {
    const { items } = await run('GetResources', { restApiId, embed: ['methods'] })
    const { items: validators } = await run('GetRequestValidators', { restApiId })
    const { items: authorizers } = await run('GetAuthorizers', { restApiId })
    const { schema } = await run('GetModel', { restApiId, modelName: 'Order' })
    const resource = items.find(({ path }: { path: string }) => path === '/orders/{id}')
    return { resource, parent: items.find(({ id }: { id: string }) => id === resource.parentId), method: resource.resourceMethods.POST, validator: validators[0], authorizer: authorizers[0], schema }
  }
  const [mine, theirs] = [await of(clone['id']), await of(source['id'])]
  assert.deepEqual([mine.parent.path, mine.method.requestValidatorId, mine.method.authorizerId, mine.method.methodIntegration.cacheNamespace], ['/orders', mine.validator.id, mine.authorizer.id, mine.resource.id])
  for (const part of ['resource', 'validator', 'authorizer'] as const) assert.notEqual(mine[part].id, theirs[part].id, part)
  assert.match(mine.schema, new RegExp(`/restapis/${clone['id']}/models/Item`))
  assert.equal((await run('GetGatewayResponse', { restApiId: clone['id'], responseType: 'DEFAULT_4XX' }))['statusCode'], '418')
  await run('DeleteMethod', { restApiId: clone['id'], resourceId: mine.resource.id, httpMethod: 'POST' })
  assert.equal((await of(source['id'])).method.httpMethod, 'POST')
})
