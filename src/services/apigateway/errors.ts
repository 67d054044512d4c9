// Every error of API Gateway's control plane: code and status once, and the sentences that several operations share.

import { declareErrors, type AwsError } from '#aws/errors.ts'
import type { Scope } from '#aws/arn.ts'

export const errors = declareErrors({
  BadRequestException: { status: 400 },
  ConflictException: { status: 409 },
  LimitExceededException: { status: 429 },
  NotFoundException: { status: 404 },
  /** Ours: a setting that this server does not honour is refused, not stored. */
  NotImplemented: { status: 501 },
})

/** What is missing, in AWS's sentences. Observed: AWS, 2024 and 2025, recorded by localstack's test_apigateway_api. */
export const missing = {
  api: ({ accountId }: Scope, apiId: string) => errors.NotFoundException(`Invalid API identifier specified ${accountId}:${apiId}`),
  resource: () => errors.NotFoundException('Invalid Resource identifier specified'),
  method: () => errors.NotFoundException('Invalid Method identifier specified'),
  integration: () => errors.NotFoundException('Invalid Integration identifier specified'),
  response: () => errors.NotFoundException('Invalid Response status code specified'),
  parameter: () => errors.NotFoundException('Invalid parameter name specified'),
  contentType: () => errors.NotFoundException('Content-Type specified was not found'),
  model: (name: string) => errors.NotFoundException(`Invalid model name specified: ${name}`),
  requestValidator: () => errors.NotFoundException('Invalid Request Validator identifier specified'),
  /** Source: moto's tests of authorizers, whose sentences are AWS's. */
  authorizer: () => errors.NotFoundException('Invalid Authorizer identifier specified'),
  gatewayResponse: () => errors.NotFoundException('Gateway response type not defined on api'),
  documentationPart: () => errors.NotFoundException('Invalid Documentation part identifier specified'),
  deployment: () => errors.NotFoundException('Invalid Deployment identifier specified'),
  stage: () => errors.NotFoundException('Invalid stage identifier specified'),
  /** Source: moto's tests of API keys, whose sentences are AWS's. */
  apiKey: () => errors.NotFoundException('Invalid API Key identifier specified'),
  /** Observed: AWS, 20-03-2024, recorded by localstack's test_usage_plan_crud. */
  usagePlan: () => errors.NotFoundException('Invalid Usage Plan ID specified'),
} as const

/** Observed: AWS, 15-04-2024, recorded by localstack's test_authorizer_crud_no_api. */
export const concurrentModification = () =>
  errors.ConflictException('Unable to complete operation due to concurrent modification. Please try again later.')

/** A rule over parameter mappings or templates is broken. Observed: AWS, 12-12-2024, recorded by localstack's test_put_integration_request_parameter_bool_type. */
export function invalidMapping(fault: string): AwsError {
  return errors.BadRequestException(`Invalid mapping expression specified: Validation Result: warnings : [], errors : [${fault}]`)
}
