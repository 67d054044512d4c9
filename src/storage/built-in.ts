// The storage's own transaction functions.

import { everythingChanged } from './changes.ts'
import { defineTransactions, sql, type Sql } from './database.ts'

/** A table's name comes from the schema, never from a caller. */
const deleteAll = (table: string): Sql => ({ text: `delete from "${table}"`, values: [] })

export const transactions = defineTransactions('storage', {
  /** Empties the tables, last made first, so that no row is deleted before those that reference it. */
  async reset(transaction, { tables }: { tables: readonly string[] }) {
    for (const table of tables.toReversed()) await transaction.run(deleteAll(table))
    await transaction.changed(everythingChanged, '')
  },

  /** Keeps the value unless the setting has one; resolves with the one that is kept. */
  async keepSetting(transaction, { name, value }: { name: string, value: string }) {
    await transaction.run(sql`insert into countersign_settings (name, value) values (${name}, ${value}) on conflict (name) do nothing`)
    const [kept] = await transaction.query<{ value: string }>(sql`select value from countersign_settings where name = ${name}`)
    return kept!.value
  },
})
