// The public face of the data plane: serves deployed APIs, each by the pipeline of its kind.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { RunAuthorizerTest, RunMethodTest } from '#services/apigateway/index.ts'
import type { V2ApiSnapshot, V2SnapshotSource } from '#services/apigatewayv2/index.ts'
import { addressOf, isExecuteApi, mayBeCustomDomain, type Address } from './address.ts'
import { createHttpApis } from './http/http-apis.ts'
import { mappedTarget, targetOf } from './http/target.ts'
import { createRestApis, type RestApisOptions } from './rest/rest-apis.ts'

export interface ExecuteApiOptions extends RestApisOptions {
  /** HTTP and WebSocket APIs, and the custom domains that lead to APIs of any kind. */
  v2Snapshots: V2SnapshotSource
  /** Told of each compilation of an HTTP API, as `onCompile` is of REST APIs. */
  onCompileHttpApi?: (snapshot: V2ApiSnapshot) => void
}

export interface ExecuteApi {
  /** Whether a request is a call of a deployed API: by its host or its path. */
  matches(request: Pick<HttpRequest, 'path' | 'headers'>): boolean
  /** Whether a request is for a custom domain, wherever that leads. Asked where `matches` says no. */
  isForCustomDomain(request: Pick<HttpRequest, 'path' | 'headers'>): Promise<boolean>
  /** Answers a call. Rejects only when the connection is gone. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /** Runs one method of a REST API as it stands, for TestInvokeMethod. */
  testInvoke: RunMethodTest
  /** Asks one authorizer of a REST API as it stands, for TestInvokeAuthorizer. */
  testAuthorizer: RunAuthorizerTest
}

export function createExecuteApi(options: ExecuteApiOptions): ExecuteApi {
  const { v2Snapshots } = options
  const restApis = createRestApis(options)
  const httpApis = createHttpApis({ ...options, snapshots: v2Snapshots, onCompile: options.onCompileHttpApi })

  async function handleAt(request: HttpRequest, address: Address): Promise<HttpResponse> {
    const api = await v2Snapshots.findApi(address.apiId)
    if (api?.protocolType !== 'HTTP') return restApis.handle(request, address)
    const isUserRequest = address.prefix.startsWith('/restapis/')
    const wholePath = isUserRequest ? address.path : request.path.slice(address.prefix.length)
    const target = await targetOf(address, wholePath, v2Snapshots)
    return httpApis.handle(request, { ...target, isDisabled: api.disableExecuteApiEndpoint })
  }

  async function handleMapped(request: HttpRequest, mapped: NonNullable<Awaited<ReturnType<V2SnapshotSource['findMapping']>>>): Promise<HttpResponse> {
    const api = await v2Snapshots.findApi(mapped.apiId)
    const target = mappedTarget(mapped, request.path)
    if (api?.protocolType === 'HTTP') return httpApis.handle(request, target)
    return restApis.handle(request, { apiId: mapped.apiId, stageName: mapped.stageName, path: target.path || '/', prefix: target.shownPrefix })
  }

  const customDomainOf = (headers: HttpRequest['headers']): string | undefined => {
    const host = (headers.get('host') ?? '').replace(/:\d+$/, '')
    return mayBeCustomDomain(host) && !isSignedForAnother(headers) ? host : undefined
  }

  return {
    matches: isExecuteApi,
    async isForCustomDomain({ headers }) {
      const domainName = customDomainOf(headers)
      return domainName !== undefined && v2Snapshots.hasDomain(domainName)
    },
    async handle(request) {
      const address = addressOf(request)
      if (address) return handleAt(request, address)
      const domainName = customDomainOf(request.headers)
      const mapped = domainName === undefined ? undefined : await v2Snapshots.findMapping(domainName, request.path)
      // Seen in reports: Miserlou/Zappa issue 1248, amplify-education/serverless-domain-manager issue 57 (a domain without a mapping for the path is 403 `Forbidden`).
      return mapped ? handleMapped(request, mapped) : restApis.handle(request, { apiId: '', stageName: '', path: request.path, prefix: '' })
    },
    testInvoke: (test) => restApis.testInvoke(test),
    testAuthorizer: (test) => restApis.testAuthorizer(test),
  }
}

/**
 * Whether a request is signed for another service than execute-api: it is that service's, whatever host it names. Ours: AWS lets a certificate vouch for
 * a domain name, here anybody may take the name under which others reach this server, and must not be sent what they sign.
 */
function isSignedForAnother(headers: HttpRequest['headers']): boolean {
  const service = /^AWS4-HMAC-SHA256\s(?:.*[\s,])?Credential=[^/,\s]+\/\d{8}\/[^/,\s]+\/([^/,\s]+)\/aws4_request/.exec(headers.get('authorization') ?? '')?.[1]
  return service !== undefined && service !== 'execute-api'
}
