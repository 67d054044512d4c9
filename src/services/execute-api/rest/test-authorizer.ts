// A test of an authorizer: the request that it stands for, and what the console shows of it.

import type { AuthorizerTest, AuthorizerTestResult, SnapshotMethod } from '#services/apigateway/index.ts'
import { GatewayRefusal } from '../gateway-responses.ts'
import { askLambda } from './authorizers/lambda-authorizer.ts'
import { note } from './authorizers/refusals.ts'
import { askUserPools } from './authorizers/user-pools.ts'
import { compileDeployment } from './deployment.ts'
import type { Exchange, Route } from './exchange.ts'
import { testLog } from './execution-lines.ts'
import { questionOf, type AuthorizeOptions } from './steps/authorize.ts'
import { testStage } from './test-invoke.ts'

/** The stage of the ARN that functions are asked about. Source: developer guide, "Configure a Lambda authorizer", its test in the console. */
const TEST_STAGE = 'ESTestInvoke-stage'

/** A method that is only there to be judged; nothing but the authorizer is compiled. */
export function authorizerRoute({ snapshot, authorizerId, path, stageVariables }: AuthorizerTest): Route {
  const method: SnapshotMethod = { httpMethod: 'GET', authorizationType: 'CUSTOM', authorizerId, apiKeyRequired: false }
  return {
    address: { apiId: snapshot.apiId, stageName: TEST_STAGE, path, prefix: '' },
    deployment: compileDeployment({ ...snapshot, resources: [], models: {}, authorizers: { [authorizerId]: snapshot.authorizers![authorizerId]! } }),
    deployed: { stage: testStage(snapshot, stageVariables), snapshot },
    method: { resource: { id: 'test-invoke-resource-id', path }, definition: method, integration: undefined, bodyValidators: new Map(), requiredParameters: [] },
    pathParameters: {},
    rawPathParameters: {},
    mayTraceBodies: true,
  }
}

/** Asks the authorizer, whatever its policy then says: a denial is an answer too. */
export async function judge(exchange: Exchange, route: Route, options: AuthorizeOptions): Promise<Omit<AuthorizerTestResult, 'latencyMs' | 'log'>> {
  const [authorizer] = route.deployment.authorizers.values()
  try {
    if (authorizer!.definition.type === 'COGNITO_USER_POOLS') {
      const { facts } = await askUserPools(exchange, route, authorizer!, options)
      return { status: 200, claims: facts.claims }
    }
    const { answer } = await askLambda(exchange, route, authorizer!, questionOf(exchange, route), options)
    return { status: 200, principalId: answer.principalId, policy: answer.policyText }
  } catch (error) {
    if (!(error instanceof GatewayRefusal)) throw error
    note(exchange, 'failure', error.logLine ?? error.message)
    // Source: logs of tests that users published: the last line of one that the authorizer's set-up made fail.
    if (error.status >= 500) note(exchange, 'failure', error.errorType)
    return { status: error.status }
  }
}

export const authorizerLog = ({ requestId, lines = [] }: Exchange): string => testLog(requestId, lines)
