// What AWS was recorded to answer, case by case: `test/cases/lambda/*.json`, by the official client against a real server.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import * as sdk from '@aws-sdk/client-lambda'
import { absent } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'
import { archiveOf, functionRole } from './deploy.ts'

interface Step { run: string, input: Record<string, unknown> }

/** In texts, `{fn}` is a name of the case's own; `$role`, `$zip` and `$zip2` are a role and archives, and `$sha` is the digest of `$zip`. */
interface Case {
  says: string
  source: string
  given: Step[]
  when: Step
  /** The refusal, or members of the answer; and members that it must not have. */
  expect: ({ status: number, code: string, message: string } | { values: Record<string, unknown> }) & { absent?: string[] }
}

const cases = new URL('../../cases/lambda/', import.meta.url)

describe('recorded answers of Lambda', { skip: absent('python3') }, () => {
  let server: TestServer
  let known: Record<string, unknown>
  before(async () => {
    server = await startServer()
    const archive = await archiveOf({ 'index.py': 'def handler(event, context):\n    return event\n' })
    known = {
      $role: await functionRole(server), $zip: archive, $zip2: await archiveOf({ 'index.py': 'def handler(event, context):\n    return 2\n' }),
      $sha: createHash('sha256').update(archive).digest('base64'),
    }
  })
  after(() => server.close())

  let count = 0
  for (const file of readdirSync(cases).filter((name) => name.endsWith('.json'))) {
    describe(file, () => {
      for (const { says, given, when, expect } of JSON.parse(readFileSync(new URL(file, cases), 'utf8')) as Case[]) {
        test(says, async () => {
          const name = `case-${count++}`
          for (const step of given) await run(step, name)
          const filled = fill(expect, name) as Case['expect']
          const answer = 'code' in filled ? await refuses(run(when, name), filled.status, filled.code, filled.message) : await run(when, name)
          if ('values' in filled) assert.partialDeepStrictEqual(answer, filled.values)
          for (const member of filled.absent ?? []) assert.equal((answer as Record<string, unknown>)[member], undefined, `${member} is absent`)
        })
      }
    })
  }

  async function run({ run: operation, input }: Step, name: string): Promise<Record<string, unknown>> {
    const Command = (sdk as unknown as Record<string, new (input: unknown) => Parameters<TestServer['lambda']['send']>[0]>)[`${operation}Command`]!
    return await server.lambda.send(new Command(fill(input, name))) as unknown as Record<string, unknown>
  }

  function fill(value: unknown, name: string): unknown {
    if (typeof value === 'string') return value in known ? known[value] : value.replaceAll('{fn}', name).replaceAll('$sha', known['$sha'] as string)
    if (Array.isArray(value)) return value.map((inner) => fill(inner, name))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, name)]))
  }
})
