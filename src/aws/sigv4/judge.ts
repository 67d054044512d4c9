// Judges what a signature says about itself, as far as no key is needed: date, signed headers, algorithm, scope.

import { ALGORITHM, TERMINATOR } from './canonical.ts'
import { isoBasic, parseDateHeader, parseIsoBasic } from './dates.ts'
import type { RawSignature } from './read.ts'
import { SignatureRefusal } from './refusal.ts'
import type { ServiceRules } from './service-rules.ts'
import type { KeyScope } from './signing-key-cache.ts'

/** A signature that is in order, apart from whether the right key made it. */
export interface SignatureFields extends KeyScope {
  form: 'header' | 'query'
  accessKeyId: string
  sessionToken: string | undefined
  /** `accessKeyId/date/region/service/aws4_request`. */
  credential: string
  /** ISO 8601 basic, as it enters the string to sign. */
  timestamp: string
  signedHeaders: readonly string[]
  signature: string
}

const MINUTE_MS = 60_000
/** Source: IAM user guide, "AWS Signature Version 4", X-Amz-Expires: "the maximum is 604800 (seven days)". */
const EXPIRES_SECONDS_MAX = 604_800
/** Ours: where no region is expected, any name that could be one is; AWS refuses those that are not its own. */
const REGION = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const REGION_LENGTH_MAX = 32

/**
 * In AWS's order: date, then signed headers, algorithm, scope. `services` are the names that the scope may carry, `region` the one it must.
 *
 * Source: the order in which DynamoDB answers, written down in dynalite's `index.js`.
 *
 * @throws SignatureRefusal
 */
export function judgeSignature(raw: RawSignature, { rules, services, region: ownRegion, nowMs }: {
  rules: ServiceRules
  services: readonly string[]
  region?: string | undefined
  nowMs: number
}): SignatureFields {
  const atMs = raw.dateIn === 'Date' ? parseDateHeader(raw.date) : parseIsoBasic(raw.date)
  if (atMs === undefined) {
    throw new SignatureRefusal('incomplete',
      `Date must be in ISO-8601 'basic format'. Got '${raw.date}'. See http://en.wikipedia.org/wiki/ISO_8601`)
  }
  const timestamp = raw.dateIn === 'Date' ? isoBasic(atMs) : raw.date
  judgeTime(atMs, lifetimeSeconds(raw, rules), rules, nowMs)
  if (!raw.signedHeaders.includes('host')) {
    throw new SignatureRefusal('mismatch', "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  }
  if (raw.algorithm !== ALGORITHM) {
    throw new SignatureRefusal('incomplete', `Unsupported AWS 'algorithm': '${raw.algorithm}' (only ${ALGORITHM} for now). `)
  }
  const credential = withoutTrailingSlashes(raw.credential)
  const parts = credential.split('/')
  if (parts.length !== 5) {
    throw new SignatureRefusal('incomplete',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${raw.credential}'`)
  }
  const [accessKeyId, date, region, service, terminator] = parts as [string, string, string, string, string]
  judgeScope({ date, region, service, terminator }, timestamp, { services, region: ownRegion })
  const { form, sessionToken, signedHeaders, signature } = raw
  return { form, accessKeyId, sessionToken, credential, date, region, service, timestamp, signedHeaders, signature }
}

/** Trailing slashes are ignored. (Not by a regular expression: one would take quadratic time for slashes in the middle.) */
function withoutTrailingSlashes(credential: string): string {
  let end = credential.length
  while (end > 0 && credential[end - 1] === '/') end--
  return credential.slice(0, end)
}

/**
 * How long the request lives when that is the client's choice; undefined when it is the service's.
 *
 * Source for the sentences: S3, the only service whose wording is known, in many public bug reports.
 */
function lifetimeSeconds({ expires }: RawSignature, { honoursExpires }: ServiceRules): number | undefined {
  if (expires === undefined) return undefined
  const seconds = /^-?\d{1,12}$/.test(expires) ? Number(expires) : undefined
  if (seconds === undefined) throw new SignatureRefusal('incomplete', 'X-Amz-Expires should be a number')
  if (seconds < 1) throw new SignatureRefusal('incomplete', 'X-Amz-Expires must be non-negative')
  if (seconds > EXPIRES_SECONDS_MAX) {
    throw new SignatureRefusal('incomplete',
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${EXPIRES_SECONDS_MAX} seconds`)
  }
  return honoursExpires ? seconds : undefined
}

function judgeTime(atMs: number, livesSeconds: number | undefined, { clockWindowMinutes }: ServiceRules, nowMs: number): void {
  const windowMs = clockWindowMinutes * MINUTE_MS
  const livesMs = livesSeconds === undefined ? windowMs : livesSeconds * 1000
  if (nowMs - atMs > livesMs) {
    // Ours: the unit of a life that is not in whole minutes.
    const span = livesMs % MINUTE_MS === 0 ? `${livesMs / MINUTE_MS} min.` : `${livesMs / 1000} sec.`
    throw new SignatureRefusal('expired',
      `Signature expired: ${isoBasic(atMs)} is now earlier than ${isoBasic(nowMs - livesMs)} (${isoBasic(nowMs)} - ${span})`)
  }
  if (atMs - nowMs > windowMs) {
    throw new SignatureRefusal('not-yet-current',
      `Signature not yet current: ${isoBasic(atMs)} is still later than ${isoBasic(nowMs + windowMs)} (${isoBasic(nowMs)} + ${clockWindowMinutes} min.)`)
  }
}

/**
 * All faults are told together.
 * Source: the answer of an API's custom domain to another region and service, Kong/insomnia issue 713.
 */
function judgeScope(
  { date, region, service, terminator }: KeyScope & { terminator: string },
  timestamp: string,
  { services, region: ownRegion }: { services: readonly string[], region: string | undefined },
): void {
  let faults = ''
  const isRegionServed = ownRegion === undefined ? REGION.test(region) && region.length <= REGION_LENGTH_MAX : region === ownRegion
  if (!isRegionServed) faults += `Credential should be scoped to a valid region, not '${region}'. `
  if (!services.includes(service)) faults += `Credential should be scoped to correct service: '${services[0] ?? ''}'. `
  if (terminator !== TERMINATOR) faults += `Credential should be scoped with a valid terminator: '${TERMINATOR}', not '${terminator}'. `
  const dateOfRequest = timestamp.slice(0, 8)
  if (date !== dateOfRequest) {
    faults += `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${dateOfRequest}', from '${timestamp}'.`
  }
  if (faults !== '') throw new SignatureRefusal('scope', faults)
}
