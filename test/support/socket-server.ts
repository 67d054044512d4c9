// Servers that hold WebSockets, for tests of the whole: functions that answer, a record of how connections end, and backends that send.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi'
import { ApiGatewayV2Client } from '@aws-sdk/client-apigatewayv2'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { archiveOf, functionRole } from '#test/sdk/lambda/deploy.ts'
import { functionArnOf } from './http-api.ts'
import type { ServerProcess } from './process.ts'
import type { TestServer } from './server.ts'
import { newSocketApi, type SocketApiGiven, type TestSocketApi } from './websocket-api.ts'

/** What these tests need of a server, be it in this process or in one of its own. */
export type SocketServer = Pick<TestServer, 'apigatewayv2' | 'iam' | 'lambda' | 'role' | 'port' | 'endpoint' | 'credentials'>

/** The clients of a server process; ended with `destroy`. */
export function clientsOf({ endpoint, credentials }: ServerProcess): SocketServer & { destroy(): void } {
  const options = { endpoint, region: 'us-east-1', credentials: { ...credentials }, maxAttempts: 1 }
  const all = { apigatewayv2: new ApiGatewayV2Client(options), iam: new IAMClient(options), lambda: new LambdaClient(options) }
  const documentOf = (Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
  return {
    ...all, endpoint, credentials, port: Number(new URL(endpoint).port),
    async role(RoleName, trusted, statements) {
      const { Role } = await all.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: documentOf([{ Effect: 'Allow', Principal: { Service: trusted }, Action: 'sts:AssumeRole' }]) }))
      await all.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'test', PolicyDocument: documentOf(statements) }))
      return Role!.Arn!
    },
    destroy() {
      for (const client of Object.values(all)) client.destroy()
    },
  }
}

/** A function of one file behind routes. */
export async function functionBehind(server: SocketServer, FunctionName: string, source: string, Timeout = 30): Promise<{ IntegrationType: 'AWS_PROXY', IntegrationUri: string }> {
  await server.lambda.send(new CreateFunctionCommand({
    FunctionName, Runtime: 'nodejs22.x', Handler: 'index.handler', Role: await functionRole(server as TestServer), Timeout, Code: { ZipFile: await archiveOf({ 'index.mjs': source }) },
  }))
  return { IntegrationType: 'AWS_PROXY', IntegrationUri: functionArnOf(FunctionName) }
}

export interface Recorder {
  /** For `$disconnect`. */
  integration: { IntegrationType: 'HTTP', IntegrationMethod: 'POST', IntegrationUri: string, RequestTemplates: Record<string, string> }
  /** `{connection id} {code} {reason}` of each end that was told, in order. */
  told: string[]
}

/** A backend of this process that is told how connections end: it outlives the server. */
export async function recorder(t: Pick<TestContext, 'after'>): Promise<Recorder> {
  const told: string[] = []
  const backend = createServer(async (request, response) => {
    told.push(await text(request))
    response.end('{}')
  })
  await new Promise<void>((done) => { backend.listen(0, '127.0.0.1', done) })
  t.after(() => {
    backend.closeAllConnections()
    backend.close()
  })
  const IntegrationUri = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/`
  const template = '$context.connectionId $context.disconnectStatusCode $context.disconnectReason'
  return { told, integration: { IntegrationType: 'HTTP', IntegrationMethod: 'POST', IntegrationUri, RequestTemplates: { $default: template } } }
}

/** An API on a server of either kind. */
export async function socketApi(server: SocketServer, routes: SocketApiGiven['routes'], functions: readonly string[] = [], stage: SocketApiGiven['stage'] = {}): Promise<TestSocketApi> {
  const api = await newSocketApi(server as TestServer, { routes, stage })
  for (const name of functions) await api.permit(name)
  return api
}

/** A backend that sends to the connections of an API, by one of its servers. */
export function backendOf({ endpoint, credentials }: Pick<SocketServer, 'endpoint' | 'credentials'>, ApiId: string): { management: ApiGatewayManagementApiClient, push(ConnectionId: string, Data: string): Promise<unknown> } & Disposable {
  const management = new ApiGatewayManagementApiClient({ endpoint: `${endpoint}/_aws/execute-api/${ApiId}/prod`, region: 'us-east-1', credentials: { ...credentials }, maxAttempts: 1 })
  return {
    management,
    push: (ConnectionId, Data) => management.send(new PostToConnectionCommand({ ConnectionId, Data })),
    [Symbol.dispose]: () => management.destroy(),
  }
}

/** Repeats until it holds; fails with its last reason after so many milliseconds. */
export async function eventually(check: () => Promise<void>, withinMs = 15_000): Promise<void> {
  const until = performance.now() + withinMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > until) throw error
      await new Promise((done) => setTimeout(done, 50))
    }
  }
}
