// Lines of the execution log: always in the trace, and in CloudWatch Logs where the stage asks for them.

import type { LogSink } from '#services/logs/index.ts'
import type { Exchange } from './rest/exchange.ts'
import { methodSetting } from './rest/method-settings.ts'

/**
 * Notes why a request failed.
 * Source: developer guide, "Set up CloudWatch logging for REST APIs": the group is `API-Gateway-Execution-Logs_{api}/{stage}`, and ERROR
 * and INFO both log failures. Ours: one stream a day; AWS spreads a stage's lines over streams named by a hash.
 */
export function logExecution(exchange: Exchange, line: string, logs: Pick<LogSink, 'append'>): void {
  exchange.trace.add('execution-log', { line })
  if (!exchange.route) return
  const { deployed, method } = exchange.route
  const { snapshot, stage } = deployed
  const level = methodSetting(stage, method.resource.path, exchange.request.method)?.loggingLevel
  if (level !== 'ERROR' && level !== 'INFO') return
  logs.append({
    accountId: snapshot.accountId,
    region: snapshot.region,
    group: `API-Gateway-Execution-Logs_${snapshot.apiId}/${stage.stageName}`,
    stream: new Date(exchange.atMs).toISOString().slice(0, 10),
    events: [{ timestampMs: exchange.atMs, message: `(${exchange.requestId}) ${line}` }],
  })
}
