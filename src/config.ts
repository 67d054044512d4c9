// Every setting, once: flag, environment variable, default and the sentence that documents it.

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'

/** A sentence for the person who starts the program: what is wrong and what to do. Ends the program with exit code 1. */
export class ConfigRefusal extends Error {}

interface Setting<Value> {
  /** The environment variable is `COUNTERSIGN_` and this; the flag is its kebab-case (`--data-dir`). */
  name: string
  /** One sentence for `--help` and the settings page. */
  about: string
  /** As a person would write it; shown in the documentation. Empty when unset by default. */
  default: string
  /** The value of what was written, or a `ConfigRefusal`. */
  read: (text: string) => Value
}

function setting<Value>(definition: Setting<Value>): Setting<Value> {
  return definition
}

const optionalText = (value: string) => value === '' ? undefined : value
const flag = (value: string) => ['1', 'true', 'yes', 'on'].includes(value.toLowerCase())
const list = (value: string) => value.split(',').map((part) => part.trim()).filter((part) => part !== '')

/** A number in words that a refusal can repeat. */
function integer(name: string, min: number, max: number) {
  return (value: string) => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < min || number > max) throw new ConfigRefusal(`COUNTERSIGN_${name} must be a whole number from ${min} to ${max}, not "${value}".`)
    return number
  }
}

function pattern(name: string, form: RegExp, says: string) {
  return (value: string) => {
    if (!form.test(value)) throw new ConfigRefusal(`COUNTERSIGN_${name} must be ${says}, not "${value}".`)
    return value
  }
}

function oneOf<const Choice extends string>(name: string, choices: readonly Choice[]) {
  return (value: string): Choice => {
    if (!choices.includes(value as Choice)) throw new ConfigRefusal(`COUNTERSIGN_${name} must be one of ${choices.join(', ')}, not "${value}".`)
    return value as Choice
  }
}

function addressRanges(name: string) {
  return (value: string) => {
    const ranges = list(value)
    for (const range of ranges) {
      const [address, prefix] = range.split('/') as [string, string | undefined]
      const family = isIP(address)
      if (family === 0 || (prefix !== undefined && !(Number(prefix) >= 0 && Number(prefix) <= (family === 4 ? 32 : 128)))) {
        throw new ConfigRefusal(`COUNTERSIGN_${name} must list addresses or ranges such as 10.0.0.0/8, not "${range}".`)
      }
    }
    return ranges
  }
}

/** ARN of a user pool, `=`, an issuer: as `iss` of its tokens has it. */
function userPoolIssuers(name: string) {
  return (value: string): ReadonlyMap<string, string> => new Map(list(value).map((part) => {
    const [, arn, issuer] = /^(arn:aws:cognito-idp:[a-z0-9-]+:\d{12}:userpool\/[\w-]+)=(.+)$/.exec(part) ?? []
    if (arn === undefined || issuer === undefined) throw new ConfigRefusal(`COUNTERSIGN_${name} must be pairs such as arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Abc=https://issuer.example, not "${part}".`)
    const isSafe = URL.canParse(issuer) && (new URL(issuer).protocol === 'https:' || (new URL(issuer).protocol === 'http:' && isLoopback(new URL(issuer).hostname.replace(/^\[|\]$/g, ''))))
    if (!isSafe) throw new ConfigRefusal(`COUNTERSIGN_${name}: ${issuer} must be an https URL, or http on loopback.`)
    return [arn, issuer]
  }))
}

