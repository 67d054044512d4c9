// What a stage may log and where: access logs' destination and format, and the role that the account must have set first.

import { parseArn } from '#aws/arn.ts'
import { errors } from './errors.ts'
import { ACCESS_LOG_FORMAT_BYTES_MAX } from './limits.ts'
import type { PatchOperation } from './patch.ts'

/** Whether a patch switches a log on, for which the account needs a role. */
export function enablesLogging(operations: readonly PatchOperation[] | undefined): boolean {
  return operations?.some(({ op, path = '', value = '' }) => op !== 'remove' && value !== ''
    && (path === '/accessLogSettings/destinationArn' || (path.endsWith('/logging/loglevel') && value.toUpperCase() !== 'OFF'))) ?? false
}

/** Source: users' reports in many issues of CDK, Terraform and Pulumi, VirtusLab/besom issue 347 among them. */
export const roleMissing = () => errors.BadRequestException('CloudWatch Logs role ARN must be set in account settings to enable logging')

/**
 * A log group's ARN without the star that CloudWatch Logs puts at its end.
 * Source: users' reports of both refusals; Terraform's provider, which takes the star away, "which is not valid".
 */
export function accessLogDestination(value: string): string {
  if (!value.startsWith('arn:')) throw errors.BadRequestException(`Invalid ARN specified in the request. ARNs must start with 'arn:': ${value}`)
  const arn = parseArn(value)
  // Ours: refused rather than lost.
  if (arn?.service === 'firehose') throw errors.NotImplemented('Access logs to Amazon Data Firehose are not served: name a log group of CloudWatch Logs.')
  const resource = arn?.service === 'logs' ? arn.resource : ''
  if (!resource.startsWith('log-group:')) throw errors.BadRequestException(`Invalid ARN specified in the request: ${value}`)
  if (!/^log-group:[\w./#-]{1,512}$/.test(resource)) {
    throw errors.BadRequestException(`Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': '${resource}'`)
  }
  return value
}

/** Source: users' reports of both refusals; the size: API Gateway quotas for REST APIs, "Access log template size". Ours: the words of the last. */
export function accessLogFormat(value: string): string {
  if (/[\r\n]/.test(value.replace(/\r?\n$/, ''))) {
    throw errors.BadRequestException(`Access Log format must be single line, new line character is allowed only at end of the format: '${value}'`)
  }
  if (!/\$(?:context|\{context)\.(?:requestId|extendedRequestId)(?![\w.])/.test(value)) {
    throw errors.BadRequestException(`Access Log format must include either $context.requestId or $context.extendedRequestId : '${value}'`)
  }
  if (Buffer.byteLength(value) > ACCESS_LOG_FORMAT_BYTES_MAX) {
    throw errors.BadRequestException(`Access Log format cannot be longer than ${ACCESS_LOG_FORMAT_BYTES_MAX} bytes`)
  }
  return value
}
