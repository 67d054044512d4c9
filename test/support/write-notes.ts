// A program that writes notes and says on stdout which were acknowledged, until it is killed: `FILE PREFIX`, or `FILE PREFIX COUNT`, one after another.

import { writeSync } from 'node:fs'
import { systemClock } from '#lib/clock.ts'
import { openDatabase } from '#storage/open.ts'
import { migrations, transactions } from './notes.ts'

const [file, prefix, count] = process.argv.slice(2) as [string, string, string | undefined]
const CALLERS = 16

const store = await openDatabase({ engine: { file }, store: 'core', migrations, transactionModules: [new URL('./notes.ts', import.meta.url)], clock: systemClock })
if (count === undefined) await Promise.all(Array.from({ length: CALLERS }, (_, caller) => write(caller, Infinity, () => {})))
else await write(0, Number(count), (id) => writeSync(1, `ask ${id}\n`))
await store.close()

async function write(caller: number, notesMax: number, announce: (id: string) => void): Promise<void> {
  for (let n = 0; n < notesMax; n += 1) {
    const id = `${prefix}-${caller}-${n}`
    announce(id)
    await store.transact(transactions.write, { id, body: 'x'.repeat(300) })
    writeSync(1, `${id}\n`)
  }
}
