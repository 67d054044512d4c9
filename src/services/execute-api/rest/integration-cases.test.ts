// Cases of integrations as data, run through the whole pipeline before a real HTTP server.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { startBackend, type Backend, type BackendCase, type Sent } from './backend.testing.ts'

interface Case {
  says: string
  source: string
  given: BackendCase & {
    /** Each mapped to a text that names it, and declared. */
    mapsEach?: string[]
  }
  expect: {
    /** null: nothing was sent. */
    sent?: { method?: string, path?: string, query?: [string, string][], headers?: Record<string, string[] | null>, body?: string } | null
    answer?: { status?: number, headers?: Record<string, string | string[] | null>, has?: string[], body?: string }
  }
}

const casesOf = (name: string) => (JSON.parse(readFileSync(new URL(`../../../../test/cases/execute-api/${name}.json`, import.meta.url), 'utf8')) as { cases: Case[] }).cases

let backend: Backend
before(async () => { backend = await startBackend() })
after(() => backend[Symbol.asyncDispose]())

for (const file of ['parameter-mapping', 'headers']) {
  describe(`test/cases/execute-api/${file}.json`, () => {
    for (const one of casesOf(file)) {
      test(one.says, async () => {
        assert.ok(one.source)
        const { sent, response, text } = await backend.call(withEach(filled(one.given)))
        if (one.expect.sent === null) assert.equal(sent, undefined)
        else checkSent(sent, filled(one.expect.sent ?? {}))
        const { status = 200, headers = {}, has = [], body } = one.expect.answer ?? {}
        assert.equal(response.status, status, text)
        for (const [name, value] of Object.entries(headers)) assert.deepEqual(response.headers[name] ?? null, value, name)
        for (const name of has) assert.ok(response.headers[name], name)
        if (body !== undefined) assert.equal(text, body)
      })
    }
  })
}

/** The server's address, wherever a case names it. */
function filled<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll('"{backend}"', JSON.stringify(`127.0.0.1:${backend.port}`))) as T
}

function withEach({ mapsEach, ...given }: Case['given']): BackendCase {
  if (!mapsEach) return given
  const responseParameters = Object.fromEntries(mapsEach.map((name) => [`method.response.header.${name}`, `'response_param_${name}'`]))
  return { ...given, declares: mapsEach, integrationResponses: { 200: { responseParameters } } }
}

function checkSent(sent: Sent | undefined, { method, path, query, headers = {}, body }: NonNullable<Case['expect']['sent']>): void {
  assert.ok(sent, 'nothing was sent')
  const [sentPath, sentQuery = ''] = sent.url.split('?') as [string, string?]
  if (method !== undefined) assert.equal(sent.method, method)
  if (path !== undefined) assert.equal(sentPath, path)
  if (query !== undefined) assert.deepEqual([...new URLSearchParams(sentQuery)], query)
  for (const [name, values] of Object.entries(headers)) assert.deepEqual(sent.headers[name] ?? null, values, name)
  if (body !== undefined) assert.equal(sent.body.toString(), body)
}