/** In the order in which the settings page and `--help` list them. */
export const settings = {
  host: setting({ name: 'HOST', default: '127.0.0.1,::1', about: 'Addresses to bind, separated by commas. A bind beyond loopback needs TLS or ALLOW_PLAINTEXT.', read: list }),
  port: setting({ name: 'PORT', default: '4566', about: 'Port of the endpoint; 0 picks a free one.', read: integer('PORT', 0, 65_535) }),
  tlsCert: setting({ name: 'TLS_CERT', default: '', about: 'File with the certificate chain (PEM); with TLS_KEY, the endpoint speaks HTTPS.', read: optionalText }),
  tlsKey: setting({ name: 'TLS_KEY', default: '', about: 'File with the private key (PEM) of TLS_CERT.', read: optionalText }),
  allowPlaintext: setting({ name: 'ALLOW_PLAINTEXT', default: '0', about: 'Allows a bind beyond loopback without TLS (behind a proxy that speaks TLS).', read: flag }),
  trustedProxies: setting({ name: 'TRUSTED_PROXIES', default: '', about: 'Addresses or ranges of proxies whose X-Forwarded-For, -Proto and -Host count.', read: addressRanges('TRUSTED_PROXIES') }),
  dataDir: setting({ name: 'DATA_DIR', default: '.countersign', about: 'Directory for the embedded store, the root credentials, the master key and unpacked code.', read: (value) => resolve(value) }),
  databaseUrl: setting({ name: 'DATABASE_URL', default: '', about: 'PostgreSQL to keep state in (postgres://…), shared by several processes; unset: the embedded store.', read: optionalText }),
  masterKeyFile: setting({ name: 'MASTER_KEY_FILE', default: '', about: 'Key that seals secrets at rest; unset: master.key in DATA_DIR, made at the first start. Every process on one PostgreSQL needs the same.', read: optionalText }),
  region: setting({ name: 'REGION', default: 'us-east-1', about: 'The region of requests that name none.', read: pattern('REGION', /^[a-z]{2}(-[a-z]+)+-\d$/, 'a region such as us-east-1') }),
  accountId: setting({ name: 'ACCOUNT_ID', default: '000000000000', about: 'The first account.', read: pattern('ACCOUNT_ID', /^\d{12}$/, 'twelve digits') }),
  rootAccessKeyId: setting({ name: 'ROOT_ACCESS_KEY_ID', default: '', about: 'Access key of the first account\'s root; unset: made at the first start and kept in DATA_DIR/credentials.', read: optionalText }),
  rootSecretAccessKey: setting({ name: 'ROOT_SECRET_ACCESS_KEY', default: '', about: 'Secret of ROOT_ACCESS_KEY_ID, at least 16 characters.', read: optionalText }),
  accountRateLimit: setting({ name: 'ACCOUNT_RATE_LIMIT', default: '10000', about: 'Requests a second to all APIs of an account in a region, half of it at once; the default is AWS\'s quota.', read: integer('ACCOUNT_RATE_LIMIT', 1, 10_000_000) }),
  userPoolIssuers: setting({ name: 'USER_POOL_ISSUERS', default: '', about: 'OpenID Connect issuers that stand for user pools of COGNITO_USER_POOLS authorizers: ARN of a pool, =, the issuer; separated by commas.', read: userPoolIssuers('USER_POOL_ISSUERS') }),
  minIsolation: setting({ name: 'MIN_ISOLATION', default: 'C', about: 'Weakest isolation that functions may run under: A (bubblewrap), B (a user id per environment), C (none).', read: oneOf('MIN_ISOLATION', ['A', 'B', 'C']) }),
  traceBodies: setting({ name: 'TRACE_BODIES', default: '0', about: 'Lets bodies and template input and output enter traces.', read: flag }),
  allowReset: setting({ name: 'ALLOW_RESET', default: '0', about: 'Enables POST /_countersign/reset for test suites; refused on a bind beyond loopback.', read: flag }),
  commitDelayMs: setting({ name: 'COMMIT_DELAY_MS', default: '0', about: 'Slows every commit of the embedded store, to measure as if on a slower disk.', read: integer('COMMIT_DELAY_MS', 0, 1000) }),
  logLevel: setting({ name: 'LOG_LEVEL', default: 'info', about: 'What the server logs to stderr.', read: oneOf('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'silent']) }),
} as const

export type Settings = { [Name in keyof typeof settings]: ReturnType<(typeof settings)[Name]['read']> }

/**
 * The settings of this process. A flag wins over the environment, the environment over the default.
 *
 * @throws ConfigRefusal for the first value that makes no sense.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>, flags: Readonly<Record<string, string | undefined>> = {}): Settings {
  const values: Record<string, unknown> = {}
  for (const [key, definition] of Object.entries(settings)) {
    const written = flags[key] ?? environment[`COUNTERSIGN_${definition.name}`]
    values[key] = (definition as Setting<unknown>).read(written ?? definition.default)
  }
  const result = values as Settings
  checkTogether(result)
  return result
}

/** `--data-dir` for `DATA_DIR`. */
export function flagOf(name: string): string {
  return `--${name.toLowerCase().replaceAll('_', '-')}`
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** Certificate and key as they stand in their files now. */
export function readTls({ tlsCert, tlsKey }: Pick<Settings, 'tlsCert' | 'tlsKey'>): { cert: Buffer, key: Buffer } | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined
  return { cert: readFileOf('TLS_CERT', tlsCert), key: readFileOf('TLS_KEY', tlsKey) }
}

function readFileOf(name: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ConfigRefusal(`COUNTERSIGN_${name}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

function checkTogether(all: Settings): void {
  if ((all.tlsCert === undefined) !== (all.tlsKey === undefined)) throw new ConfigRefusal('COUNTERSIGN_TLS_CERT and COUNTERSIGN_TLS_KEY belong together; set both or neither.')
  if ((all.rootAccessKeyId === undefined) !== (all.rootSecretAccessKey === undefined)) {
    throw new ConfigRefusal('COUNTERSIGN_ROOT_ACCESS_KEY_ID and COUNTERSIGN_ROOT_SECRET_ACCESS_KEY belong together; set both or neither.')
  }
  if (all.rootAccessKeyId !== undefined && !/^\w{16,128}$/.test(all.rootAccessKeyId)) throw new ConfigRefusal('COUNTERSIGN_ROOT_ACCESS_KEY_ID must be 16 to 128 letters, digits or underscores.')
  if (all.rootSecretAccessKey !== undefined && all.rootSecretAccessKey.length < 16) throw new ConfigRefusal('COUNTERSIGN_ROOT_SECRET_ACCESS_KEY must have at least 16 characters.')
  const isPublic = all.host.some((host) => !isLoopback(host))
  if (isPublic && all.tlsCert === undefined && !all.allowPlaintext) {
    throw new ConfigRefusal(`Binding ${all.host.join(', ')} without TLS would send secrets in the clear; set COUNTERSIGN_TLS_CERT and COUNTERSIGN_TLS_KEY, or COUNTERSIGN_ALLOW_PLAINTEXT=1 behind a proxy that speaks TLS.`)
  }
  if (isPublic && all.allowReset) throw new ConfigRefusal('COUNTERSIGN_ALLOW_RESET=1 is for test suites on loopback; it is refused on a bind beyond loopback.')
  if (all.databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(all.databaseUrl)) throw new ConfigRefusal('COUNTERSIGN_DATABASE_URL must begin with postgres:// (or be unset for the embedded store).')
}
