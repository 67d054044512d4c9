// Copies a SQLite store's rows into a backup file, in a thread of its own.
export async function copySqlite(_: { from: string, store: string, to: string }): Promise<void> { throw new Error('not yet') }
