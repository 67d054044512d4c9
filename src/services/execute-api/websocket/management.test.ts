// `@connections`: who may manage a client's connection, and what becomes of it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { presignQuery, signHeaders } from '#aws/sigv4/sign.ts'
import { systemClock } from '#lib/clock.ts'
import type { HttpResponse } from '#lib/http.ts'
import { accountId, API_HOST, requestOf } from '../http/gateway.testing.ts'
import { connectionsIn, managementOver, type HeldConnection, type Managed } from './management.testing.ts'
import { TooManyOutstanding } from './nodes/shared-connections.ts'

const ID = 'L0SM9cOFvHcCIhw='
const nowMs = Date.UTC(2026, 4, 1, 10)
const clock = { ...systemClock, now: () => nowMs }
const api = `arn:aws:execute-api:us-east-1:${accountId}:api123`
const manage = (Effect: 'Allow' | 'Deny', ...Resource: string[]) => ({ Effect, Action: 'execute-api:ManageConnections', Resource })

const users = {
  nobody: [],
  owner: [manage('Allow', `${api}/*`)],
  other: [manage('Allow', 'arn:aws:execute-api:*:*:*')],
  invoker: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }],
  poster: [manage('Allow', `${api}/prod/POST/@connections/*`)],
  template: [manage('Allow', `${api}/prod/POST/@connections/{connectionId}`)],
  single: [manage('Allow', `${api}/prod/POST/@connections/${ID}`)],
  documented: [manage('Allow', `${api}/prod/POST/@connections`)],
  elsewhere: [manage('Allow', `${api}/dev/*`, `arn:aws:execute-api:us-east-1:${accountId}:other/*`, `arn:aws:execute-api:eu-west-1:${accountId}:api123/*`)],
  denied: [manage('Allow', '*'), manage('Deny', `${api}/prod/*/@connections/${ID}`)],
}

const connection = (): HeldConnection =>
  ({ connectedAtMs: nowMs - 10_000, lastActiveAtMs: nowMs - 239, sourceIp: '192.0.2.1', userAgent: 'Paw/3.1', received: [] })

const managed = (changes: Partial<Parameters<typeof managementOver>[0]> = {}): Managed => managementOver({ users, clock, held: new Map([[`api123/prod/${ID}`, connection()]]), ...changes })

interface Asked {
  method?: string
  /** Below the stage, as it is sent. */
  path?: string
  stageName?: string
  apiId?: string
  body?: Buffer | string
  /** Who signs; undefined: nobody. */
  as?: string | undefined
  headers?: Record<string, string>
  isDisabled?: boolean
  region?: string
}

async function ask({ management, keyOf }: Managed, { method = 'POST', path = `/@connections/${ID}`, stageName = 'prod', apiId = 'api123', body = '', as, headers = {}, isDisabled = false, region = 'us-east-1' }: Asked): Promise<HttpResponse> {
  const sentPath = `/${stageName}${path}`
  const signed = as === undefined ? {} : signHeaders({
    method, path: sentPath, rawQuery: '', headers: { Host: API_HOST }, body: Buffer.from(body), service: 'execute-api', region, credentials: keyOf(as), nowMs,
  })
  return management.handle(requestOf({ method, path: sentPath, body, headers: { ...signed, ...headers, Host: API_HOST } }), { apiId, stageName, path, isDisabled })
}

const told = ({ status, headers, body }: HttpResponse) => [status, headers['x-amzn-ErrorType'], String(body ?? '')]
const sentence = (user: string, method = 'POST') =>
  `User: arn:aws:iam::${accountId}:user/${user} is not authorized to perform: execute-api:ManageConnections on resource: `
  + `arn:aws:execute-api:us-east-1:********1111:api123/prod/${method}/@connections/{connectionId}`

