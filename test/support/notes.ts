// A store module like a service's, for the tests of the storage itself.

import { Conflict, defineTransactions, sql, type Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'notes-001-notes',
    text: `
      create table notes (id {text} primary key, body {text}, count {integer} not null default 0, bytes {bytes});
      create table comments (id {text} primary key, note_id {text} not null references notes (id));
      create index comments_by_note on comments (note_id);
    `,
  },
  { id: 'notes-002-log', text: 'create table log_lines (seq {serial}, line {text} not null)' },
]

interface Note {
  id: string
  body: string | null
  count: number
  bytes: Uint8Array | null
}

export const transactions = defineTransactions('notes', {
  async write(transaction, { id, body }: { id: string, body: string }) {
    await transaction.run(sql`insert into notes (id, body) values (${id}, ${body}) on conflict (id) do update set body = excluded.body`)
    await transaction.changed('notes.note', id)
  },

  async store(transaction, { id, body, count, bytes }: Note) {
    await transaction.run(sql`
      insert into notes (id, body, count, bytes) values (${id}, ${body}, ${count}, ${bytes})
      on conflict (id) do update set body = excluded.body, count = excluded.count, bytes = excluded.bytes`)
  },

  async writeThenConflict(transaction, { id, reason }: { id: string, reason: string }) {
    await transaction.run(sql`insert into notes (id) values (${id})`)
    await transaction.changed('notes.note', id)
    throw new Conflict(reason)
  },

  async writeThenFail(transaction, { id }: { id: string }) {
    await transaction.run(sql`insert into notes (id) values (${id})`)
    throw new Error('broken')
  },

  /** Reads, then writes what it read plus one: wrong unless transactions run as if one after another. */
  async increment(transaction, { id }: { id: string }): Promise<number> {
    const [note] = await transaction.query<Note>(sql`select count from notes where id = ${id}`)
    const count = (note?.count ?? 0) + 1
    await transaction.run(sql`insert into notes (id, count) values (${id}, ${count}) on conflict (id) do update set count = excluded.count`)
    const [written] = await transaction.query<Note>(sql`select count from notes where id = ${id}`)
    return written!.count
  },

  async insertIfFewerThan(transaction, { id, limit }: { id: string, limit: number }) {
    const [found] = await transaction.query<{ n: number }>(sql`select count(*) as n from notes`)
    if (found!.n >= limit) throw new Conflict('too many')
    await transaction.run(sql`insert into notes (id) values (${id})`)
  },

  async countChanged(transaction, { ids: [first, second] }: { ids: string[] }) {
    const inserted = await transaction.run(sql`insert into notes (id) values (${first!})`)
    const again = await transaction.run(sql`insert into notes (id) values (${first!}) on conflict (id) do nothing`)
    await transaction.run(sql`insert into notes (id) values (${second!})`)
    const deleted = await transaction.run(sql`delete from notes where id in (${first!}, ${second!})`)
    const returned = await transaction.query(sql`insert into notes (id) values (${'c'}) returning id`)
    return { inserted, again, deleted, returned }
  },

  async log(transaction, { line }: { line: string }): Promise<number> {
    const [row] = await transaction.query<{ seq: number }>(sql`insert into log_lines (line) values (${line}) returning seq`)
    return row!.seq
  },

  async appendInOrder(transaction, { id }: { id: string }) {
    await transaction.run(sql`insert into log_lines (line) values (${id})`)
    await transaction.changed('notes.note', id)
  },

  async clearLog(transaction, _: {}) {
    await transaction.run(sql`delete from log_lines`)
  },

  async forgetLine(transaction, { line }: { line: string }) {
    await transaction.run(sql`delete from log_lines where line = ${line}`)
  },

  /** Two rows that are alike after every transaction. */
  async pair(transaction, { round }: { round: number }) {
    for (const id of ['left', 'right']) {
      await transaction.run(sql`insert into notes (id, count) values (${id}, ${round}) on conflict (id) do update set count = excluded.count`)
    }
  },

  async comment(transaction, { id, noteId }: { id: string, noteId: string }) {
    await transaction.run(sql`insert into comments (id, note_id) values (${id}, ${noteId})`)
  },

  /** Gives what cannot be sent to another thread, against the rules. */
  async giveFunction(_transaction, _: {}): Promise<unknown> {
    return () => {}
  },

  async killWriter(_transaction, _: {}) {
    process.exit(7)
  },

  /** Makes SQLite behave as on a disk with room for so many pages. */
  async limitPages(transaction, { pages }: { pages: number }) {
    await transaction.query({ text: `pragma max_page_count = ${pages}`, values: [] })
  },

  /** Goes on after a statement failed, against the rules. */
  async swallow(transaction, { id }: { id: string }) {
    await transaction.run(sql`insert into notes (id) values (${id})`)
    await transaction.run(sql`insert into notes (id) values (${id})`).catch(() => {})
  },

  /** Keeps its transaction past its end, against the rules. */
  async leak(transaction, _: {}): Promise<string> {
    const previous = kept
    kept = (statement) => transaction.run(statement)
    if (previous === undefined) return 'kept'
    try {
      await previous(sql`insert into notes (id) values (${'leaked'})`)
      return 'ran'
    } catch (error) {
      return (error as Error).message
    }
  },
})

let kept: ((statement: ReturnType<typeof sql>) => Promise<number>) | undefined
