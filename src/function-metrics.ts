// What is counted of each function, as Prometheus reads it, under the names that CloudWatch has for it in the help texts.

import type { FunctionMeasurements } from '#services/lambda/index.ts'

export interface MeasuredFunction {
  /** All empty for what is counted together: the functions beyond those that are counted one by one. */
  labels: { account: string, region: string, function: string }
  measured: FunctionMeasurements
}

type Counter = 'invocations' | 'errors' | 'throttles' | 'asyncEventsReceived' | 'asyncEventsDropped' | 'deadLetterErrors' | 'destinationDeliveryFailures'

/** Source of the names in the help texts: Lambda developer guide, "Types of metrics for Lambda functions". */
const counters: Readonly<Record<Counter, { name: string, help: string }>> = {
  invocations: { name: 'invocations', help: 'Invocations that ran, failed ones included (CloudWatch: Invocations).' },
  errors: { name: 'errors', help: 'Invocations whose function failed (CloudWatch: Errors).' },
  throttles: { name: 'throttles', help: 'Invocations that were not let in, for lack of concurrency (CloudWatch: Throttles).' },
  asyncEventsReceived: { name: 'async_events_received', help: 'Events that were accepted to run later (CloudWatch: AsyncEventsReceived).' },
  asyncEventsDropped: { name: 'async_events_dropped', help: 'Events that were given up (CloudWatch: AsyncEventsDropped).' },
  deadLetterErrors: { name: 'dead_letter_errors', help: 'Events that did not reach their dead-letter target (CloudWatch: DeadLetterErrors).' },
  destinationDeliveryFailures: { name: 'destination_delivery_failures', help: 'Records that did not reach their destination (CloudWatch: DestinationDeliveryFailures).' },
}

const histograms = {
  duration: { name: 'duration', help: 'Time that invocations ran (CloudWatch: Duration).' },
  asyncEventAge: { name: 'async_event_age', help: 'Time between accepting an event and its first attempt (CloudWatch: AsyncEventAge).' },
} as const

/** Text in Prometheus' exposition format. Times in seconds. */
export function renderFunctionMetrics(functions: readonly MeasuredFunction[]): string {
  const lines: string[] = []
  for (const [key, { name, help }] of Object.entries(counters) as [Counter, { name: string, help: string }][]) {
    lines.push(...headOf(`${name}_total`, help, 'counter'))
    for (const { labels, measured } of functions) lines.push(`${PREFIX}${name}_total${shown(labels)} ${measured[key]}`)
  }
  lines.push(...headOf('concurrent_executions', 'Invocations that run now (CloudWatch: ConcurrentExecutions).', 'gauge'))
  for (const { labels, measured } of functions) lines.push(`${PREFIX}concurrent_executions${shown(labels)} ${measured.concurrentExecutions}`)
  for (const key of ['duration', 'asyncEventAge'] as const) {
    const { name, help } = histograms[key]
    lines.push(...headOf(`${name}_seconds`, help, 'histogram'))
    for (const { labels, measured } of functions) {
      const { ends, counts, sum } = measured[key]
      let total = 0
      counts.forEach((count, at) => {
        total += count
        const end = ends[at]
        lines.push(`${PREFIX}${name}_seconds_bucket${shown({ ...labels, le: end === undefined ? '+Inf' : String(end / 1000) })} ${total}`)
      })
      lines.push(`${PREFIX}${name}_seconds_sum${shown(labels)} ${sum / 1000}`, `${PREFIX}${name}_seconds_count${shown(labels)} ${total}`)
    }
  }
  return `${lines.join('\n')}\n`
}

const PREFIX = 'countersign_lambda_'

function headOf(name: string, help: string, type: string): string[] {
  return [`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`]
}

/** Labels are ids, regions and names of functions, none of which has a character that would need a backslash. */
function shown(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels).map(([name, value]) => `${name}="${value}"`).join(',')}}`
}
