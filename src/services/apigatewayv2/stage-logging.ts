// What a stage may log and where: access logs' destination and format, and the role that the account must have set first.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { parseArn } from '#aws/arn.ts'
import { errors } from './errors.ts'
import type { StageRecord, V2Api } from './model.ts'

/** Source: API Gateway v2 API reference, AccessLogSettings, `format`. */
const LOG_FORMAT_CHARACTERS_MAX = 1024

/**
 * Whether a request switches a log on for which the account needs a role: WebSocket APIs' do, HTTP APIs write as the caller who asks for them.
 *
 * Source: Terraform's acceptance tests of aws_apigatewayv2_stage, which run against AWS and need the role where a WebSocket API has a logging level.
 * Seen in reports: anomalyco/sst issue 4663 (a WebSocket API with an access log).
 */
export function enablesLogging(
  { AccessLogSettings, DefaultRouteSettings, RouteSettings }: Pick<sdk.UpdateStageRequest, 'AccessLogSettings' | 'DefaultRouteSettings' | 'RouteSettings'>,
  { settings: { protocolType } }: V2Api,
): boolean {
  const levels = [DefaultRouteSettings, ...Object.values(RouteSettings ?? {})].map((settings) => settings?.LoggingLevel ?? 'OFF')
  return protocolType === 'WEBSOCKET' && (Boolean(AccessLogSettings?.DestinationArn) || levels.some((level) => level !== 'OFF'))
}

/** Seen in reports: anomalyco/sst issue 4663. */
export const roleMissing = () => errors.BadRequestException('CloudWatch Logs role ARN must be set in account settings to enable logging')

/**
 * Source: API Gateway v2 API reference, AccessLogSettings: a log group, and nothing else.
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-access-log-destination-log-group and pf-apigwv2-access-log-format-request-id.
 */
export function accessLogs(given: sdk.AccessLogSettings | undefined, held: StageRecord['accessLogSettings']): StageRecord['accessLogSettings'] {
  if (!given) return held
  const settings = {
    destinationArn: given.DestinationArn === undefined ? held?.destinationArn : given.DestinationArn || undefined,
    format: given.Format === undefined ? held?.format : given.Format || undefined,
  }
  if (!settings.destinationArn && !settings.format) return undefined
  if (settings.destinationArn) checkDestination(settings.destinationArn)
  const { format } = settings
  if (format && !/\$context\.(?:requestId|extendedRequestId)\b/.test(format)) {
    throw errors.BadRequestException(
      `The following errors are found in Access Log Format: Access Log format must include either $context.requestId or $context.extendedRequestId : '${format}'`)
  }
  // Ours: the words.
  if (format && format.length > LOG_FORMAT_CHARACTERS_MAX) throw errors.BadRequestException(`Access log format cannot be longer than ${LOG_FORMAT_CHARACTERS_MAX} characters`)
  return settings
}

function checkDestination(destinationArn: string): void {
  const arn = parseArn(destinationArn)
  // Ours: the words.
  if (!arn) throw errors.BadRequestException('Invalid ARN specified in the request')
  const name = arn.service === 'logs' ? arn.resource.replace(/^log-group:/, '').replace(/:\*$/, '') : arn.resource
  if (arn.service !== 'logs' || !/^[a-zA-Z0-9_/.-]+$/.test(name)) {
    throw errors.BadRequestException(`Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.': '${name}'`)
  }
}
