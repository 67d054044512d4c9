// Measurements of functions as text for Prometheus.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMeasurements } from '#services/lambda/measurements.ts'
import { renderFunctionMetrics } from './function-metrics.ts'

const f = { accountId: '000000000000', region: 'us-east-1', name: 'f' }
const render = (measurements: ReturnType<typeof createMeasurements>) => renderFunctionMetrics([...measurements.all()].map(([labels, measured]) => ({ labels, measured })))

describe('function metrics', () => {
  test('are described once, with CloudWatch\'s names, even when nothing was invoked', () => {
    const text = render(createMeasurements({ functionsMax: 10 }))
    for (const name of ['Invocations', 'Errors', 'Throttles', 'Duration', 'ConcurrentExecutions', 'AsyncEventsReceived', 'AsyncEventsDropped', 'AsyncEventAge', 'DeadLetterErrors', 'DestinationDeliveryFailures']) {
      assert.equal(text.split(`(CloudWatch: ${name})`).length, 2, name)
    }
    assert.doesNotMatch(text, /^countersign/m)
  })

  test('count and time each function in seconds, in buckets that add up', () => {
    const measurements = createMeasurements({ functionsMax: 10 })
    const measured = measurements.of(f)
    measured.invocations = 3
    for (const ms of [1, 2, 60_000_000]) measurements.observe(measured.duration, ms)
    const text = render(measurements)
    const labels = 'account="000000000000",region="us-east-1",function="f"'
    assert.match(text, new RegExp(`^countersign_lambda_invocations_total\\{${labels}\\} 3$`, 'm'))
    assert.match(text, new RegExp(`^countersign_lambda_duration_seconds_bucket\\{${labels},le="0.001"\\} 1$`, 'm'))
    assert.match(text, new RegExp(`^countersign_lambda_duration_seconds_bucket\\{${labels},le="0.005"\\} 2$`, 'm'))
    assert.match(text, new RegExp(`^countersign_lambda_duration_seconds_bucket\\{${labels},le="900"\\} 2$`, 'm'))
    assert.match(text, new RegExp(`^countersign_lambda_duration_seconds_bucket\\{${labels},le="\\+Inf"\\} 3$`, 'm'))
    assert.match(text, new RegExp(`^countersign_lambda_duration_seconds_sum\\{${labels}\\} 60000.003$`, 'm'))
    assert.match(text, new RegExp(`^countersign_lambda_duration_seconds_count\\{${labels}\\} 3$`, 'm'))
  })

  test('have a bounded number of labels: later functions are counted together', () => {
    const measurements = createMeasurements({ functionsMax: 2 })
    for (const name of ['a', 'b', 'c', 'd']) measurements.of({ ...f, name }).invocations++
    const lines = render(measurements).match(/^countersign_lambda_invocations_total.*$/mg)
    assert.equal(lines?.length, 3)
    assert.match(lines!.at(-1)!, /function=""\} 2$/)
  })
})
