// How callers name layers and their versions: by name or ARN.

import type { Scope } from '#aws/arn.ts'
import type { LayerKey, LayerVersionKey } from './layer-store.ts'

const LAYER_ARN = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+)$/
const LAYER_VERSION_ARN = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+):([1-9]\d*)$/

/** The layer that `text` names, a name or an ARN, for a caller in `scope`. The input's constraints were checked before. */
export function parseLayerName(text: string, scope: Scope): LayerKey {
  const found = LAYER_ARN.exec(text)
  return found ? { region: found[1]!, accountId: found[2]!, name: found[3]! } : { ...scope, name: text }
}

/** Undefined for what is no ARN of a layer version. */
export function parseLayerVersionArn(arn: string): LayerVersionKey | undefined {
  const found = LAYER_VERSION_ARN.exec(arn)
  return found ? { region: found[1]!, accountId: found[2]!, name: found[3]!, version: Number(found[4]) } : undefined
}

export function layerArn({ region, accountId, name }: LayerKey): string {
  return `arn:aws:lambda:${region}:${accountId}:layer:${name}`
}

export function layerVersionArn(key: LayerVersionKey): string {
  return `${layerArn(key)}:${key.version}`
}
