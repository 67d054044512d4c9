// The keys with which issuers sign their tokens: found by OpenID Connect discovery, kept for a while, asked for again when a new one appears.

import type { JSONWebKeySet } from 'jose'
import type { Clock } from './clock.ts'
import { fetchJson, FetchFailure } from './fetch-json.ts'

/** Where an issuer is, exactly as its tokens name it; with thumbprints, its server's certificate may end in one of them (see `fetchJson`). */
export interface TokenIssuer {
  url: string
  thumbprints?: readonly string[]
}

export interface IssuerKeys {
  /**
   * The keys of an issuer, not older than an hour; asked for anew when `fits` finds none among those that are kept.
   * @throws FetchFailure
   */
  find(issuer: TokenIssuer, fits: (keys: JSONWebKeySet) => boolean): Promise<JSONWebKeySet>
}

/** Ours: AWS does not say how long it keeps keys. */
const KEYS_AGE_MS_MAX = 60 * 60_000
/** An issuer is asked again no sooner than this, whatever tokens name. */
const ASKED_AGAIN_AFTER_MS = 10_000
/** Issuers whose keys are kept, and that are asked at once. */
const ISSUERS_MAX = 200
const DOCUMENT_BYTES_MAX = 512 * 1024
const DOCUMENT_TIMEOUT_MS = 5_000

interface Kept {
  keys: Promise<JSONWebKeySet>
  askedAtMs: number
}

export function createIssuerKeys({ clock }: { clock: Pick<Clock, 'now'> }): IssuerKeys {
  const issuers = new Map<string, Kept>()

  function ask(name: string, issuer: TokenIssuer): Promise<JSONWebKeySet> {
    issuers.delete(name)
    if (issuers.size >= ISSUERS_MAX) issuers.delete(issuers.keys().next().value!)
    const keys = discover(issuer)
    // Whoever waits is told; a failure that nobody waits for any more is none.
    keys.catch(() => {})
    issuers.set(name, { keys, askedAtMs: clock.now() })
    return keys
  }

  return {
    async find(issuer, fits) {
      const name = [issuer.url, ...issuer.thumbprints ?? []].join(' ')
      const kept = issuers.get(name)
      const ageMs = kept ? clock.now() - kept.askedAtMs : Infinity
      if (!kept || ageMs >= KEYS_AGE_MS_MAX) return ask(name, issuer)
      if (ageMs < ASKED_AGAIN_AFTER_MS) return kept.keys
      const keys = await kept.keys.catch(() => undefined)
      return keys && fits(keys) ? keys : ask(name, issuer)
    },
  }
}

/** Source: OpenID Connect Discovery 1.0, 4 (the path, and that the document names its issuer exactly). */
async function discover({ url, thumbprints = [] }: TokenIssuer): Promise<JSONWebKeySet> {
  const options = { bytesMax: DOCUMENT_BYTES_MAX, timeoutMs: DOCUMENT_TIMEOUT_MS, thumbprints }
  const configuration = await fetchJson(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`, options) as { issuer?: unknown, jwks_uri?: unknown } | null
  if (configuration?.issuer !== url) throw new FetchFailure(`${url} says that it is another issuer`, false)
  const keysUrl = keysUrlOf(url, configuration.jwks_uri)
  if (keysUrl === undefined) throw new FetchFailure(`${url} has its keys where they are not asked for`, false)
  const keys = await fetchJson(keysUrl, options) as JSONWebKeySet | null
  if (!Array.isArray(keys?.keys)) throw new FetchFailure(`${keysUrl} answered no keys`, false)
  return keys
}

/** Keys come over HTTPS; those of an issuer on loopback without TLS from nowhere but itself. */
function keysUrlOf(issuer: string, written: unknown): string | undefined {
  if (typeof written !== 'string' || !URL.canParse(written)) return undefined
  const { protocol, origin } = new URL(written)
  return protocol === 'https:' || origin === new URL(issuer).origin ? written : undefined
}
