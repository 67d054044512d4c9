// `Code.Location`: addresses under which a function's archive can be fetched for ten minutes, without a signature of the caller's own.

import type { Clock } from '#lib/clock.ts'
import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { Sealer } from '#lib/seal.ts'
import type { Database } from '#storage/database.ts'
import { DOWNLOAD_MS_MAX } from './limits.ts'
import { findArchive } from './store.ts'

const PATH = '/_aws/lambda/code/'
const PURPOSE = 'lambda.download'

export interface Downloads {
  matches(request: Pick<HttpRequest, 'path'>): boolean
  handle(request: HttpRequest): Promise<HttpResponse>
}

/**
 * The address of an archive, good for ten minutes on every process with the same master key. It is sealed, so nobody else can make one.
 *
 * Ours: AWS answers a presigned address of its own storage service; this one is served here.
 */
export function downloadUrl(codeSha256: string, { endpoint, sealer, clock }: { endpoint: string, sealer: Sealer, clock: Pick<Clock, 'now'> }): string {
  return `${endpoint}${PATH}${sealer.sealText(JSON.stringify([codeSha256, clock.now() + DOWNLOAD_MS_MAX]), PURPOSE)}`
}

export function createDownloads({ database, sealer, clock }: { database: Database, sealer: Sealer, clock: Pick<Clock, 'now'> }): Downloads {
  return {
    matches: ({ path }) => path.startsWith(PATH),
    async handle({ method, path }) {
      if (method !== 'GET' && method !== 'HEAD') return refusal(405, 'Method Not Allowed')
      const opened = sealer.openText(path.slice(PATH.length), PURPOSE)
      if (opened === undefined) return refusal(403, 'This address is not valid.')
      const [sha256, expiresAtMs] = JSON.parse(opened) as [string, number]
      if (clock.now() > expiresAtMs) return refusal(403, 'This address has expired; ask GetFunction for another.')
      const archive = await findArchive(database, sha256)
      if (!archive) return refusal(404, 'The function has other code now.')
      const headers = { 'content-type': 'application/zip', 'content-length': String(archive.length) }
      return method === 'HEAD' ? { status: 200, headers } : { status: 200, headers, body: archive }
    },
  }
}

function refusal(status: number, text: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain' }, body: `${text}\n` }
}
