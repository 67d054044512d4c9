// Where the command line finds the endpoint and its credentials: the environment first, then the data directory of a server.

import { join } from 'node:path'
import { readCredentials } from '#lib/credentials-file.ts'
import { readFileIfAny } from '#lib/files.ts'

export interface Session {
  /** Without a trailing slash. */
  endpoint: string
  region: string
  credentials: { accessKeyId: string, secretAccessKey: string, sessionToken?: string }
}

export interface SessionOptions {
  environment: Readonly<Record<string, string | undefined>>
  dataDir: string
  region: string
}

/** What to tell the person when the command cannot do what was asked. */
export class CommandRefusal extends Error {}

/** Written by a running server into its data directory: where it answers. */
export function endpointFile(dataDir: string): string {
  return join(dataDir, 'endpoint')
}

/** The endpoint that the environment names, else the one a server left in the data directory. */
export function findEndpoint({ environment, dataDir }: Pick<SessionOptions, 'environment' | 'dataDir'>): string {
  const endpoint = environment.AWS_ENDPOINT_URL || readFileIfAny(endpointFile(dataDir))?.trim() || 'http://127.0.0.1:4566'
  return endpoint.replace(/\/+$/, '')
}

/**
 * The credentials of the environment, else the root credentials of the data directory.
 *
 * @throws CommandRefusal when there are neither.
 */
export function openSession(options: SessionOptions): Session {
  const { environment, dataDir } = options
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = environment
  const credentials = accessKeyId && secretAccessKey
    ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
    : readCredentials(dataDir)
  if (!credentials) throw new CommandRefusal(`There are no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor ${join(dataDir, 'credentials')}. Start a server first, or name its directory with --data-dir.`)
  return { endpoint: findEndpoint(options), region: environment.AWS_REGION || environment.AWS_DEFAULT_REGION || options.region, credentials }
}
