// WebSocket APIs for tests: made with the official client from a few lines, deployed, and connected to with a real client.

import {
  CreateApiCommand, CreateAuthorizerCommand, CreateDeploymentCommand, CreateIntegrationCommand, CreateIntegrationResponseCommand, CreateRouteCommand, CreateRouteResponseCommand, CreateStageCommand,
  type CreateApiCommandInput, type CreateAuthorizerCommandInput, type CreateIntegrationCommandInput, type CreateRouteCommandInput, type CreateStageCommandInput,
} from '@aws-sdk/client-apigatewayv2'
import { AddPermissionCommand } from '@aws-sdk/client-lambda'
import type { TestServer } from './server.ts'
import { openSocket, type TestSocket } from './web-socket-client.ts'

export { openSocket, Refused, type TestSocket } from './web-socket-client.ts'

type Integration = Omit<CreateIntegrationCommandInput, 'ApiId'>

export interface SocketApiGiven {
  api?: Partial<CreateApiCommandInput>
  /** By name. */
  authorizers?: Record<string, Omit<CreateAuthorizerCommandInput, 'ApiId' | 'Name'>>
  /** By route key: an integration with its responses by their keys, and what the route says beside it, an authorizer by its name among it. */
  routes: Record<string, Integration & {
    route?: Partial<CreateRouteCommandInput> & { authorizer?: string }
    /** Whether answers go back. */
    isTwoWay?: boolean
    /** Key → template. */
    responses?: Record<string, string | undefined>
  }>
  stage?: Partial<CreateStageCommandInput>
}

export interface TestSocketApi {
  ApiId: string
  /** Of stage `prod`, in the path form: `ws://127.0.0.1:…`. */
  url: string
  host: string
  /** Opens a connection; fails with `Refused` when the server says no. */
  connect(options?: { query?: string, headers?: Record<string, string>, protocols?: string[], url?: string }): Promise<TestSocket>
  permit(FunctionName: string): Promise<unknown>
  deploy(): Promise<unknown>
}

export async function newSocketApi({ apigatewayv2, lambda, port }: TestServer, { api, authorizers = {}, routes, stage = {} }: SocketApiGiven): Promise<TestSocketApi> {
  const { ApiId = '' } = await apigatewayv2.send(new CreateApiCommand({ Name: 'tested', ProtocolType: 'WEBSOCKET', RouteSelectionExpression: '$request.body.action', ...api }))
  const authorizerIds: Record<string, string> = {}
  for (const [Name, given] of Object.entries(authorizers)) {
    authorizerIds[Name] = (await apigatewayv2.send(new CreateAuthorizerCommand({ ApiId, Name, ...given }))).AuthorizerId!
  }
  for (const [RouteKey, { route = {}, isTwoWay = false, responses = {}, ...integration }] of Object.entries(routes)) {
    const { IntegrationId } = await apigatewayv2.send(new CreateIntegrationCommand({ ApiId, ...integration }))
    for (const [IntegrationResponseKey, template] of Object.entries(responses)) {
      await apigatewayv2.send(new CreateIntegrationResponseCommand({ ApiId, IntegrationId, IntegrationResponseKey, ...template !== undefined && { ResponseTemplates: { $default: template } } }))
    }
    const { authorizer, ...rest } = route
    const { RouteId } = await apigatewayv2.send(new CreateRouteCommand({
      ApiId, RouteKey, Target: `integrations/${IntegrationId}`, ...authorizer !== undefined && { AuthorizerId: authorizerIds[authorizer] }, ...isTwoWay && { RouteResponseSelectionExpression: '$default' }, ...rest,
    }))
    if (isTwoWay) await apigatewayv2.send(new CreateRouteResponseCommand({ ApiId, RouteId, RouteResponseKey: '$default' }))
  }
  await apigatewayv2.send(new CreateStageCommand({ ApiId, StageName: 'prod', ...stage }))
  const deploy = () => apigatewayv2.send(new CreateDeploymentCommand({ ApiId, StageName: 'prod' }))
  await deploy()
  const ownUrl = `ws://127.0.0.1:${port}/_aws/execute-api/${ApiId}/prod`
  return {
    ApiId, url: ownUrl, deploy, host: `${ApiId}.execute-api.us-east-1.localhost:${port}`,
    connect: ({ query = '', headers = {}, protocols = [], url = ownUrl } = {}) => openSocket(`${url}${query === '' ? '' : `?${query}`}`, { headers, protocols }),
    permit: (FunctionName) => lambda.send(new AddPermissionCommand({
      FunctionName, StatementId: `socket-${ApiId}`, Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com', SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${ApiId}/*`,
    })),
  }
}
