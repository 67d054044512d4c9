// Who may connect to a WebSocket API by an IAM signature.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { presignQuery, signHeaders, type SigningRequest } from '#aws/sigv4/sign.ts'
import { systemClock } from '#lib/clock.ts'
import { openSocket, refusedSocket } from '#test/support/web-socket-client.ts'
import { accountId, API_HOST } from '../http/gateway.testing.ts'
import { callersOf } from './callers.testing.ts'
import { socketSnapshot, startSocketGateway, stepsOf, toApi } from './websocket.testing.ts'

const arn = `arn:aws:execute-api:us-east-1:${accountId}:api123/prod/$connect`
const invoke = (Effect: 'Allow' | 'Deny', ...Resource: string[]) => ({ Effect, Action: 'execute-api:Invoke', Resource })

const users = {
  nobody: [],
  owner: [invoke('Allow', arn)],
  any: [invoke('Allow', '*')],
  other: [invoke('Allow', '*')],
  denied: [invoke('Allow', '*'), invoke('Deny', `arn:aws:execute-api:*:*:api123/*/$connect`)],
  elsewhere: [invoke('Allow', arn.replace('prod', 'dev'), arn.replace('api123', 'other'), arn.replace('$connect', '$default'), `${arn}/`, arn.replace('$connect', 'GET/'))],
  manager: [{ Effect: 'Allow', Action: 'execute-api:ManageConnections', Resource: '*' }],
}

async function signedApi(t: TestContext, path = '/prod') {
  const { keyOf, ...judges } = callersOf(users, systemClock)
  const snapshot = socketSnapshot({ $connect: { route: { authorizationType: 'AWS_IAM' } }, $disconnect: {}, $default: { isTwoWay: true } })
  const gateway = await startSocketGateway(t, snapshot, { ...judges, invoke: () => ({ statusCode: 200, body: 'ok' }) })
  const request = (user: string, changes: Partial<SigningRequest> = {}): SigningRequest => ({
    method: 'GET', path, rawQuery: '', headers: toApi, body: Buffer.alloc(0), service: 'execute-api', region: 'us-east-1', credentials: keyOf(user), nowMs: systemClock.now(), ...changes,
  })
  return { ...gateway, request, keyOf }
}

describe('a handshake is refused', () => {
  const refusal = async ({ url, invocations }: Awaited<ReturnType<typeof signedApi>>, headers: Record<string, string>, query = '') => {
    const { status, body, headers: answered } = await refusedSocket(`${url}${query}`, { headers })
    assert.deepEqual(invocations, [])
    return { status, type: answered['x-amzn-errortype'], message: (JSON.parse(body) as { message: string }).message }
  }

  test('without a signature', async (t) => {
    assert.deepEqual(await refusal(await signedApi(t), toApi), { status: 403, type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' })
  })

  test('with a key that nobody has', async (t) => {
    const api = await signedApi(t)
    const headers = signHeaders(api.request('x', { credentials: { accessKeyId: 'AKIANONE', secretAccessKey: 'x' } }))
    assert.deepEqual(await refusal(api, headers), { status: 403, type: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' })
  })

  test('with a signature of something else: another secret, path, query, region, service, time, method', async (t) => {
    const api = await signedApi(t)
    const { accessKeyId } = api.keyOf('any')
    const changes: Partial<SigningRequest>[] = [
      { credentials: { accessKeyId, secretAccessKey: 'x' } }, { path: '/dev' }, { path: '/prod/' }, { rawQuery: 'a=1' }, { region: 'eu-west-1' }, { service: 'lambda' },
      { nowMs: systemClock.now() - 6 * 60_000 }, { nowMs: systemClock.now() + 6 * 60_000 }, { method: 'POST' }, { body: Buffer.from('x') },
    ]
    for (const change of changes) {
      const { status, type } = await refusal(api, signHeaders(api.request('any', change)))
      assert.deepEqual([status, type], [403, 'InvalidSignatureException'], JSON.stringify(change))
    }
    const { status } = await refusal(api, signHeaders(api.request('any')), '?a=1')
    assert.equal(status, 403)
  })

  test('whose presigned address has expired', async (t) => {
    const api = await signedApi(t)
    const query = presignQuery({ ...api.request('any', { nowMs: systemClock.now() - 120_000 }), expiresSeconds: 60 })
    assert.equal((await refusal(api, toApi, `?${query}`)).status, 403)
  })

  test('of a caller whose policies do not allow to invoke $connect, naming caller, action and resource', async (t) => {
    const api = await signedApi(t)
    const shown = arn.replace(accountId, '********1111')
    for (const user of ['nobody', 'denied', 'elsewhere', 'manager']) {
      const { status, type, message } = await refusal(api, signHeaders(api.request(user)))
      assert.deepEqual([status, type], [403, 'AccessDeniedException'], user)
      assert.ok(message.startsWith(`User: arn:aws:iam::${accountId}:user/${user} is not authorized to perform: execute-api:Invoke on resource: ${shown}`), message)
    }
  })

  test('of a caller of another account, whatever its own policies say', async (t) => {
    const api = await signedApi(t)
    assert.equal((await refusal(api, signHeaders(api.request('other')))).status, 403)
  })
})

describe('a signed caller', () => {
  test('connects by headers or by a presigned address, and is known to the function in every event', async (t) => {
    const api = await signedApi(t)
    for (const [query, headers] of [['', signHeaders(api.request('owner'))], [`?${presignQuery({ ...api.request('owner'), expiresSeconds: 60 })}`, toApi]] as const) {
      await using client = await openSocket(`${api.url}${query}`, { headers })
      assert.equal(await client.ask('x'), 'ok')
    }
    const identities = api.events().filter(({ requestContext }) => requestContext.eventType !== 'DISCONNECT').map(({ requestContext: { identity: { sourceIp: _ip, ...identity } } }) => identity)
    const known = { accountId, accessKey: 'AKIAowner', caller: 'AIDAowner', user: 'AIDAowner', userArn: `arn:aws:iam::${accountId}:user/owner` }
    assert.deepEqual(identities, Array(4).fill(known))
  })

  test('is told of in the trace, with the decision; the function is not given the signature', async (t) => {
    const api = await signedApi(t)
    const headers = signHeaders(api.request('owner'))
    await using client = await openSocket(api.url, { headers })
    const told = await api.settled('$connect')
    assert.deepEqual(stepsOf(told, 'authentication'), [{ caller: `arn:aws:iam::${accountId}:user/owner`, kind: 'user', valid: true }])
    assert.deepEqual(stepsOf(told, 'policy').map(({ action, resource, allowed }) => [action, resource, allowed]), [['execute-api:Invoke', arn, true]])
    assert.equal(told.facts.callerArn, `arn:aws:iam::${accountId}:user/owner`)
    const signature = headers['Authorization']!.split('Signature=')[1]!
    assert.doesNotMatch(JSON.stringify(api.traces), new RegExp(signature))
    assert.equal(api.events()[0].headers.Authorization, undefined)
    assert.equal(api.events()[0].multiValueHeaders.Authorization, undefined)
    assert.equal(api.events()[0].headers.Host, API_HOST)
    assert.ok(client)
  })
})
