// One attempt at an event: the function runs, or it turns out why it does not, and the store learns what follows.

import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { AwsError } from '#aws/errors.ts'
import type { Database } from '#storage/database.ts'
import type { FunctionDirectory, FunctionSnapshot } from '../directory.ts'
import type { Measurements } from '../measurements.ts'
import { qualifiedArn } from '../names.ts'
import { isThrottle, type Runner } from '../runner.ts'
import { Undeliverable, type Deliveries } from './deliveries.ts'
import { invocationRecord, isTooOld, stepAfter, type Attempt, type Condition, type EventInvokeConfig, type QueuedEvent, type Step } from './model.ts'
import { findConfig, transactions, type Stored } from './store.ts'

export interface AttemptsOptions {
  database: Database
  directory: FunctionDirectory
  runner: Runner
  deliveries: Deliveries
  measurements: Measurements
  clock: Clock
  log: Pick<Log, 'warn'>
}

/** What became of an event in the store. */
export type Settled = 'done' | 'again' | 'given up' | 'not ours any more' | 'interrupted'

/**
 * Makes one attempt and settles it. `isClosing` is asked when the function failed: one that was ended with the server has not failed.
 *
 * @throws only when the store cannot be written; `lease` is kept then.
 */
export async function attempt(stored: Stored<QueuedEvent>, { lease, isClosing }: { lease: string, isClosing: () => boolean }, options: AttemptsOptions): Promise<Settled> {
  const { database, directory, measurements, clock } = options
  const { event, payload } = stored
  const snapshot = await directory.find({ ...event, qualifier: event.qualifier })
  const config = await findConfig(database, event, event.qualifier ?? '$LATEST')
  const measured = measurements.of(event)
  if (event.attempts === 0 && event.refusals === 0) measurements.observe(measured.asyncEventAge, clock.now() - event.acceptedAtMs)
  const made = isTooOld(event, config, clock.now()) ? undefined : await run(stored, snapshot, options)
  if (isClosing() && made?.is !== undefined && !(made.is === 'answered' && !made.functionError)) return 'interrupted'
  const nowMs = clock.now()
  const step: Step = made ? stepAfter(made, event, config, nowMs) : { is: 'given up', event, condition: 'EventAgeExceeded' }
  if (step.is === 'again') return await database.transact(transactions.putBack, { event: step.event, dueAtMs: step.dueAtMs, lease }) ? 'again' : 'not ours any more'

  const condition: Condition = step.is === 'done' ? 'Success' : step.condition
  const after: QueuedEvent = step.is === 'done' ? { ...event, attempts: event.attempts + 1 } : step.event
  const { deliveries, undelivered } = await deliver(after, payload, { condition, attempt: made, snapshot, config, nowMs }, options)
  if (step.is === 'done') return await database.transact(transactions.complete, { id: event.id, lease, deliveries }) ? 'done' : 'not ours any more'
  const given = { ...step.event, givenUpAtMs: nowMs, condition: step.condition, ...(undelivered.length > 0 && { undelivered }) }
  if (!await database.transact(transactions.giveUp, { id: event.id, lease, deliveries, event: given, payload })) return 'not ours any more'
  measured.asyncEventsDropped++
  return 'given up'
}

async function run({ event, payload }: Stored<QueuedEvent>, snapshot: FunctionSnapshot | undefined, { runner }: AttemptsOptions): Promise<Attempt> {
  const functionArn = qualifiedArn({ ...event, qualifier: event.qualifier })
  if (!snapshot) return { is: 'missing', message: `Function not found: ${functionArn}` }
  try {
    const { outcome } = await runner.run(snapshot, {
      requestId: event.id, functionArn, traceHeader: event.traceHeader, clientContext: event.clientContext, payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    })
    const { payload: answer, functionError } = await outcome
    return { is: 'answered', executedVersion: snapshot.record.version, payload: answer, functionError }
  } catch (error) {
    if (!(error instanceof AwsError)) return { is: 'refused', status: 500, message: (error as Error).message, isForGood: false }
    return { is: 'refused', status: error.status, message: `${error.code}: ${error.message}`, isForGood: isThrottle(error) && await runner.room(snapshot) === 'none ever' }
  }
}

interface Ended {
  condition: Condition
  attempt: Attempt | undefined
  snapshot: FunctionSnapshot | undefined
  config: EventInvokeConfig | undefined
  nowMs: number
}

/**
 * The events that carry the record of an event that is done with.
 *
 * Ours: on AWS dead letters go to queues and topics alone; here they go to functions, and are the same record that a destination gets.
 */
async function deliver(event: QueuedEvent, payload: Uint8Array, { snapshot, config, ...ended }: Ended, { deliveries, measurements, log }: AttemptsOptions) {
  const prepared: Stored<QueuedEvent>[] = []
  const undelivered: string[] = []
  const isSuccess = ended.condition === 'Success'
  const targets = [
    { target: isSuccess ? config?.onSuccess : config?.onFailure, counter: 'destinationDeliveryFailures' as const },
    { target: isSuccess ? undefined : snapshot?.record.settings.deadLetterArn, counter: 'deadLetterErrors' as const },
  ]
  for (const { target, counter } of targets) {
    if (!target || !snapshot) continue
    try {
      prepared.push(await deliveries.prepare(snapshot.record, target, invocationRecord(event, payload, ended), event.traceHeader))
    } catch (error) {
      if (!(error instanceof Undeliverable)) throw error
      measurements.of(event)[counter]++
      undelivered.push(error.message)
      log.warn({ function: snapshot.arn, requestId: event.id, because: error.message }, 'the record of an event was not delivered')
    }
  }
  return { deliveries: prepared, undelivered }
}
