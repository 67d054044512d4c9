// Events as those who run the server see them: `countersign events`, the endpoint behind it, and the metrics.

import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { InvokeCommand, PutFunctionEventInvokeConfigCommand } from '@aws-sdk/client-lambda'
import { sendSigned } from '#src/cli/request.ts'
import { runProgram } from '#test/support/programs.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { deployNode } from '../sdk/lambda/deploy.ts'

const root = resolve(import.meta.dirname, '../..')

const countersign = (server: TestServer, args: string[], credentials = server.credentials) =>
  runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/main.ts'), ...args], { env: server.environment(credentials) })

/** Answers the id of an event that was given up. */
async function givenUp(server: TestServer): Promise<string> {
  await deployNode(server, 'f', 'export const handler = async () => { throw new Error("never") }')
  await server.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'f', MaximumRetryAttempts: 0 }))
  const { $metadata } = await server.lambda.send(new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event', Payload: '{"n":1}' }))
  for (let tries = 0; tries < 500; tries++) {
    const { stdout } = await countersign(server, ['events', 'list', '--json'])
    if (stdout.includes('"given up"')) return $metadata.requestId!
    await sleep(20)
  }
  throw new Error('the event was not given up')
}

describe('events', () => {
  test('are seen by nobody without a signature or without permission, and by no other account', async (t) => {
    const server = await startServer(t)
    const id = await givenUp(server)
    for (const [method, path] of [['GET', 'events'], ['GET', `events/${id}`], ['POST', `events/${id}/retry`]] as const) {
      assert.equal((await fetch(`${server.endpoint}/_countersign/${path}`, { method })).status, 403, path)
      const send = (credentials: { accessKeyId: string, secretAccessKey: string }) =>
        sendSigned({ endpoint: server.endpoint, region: 'us-east-1', credentials }, { method, url: `${server.endpoint}/_countersign/${path}`, service: 'countersign' }, Date.now())
      const bob = await send(await server.user(`bob-${method}-${path.length}`, [{ Effect: 'Allow', Action: 'lambda:*', Resource: '*' }]))
      assert.deepEqual([bob.status, JSON.parse(bob.body.toString()).code], [403, 'AccessDenied'], path)
      const made = await sendSigned({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials }, { method: 'POST', url: `${server.endpoint}/_countersign/accounts`, service: 'countersign' }, Date.now())
      const stranger = await send(JSON.parse(made.body.toString()))
      assert.deepEqual([stranger.status, stranger.body.toString().includes(id) && stranger.status === 200], [path === 'events' ? 200 : 404, false], path)
    }
  })

  test('that were given up are listed and shown with their payload, and run again when told to', async (t) => {
    const server = await startServer(t)
    const none = await countersign(server, ['events', 'list'])
    assert.deepEqual([none.code, none.stdout], [0, 'There are no events.\n'])
    const id = await givenUp(server)
    const list = await countersign(server, ['events', 'list'])
    assert.match(list.stdout, new RegExp(`^${id}  given up  \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z  1 attempt   arn:aws:lambda:us-east-1:000000000000:function:f:\\$LATEST  Error: never\\n$`))
    const show = await countersign(server, ['events', 'show', id])
    assert.match(show.stdout, /^condition: RetriesExhausted$/m)
    assert.match(show.stdout, /^payload: \{"n":1\}$/m)
    const retry = await countersign(server, ['events', 'retry', id])
    assert.deepEqual([retry.code, /^state: waiting$/m.test(retry.stdout)], [0, true], retry.stderr)
    const absent = await countersign(server, ['events', 'show', 'nobody'])
    assert.deepEqual([absent.code, absent.stdout, absent.stderr], [1, '', 'There is no event nobody in this account; what a function has answered is not kept.\n'])
  })

  test('are counted among the metrics, with what else is known of functions', async (t) => {
    const server = await startServer(t)
    await givenUp(server)
    const text = await (await fetch(`${server.endpoint}/_countersign/metrics`)).text()
    const labels = '\\{account="000000000000",region="us-east-1",function="f"\\}'
    for (const name of ['invocations_total', 'errors_total', 'async_events_received_total', 'async_events_dropped_total', 'duration_seconds_count', 'async_event_age_seconds_count']) {
      assert.match(text, new RegExp(`^countersign_lambda_${name}${labels} 1$`, 'm'))
    }
    for (const name of ['throttles_total', 'concurrent_executions', 'dead_letter_errors_total', 'destination_delivery_failures_total']) {
      assert.match(text, new RegExp(`^countersign_lambda_${name}${labels} 0$`, 'm'))
    }
    assert.match(text, /^process_cpu_user_seconds_total /m)
  })
})
