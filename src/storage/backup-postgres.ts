// Copies a PostgreSQL store's rows into a backup file.
export async function copyPostgres(_: { url: string, store: string, tables: readonly string[], to: string }): Promise<void> { throw new Error('not yet') }
