// The execution log of a stage in CloudWatch Logs: what each request did, as far as the stage's settings ask for it.

import type { LogSink } from '#services/logs/index.ts'
import { streamOf } from '../access-log.ts'
import type { Exchange } from './exchange.ts'
import { executionLines, type Outcome } from './execution-lines.ts'
import { methodSetting } from './method-settings.ts'

/**
 * Writes a request's lines: at ERROR those of a failure, at INFO all, headers and bodies among them only with data tracing.
 *
 * Source: developer guide, "Set up CloudWatch logging for REST APIs": the group is `API-Gateway-Execution-Logs_{api}/{stage}`; bodies that are
 * too large leave no log. Ours: one stream a day; AWS spreads a stage's lines over streams named by a hash.
 */
export function logExecution(exchange: Exchange, outcome: Outcome, logs: Pick<LogSink, 'append'>): void {
  const { route, requestId } = exchange
  if (!route || route.method.resource.id === '') return
  const { deployed: { snapshot, stage }, method } = route
  const setting = methodSetting(stage, method.resource.path, method.definition.httpMethod)
  const level = setting?.loggingLevel
  if (level !== 'INFO' && !(level === 'ERROR' && outcome.refusal)) return
  if (outcome.refusal?.type === 'REQUEST_TOO_LARGE') return
  const lines = executionLines(exchange, outcome)
    .filter(({ is }) => is === 'failure' || (level === 'INFO' && (is === 'progress' || setting?.dataTraceEnabled === true)))
  logs.append({
    accountId: snapshot.accountId,
    region: snapshot.region,
    group: `API-Gateway-Execution-Logs_${snapshot.apiId}/${stage.stageName}`,
    stream: streamOf(exchange.atMs),
    events: lines.map(({ atMs, text }) => ({ timestampMs: atMs, message: `(${requestId}) ${text}` })),
  })
}
