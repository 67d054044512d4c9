// The addresses of functions as the data plane needs them: which function answers under an id, for whom, and how.

import type { Policy } from '#aws/policy/document.ts'
import { createCache } from '#storage/cached.ts'
import type { Database } from '#storage/database.ts'
import type { FunctionDirectory } from './directory.ts'
import type { UrlRecord } from './model.ts'
import { functionArn, qualifiedArn } from './names.ts'
import { findUrlById } from './url-store.ts'

export interface FunctionUrl {
  config: UrlRecord
  /** Without a qualifier. */
  functionArn: string
  /** With the alias, if it has one: what to invoke, and what permissions name. */
  qualifiedArn: string
  /** The alias. */
  qualifier: string | undefined
  /** The resource policy of the function or the alias. Undefined when no permission was added. */
  policy: Policy | undefined
}

export interface FunctionUrls {
  /** What answers under the first label of an address; undefined also when the alias points to nothing. */
  find(urlId: string): Promise<FunctionUrl | undefined>
}

const urlsKeptMax = 5_000

export function createFunctionUrls({ database, directory }: { database: Database, directory: FunctionDirectory }): FunctionUrls {
  const cache = createCache<string, UrlRecord | undefined>({
    database,
    load: (urlId) => findUrlById(database, urlId),
    // Addresses change seldom, and a change names the function, not the address.
    staleAfter: ({ topic }) => topic === 'lambda.function' ? 'all' : 'none',
    entriesMax: urlsKeptMax,
  })
  return {
    async find(urlId) {
      if (!/^[a-z0-9]{1,64}$/.test(urlId)) return undefined
      const config = await cache.get(urlId)
      const snapshot = config && await directory.find({ ...config, qualifier: config.alias })
      if (!config || !snapshot) return undefined
      return { config, functionArn: functionArn(config), qualifiedArn: qualifiedArn({ ...config, qualifier: config.alias }), qualifier: config.alias, policy: snapshot.policy }
    },
  }
}

/** Where function URLs lie below the server's own address. */
export const URL_PATH = '/_aws/lambda-url/'

/**
 * The address of a function that every client on this machine can reach.
 *
 * Ours: AWS's is `https://{urlId}.lambda-url.{region}.on.aws/`, which would lead clients past this server. Names below `localhost` are not
 * resolved everywhere (not by Node or Python on many Linux systems), so the id is in the path; a name of AWS's form in the Host header is good too.
 */
export function functionUrl({ urlId }: Pick<UrlRecord, 'urlId'>, endpoint: string): string {
  return `${endpoint}${URL_PATH}${urlId}/`
}
