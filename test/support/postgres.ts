// A real PostgreSQL for tests, started where its programs are found: one for each test process, gone with it.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chownSync, closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'

const START_MS_MAX = 30_000

/** Why tests on PostgreSQL are skipped, or false. */
export function postgresIsAbsent(): string | false {
  return findPrograms() === undefined ? 'absent: PostgreSQL' : false
}

/** A PostgreSQL that a test may stop and start. */
export interface PostgresServer {
  /** Of a database, by name. */
  url(database: string): string
  /** Ends it at once, as a crash would. */
  crash(): Promise<void>
  start(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

let shared: Promise<PostgresServer> | undefined
let databasesMade = 0

/** Databases of that server that were used, and are empty again. */
const emptied: string[] = []

/** An empty database on the server that this process's tests share. To make one takes long, to empty one does not. */
export async function freshPostgres(): Promise<{ engine: { url: string }, remove: () => Promise<void> }> {
  const server = await (shared ??= startPostgres())
  const known = emptied.pop()
  const name = known ?? `shared_${databasesMade += 1}`
  if (known === undefined) await administer(server, `create database ${name}`)
  return {
    engine: { url: server.url(name) },
    remove: async () => {
      await administer(server, makeEmpty, name)
      emptied.push(name)
    },
  }
}

/** Ends whoever is still connected, and drops every schema. */
const makeEmpty = `do $$ declare name text; begin
  perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
  for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop execute format('drop schema %I cascade', name); end loop;
end $$`

export async function freshDatabase(server: PostgresServer): Promise<{ engine: { url: string }, remove: () => Promise<void> }> {
  databasesMade += 1
  const name = `test_${databasesMade}`
  await administer(server, `create database ${name}`)
  return { engine: { url: server.url(name) }, remove: () => administer(server, `drop database if exists ${name} with (force)`) }
}

/** Runs one statement as the server's owner. */
export async function administer(server: PostgresServer, statement: string, database = 'postgres'): Promise<void> {
  const client = new Client({ connectionString: server.url(database) })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Starts a server on a socket in a directory of its own. It ends with this process, even when that is killed. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = findPrograms()!
  const directory = mkdtempSync(join(tmpdir(), 'countersign-pg-'))
  // PostgreSQL refuses to run as root.
  const owner = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  if (owner) chownSync(directory, owner.uid, owner.gid)
  const data = join(directory, 'data')
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'], { ...owner, cwd: directory, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const url = (database: string) => `postgres://postgres@localhost/${database}?host=${encodeURIComponent(directory)}`
  let running: ChildProcess | undefined

  const server: PostgresServer = {
    url,
    async start() {
      // The shell ends the server and removes its files when its input ends, which it does with this process, whatever ends that.
      // It sends two signals: a shell's background processes ignore QUIT until they handle it, which a server that just starts does not yet.
      const script = `"$0" "$@" & server=$!; read -r how; kill -TERM $server; kill -QUIT $server; wait $server; [ "$how" = keep ] || rm -rf "${directory}"`
      const log = openSync(join(directory, 'log'), 'a')
      running = spawn('/bin/sh', ['-c', script, join(programs, 'postgres'),
        '-D', data, '-k', directory, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'shared_buffers=16MB', '-c', 'max_connections=200', '-c', 'autovacuum=off',
      ], { ...owner, cwd: directory, stdio: ['pipe', log, log], detached: true })
      closeSync(log)
      running.unref()
      ;(running.stdin as unknown as { unref(): void }).unref()
      await untilReady(url('postgres'), join(directory, 'log'))
    },
    crash: () => end('keep\n'),
    stop: () => end(''),
  }
  async function end(word: string): Promise<void> {
    const ending = running!
    ending.ref()
    const exited = new Promise((resolve) => ending.once('exit', resolve))
    ending.stdin!.end(word)
    await exited
  }
  await server.start()
  return server
}

async function untilReady(connectionString: string, log: string): Promise<void> {
  const deadline = performance.now() + START_MS_MAX
  for (;;) {
    const client = new Client({ connectionString })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`PostgreSQL does not start: ${readFileSync(log, 'utf8').slice(-2000)}`, { cause: error })
      await sleep(20)
    }
  }
}

/** The directory with `postgres` and `initdb`; the newest of several. */
function findPrograms(): string | undefined {
  const packaged = '/usr/lib/postgresql'
  const versions = existsSync(packaged) ? readdirSync(packaged).sort((a, b) => Number(b) - Number(a)) : []
  const candidates = [...(process.env.PATH ?? '').split(delimiter), ...versions.map((version) => join(packaged, version, 'bin'))]
  return candidates.find((directory) => directory !== '' && existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'postgres')))
}

function unprivilegedUser(): { uid: number, gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim())
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  return { uid: 65_534, gid: 65_534 }
}
