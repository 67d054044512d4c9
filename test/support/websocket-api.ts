// WebSocket APIs for tests: made with the official client from a few lines, deployed, and connected to with a real client.

import {
  CreateApiCommand, CreateAuthorizerCommand, CreateDeploymentCommand, CreateIntegrationCommand, CreateIntegrationResponseCommand, CreateRouteCommand, CreateRouteResponseCommand, CreateStageCommand,
  type CreateApiCommandInput, type CreateAuthorizerCommandInput, type CreateIntegrationCommandInput, type CreateRouteCommandInput, type CreateStageCommandInput,
} from '@aws-sdk/client-apigatewayv2'
import { AddPermissionCommand } from '@aws-sdk/client-lambda'
import { WebSocket } from 'ws'
import type { TestServer } from './server.ts'

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

export interface TestSocket extends AsyncDisposable {
  socket: WebSocket
  send(message: string | Buffer | object): void
  /** The next message, in order; text. */
  next(): Promise<string>
  /** Sends and waits for the next. */
  ask(message: string | object): Promise<string>
  /** How it was closed, once it is. */
  closed: Promise<{ code: number, reason: string }>
}

/** What a handshake was answered with instead of a connection. */
export class Refused extends Error {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  constructor(status: number, body: string, headers: Refused['headers']) {
    super(`${status} ${body}`)
    this.name = 'Refused'
    this.status = status
    this.body = body
    this.headers = headers
  }
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

export function openSocket(url: string, { headers = {}, protocols = [] }: { headers?: Record<string, string>, protocols?: string[] } = {}): Promise<TestSocket> {
  const socket = new WebSocket(url, protocols, { headers })
  const messages: string[] = []
  const waiting: ((message: string) => void)[] = []
  socket.on('message', (data: Buffer) => {
    const wanted = waiting.shift()
    if (wanted) wanted(data.toString('utf8'))
    else messages.push(data.toString('utf8'))
  })
  const closed = new Promise<{ code: number, reason: string }>((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
  const send = (message: string | Buffer | object) => socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message))
  const next = () => messages.length > 0 ? Promise.resolve(messages.shift()!) : new Promise<string>((resolve) => { waiting.push(resolve) })
  const opened: TestSocket = {
    socket, closed, send, next,
    ask(message) {
      send(message)
      return next()
    },
    async [Symbol.asyncDispose]() {
      if (socket.readyState === socket.OPEN) socket.close()
      await closed
    },
  }
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve(opened))
    socket.on('error', reject)
    socket.on('unexpected-response', (request, answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        request.destroy()
        reject(new Refused(answer.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'), answer.headers))
      })
    })
  })
}
