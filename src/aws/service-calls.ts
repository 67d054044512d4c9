// Calls that one service of this server makes to another for a caller whom it has established: API Gateway's service integrations.

import { Readable } from 'node:stream'
import { headersFromRaw, type HttpRequest, type HttpResponse } from '#lib/http.ts'
import type { Caller } from './caller.ts'
import type { Dispatcher } from './dispatch.ts'
import type { ServiceModel } from './model.ts'
import type { Trace } from './trace.ts'

/** A request to a service, as it would be sent but for its signature. */
export interface ServiceCall {
  /** As credential scopes name it: `dynamodb`. */
  service: string
  region: string
  caller: Caller
  /** Where the decisions are noted. */
  trace: Trace
  method: string
  /**
   * The operation by its name, for services that are called at `/`: put into `X-Amz-Target` or `Action`, unless the request has one.
   * A path otherwise, percent-encoded, beginning with a slash.
   */
  target: { action: string } | { path: string }
  /** Without `?`. */
  rawQuery: string
  headers: readonly (readonly [name: string, value: string])[]
  body: Buffer
}

/** An answer whose body was read to its end. */
export interface ServiceAnswer {
  status: number
  headers: HttpResponse['headers']
  body: Buffer
}

export interface ServiceCalls {
  /** Whether the service is here, and takes such a target: one that speaks of paths alone has no actions. */
  serves(service: string, target: ServiceCall['target']): boolean
  /** Makes the call: with the caller's permissions, at the service's own address. Refusals are answers. */
  call(given: ServiceCall): Promise<ServiceAnswer>
}

/** More than any answer of a service has. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

export function createServiceCalls(dispatcher: Pick<Dispatcher, 'call' | 'modelsOf'>): ServiceCalls {
  return {
    serves(service, target) {
      const models = dispatcher.modelsOf(service)
      return 'action' in target ? models.some(({ metadata }) => metadata.protocol !== 'rest-json') : models.length > 0
    },
    async call({ service, region, caller, trace, method, target, rawQuery, headers, body }) {
      const model = dispatcher.modelsOf(service)[0]
      const named = 'action' in target ? withAction({ rawQuery, headers, body }, target.action, model) : { rawQuery, headers }
      const request: HttpRequest = {
        method, path: 'action' in target ? '/' : target.path, rawQuery: named.rawQuery,
        headers: headersFromRaw([...named.headers, ['Host', `${service}.${region}.amazonaws.com`] as const, ['Content-Length', String(body.length)] as const].flat()),
        // It comes from the service, not from whoever called that: `aws:SourceIp` says nothing of them.
        remoteAddress: '', isSecure: true,
        body: async () => body,
      }
      const answer = await dispatcher.call(request, { service, caller, region, trace })
      return { status: answer.status, headers: answer.headers, body: await wholeBody(answer.body) }
    },
  }
}

type Head = Pick<ServiceCall, 'rawQuery' | 'headers'>

/** Source: the JSON protocols' target and the query protocol's form, in the services' own references. */
function withAction({ rawQuery, headers, body }: Head & Pick<ServiceCall, 'body'>, action: string, model: ServiceModel | undefined): Head {
  const { targetPrefix, apiVersion } = model?.metadata ?? {}
  if (targetPrefix !== undefined) {
    const hasTarget = headers.some(([name]) => name.toLowerCase() === 'x-amz-target')
    return { rawQuery, headers: hasTarget ? headers : [...headers, ['X-Amz-Target', `${targetPrefix}.${action}`]] }
  }
  const query = new URLSearchParams(rawQuery)
  const form = new URLSearchParams(body.toString('utf8'))
  if (!query.has('Action') && !form.has('Action')) query.set('Action', action)
  if (!query.has('Version') && !form.has('Version') && apiVersion !== undefined) query.set('Version', apiVersion)
  return { rawQuery: query.toString(), headers }
}

async function wholeBody(body: HttpResponse['body']): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0)
  if (!(body instanceof Readable)) return Buffer.from(body)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`a service answered more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
