// The root key of the first account: from the settings, from the data directory, or made at the first start.

import { alphabets, type RandomSource } from '#lib/random.ts'
import { readCredentials, writeCredentials, type AccessKeyPair } from '#lib/credentials-file.ts'
import type { Settings } from './config.ts'

/**
 * The key pair that the root of the first account shall have: what the settings say, else what is stored, else a new one (or what
 * the data directory still holds), as the first process to start here offers it.
 */
export async function chooseRootCredentials({ settings, stored, random, firstRootKey }: {
  settings: Pick<Settings, 'rootAccessKeyId' | 'rootSecretAccessKey' | 'dataDir'>
  stored: AccessKeyPair | undefined
  random: RandomSource
  firstRootKey: (offered: AccessKeyPair) => Promise<AccessKeyPair>
}): Promise<AccessKeyPair> {
  if (settings.rootAccessKeyId !== undefined && settings.rootSecretAccessKey !== undefined) {
    return { accessKeyId: settings.rootAccessKeyId, secretAccessKey: settings.rootSecretAccessKey }
  }
  return stored ?? firstRootKey(readCredentials(settings.dataDir) ?? newAccessKey(random))
}

/** Writes the pair into the data directory unless it stands there already. */
export function keepRootCredentials(dataDir: string, pair: AccessKeyPair): void {
  const kept = readCredentials(dataDir)
  if (kept?.accessKeyId !== pair.accessKeyId || kept.secretAccessKey !== pair.secretAccessKey) writeCredentials(dataDir, pair)
}

/** Source: IAM user guide, "IAM identifiers": `AKIA` and sixteen characters; the secret has forty. */
function newAccessKey(random: RandomSource): AccessKeyPair {
  return { accessKeyId: `AKIA${random.text(16, alphabets.base32)}`, secretAccessKey: random.text(40, alphabets.secret) }
}
