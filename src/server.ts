// The composition root: opens the stores, makes the services, and puts them behind one endpoint. The only file that sees two services.

import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { writeFileAtomically } from '#lib/files.ts'
import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import { createHttpClient } from '#lib/http-client.ts'
import { serve } from '#lib/http-server.ts'
import type { Log } from '#lib/log.ts'
import type { RandomSource } from '#lib/random.ts'
import { createAuthenticator } from '#aws/authenticate.ts'
import { createAuthorizer } from '#aws/authorize.ts'
import { createDispatcher } from '#aws/dispatch.ts'
import { createServiceCalls } from '#aws/service-calls.ts'
import { createApiGateway, createLoggingRoles } from '#services/apigateway/index.ts'
import { createApiGatewayV2 } from '#services/apigatewayv2/index.ts'
import { createDynamoDb } from '#services/dynamodb/index.ts'
import { claimNode, createExecuteApi, webSocketLimits } from '#services/execute-api/index.ts'
import { createIam } from '#services/iam/index.ts'
import { createFunctionUrlEndpoint, createLambda } from '#services/lambda/index.ts'
import { createLogs } from '#services/logs/index.ts'
import { createSts } from '#services/sts/index.ts'
import { createAdmin } from './admin.ts'
import { endpointFile } from './cli/session.ts'
import { isLoopback, readTls, type Settings } from './config.ts'
import { createMetrics } from './metrics.ts'
import { chooseRootCredentials, keepRootCredentials } from './root-credentials.ts'
import { openStores } from './stores.ts'

export interface ServerOptions {
  settings: Settings
  clock: Clock
  random: RandomSource
  log: Log
  version: string
}

export interface RunningServer {
  /** Where clients on this machine reach it: `http://127.0.0.1:4566`. */
  endpoint: string
  port: number
  /** One sentence for each thing that this machine lacks. */
  notes: readonly string[]
  /** Finishes requests under way for at most `drainMs`, stops every function environment, closes the stores. */
  close(drainMs: number): Promise<void>
}

/**
 * Starts everything; resolves once requests are served.
 *
 * @throws StorageRefusal, ConfigRefusal or StartRefusal with a sentence that says what to do.
 */
