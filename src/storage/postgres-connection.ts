// How this program speaks to PostgreSQL: settings of a connection, statements in its form, values alike to SQLite's, and what its errors mean.

import type { ClientConfig } from 'pg'
import type { Sql, StoreName } from './database.ts'
import { StorageRefusal } from './refusal.ts'

/** A statement that is named is parsed and planned once on each connection. Texts beyond this many (lists of varying length) go unnamed. */
const STATEMENTS_NAMED_MAX = 500
const CONNECT_TIMEOUT_MS = 10_000

/** The schema of a store. Both stores may live in one PostgreSQL database. */
export function schemaOf(store: StoreName): string {
  return `countersign_${store}`
}

/** Settings of every connection. The password stays in the URL, which is never logged. */
export function clientConfig(url: string, store: StoreName): ClientConfig {
  const parsed = new URL(url)
  const wanted = [`-c search_path=${schemaOf(store)}`]
  // The counterpart of SQLite's `synchronous = normal`: a crash of the server loses at most the last moments, never what is older.
  if (store === 'logs') wanted.push('-c synchronous_commit=off')
  parsed.searchParams.set('options', [parsed.searchParams.get('options'), ...wanted].filter(Boolean).join(' '))
  return {
    connectionString: parsed.toString(),
    application_name: `countersign ${store}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: (type: number) => parserOf(type) } as never,
  }
}

/** The server and database of a URL, without user and password. */
export function describeUrl(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url)
  return `PostgreSQL at ${searchParams.get('host') ?? hostname}${port === '' ? '' : `:${port}`}, database ${pathname.slice(1) || 'of the user\'s name'}`
}

/** Type ids. Source: PostgreSQL's catalog, `select oid, typname from pg_type`. */
const parsers: Record<number, (text: string) => unknown> = {
  16: (text) => text === 't' ? 1 : 0, // bool: what a comparison in a select gives
  17: (text) => Uint8Array.fromHex(text.slice(2)), // bytea, as \x…
  20: toNumber, // int8
  21: toNumber, // int2
  23: toNumber, // int4
  700: Number, // float4
  701: Number, // float8
  1700: toNumber, // numeric: what sum() of integers gives
}

function parserOf(type: number): (text: string) => unknown {
  return parsers[type] ?? String
}

function toNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond the integers that a number holds exactly`)
  return value
}

interface Spoken {
  text: string
  name: string | undefined
}

/** Statements in PostgreSQL's form; each text is translated once. */
export class Statements {
  readonly #spoken = new Map<string, Spoken>()

  config({ text, values }: Sql): { text: string, name?: string, values: unknown[] } {
    let spoken = this.#spoken.get(text)
    if (spoken === undefined) {
      const isKept = this.#spoken.size < STATEMENTS_NAMED_MAX
      spoken = { text: numberValues(text), name: isKept ? `s${this.#spoken.size}` : undefined }
      if (isKept) this.#spoken.set(text, spoken)
    }
    return spoken.name === undefined ? { text: spoken.text, values: values as unknown[] } : { text: spoken.text, name: spoken.name, values: values as unknown[] }
  }
}

/** `$1`, `$2`, … for each `?` that is not inside quotes or a comment. */
export function numberValues(text: string): string {
  let count = 0
  return text.replace(/'[^']*'|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g, (part) => part === '?' ? `$${count += 1}` : part === '/* skip locked */' ? 'for update skip locked' : part)
}

/** Another transaction got in the way; the same transaction run again may succeed. Source: PostgreSQL manual, 13.5 "Serialization Failure Handling". */
export function isContention(error: unknown): boolean {
  return ['40001', '40P01'].includes((error as { code?: string }).code ?? '')
}

/** The server went away, restarts, or is still starting: nothing is wrong with the statement. */
export function isConnectionLoss(error: unknown): boolean {
  const { code = '', message } = error as { code?: string, message: string }
  return ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', '57P01', '57P02', '57P03'].includes(code)
    || code.startsWith('08')
    || /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect)/.test(message)
}

/** A sentence for a PostgreSQL that cannot be used at start. */
export function connectRefusal(url: string, error: unknown): Error {
  if (error instanceof StorageRefusal) return error
  const { code = '', message } = error as { code?: string, message: string }
  const where = describeUrl(url)
  if (code.startsWith('28')) return new StorageRefusal(`${where} refuses this user (${message}); check user and password in COUNTERSIGN_DATABASE_URL.`, { cause: error })
  if (code === '3D000') return new StorageRefusal(`${where} does not exist; create it, or name another in COUNTERSIGN_DATABASE_URL.`, { cause: error })
  if (code === '42501') return new StorageRefusal(`${where} does not let this user make its schemas (${message}); grant it CREATE on the database.`, { cause: error })
  if (isConnectionLoss(error) || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new StorageRefusal(`${where} cannot be reached (${code || message}); start it, or check COUNTERSIGN_DATABASE_URL.`, { cause: error })
  }
  return error as Error
}
