// The layers that a function asks for: which they are, whether it may have them, and whether they fit.

import { compilePolicy } from '#aws/policy/compile.ts'
import type { Policy } from '#aws/policy/document.ts'
import type { Call } from '#aws/service.ts'
import { compilePattern } from '#aws/validate.ts'
import type { LambdaService } from './api.ts'
import { policyDocument } from './directory.ts'
import { errors } from './errors.ts'
import { layerVersionArn, parseLayerVersionArn } from './layer-names.ts'
import { findLayerVersion, type LayerVersionKey } from './layer-store.ts'
import { LAYER_ARN_CHARACTERS_MAX, LAYERS_PER_FUNCTION_MAX, UNZIPPED_BYTES_MAX } from './limits.ts'
import type { LayerUse, LayerVersionRecord } from './model.ts'

/**
 * The layers behind the ARNs, in their order. A layer of another account is there for those whom its policy lets in, and nobody else learns
 * whether it exists.
 *
 * Observed: AWS, 10-04-2024, recorded by localstack's test_layer_function_exceptions: the sentences. A layer's compatible runtimes and
 * architectures only filter lists. Source: Lambda API reference, PublishLayerVersion.
 *
 * @throws InvalidParameterValueException, AccessDeniedException
 */
export async function resolveLayers(arns: readonly string[], call: Call, { database }: Pick<LambdaService, 'database'>): Promise<LayerUse[]> {
  const { scope } = call
  checkLayerArns(arns)
  // Observed: AWS, 25-11-2025, recorded by localstack's test_layer_function_quota_exception.
  if (arns.length > LAYERS_PER_FUNCTION_MAX) throw errors.InvalidParameterValueException(`Cannot reference more than ${LAYERS_PER_FUNCTION_MAX} layers.`)
  const uses: LayerUse[] = []
  const seen = new Map<string, string>()
  for (const arn of arns) {
    const key = parseLayerVersionArn(arn)
    if (!key) throw errors.InvalidParameterValueException(`Layer version ${arn} does not exist.`)
    const isOwn = key.accountId === scope.accountId
    if (isOwn && key.region !== scope.region) {
      throw errors.InvalidParameterValueException(`Layers are not in the same region as the function. Layers are expected to be in region ${scope.region}.`)
    }
    const layer = key.region === scope.region ? await findLayerVersion(database, key) : undefined
    const policy = layer && compiledPolicy(layer)
    await call.require({ action: 'lambda:GetLayerVersion', resource: arn, ...(policy && { resourcePolicy: policy }) })
    if (!layer) throw errors.InvalidParameterValueException(`Layer version ${arn} does not exist.`)
    const layerArn = arn.slice(0, arn.lastIndexOf(':'))
    const other = seen.get(layerArn)
    if (other !== undefined) {
      throw errors.InvalidParameterValueException(`Two different versions of the same layer are not allowed to be referenced in the same function. ${other} and ${arn} are versions of the same layer.`)
    }
    seen.set(layerArn, arn)
    uses.push({ arn, codeSha256: layer.codeSha256, codeBytes: layer.codeBytes, unzippedBytes: layer.unzippedBytes })
  }
  return uses
}

/** The resource policy of a layer version; undefined where there is none, or no layer version. */
export async function layerPolicyOf(key: LayerVersionKey, { database }: Pick<LambdaService, 'database'>): Promise<Policy | undefined> {
  const layer = await findLayerVersion(database, key)
  return layer && compiledPolicy(layer)
}

function compiledPolicy(layer: LayerVersionRecord): Policy | undefined {
  return layer.policy.length === 0 ? undefined : compilePolicy(policyDocument(layer.policy), `resource policy of ${layerVersionArn(layer)}`)
}

const LAYERS_MEMBER_PATTERN = '(arn:[a-zA-Z0-9-]+:lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)'
const layersMember = compilePattern(LAYERS_MEMBER_PATTERN)

/** Observed: AWS, 10-04-2024, recorded by localstack's test_layer_function_exceptions. */
function checkLayerArns(arns: readonly string[]): void {
  if (arns.every((arn) => arn.length <= LAYER_ARN_CHARACTERS_MAX && layersMember.test(arn))) return
  throw errors.ValidationException(`1 validation error detected: Value '[${arns.join(', ')}]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to ${LAYER_ARN_CHARACTERS_MAX}, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ${LAYERS_MEMBER_PATTERN}, Member must not be null]`)
}

/** Source: Lambda quotas, deployment package size: layers count. Published answers of AWS: the sentence. */
export function checkTotalSize(codeUnzippedBytes: number, layers: readonly LayerUse[]): void {
  if (layers.length === 0) return
  const bytes = layers.reduce((sum, { unzippedBytes }) => sum + unzippedBytes, codeUnzippedBytes)
  if (bytes > UNZIPPED_BYTES_MAX) {
    throw errors.InvalidParameterValueException(`Function code combined with layers exceeds the maximum allowed size of ${UNZIPPED_BYTES_MAX} bytes. The actual size is ${bytes} bytes.`)
  }
}
