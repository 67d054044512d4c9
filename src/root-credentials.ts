// The root key of the first account: from the settings, from the data directory, or made at the first start.

import { alphabets, type RandomSource } from '#lib/random.ts'
import { readCredentials, writeCredentials, type AccessKeyPair } from '#lib/credentials-file.ts'
import type { Settings } from './config.ts'

/**
 * The key pair that the root of the first account shall have. What the settings say wins; then what an earlier start
 * stored; only where there is neither is a new one made.
 */
export function chooseRootCredentials(
  settings: Pick<Settings, 'rootAccessKeyId' | 'rootSecretAccessKey' | 'dataDir'>,
  stored: AccessKeyPair | undefined,
  random: RandomSource,
): AccessKeyPair {
  if (settings.rootAccessKeyId !== undefined && settings.rootSecretAccessKey !== undefined) {
    return { accessKeyId: settings.rootAccessKeyId, secretAccessKey: settings.rootSecretAccessKey }
  }
  return stored ?? readCredentials(settings.dataDir) ?? newAccessKey(random)
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
