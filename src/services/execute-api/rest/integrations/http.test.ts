// HTTP integrations where something goes wrong, and what they do with their connections.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { certificate } from '#test/support/certificates.ts'
import { absent } from '#test/support/programs.ts'
import { startBackend, type Backend, type BackendCase, type BackendOutcome } from '../backend.testing.ts'

let backend: Backend
before(async () => { backend = await startBackend() })
after(() => backend[Symbol.asyncDispose]())

const saysOnly = ({ response, text }: BackendOutcome, status: number, message: string) => {
  assert.deepEqual([response.status, text], [status, JSON.stringify({ message })])
  assert.equal(response.headers['x-amzn-ErrorType'], 'InternalServerErrorException')
}
const logged = ({ steps }: BackendOutcome) => steps.find(({ step }) => step === 'execution-log')?.facts

describe('an HTTP integration answers for its server', () => {
  // Source: developer guide, "Gateway response types", INTEGRATION_TIMEOUT.
  test('504 Endpoint request timed out, when it is slower than the integration\'s timeout', async () => {
    for (const type of ['HTTP', 'HTTP_PROXY'] as const) {
      const outcome = await backend.call({ integration: { type, timeoutInMillis: 50 }, answers: { afterMs: 500 } })
      saysOnly(outcome, 504, 'Endpoint request timed out')
      assert.deepEqual(logged(outcome), { line: 'Execution failed due to a timeout error' })
    }
  })

  // Source: RhinoSecurityLabs/IPRotate_Burp_Extension issue 17: an answer of AWS.
  test('504 Network error communicating with endpoint, when there is no connection to be had', async () => {
    saysOnly(await backend.call({ integration: { uri: 'http://127.0.0.1:1/' } }), 504, 'Network error communicating with endpoint')
  })

  // Source: localstack's HTTP integration; the log line is that of public reports.
  test('500, when its address is none', async () => {
    for (const uri of ['http://nowhere.invalid/', 'http://${stageVariables.missing}/', 'http://{host}/']) {
      const outcome = await backend.call({ integration: { uri } })
      saysOnly(outcome, 500, 'Internal server error')
      assert.deepEqual(logged(outcome), { line: 'Execution failed due to configuration error: Invalid endpoint address' })
    }
  })

  // Source: API Gateway quotas, "Payload size".
  test('500, when its answer has more than 10 MB; 10 MB do', async () => {
    const bytes = 10 * 1024 * 1024
    const outcome = await backend.call({ integration: { type: 'HTTP_PROXY' }, answers: { headers: { 'Content-Length': String(bytes + 1) }, body: Buffer.alloc(bytes + 1) } })
    saysOnly(outcome, 500, 'Internal server error')
    assert.match(JSON.stringify(logged(outcome)), /Integration response of reported length 10485761 is larger than allowed maximum of 10485760 bytes\./)
    assert.equal((await backend.call({ integration: { type: 'HTTP_PROXY' }, answers: { body: Buffer.alloc(bytes) } })).response.status, 200)
  })
})

describe('an HTTP integration over TLS', { skip: absent('openssl') }, () => {
  const secured = async (host: string, given: BackendCase = {}): Promise<BackendOutcome> => {
    const server = createTlsServer(await certificate({ host }), (_, outgoing) => { outgoing.end('secret') })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      return await backend.call({ ...given, integration: { type: 'HTTP_PROXY', uri: `https://localhost:${(server.address() as AddressInfo).port}/`, ...given.integration } })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  // Source: API Gateway API reference, TlsConfig: the authority may be any, host name and dates are checked all the same.
  test('trusts a certificate that nobody vouches for only with insecureSkipVerification', async () => {
    const refused = await secured('localhost')
    saysOnly(refused, 500, 'Internal server error')
    assert.deepEqual(logged(refused), { line: 'Execution failed due to configuration error: General SSLEngine problem' })
    assert.equal((await secured('localhost', { integration: { tlsConfig: { insecureSkipVerification: true } } })).text, 'secret')
  })

  test('never trusts one of another host', async () => {
    const outcome = await secured('other.example', { integration: { tlsConfig: { insecureSkipVerification: true } } })
    saysOnly(outcome, 500, 'Internal server error')
    assert.match(JSON.stringify(logged(outcome)), /Host name 'localhost' does not match the certificate subject provided by the peer/)
  })
})

describe('an HTTP integration', () => {
  // Ours: a parameter must not leave the path that the integration's address confines it to without the server knowing.
  test('is asked for dot segments as they are, so that no parameter leaves the path of the address unseen', async () => {
    for (const [id, url] of [['..%2F..%2Fsecret', '/base/../../secret'], ['%2e%2e/secret', '/base/../secret'], ['.', '/base/.']] as const) {
      const { sent } = await backend.call({
        integration: { type: 'HTTP_PROXY', uri: 'http://{backend}/base/{id}', requestParameters: { 'integration.request.path.id': 'method.request.path.id' } },
        request: { path: `/things/${id}`, query: 'q=1' },
      })
      assert.equal(sent!.url, `${url}?q=1`)
    }
  })

  test('uses a connection again', async () => {
    const one = await backend.call({})
    const other = await backend.call({})
    assert.equal(one.sent!.socket, other.sent!.socket)
  })

  test('leaves what it sent and got in the trace, without values of the query', async () => {
    const { steps } = await backend.call({ integration: { type: 'HTTP_PROXY', uri: 'http://{backend}/x' }, request: { query: 'secret=hunter2' }, answers: { status: 201 } })
    const facts = steps.find(({ step }) => step === 'integration')!.facts
    assert.deepEqual([facts['method'], facts['uri'], facts['status']], ['GET', `http://127.0.0.1:${backend.port}/x`, 201])
    assert.doesNotMatch(JSON.stringify(steps), /hunter2/)
  })
})
