// HTTP APIs for tests: made with the official client from a few lines, deployed, and called by hand.

import {
  CreateApiCommand, CreateAuthorizerCommand, CreateIntegrationCommand, CreateRouteCommand, CreateStageCommand, type CreateApiCommandInput, type CreateAuthorizerCommandInput,
  type CreateIntegrationCommandInput, type CreateRouteCommandInput, type CreateStageCommandInput,
} from '@aws-sdk/client-apigatewayv2'
import { AddPermissionCommand } from '@aws-sdk/client-lambda'
import { rawRequest, sendRaw, type RawAnswer } from './raw-request.ts'
import type { TestServer } from './server.ts'

type Integration = Omit<CreateIntegrationCommandInput, 'ApiId'>
type Authorizer = Omit<CreateAuthorizerCommandInput, 'ApiId' | 'Name'>

export interface HttpApiGiven {
  api?: Partial<CreateApiCommandInput>
  /** By name. */
  authorizers?: Record<string, Authorizer>
  /** By route key: an integration, and what the route says beside it, an authorizer by its name among it. */
  routes: Record<string, Integration & { route?: Partial<CreateRouteCommandInput> & { authorizer?: string } }>
  /** By name; `$default` unless given. */
  stages?: Record<string, Omit<CreateStageCommandInput, 'ApiId' | 'StageName'>>
}

export interface TestHttpApi {
  ApiId: string
  host: string
  /** Ids of authorizers by name. */
  authorizerIds: Record<string, string>
  /** Calls it as somebody without an SDK does. */
  call(method: string, target: string, more?: { headers?: Record<string, string>, body?: string | Buffer, host?: string }): Promise<RawAnswer>
  /** Lets API Gateway invoke a function for this API. */
  permit(FunctionName: string, source?: string): Promise<unknown>
}

const account = '000000000000'
export const functionArnOf = (name: string): string => `arn:aws:lambda:us-east-1:${account}:function:${name}`

/** A proxy integration with a function. */
export const functionIntegration = (name: string, PayloadFormatVersion: '1.0' | '2.0' = '2.0', more: Partial<Integration> = {}): Integration =>
  ({ IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf(name), PayloadFormatVersion, ...more })

/** A proxy integration with a server. */
export const serverIntegration = (IntegrationUri: string, more: Partial<Integration> = {}): Integration =>
  ({ IntegrationType: 'HTTP_PROXY', IntegrationMethod: 'ANY', IntegrationUri, PayloadFormatVersion: '1.0', ...more })

export async function newHttpApi({ apigatewayv2, lambda, port }: TestServer, { api, authorizers = {}, routes, stages = { $default: {} } }: HttpApiGiven): Promise<TestHttpApi> {
  const { ApiId = '' } = await apigatewayv2.send(new CreateApiCommand({ Name: 'tested', ProtocolType: 'HTTP', ...api }))
  const authorizerIds: Record<string, string> = {}
  for (const [Name, given] of Object.entries(authorizers)) {
    authorizerIds[Name] = (await apigatewayv2.send(new CreateAuthorizerCommand({ ApiId, Name, ...given }))).AuthorizerId!
  }
  for (const [RouteKey, { route = {}, ...integration }] of Object.entries(routes)) {
    const { IntegrationId } = await apigatewayv2.send(new CreateIntegrationCommand({ ApiId, ...integration }))
    const { authorizer, ...rest } = route
    await apigatewayv2.send(new CreateRouteCommand({
      ApiId, RouteKey, Target: `integrations/${IntegrationId}`, ...(authorizer === undefined ? {} : { AuthorizerId: authorizerIds[authorizer] }), ...rest,
    }))
  }
  for (const [StageName, given] of Object.entries(stages)) await apigatewayv2.send(new CreateStageCommand({ ApiId, StageName, AutoDeploy: true, ...given }))
  const ownHost = `${ApiId}.execute-api.us-east-1.localhost:${port}`
  return {
    ApiId, authorizerIds, host: ownHost,
    call: (method, target, { headers = {}, body = '', host = ownHost } = {}) => sendRaw(rawRequest({ method, target, host, headers, body }), { port }),
    permit: (FunctionName, source = '*/*') => lambda.send(new AddPermissionCommand({
      FunctionName, StatementId: `api-${ApiId}-${source.replaceAll(/\W/g, '_')}`, Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com',
      SourceArn: `arn:aws:execute-api:us-east-1:${account}:${ApiId}/${source}`,
    })),
  }
}