export async function startServer({ settings, clock, random, log, version }: ServerOptions): Promise<RunningServer> {
  const stores = await openStores({ settings, clock, log })
  const closing: (() => Promise<void>)[] = [() => stores.close()]
  try {
    // The services, in the order in which they need each other.
    const { core, logs: logsDatabase, sealer } = stores
    const iam = createIam({ database: core, clock, random, sealer })
    const sts = createSts({ iam, clock })
    const logs = createLogs({ database: logsDatabase, clock, random, log })
    closing.push(() => logs.close())
    const dynamodb = createDynamoDb({ database: core, clock, random, log })
    closing.push(() => dynamodb.close())
    let endpoint = ''
    const authorizer = createAuthorizer({ identity: iam.identity, clock })
    const lambda = await createLambda({
      database: core, clock, random, sealer, roles: iam.roles, authorizer, logs: logs.sink, endpoint: { url: () => endpoint },
      dataDirectory: join(settings.dataDir, 'lambda'), minIsolation: settings.minIsolation, log,
    })
    closing.push(() => lambda.close())
    const apigateway = createApiGateway({
      database: core, clock, random, sealer, functions: lambda.functions, accountRateLimit: settings.accountRateLimit, log,
      loggingRoles: createLoggingRoles({ roles: iam.roles, authorizer, clock }),
      // What comes later: APIs of other kinds, and the data plane that serves what this makes.
      socketStages: { exists: (stage) => apigatewayv2.socketStages.exists(stage) },
      runMethodTest: (test) => executeApi.testInvoke(test),
      runAuthorizerTest: (test) => executeApi.testAuthorizer(test),
    })
    closing.push(() => apigateway.close())
    const apigatewayv2 = createApiGatewayV2({ database: core, clock, random, endpoint: { url: () => endpoint }, rest: apigateway.snapshots, logging: apigateway.logging, usagePlans: apigateway.usagePlans })

    // Who calls, what may they do, what is left of it.
    const authenticator = createAuthenticator({ identity: iam.identity, clock })
    const metrics = createMetrics({ functions: () => [...lambda.measurements.all()].map(([labels, measured]) => ({ labels, measured })) })
    const onTrace = metrics.counting((trace, facts) => logs.traces.record(trace, facts))
    const dispatcher = createDispatcher({
      services: [iam.definition, sts.definition, logs.definition, dynamodb.definition, lambda.definition, apigateway.definition, apigatewayv2.definition],
      authenticator, authorizer, clock, random, log, onTrace, region: settings.region,
    })
    const http = createHttpClient()
    closing.push(async () => http.close())
    const functionUrls = createFunctionUrlEndpoint({ urls: lambda.urls, invoker: lambda.invoker, authenticator, authorizer, clock, random, log, onTrace, region: settings.region })
    const { nodeTag } = await claimNode({ database: core, clock, random })
    const executeApi = createExecuteApi({
      node: { nodeTag, database: core, log },
      snapshots: apigateway.snapshots, v2Snapshots: apigatewayv2.snapshots, metering: apigateway.metering, invoker: lambda.invoker, authenticator, authorizer, clock, random, log, onTrace,
      logs: logs.sink, region: settings.region, traceBodies: settings.traceBodies, roles: iam.roles, userPoolIssuers: settings.userPoolIssuers,
      http, services: createServiceCalls(dispatcher),
    })

    const account = await ensureRoot()
    const admin = createAdmin({
      authenticator, authorizer, clock, firstAccountId: settings.accountId,
      listAccounts: () => iam.listAccounts(),
      createAccount: (accountId) => iam.createAccount(accountId),
      health: () => ({ status: 'ok', version, accountId: settings.accountId, region: settings.region, engine: core.engine }),
      metrics: () => metrics.render(),
      findTrace: (requestId) => logs.traces.find(requestId),
      latestTraces: (accountId, limit) => logs.traces.latest(accountId, limit),
      events: lambda.events,
      reset: settings.allowReset ? reset : undefined,
    })

    // One endpoint for all of them; the request itself says where it belongs.
    const handle = async (request: HttpRequest): Promise<HttpResponse> => {
      if (admin.matches(request)) return admin.handle(request)
      if (executeApi.matches(request) || await executeApi.isForCustomDomain(request)) return executeApi.handle(request)
      if (functionUrls.matches(request)) return functionUrls.handle(request)
      if (lambda.downloads.matches(request)) return lambda.downloads.handle(request)
      return dispatcher.handle(request)
    }
    const upgrade = async (request: HttpRequest) => {
      const isForApi = !admin.matches(request) && (executeApi.matches(request) || await executeApi.isForCustomDomain(request))
      return isForApi ? executeApi.upgrade(request) : handle(request)
    }
    const tls = readTls(settings)
    const server = await serve({
      hosts: settings.host, port: settings.port, trustedProxies: settings.trustedProxies, handle, upgrade, webSocketLimits, ...(tls ? { tls } : {}),
      onError: (error) => log.error({ err: error }, 'a request failed'),
    }).catch((error: unknown) => { throw startRefusal(error, settings) })
    endpoint = endpointUrl(server.hosts, server.port, tls !== undefined)
    lambda.start()
    await executeApi.start()
    writeFileAtomically(endpointFile(settings.dataDir), `${endpoint}\n`, 0o600)

    return {
      endpoint,
      port: server.port,
      notes: [...stores.notes, ...lambda.notes],
      async close(drainMs) {
        await Promise.all([server.close(drainMs), executeApi.close(drainMs)])
        await closeAll(closing, log)
      },
    }

    async function ensureRoot() {
      const pair = await chooseRootCredentials({ settings, random, stored: await iam.findRootKey(settings.accountId), firstRootKey: stores.firstRootKey })
      await iam.ensureAccount({ accountId: settings.accountId, rootAccessKeyId: pair.accessKeyId, rootSecretAccessKey: pair.secretAccessKey })
      keepRootCredentials(settings.dataDir, pair)
      return pair
    }

    async function reset() {
      await lambda.reset()
      await stores.reset()
      await iam.ensureAccount({ accountId: settings.accountId, rootAccessKeyId: account.accessKeyId, rootSecretAccessKey: account.secretAccessKey })
    }
  } catch (error) {
    await closeAll(closing, log)
    throw error
  }
}

/** A sentence for the person who starts the server. */
class StartRefusal extends Error {
  override name = 'StartRefusal'
}

function startRefusal(error: unknown, { host, port }: Settings): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return new StartRefusal(`Port ${port} is taken by another process; stop it, or choose another port with --port or COUNTERSIGN_PORT.`)
  if (code === 'EACCES') return new StartRefusal(`Port ${port} needs privileges that this user does not have; choose one above 1023 with --port or COUNTERSIGN_PORT.`)
  if (code === 'EADDRNOTAVAIL') return new StartRefusal(`None of the addresses ${host.join(', ')} belongs to this machine; set COUNTERSIGN_HOST.`)
  return error
}

/** How functions and the command line on this machine reach the server. */
function endpointUrl(hosts: readonly string[], port: number, isTls: boolean): string {
  const host = hosts.find(isLoopback) ?? hosts[0]!
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${isTls ? 'https' : 'http'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

async function closeAll(closing: (() => Promise<void>)[], log: Log): Promise<void> {
  for (const close of closing.toReversed()) {
    try {
      await close()
    } catch (error) {
      log.error({ err: error }, 'closing failed')
    }
  }
}
