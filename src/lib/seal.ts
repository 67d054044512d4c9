// Secrets at rest: the master key, and what is sealed with it.

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const KEY_BYTES = 32
/** Of GCM. Source: NIST SP 800-38D, 5.2.1.1 (96-bit nonces) and 5.2.1.2 (128-bit tags). Random nonces are safe for 2^32 seals under one key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** The first byte of what is sealed, so that another way of sealing can come one day. */
const FORMAT = 1

/** A sentence for the person who starts the program: what is wrong with the master key and what to do. */
export class MasterKeyRefusal extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.name = 'MasterKeyRefusal'
  }
}

export interface MasterKeyOptions {
  file: string
  /** Whether a missing key is made: only where no store exists yet that another key has sealed. */
  create: boolean
}

/**
 * The key of 32 bytes in `file`. A new one is there whole or not at all, also when several processes make it at once, and readable
 * by its owner alone.
 *
 * @throws MasterKeyRefusal when it is missing, has another size, or can be read by others.
 */
export function loadMasterKey({ file, create }: MasterKeyOptions): Buffer {
  const known = readKey(file)
  if (known !== undefined) return known
  if (!create) {
    throw new MasterKeyRefusal(`The master key ${file} is missing, and the store's secrets cannot be read without it; put it back, or name it in COUNTERSIGN_MASTER_KEY_FILE.`)
  }
  makeKey(file)
  return readKey(file)!
}

function readKey(file: string): Buffer | undefined {
  let key: Buffer
  let mode: number
  try {
    mode = statSync(file).mode
    key = readFileSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new MasterKeyRefusal(`The master key ${file} cannot be read (${code}); check its owner and mode.`, { cause: error })
  }
  if (key.length !== KEY_BYTES) throw new MasterKeyRefusal(`The master key ${file} has ${key.length} bytes instead of ${KEY_BYTES}; put back the right file.`)
  if ((mode & 0o077) !== 0) throw new MasterKeyRefusal(`The master key ${file} can be read by others than its owner; run: chmod 600 ${file}`)
  return key
}

/** Writes a draft and links it to its name, which fails where another process was faster: then that one's key stands. */
function makeKey(file: string): void {
  // Not by process id: in containers that share a directory every process has the same one.
  const draft = `${file}.${randomBytes(8).toString('hex')}.draft`
  try {
    const handle = openSync(draft, 'wx', 0o600)
    try {
      writeFileSync(handle, randomBytes(KEY_BYTES))
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    try {
      linkSync(draft, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(draft)
    }
    const directory = openSync(dirname(file), 'r')
    fsyncSync(directory)
    closeSync(directory)
  } catch (error) {
    throw new MasterKeyRefusal(`The master key ${file} cannot be made (${(error as NodeJS.ErrnoException).code}); check that its directory exists and can be written.`, { cause: error })
  }
}

/**
 * Seals and opens with AES-256-GCM. The purpose (`iam.access-key AKIA…`) is authenticated with the secret: what was sealed for one
 * purpose does not open for another, so that a row copied over another's is noticed.
 */
export interface Sealer {
  seal(plain: Uint8Array | string, purpose: string): Buffer
  /** Undefined for what was sealed with another key or for another purpose, or was changed. */
  open(sealed: Uint8Array, purpose: string): Buffer | undefined
  /** `seal` in base64url. */
  sealText(plain: string, purpose: string): string
  /** `open` of what `sealText` gave. */
  openText(sealed: string, purpose: string): string | undefined
  /** A keyed hash (HMAC-SHA-256, base64url), by which an equal secret is found without being kept readable. One purpose tells nothing about another. */
  fingerprint(plain: string, purpose: string): string
}

export function createSealer(key: Uint8Array): Sealer {
  const fingerprintKey = Buffer.from(hkdfSync('sha256', key, '', 'fingerprint', KEY_BYTES))
  const seal: Sealer['seal'] = (plain, purpose) => {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(purpose))
    const body = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
    cipher.final()
    return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), body])
  }
  const open: Sealer['open'] = (sealed, purpose) => {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
    if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES || bytes[0] !== FORMAT) return undefined
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(purpose))
    decipher.setAuthTag(bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES))
    const plain = decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES))
    try {
      decipher.final()
      return plain
    } catch {
      return undefined
    }
  }
  return {
    seal,
    open,
    sealText: (plain, purpose) => seal(plain, purpose).toString('base64url'),
    openText: (sealed, purpose) => open(Buffer.from(sealed, 'base64url'), purpose)?.toString('utf8'),
    fingerprint: (plain, purpose) => createHmac('sha256', fingerprintKey).update(`${purpose}\0${plain}`).digest('base64url'),
  }
}