describe('a request to @connections', () => {
  test('is told from the other paths of a stage by its first part, however that is spelled', () => {
    const { management } = managed()
    for (const path of ['/@connections', '/@connections/', `/@connections/${ID}`, '/%40connections/L0SM9cOFvHcCIhw%3D', '/%40%63onnections/x/y']) assert.ok(management.matches(path), path)
    for (const path of ['/', '', '/connections/x', '/@connectionsx', '/x/@connections', '/%2540connections/x', '/@Connections/x']) assert.ok(!management.matches(path), path)
  })

  test('of a stage that is not there, of another kind of API, or by a closed address is 403 Forbidden before anything is asked', async () => {
    const refused = [403, 'ForbiddenException', '{"message":"Forbidden"}']
    for (const asked of [{ stageName: 'dev' }, { apiId: 'none' }, { isDisabled: true }]) {
      assert.deepEqual(told(await ask(managed(), { ...asked, as: 'owner' })), refused)
      assert.deepEqual(told(await ask(managed(), asked)), refused)
    }
    assert.deepEqual(told(await ask(managed({ protocolType: 'HTTP' }), { as: 'owner' })), refused)
  })

  test('by another method or path is 404, naming both', async () => {
    const cases = [['PUT', `/@connections/${ID}`], ['HEAD', `/@connections/${ID}`], ['GET', '/@connections'], ['GET', '/@connections/'], ['POST', `/@connections/${ID}/more`]] as const
    for (const [method, path] of cases) {
      assert.deepEqual(told(await ask(managed(), { method, path, as: 'owner' })),
        [404, 'NotFoundException', JSON.stringify({ message: `No method found matching route ${path.slice(1)} for http method ${method}.` })])
    }
    assert.match(String((await ask(managed(), { method: 'PUT', path: '/%40connections/PxWP8cfSDoECFYw%3D' })).body), /route @connections\/PxWP8cfSDoECFYw= for/)
  })

  test('without a good signature is 403 in the gateway\'s words', async () => {
    const all = managed()
    assert.deepEqual(told(await ask(all, {})), [403, 'MissingAuthenticationTokenException', '{"message":"Missing Authentication Token"}'])
    assert.deepEqual(all.last().steps.at(-3), { ...all.last().steps.at(-3), step: 'authentication', facts: { refused: 'missing' } })
    const unknown = { ...all, keyOf: () => ({ accessKeyId: 'AKIANONE', secretAccessKey: 'x' }) }
    assert.deepEqual(told(await ask(unknown, { as: 'owner' })), [403, 'UnrecognizedClientException', '{"message":"The security token included in the request is invalid."}'])
    const wrong = { ...all, keyOf: (user: string) => ({ ...all.keyOf(user), secretAccessKey: 'x' }) }
    const elsewhere = await ask(all, { as: 'owner', region: 'eu-west-1' })
    assert.deepEqual([elsewhere.status, elsewhere.headers['x-amzn-ErrorType']], [403, 'InvalidSignatureException'])
    assert.match(String(elsewhere.body), /^\{"message":"Credential should be scoped to a valid region, not 'eu-west-1'\./)
    const mismatch = await ask(wrong, { as: 'owner' })
    assert.deepEqual([mismatch.status, mismatch.headers['x-amzn-ErrorType']], [403, 'InvalidSignatureException'])
    assert.match(String(mismatch.body), /^\{"message":"The request signature we calculated does not match/)
    assert.equal(all.held.get(`api123/prod/${ID}`)!.received.length, 0)
  })

  test('whose body is not the signed one is refused, and nothing is sent', async () => {
    const all = managed()
    const headers = signHeaders({
      method: 'POST', path: `/prod/@connections/${ID}`, rawQuery: '', headers: { Host: API_HOST }, body: Buffer.from('one'), service: 'execute-api', region: 'us-east-1', credentials: all.keyOf('owner'), nowMs,
    })
    const answer = await ask(all, { body: 'two', headers })
    assert.deepEqual([answer.status, answer.headers['x-amzn-ErrorType']], [403, 'InvalidSignatureException'])
    assert.equal(all.held.get(`api123/prod/${ID}`)!.received.length, 0)
  })

  test('of a caller who may not manage connections is 403, naming all connections of the stage and masking the account', async () => {
    // Source: the shape of refusals published in aws/aws-cdk issue 18410 and elsewhere.
    for (const user of ['nobody', 'invoker', 'elsewhere', 'documented', 'single']) {
      const { status, headers, body } = await ask(managed(), { as: user })
      assert.deepEqual([status, headers['x-amzn-ErrorType']], [403, 'AccessDeniedException'], user)
      assert.ok((JSON.parse(String(body)) as { Message: string }).Message.startsWith(sentence(user)), String(body))
    }
    const all = managed()
    assert.match(String((await ask(all, { method: 'DELETE', as: 'poster' })).body), /prod\/DELETE\/@connections\/\{connectionId\}/)
    assert.equal(all.held.size, 1)
  })

  test('of a caller of another account is refused, whatever that account allows', async () => {
    const { status, headers, body } = await ask(managed(), { as: 'other' })
    assert.deepEqual([status, headers['x-amzn-ErrorType']], [403, 'AccessDeniedException'])
    assert.match(String(body), /^\{"Message":"User: arn:aws:iam::222222222222:user\/other is not authorized/)
  })

  test('is refused where one connection is denied, however its id is spelled', async () => {
    for (const path of [`/@connections/${ID}`, '/%40connections/L0SM9cOFvHcCIhw%3D', '/@connections/%4c0SM9cOFvHcCIhw=']) {
      const { status, body } = await ask(managed(), { path, as: 'denied' })
      assert.equal(status, 403, path)
      assert.match(String(body), /with an explicit deny/)
    }
    assert.equal((await ask(managed(), { path: '/@connections/AAAAAAAAAAAAAAA=', as: 'denied' })).status, 410)
  })

  test('for an id that cannot be one is 400', async () => {
    for (const id of ['cjy8i76bx002884le6n17d49b', 'x', 'L0SM9cOFvHcCIhw', 'L0SM9cOFvHcCIh+=', 'a/b']) {
      assert.deepEqual(told(await ask(managed(), { path: `/@connections/${encodeURIComponent(id)}`, as: 'owner' })),
        [400, 'BadRequestException', JSON.stringify({ message: `Invalid connectionId: ${id}` })])
    }
  })

  test('for a connection that is not there, or another stage\'s, is 410 without a body', async () => {
    const held = new Map([[`api123/dev/${ID}`, connection()], [`other/prod/${ID}`, connection()]])
    for (const method of ['POST', 'GET', 'DELETE']) assert.deepEqual(told(await ask(managed({ held }), { method, as: 'owner' })), [410, 'GoneException', ''])
    assert.equal(held.size, 2)
  })

  test('sends at most 128 KB', async () => {
    const all = managed()
    const most = Buffer.alloc(128 * 1024, 'a')
    assert.deepEqual(told(await ask(all, { body: Buffer.alloc(most.length + 1), as: 'owner' })), [413, 'PayloadTooLargeException', '{"message":"Message too long"}'])
    assert.equal((await ask(all, { body: most, as: 'owner' })).status, 200)
    assert.deepEqual(all.held.get(`api123/prod/${ID}`)!.received, [most])
  })

  test('for a client that does not read is 429', async () => {
    const held = new Map([[`api123/prod/${ID}`, { ...connection(), isFull: true }]])
    assert.deepEqual(told(await ask(managed({ held }), { as: 'owner' })), [429, 'LimitExceededException', ''])
  })

  test('while too many wait for other processes is 429', async () => {
    const busy = async () => { throw new TooManyOutstanding() }
    const all = managed({ connections: { describe: busy, disconnect: busy, send: async () => 'full' } })
    for (const method of ['GET', 'DELETE', 'POST']) assert.deepEqual(told(await ask(all, { method, as: 'owner' })), [429, 'LimitExceededException', ''])
    assert.deepEqual(all.errors, [])
  })

  test('that fails here is 500 without the reason, which the log has', async () => {
    const all = managed({ connections: { ...connectionsIn(new Map()), send: async () => { throw new Error('broken') } } })
    assert.deepEqual(told(await ask(all, { as: 'owner' })), [500, 'InternalServerErrorException', '{"message":"Internal server error"}'])
    assert.deepEqual(all.errors.map(String), ['Error: broken'])
    assert.equal(all.last().facts.status, 500)
  })
})

describe('@connections', () => {
  test('sends a message as it is, and answers nothing', async () => {
    const all = managed()
    for (const as of ['owner', 'poster', 'template']) {
      const { status, headers, body } = await ask(all, { body: `hello from ${as}`, as })
      assert.deepEqual([status, String(body ?? '')], [200, ''])
      assert.match(String(headers['x-amzn-RequestId']), /^[0-9a-f-]{36}$/)
    }
    assert.equal((await ask(all, { body: Buffer.from([0xff, 0x00]), path: '/%40connections/L0SM9cOFvHcCIhw%3D', as: 'owner' })).status, 200)
    assert.deepEqual(all.held.get(`api123/prod/${ID}`)!.received.map((one) => one.toString('latin1')),
      ['hello from owner', 'hello from poster', 'hello from template', '\xff\0'])
  })

  test('describes a connection, without a user agent where the client sent none', async () => {
    // Source: AWS CLI reference, get-connection, its example; the names are the model's.
    const held = new Map([[`api123/prod/${ID}`, connection()]])
    const answer = await ask(managed({ held }), { method: 'GET', as: 'owner' })
    assert.deepEqual([answer.status, answer.headers['Content-Type'], JSON.parse(String(answer.body))], [200, 'application/json', {
      connectedAt: '2026-05-01T09:59:50Z', identity: { sourceIp: '192.0.2.1', userAgent: 'Paw/3.1' }, lastActiveAt: '2026-05-01T09:59:59.761Z',
    }])
    held.get(`api123/prod/${ID}`)!.userAgent = undefined
    const { identity } = JSON.parse(String((await ask(managed({ held }), { method: 'GET', as: 'owner' })).body)) as { identity: object }
    assert.deepEqual(identity, { sourceIp: '192.0.2.1' })
  })

  test('ends a connection', async () => {
    const all = managed()
    const answer = await ask(all, { method: 'DELETE', as: 'owner' })
    assert.deepEqual([answer.status, answer.body], [204, undefined])
    assert.equal(all.held.size, 0)
  })

  test('takes presigned URLs', async () => {
    const all = managed()
    const rawQuery = presignQuery({
      method: 'GET', path: `/prod/@connections/${ID}`, rawQuery: '', headers: { Host: API_HOST }, body: Buffer.alloc(0), service: 'execute-api', region: 'us-east-1', credentials: all.keyOf('owner'), nowMs, expiresSeconds: 60,
    })
    const { status } = await all.management.handle(requestOf({ path: `/prod/@connections/${ID}`, query: rawQuery }), { apiId: 'api123', stageName: 'prod', path: `/@connections/${ID}` })
    assert.equal(status, 200)
  })

  test('leaves one trace that says who asked, what was decided, and what was done, and none of the message', async () => {
    const all = managed()
    await ask(all, { body: 'a secret message', as: 'owner' })
    const { facts, steps } = all.last()
    assert.deepEqual(steps.map(({ step }) => step), ['route', 'authentication', 'policy', 'connection', 'response'])
    assert.ok(!JSON.stringify(steps).includes('a secret message'))
    const { requestId: _, durationMs: __, ...known } = facts
    assert.deepEqual(known, {
      atMs: nowMs, status: 200, errorCode: undefined, service: 'execute-api', operation: 'api123/prod PostToConnection', accountId, callerArn: `arn:aws:iam::${accountId}:user/owner`,
      accessKeyId: 'AKIAowner', region: 'us-east-1',
    })
  })

  test('lets nobody but a caller with the permission reach a connection, whatever the path', async () => {
    const parts = fc.array(fc.constantFrom('@connections', '%40connections', ID, '%4c0SM9cOFvHcCIhw%3D', '', '%2F', '%', 'x', '{connectionId}'), { minLength: 1, maxLength: 4 })
    await fc.assert(fc.asyncProperty(parts, fc.constantFrom('POST', 'GET', 'DELETE', 'PUT'), fc.constantFrom(undefined, 'nobody', 'other', 'elsewhere', 'invoker'), async (segments, method, as) => {
      const all = managed()
      const { status } = await ask(all, { method, path: `/${segments.join('/')}`, as })
      assert.ok(status === 403 || status === 404, String(status))
      assert.deepEqual([...all.held.values()].flatMap(({ received }) => received), [])
      assert.equal(all.held.size, 1)
    }), { numRuns: 300 })
  })
})
