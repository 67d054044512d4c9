// The public face of the data plane: serves deployed APIs.

import type { HttpRequest, HttpResponse } from '#lib/http.ts'
import type { RunAuthorizerTest, RunMethodTest } from '#services/apigateway/index.ts'
import { isExecuteApi } from './address.ts'
import { createRestApis, type RestApisOptions } from './rest/rest-apis.ts'

export type ExecuteApiOptions = RestApisOptions

export interface ExecuteApi {
  /** Whether a request is a call of a deployed API: by its host or its path. */
  matches(request: Pick<HttpRequest, 'path' | 'headers'>): boolean
  /** Answers a call. Rejects only when the connection is gone. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /** Runs one method of a REST API as it stands, for TestInvokeMethod. */
  testInvoke: RunMethodTest
  /** Asks one authorizer of a REST API as it stands, for TestInvokeAuthorizer. */
  testAuthorizer: RunAuthorizerTest
}

export function createExecuteApi(options: ExecuteApiOptions): ExecuteApi {
  const restApis = createRestApis(options)
  return { matches: isExecuteApi, handle: (request) => restApis.handle(request), testInvoke: (test) => restApis.testInvoke(test), testAuthorizer: (test) => restApis.testAuthorizer(test) }
}
