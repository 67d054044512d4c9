// The errors of API Gateway v2, and the sentences that several operations share.

import { declareErrors } from '#aws/errors.ts'
import type { Scope } from '#aws/arn.ts'

export const errors = declareErrors({
  BadRequestException: { status: 400 },
  ConflictException: { status: 409 },
  NotFoundException: { status: 404 },
  TooManyRequestsException: { status: 429 },
  /** Ours: a setting that this server does not honour is refused, not stored. */
  NotImplemented: { status: 501 },
})

/**
 * What is missing. An API is named by its account and id.
 * Source: aws/aws-sdk-js issue 2458 and aws/aws-sam-cli issue 7030 (an API); moto's apigatewayv2 exceptions, which were tried against AWS (the others).
 */
export const missing = {
  api: ({ accountId }: Scope, apiId: string) => errors.NotFoundException(`Invalid API identifier specified ${accountId}:${apiId}`),
  route: (id: string) => errors.NotFoundException(`Invalid Route identifier specified ${id}`),
  routeResponse: (id: string) => errors.NotFoundException(`Invalid RouteResponse identifier specified ${id}`),
  integration: (id: string) => errors.NotFoundException(`Invalid Integration identifier specified ${id}`),
  integrationResponse: (id: string) => errors.NotFoundException(`Invalid IntegrationResponse identifier specified ${id}`),
  authorizer: (id: string) => errors.NotFoundException(`Invalid Authorizer identifier specified ${id}`),
  model: (id: string) => errors.NotFoundException(`Invalid Model identifier specified ${id}`),
  deployment: (id: string) => errors.NotFoundException(`Invalid Deployment identifier specified ${id}`),
  stage: () => errors.NotFoundException('Invalid stage identifier specified'),
  /** Seen in reports of refused calls, as for REST APIs. */
  domain: () => errors.NotFoundException('Invalid domain name identifier specified'),
  /** Ours: the words. */
  mapping: () => errors.NotFoundException('Invalid API mapping identifier specified'),
} as const

/** Seen in reports: hashicorp/terraform-provider-aws issue 40575. */
export const concurrentModification = () =>
  errors.ConflictException('Unable to complete operation due to concurrent modification. Please try again later.')

/** Seen in reports: serverless/serverless-websockets-plugin issue 22 (Integrations). The two spaces are AWS's. */
export const tooMany = (what: string) => errors.BadRequestException(
  `Maximum number of ${what} for this API has been reached.  Please contact AWS if you need additional ${what}.`)
