// Prometheus metrics of the endpoint: what was asked, how it was answered, what the process uses.

import type { RequestFacts } from '#aws/dispatch.ts'
import type { Trace } from '#aws/trace.ts'
import { renderFunctionMetrics, type MeasuredFunction } from './function-metrics.ts'

export interface MetricsOptions {
  /** What is counted of each function, at this moment. */
  functions(): readonly MeasuredFunction[]
}

export interface Metrics {
  render(): Promise<{ contentType: string, text: string }>
  /** Wraps a trace listener so that each finished request is counted too. */
  counting(listener: (trace: Trace, facts: RequestFacts) => void): (trace: Trace, facts: RequestFacts) => void
}

interface Counted {
  labels: { service: string, operation: string, status: string }
  requests: number
}

/**
 * Counts in a plain table. The client library, which costs a process more memory and time to start than anything else here, is loaded
 * when somebody first asks. Operations come from models and routes, never from a client's text, so the table stays small.
 */
export function createMetrics({ functions }: MetricsOptions): Metrics {
  const counted = new Map<string, Counted>()
  let registry: Promise<import('prom-client').Registry> | undefined
  return {
    async render() {
      registry ??= createRegistry(counted)
      const { contentType } = await registry
      return { contentType, text: `${await (await registry).metrics()}\n${renderFunctionMetrics(functions())}` }
    },
    counting: (listener) => (trace, facts) => {
      const key = `${facts.service} ${facts.operation} ${facts.status}`
      const known = counted.get(key)
      if (known) known.requests++
      else counted.set(key, { labels: { service: facts.service ?? 'none', operation: facts.operation ?? 'none', status: String(facts.status) }, requests: 1 })
      listener(trace, facts)
    },
  }
}

async function createRegistry(counted: ReadonlyMap<string, Counted>): Promise<import('prom-client').Registry> {
  const { collectDefaultMetrics, Counter, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Counter({
    name: 'countersign_requests_total', help: 'Requests answered.', labelNames: ['service', 'operation', 'status'], registers: [registry],
    collect() {
      this.reset()
      for (const { labels, requests: count } of counted.values()) this.inc(labels, count)
    },
  })
  return registry
}
