// Whatever bytes arrive, the answer is a refusal in the service's form: never a failure of ours, never a hang.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { loadModel } from '#aws/model.ts'
import { createEcho, modelNames, signedFor, type Answers } from './echo.ts'
import { headerOf, requestOf, type RequestParts } from './requests.ts'

/** Every operation whose answer is not an event stream is served, with an empty answer. */
const models = modelNames.map(loadModel)
const answers: Record<string, Answers> = Object.fromEntries(models.map((model) => [
  model.name.split('-')[0]!,
  Object.fromEntries(model.operationNames.map((name) => [name, {}])),
]))

async function assertJudged(parts: RequestParts): Promise<void> {
  const echo = createEchoOnce()
  const answer = await echo.handle(requestOf(parts))
  assert.ok(answer.status < 500 || isEventStream(String(echo.failures[0])), `${answer.status} ${String(echo.failures[0])}`)
  echo.failures.length = 0
  assert.ok(headerOf(answer, 'x-amzn-requestid'))
  if (answer.status >= 400) assert.ok(typeof answer.body === 'string' && answer.body.length < 100_000)
}

const isEventStream = (failure: string): boolean => failure.includes('answers with an event stream')

let echoed: ReturnType<typeof createEcho> | undefined
const createEchoOnce = () => echoed ??= createEcho(answers)

const operationOf = (protocol: string) => fc.constantFrom(...models.filter(({ metadata }) => metadata.protocol === protocol)
  .flatMap((model) => model.operationNames.map((name) => ({ model, operation: model.operation(name)! }))))

/** JSON whose keys are likely to be those of the models, so that values reach every kind of decoder. */
const memberNames = [...new Set(models.flatMap((model) => model.operationNames.flatMap((name) => Object.entries(model.operation(name)!.input?.members ?? {}).map(([member, ref]) => ref.locationName ?? member))))]
const json = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true },
    fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.constantFrom('', 'aGk=', '2026-01-02T03:04:05Z', '__proto__'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...memberNames, 'S', 'N', 'B', 'M', 'L', '__proto__', 'constructor'), fc.string()), tie('value'), { maxKeys: 6 })),
}))

const runs = { numRuns: 400 }

describe('any JSON for any operation is judged, not stumbled over', () => {
  test('JSON protocols', async () => {
    await fc.assert(fc.asyncProperty(operationOf('json'), json.value, async ({ model, operation }, value) => {
      await assertJudged({
        headers: { ...signedFor(model.signingName), 'content-type': `application/x-amz-json-${model.metadata.jsonVersion}`, 'x-amz-target': `${model.metadata.targetPrefix}.${operation.name}` },
        body: JSON.stringify(value) ?? 'null',
      })
    }), runs)
  })

  test('REST', async () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('%', '%zz', '../..', '__proto__', 'arn:aws:lambda:us-east-1:000000000000:function:f'))
    await fc.assert(fc.asyncProperty(operationOf('rest-json'), json.value, fc.array(text, { minLength: 5, maxLength: 5 }), async ({ model, operation }, value, labels) => {
      let index = 0
      const path = operation.requestUri.replace(/\{[^}]+\}/g, () => encodeURIComponent(labels[index++ % labels.length]!.toWellFormed()) || 'x')
      const query = `${path.includes('?') ? '&' : '?'}limit=${encodeURIComponent(labels[0]!.toWellFormed())}&MaxItems=${labels.length}&tagKeys=%zz`
      await assertJudged({ method: operation.method, target: path + query, headers: signedFor(model.signingName), body: JSON.stringify(value) ?? '' })
    }), runs)
  })

  test('query', async () => {
    const name = fc.array(fc.constantFrom(...memberNames, 'member', 'entry', '1', '2', '0', '-1', 'key', 'value', '__proto__', ''), { maxLength: 5 }).map((parts) => parts.join('.'))
    await fc.assert(fc.asyncProperty(operationOf('query'), fc.array(fc.tuple(name, fc.string()), { maxLength: 8 }), async ({ model, operation }, fields) => {
      const form = new URLSearchParams([['Action', operation.name], ['Version', model.metadata.apiVersion], ...fields.map(([key, value]): [string, string] => [key, value.toWellFormed()])])
      await assertJudged({ headers: { ...signedFor(model.signingName), 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString() })
    }), runs)
  })
})

test('any bytes for any service are judged', async () => {
  await fc.assert(fc.asyncProperty(
    fc.constantFrom(...models.map(({ signingName }) => signingName), 's3', ''), fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'X'), fc.webPath(), fc.webQueryParameters(),
    fc.uint8Array({ maxLength: 200 }), fc.constantFrom('', 'application/json', 'application/x-www-form-urlencoded', 'application/x-amz-json-1.0', 'application/x-amz-json-1.1', 'text/plain'),
    async (service, method, path, query, body, contentType) => {
      const answer = await createEchoOnce().handle(requestOf({
        method, target: `${path || '/'}?${query}`, body: Buffer.from(body),
        headers: { ...(service ? signedFor(service) : {}), ...(contentType ? { 'content-type': contentType } : {}), 'x-amz-target': 'DynamoDB_20120810.GetItem' },
      }))
      assert.ok(answer.status < 500 || answer.status === 501)
    }), runs)
})
