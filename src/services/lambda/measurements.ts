// What is counted and timed of each function, under the names that CloudWatch gives it.

import type { FunctionRecord } from './model.ts'

const DURATION_ENDS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000]
const AGE_ENDS_MS = [10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000, 180_000, 600_000, 3_600_000, 21_600_000]

export type Measured = Pick<FunctionRecord, 'accountId' | 'region' | 'name'>

/** Source: Lambda developer guide, "Types of metrics for Lambda functions". Counts since the process started. */
export interface FunctionMeasurements {
  invocations: number
  errors: number
  throttles: number
  concurrentExecutions: number
  asyncEventsReceived: number
  asyncEventsDropped: number
  deadLetterErrors: number
  destinationDeliveryFailures: number
  duration: Histogram
  asyncEventAge: Histogram
}

export interface Histogram {
  /** Upper ends of the buckets. */
  ends: readonly number[]
  /** By bucket; the last one has no upper end. */
  counts: number[]
  sum: number
}

export interface Measurements {
  of(target: Measured): FunctionMeasurements
  observe(histogram: Histogram, valueMs: number): void
  /** Of all functions that were invoked. Beyond so many, those that came last are one, without a name. */
  all(): Iterable<[labels: { account: string, region: string, function: string }, measured: FunctionMeasurements]>
}

export function createMeasurements({ functionsMax }: { functionsMax: number }): Measurements {
  const known = new Map<string, { labels: { account: string, region: string, function: string }, measured: FunctionMeasurements }>()
  const others = { labels: { account: '', region: '', function: '' }, measured: newMeasurements() }
  let hasOthers = false
  return {
    of({ accountId, region, name }) {
      const key = `${accountId}/${region}/${name}`
      const found = known.get(key)
      if (found) return found.measured
      if (known.size >= functionsMax) {
        hasOthers = true
        return others.measured
      }
      const measured = newMeasurements()
      known.set(key, { labels: { account: accountId, region, function: name }, measured })
      return measured
    },
    observe(histogram, valueMs) {
      const at = histogram.ends.findIndex((end) => valueMs <= end)
      const bucket = at === -1 ? histogram.ends.length : at
      histogram.counts[bucket] = histogram.counts[bucket]! + 1
      histogram.sum += valueMs
    },
    *all() {
      for (const { labels, measured } of known.values()) yield [labels, measured]
      if (hasOthers) yield [others.labels, others.measured]
    },
  }
}

function newMeasurements(): FunctionMeasurements {
  return {
    invocations: 0, errors: 0, throttles: 0, concurrentExecutions: 0, asyncEventsReceived: 0, asyncEventsDropped: 0, deadLetterErrors: 0, destinationDeliveryFailures: 0,
    duration: newHistogram(DURATION_ENDS_MS), asyncEventAge: newHistogram(AGE_ENDS_MS),
  }
}

function newHistogram(ends: readonly number[]): Histogram {
  return { ends, counts: new Array<number>(ends.length + 1).fill(0), sum: 0 }
}
