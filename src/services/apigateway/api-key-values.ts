// The values of API keys: secrets that are shown again, and found again, but never stored or logged as they are.

import type { Scope } from '#aws/arn.ts'
import { alphabets, type RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import { errors } from './errors.ts'
import { API_KEY_VALUE_CHARACTERS_MAX, API_KEY_VALUE_CHARACTERS_MIN } from './limits.ts'
import type { StoredKey } from './usage-store.ts'

/** Source: API Gateway developer guide, "Set up API keys for REST APIs" (alphanumeric). Ours: the length, that of examples. */
export function newKeyValue(random: RandomSource): string {
  return random.text(40, alphabets.secret.replace('+/', ''))
}

/** @throws BadRequestException. Observed: AWS, 17-07-2025, recorded by localstack's test_create_api_key_with_invalid_value (the lower bound). */
export function checkKeyValue(value: string): string {
  if (value.length < API_KEY_VALUE_CHARACTERS_MIN) throw errors.BadRequestException(`API Key value should be at least ${API_KEY_VALUE_CHARACTERS_MIN} characters`)
  // Ours: the words. What no header can carry could never be used.
  if (value.length > API_KEY_VALUE_CHARACTERS_MAX) throw errors.BadRequestException(`API Key value should be at most ${API_KEY_VALUE_CHARACTERS_MAX} characters`)
  if (!/^[\x21-\x7e]+$/.test(value)) throw errors.BadRequestException('API Key value should consist of visible ASCII characters')
  return value
}

export function sealKeyValue(
  value: string, at: Scope & { id: string }, sealer: Pick<Sealer, 'sealText' | 'fingerprint'>,
): Pick<StoredKey, 'fingerprint' | 'sealedValue'> {
  return { fingerprint: sealer.fingerprint(value, fingerprintPurpose(at)), sealedValue: sealer.sealText(value, sealPurpose(at)) }
}

/** The value of a stored key. Throws when the row was not sealed for it. */
export function openKeyValue({ key, sealedValue }: Pick<StoredKey, 'key' | 'sealedValue'>, sealer: Pick<Sealer, 'openText'>): string {
  const value = sealer.openText(sealedValue, sealPurpose(key))
  if (value === undefined) throw new Error(`the value of API key ${key.id} cannot be read with this master key`)
  return value
}

/** Equal values in two accounts or regions have different fingerprints. */
export const fingerprintPurpose = ({ accountId, region }: Scope): string => `apigateway.api-key ${accountId}/${region}`

const sealPurpose = ({ accountId, region, id }: Scope & { id: string }): string => `apigateway.api-key ${accountId}/${region}/${id}`
