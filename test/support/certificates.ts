// Certificates that no authority vouches for, made by openssl: for servers of tests that speak TLS.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keptDirectory } from './kept-directory.ts'
import { runProgram } from './programs.ts'

/** A self-signed certificate for a host (and, given `localhost`, for 127.0.0.1), with its key. PEM. */
export async function certificate({ host }: { host: string }): Promise<{ key: Buffer, cert: Buffer }> {
  const directory = keptDirectory()
  const names = host === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${host}`
  const made = await runProgram('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${host}`,
    '-addext', `subjectAltName=${names}`, '-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem'),
  ])
  if (made.code !== 0) throw new Error(`openssl made no certificate: ${made.stderr}`)
  return { key: readFileSync(join(directory, 'key.pem')), cert: readFileSync(join(directory, 'cert.pem')) }
}
