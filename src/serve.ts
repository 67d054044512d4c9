// `countersign serve`: starts the server, says in one line each what the machine lacks, and stays until a signal drains it.

import { startServer, type ServerOptions } from './server.ts'

/** A drain must leave time to close the stores within the 10 s that service managers give. */
const DRAIN_MS_MAX = 8_000

/** Resolves when the server has stopped; the process's exit code is then 0. */
export async function serveUntilSignal(options: ServerOptions): Promise<void> {
  const stop = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop.resolve(signal))
  const { log } = options
  const server = await startServer(options)
  for (const note of server.notes) log.info(note)
  log.info({ endpoint: server.endpoint, dataDir: options.settings.dataDir }, 'ready')
  const signal = await stop.promise
  log.info({ signal }, 'stopping')
  await server.close(DRAIN_MS_MAX)
  log.info('stopped')
}
