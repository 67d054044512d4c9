// All SQL of traces.

import { sql, type Reader, type Transaction } from '#storage/database.ts'

export interface TraceRow {
  requestId: string
  accountId: string
  atMs: number
  /** JSON. */
  record: string
}

/** Adds traces, then deletes the oldest while there are more than the limits allow. */
export async function recordTraces(transaction: Transaction, { rows, rowsMax, bytesMax }: { rows: readonly TraceRow[], rowsMax: number, bytesMax: number }): Promise<void> {
  for (const { requestId, accountId, atMs, record } of rows) {
    await transaction.run(sql`
      insert into traces (request_id, account_id, at_ms, bytes, record) values (${requestId}, ${accountId}, ${atMs}, ${record.length}, ${record})`)
  }
  const [first] = await transaction.query<{ id: number }>(sql`select id from traces order by id limit 1`)
  const [last] = await transaction.query<{ id: number }>(sql`select id from traces order by id desc limit 1`)
  if (!first || !last) return
  // Ids ascend with few gaps: their span stands for the number of rows.
  if (last.id - first.id >= rowsMax) await transaction.run(sql`delete from traces where id <= ${last.id - rowsMax}`)
  const usage = await addUsage(transaction, rows.reduce((sum, { record }) => sum + record.length, 0))
  if (usage > bytesMax) await makeRoom(transaction, bytesMax)
}

export async function findTrace(db: Reader, requestId: string): Promise<{ record: string } | undefined> {
  return (await db.query<{ record: string }>(sql`select record from traces where request_id = ${requestId} order by id desc limit 1`))[0]
}

/** The latest first. */
export async function listTraces(db: Reader, accountId: string, limit: number): Promise<{ record: string }[]> {
  return db.query(sql`select record from traces where account_id = ${accountId} order by id desc limit ${limit}`)
}

/** The count includes what was deleted by number; `makeRoom` counts anew before it deletes. */
async function addUsage(transaction: Transaction, bytes: number): Promise<number> {
  const [row] = await transaction.query<{ event_bytes: number }>(sql`
    insert into log_usage (id, event_bytes) values (2, ${bytes}) on conflict (id) do update set event_bytes = log_usage.event_bytes + ${bytes} returning event_bytes`)
  return row!.event_bytes
}

/** Deletes down to nine tenths of the limit, so that the next batches need not. */
async function makeRoom(transaction: Transaction, bytesMax: number): Promise<void> {
  const [counted] = await transaction.query<{ bytes: number | null }>(sql`select sum(bytes) as bytes from traces`)
  let bytes = counted?.bytes ?? 0
  while (bytes > bytesMax * 0.9) {
    const oldest = await transaction.query<{ id: number, bytes: number }>(sql`select id, bytes from traces order by id limit 1000`)
    const cut = oldestToDelete(oldest, bytes - bytesMax * 0.9)
    if (!cut) break
    await transaction.run(sql`delete from traces where id <= ${cut.id}`)
    bytes -= cut.bytes
  }
  await transaction.run(sql`update log_usage set event_bytes = ${bytes} where id = 2`)
}

/** Up to which of the oldest rows to delete, so that at least so many bytes go; undefined when there are no rows. */
export function oldestToDelete(oldest: readonly { id: number, bytes: number }[], bytesWanted: number): { id: number, bytes: number } | undefined {
  let bytes = 0
  for (const row of oldest) {
    bytes += row.bytes
    if (bytes >= bytesWanted) return { id: row.id, bytes }
  }
  const last = oldest.at(-1)
  return last && { id: last.id, bytes }
}
