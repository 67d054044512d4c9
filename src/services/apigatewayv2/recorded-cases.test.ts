// What AWS was recorded to answer, case by case: `test/cases/apigatewayv2/*.json` against the operations.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { AwsError } from '#aws/errors.ts'
import { systemClock } from '#lib/clock.ts'
import { openDatabase } from '#storage/open.ts'
import type { Store } from '#storage/database.ts'
import { migrations } from './migrations.ts'
import { createCaller, type Answer, type TestCaller } from './caller.testing.ts'

interface Step { run: string, input: Record<string, unknown>, as?: string }

/** In texts, `{name.Member}` is a member of the answer of the step that has that `as`. */
interface Case {
  says: string
  source: string
  given: Step[]
  when: Step
  /** The refusal, or members of the answer and members that it must not have. */
  expect: { status: number, code: string, message: string } | { values: Record<string, unknown>, absent?: string[] }
}

const cases = new URL('../../../test/cases/apigatewayv2/', import.meta.url)

describe('recorded answers of API Gateway v2', () => {
  let database: Store
  let caller: TestCaller
  const directory = mkdtempSync(join(tmpdir(), 'countersign-apigatewayv2-'))
  before(async () => {
    database = await openDatabase({
      engine: { file: join(directory, 'core.db') }, store: 'core', migrations, transactionModules: [new URL('./store.ts', import.meta.url)], clock: systemClock,
    })
    caller = createCaller(database)
  })
  after(async () => {
    await database.close()
    rmSync(directory, { recursive: true })
  })

  for (const file of readdirSync(cases).filter((name) => name.endsWith('.json'))) {
    describe(file, () => {
      for (const { says, given, when, expect } of JSON.parse(readFileSync(new URL(file, cases), 'utf8')) as Case[]) {
        test(says, async () => {
          const answers: Record<string, Answer> = {}
          for (const step of given) answers[step.as ?? ''] = await run(step, answers)
          const filled = fill(expect, answers) as Case['expect']
          if ('code' in filled) {
            await assert.rejects(run(when, answers), (error: AwsError) => {
              assert.deepEqual({ status: error.status, code: error.code, message: error.message }, filled)
              return true
            })
            return
          }
          const answer = await run(when, answers)
          assert.partialDeepStrictEqual(answer, filled.values)
          for (const name of filled.absent ?? []) assert.equal(answer[name], undefined, `${name} is absent`)
        })
      }
    })
  }

  function run({ run: name, input }: Step, answers: Record<string, Answer>): Promise<Answer> {
    return caller.run(name, fill(input, answers) as Record<string, unknown>)
  }
})

function fill(value: unknown, answers: Record<string, Answer>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{(\w+)\.(\w+)\}/g, (text, name: string, member: string) => answers[name]?.[member] as string | undefined ?? text)
  }
  if (Array.isArray(value)) return value.map((inner) => fill(inner, answers))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, answers)]))
}
