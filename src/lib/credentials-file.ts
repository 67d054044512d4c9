// The root credentials of the first account, kept in the data directory in the form of an AWS shared credentials file.

import { join } from 'node:path'
import { readFileIfAny, writeFileAtomically } from './files.ts'

export interface AccessKeyPair {
  accessKeyId: string
  secretAccessKey: string
}

/** `credentials` in the data directory. */
export function credentialsFile(dataDir: string): string {
  return join(dataDir, 'credentials')
}

/** The key pair in the file's `[default]` profile, or undefined without a file or without both values. */
export function readCredentials(dataDir: string): AccessKeyPair | undefined {
  const text = readFileIfAny(credentialsFile(dataDir))
  if (text === undefined) return undefined
  const value = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(text)?.[1]
  const accessKeyId = value('aws_access_key_id')
  const secretAccessKey = value('aws_secret_access_key')
  return accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey }
}

/** Writes the file, readable by its owner alone. */
export function writeCredentials(dataDir: string, { accessKeyId, secretAccessKey }: AccessKeyPair): void {
  writeFileAtomically(credentialsFile(dataDir), `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`, 0o600)
}
