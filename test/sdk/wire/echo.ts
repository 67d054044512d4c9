// A dispatcher whose operations answer what a test says and remember what they were given. It accepts any signature: the wire is under test.

import { serve } from '#lib/http-server.ts'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { SignatureRefusal, type Authenticator } from '#aws/authenticate.ts'
import type { Authorizer } from '#aws/authorize.ts'
import { createDispatcher, type Dispatcher, type RequestFacts } from '#aws/dispatch.ts'
import { scopedServiceOf } from '#aws/find-service.ts'
import type { Call, Operation, ServiceDefinition } from '#aws/service.ts'
import type { Trace } from '#aws/trace.ts'

/** By operation: what it answers, or how it does so. */
export type Answers = Readonly<Record<string, object | ((input: any, call: Call) => unknown)>>

export interface Echo extends Dispatcher {
  /** The input of the last operation that ran. */
  lastInput: any
  traces: { trace: Trace, facts: RequestFacts }[]
  failures: unknown[]
}

export const styles: Readonly<Record<string, ServiceDefinition['errors']>> = {
  iam: { validation: { code: 'ValidationError', status: 400 }, accessDenied: { code: 'AccessDenied', status: 403 } },
  sts: { validation: { code: 'ValidationError', status: 400 }, accessDenied: { code: 'AccessDenied', status: 403 } },
  dynamodb: { validation: { code: 'ValidationException', status: 400 }, accessDenied: { code: 'AccessDeniedException', status: 400 } },
  logs: { validation: { code: 'InvalidParameterException', status: 400 }, accessDenied: { code: 'AccessDeniedException', status: 400 } },
  lambda: { validation: { code: 'ValidationException', status: 400 }, accessDenied: { code: 'AccessDeniedException', status: 403 } },
  apigateway: { validation: { code: 'ValidationException', status: 400 }, accessDenied: { code: 'AccessDeniedException', status: 403 } },
  apigatewayv2: { validation: { code: 'BadRequestException', status: 400 }, accessDenied: { code: 'AccessDeniedException', status: 403 } },
}

export const modelNames = [
  'iam-2010-05-08', 'sts-2011-06-15', 'dynamodb-2012-08-10', 'logs-2014-03-28', 'lambda-2015-03-31', 'apigateway-2015-07-09', 'apigatewayv2-2018-11-29',
]

/** Every service is there; `answers` says which operations of which service are served. */
export function createEcho(answers: Readonly<Record<string, Answers>>, overrides: { authenticator?: Authenticator, authorizer?: Authorizer, bodyBytesMax?: number } = {}): Echo {
  const echo: Partial<Echo> = { traces: [], failures: [] }
  const services = modelNames.map((model): ServiceDefinition => {
    const name = model.split('-')[0]!
    const operations = Object.entries(answers[name] ?? {}).map(([operationName, answer]): [string, Operation<unknown>] => [operationName, {
      access: () => [{ action: `${name}:${operationName}`, resource: '*' }],
      run: (input, call) => {
        echo.lastInput = input
        return typeof answer === 'function' ? answer(input, call) : answer
      },
    }])
    return { model, operations: Object.fromEntries(operations), service: {}, bodyBytesMax: overrides.bodyBytesMax ?? 10_000_000, errors: styles[name]! }
  })
  const dispatcher = createDispatcher({
    services,
    authenticator: overrides.authenticator ?? anySignature,
    authorizer: overrides.authorizer ?? { decide: async () => ({ allowed: true, message: '', statements: [] }) },
    clock: systemClock,
    random: systemRandom,
    log: { error: ({ err }) => { echo.failures!.push(err) } },
    onTrace: (trace, facts) => { echo.traces!.push({ trace, facts }) },
  })
  return Object.assign(echo, dispatcher) as Echo
}

/** Accepts every request that names a key. */
export const anySignature: Authenticator = {
  begin: async (request) => {
    const service = scopedServiceOf(request)
    if (service === undefined) throw new SignatureRefusal('missing', 'Request is missing Authentication Token')
    return {
      caller: { is: 'user', userName: 'alice', accountId: '000000000000', arn: 'arn:aws:iam::000000000000:user/alice', userId: 'AIDAEXAMPLE', accessKeyId: 'AKIAEXAMPLE' },
      region: 'us-east-1',
      service,
      finish: () => {},
    }
  },
}

/** A header that names a service in its scope. */
export const signedFor = (service: string): Record<string, string> => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260102/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
})

export interface EchoServer extends Echo, AsyncDisposable {
  endpoint: string
  /** For `@aws-sdk/client-*`. */
  config: { endpoint: string, region: string, credentials: { accessKeyId: string, secretAccessKey: string } }
  /** For other programs. */
  env: NodeJS.ProcessEnv
}

export async function serveEcho(answers: Readonly<Record<string, Answers>>): Promise<EchoServer> {
  const echo = createEcho(answers)
  const server = await serve({ hosts: ['127.0.0.1'], port: 0, handle: (request) => echo.handle(request), onError: (error) => { echo.failures.push(error) } })
  const endpoint = `http://127.0.0.1:${server.port}`
  return Object.assign(echo, {
    endpoint,
    config: { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-a-secret-of-anyone' } },
    env: {
      PATH: process.env.PATH, HOME: '/nonexistent', AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret-of-anyone',
      AWS_DEFAULT_REGION: 'us-east-1', AWS_ENDPOINT_URL: endpoint, AWS_EC2_METADATA_DISABLED: 'true',
    },
    [Symbol.asyncDispose]: () => server.close(0),
  })
}
