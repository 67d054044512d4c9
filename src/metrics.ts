// Prometheus metrics of the endpoint: what was asked, how it was answered, what the process uses.

import { collectDefaultMetrics, Counter, Registry } from 'prom-client'
import type { RequestFacts } from '#aws/dispatch.ts'
import type { Trace } from '#aws/trace.ts'

export interface Metrics {
  render(): Promise<{ contentType: string, text: string }>
  /** Wraps a trace listener so that each finished request is counted too. */
  counting(listener: (trace: Trace, facts: RequestFacts) => void): (trace: Trace, facts: RequestFacts) => void
}

/** Operations come from models and routes, never from a client's text, so that the label sets stay bounded. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({ name: 'countersign_requests_total', help: 'Requests answered.', labelNames: ['service', 'operation', 'status'], registers: [registry] })
  return {
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    counting: (listener) => (trace, facts) => {
      requests.inc({ service: facts.service ?? 'none', operation: facts.operation ?? 'none', status: String(facts.status) })
      listener(trace, facts)
    },
  }
}
