// The layers that a function asks for: which they are, whether it may have them, and whether they fit.

import { compilePolicy } from '#aws/policy/compile.ts'
import type { Call } from '#aws/service.ts'
import type { LambdaService } from './api.ts'
import { policyDocument } from './directory.ts'
import { errors } from './errors.ts'
import { parseLayerVersionArn } from './layer-names.ts'
import { findLayerVersion } from './layer-store.ts'
import { LAYERS_PER_FUNCTION_MAX, UNZIPPED_BYTES_MAX } from './limits.ts'
import type { LayerUse } from './model.ts'

/**
 * The layers behind the ARNs, in their order. A layer of another account is there for those whom its policy lets in, and nobody else learns
 * whether it exists.
 *
 * Source: LocalStack's provider, whose tests compare it with AWS: the order of the checks and the sentences. A layer's compatible runtimes and
 * architectures only filter lists. Source: Lambda API reference, PublishLayerVersion.
 *
 * @throws InvalidParameterValueException, AccessDeniedException
 */
export async function resolveLayers(arns: readonly string[], call: Call, { database }: Pick<LambdaService, 'database'>): Promise<LayerUse[]> {
  const { scope } = call
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
    const policy = layer && layer.policy.length > 0 ? compilePolicy(policyDocument(layer.policy), `resource policy of ${arn}`) : undefined
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

/** Source: Lambda quotas, deployment package size: layers count. Published answers of AWS: the sentence. */
export function checkTotalSize(codeUnzippedBytes: number, layers: readonly LayerUse[]): void {
  if (layers.length === 0) return
  const bytes = layers.reduce((sum, { unzippedBytes }) => sum + unzippedBytes, codeUnzippedBytes)
  if (bytes > UNZIPPED_BYTES_MAX) {
    throw errors.InvalidParameterValueException(`Function code combined with layers exceeds the maximum allowed size of ${UNZIPPED_BYTES_MAX} bytes. The actual size is ${bytes} bytes.`)
  }
}
