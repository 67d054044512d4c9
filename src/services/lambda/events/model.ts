// An event on its way to a function: what is kept of it, and what follows from each attempt.

import type { FunctionReference } from '../names.ts'
import { functionArn } from '../names.ts'

/** An event that was accepted and is not done with. Times in milliseconds since 1970. */
export interface QueuedEvent {
  /** The function's request id, the same in every attempt. */
  id: string
  accountId: string
  region: string
  name: string
  /** As the caller gave it; undefined for `$LATEST`. */
  qualifier?: string | undefined
  acceptedAtMs: number
  /** How often the function ran, or could not be found. */
  attempts: number
  /** How often in a row there was no room for it, or the server failed. */
  refusals: number
  traceHeader: string
  clientContext?: string | undefined
  /** Of the last attempt, for people. */
  lastError?: string | undefined
}

/** Why an event is done with. Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations"; the values: see `invocationRecord`. */
export type Condition = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded' | 'ZeroReservedConcurrency'

/** An event that was given up, as it is listed. */
export interface GivenUpEvent extends QueuedEvent {
  givenUpAtMs: number
  condition: Exclude<Condition, 'Success'>
  /** Destinations and dead-letter targets that did not get it. */
  undelivered?: readonly string[]
}

/** How a function's events are treated. Absent members have the defaults. */
export interface EventInvokeConfig {
  lastModifiedMs: number
  maximumRetryAttempts?: number | undefined
  maximumEventAgeSeconds?: number | undefined
  onSuccess?: string | undefined
  onFailure?: string | undefined
}

/** Source: Lambda API reference, PutFunctionEventInvokeConfig. */
const defaults = { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600 }

/** Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation". */
const RETRY_DELAYS_MS = [60_000, 120_000]
const REFUSAL_DELAY_MS_MIN = 1_000
const REFUSAL_DELAY_MS_MAX = 300_000

/** What one attempt came to. */
export type Attempt =
  | { is: 'answered', executedVersion: string, payload: Buffer, functionError?: 'Handled' | 'Unhandled' | undefined }
  /** There was no room for it, or the server failed: the function did not run. */
  | { is: 'refused', status: number, message: string, isForGood: boolean }
  /** There is no such function, version or alias any more. */
  | { is: 'missing', message: string }

export type Step =
  | { is: 'done' }
  | { is: 'again', event: QueuedEvent, dueAtMs: number }
  | { is: 'given up', event: QueuedEvent, condition: GivenUpEvent['condition'] }

/** Whether the event is older than it may be. */
export function isTooOld({ acceptedAtMs }: QueuedEvent, config: EventInvokeConfig | undefined, atMs: number): boolean {
  return atMs - acceptedAtMs > (config?.maximumEventAgeSeconds ?? defaults.maximumEventAgeSeconds) * 1000
}

/**
 * What follows from an attempt.
 *
 * Observed: AWS, 22-03-2023, recorded by localstack's test_maxeventage: an event is given up at once when its next attempt would come too late.
 * Source: the developer guide's page on asynchronous error handling: functions that fail are asked again after one and after two minutes;
 * throttles and the service's own errors after one second, then twice as long each time, up to five minutes; without any reserved
 * concurrency an event is given up at once.
 */
export function stepAfter(attempt: Attempt, event: QueuedEvent, config: EventInvokeConfig | undefined, nowMs: number): Step {
  if (attempt.is === 'answered' && !attempt.functionError) return { is: 'done' }
  const lastError = errorOf(attempt)
  if (attempt.is === 'refused') {
    const next = { ...event, refusals: event.refusals + 1, lastError }
    if (attempt.isForGood) return { is: 'given up', event: next, condition: 'ZeroReservedConcurrency' }
    return againUnlessTooOld(next, Math.min(REFUSAL_DELAY_MS_MAX, REFUSAL_DELAY_MS_MIN * 2 ** Math.min(event.refusals, 20)), config, nowMs)
  }
  const next = { ...event, attempts: event.attempts + 1, refusals: 0, lastError }
  // Ours: what is not there any more is not looked for again.
  const isLast = attempt.is === 'missing' || next.attempts > (config?.maximumRetryAttempts ?? defaults.maximumRetryAttempts)
  if (isLast) return { is: 'given up', event: next, condition: 'RetriesExhausted' }
  return againUnlessTooOld(next, RETRY_DELAYS_MS[Math.min(event.attempts, RETRY_DELAYS_MS.length - 1)]!, config, nowMs)
}

function againUnlessTooOld(event: QueuedEvent, delayMs: number, config: EventInvokeConfig | undefined, nowMs: number): Step {
  const dueAtMs = nowMs + delayMs
  return isTooOld(event, config, dueAtMs) ? { is: 'given up', event, condition: 'EventAgeExceeded' } : { is: 'again', event, dueAtMs }
}

const ERROR_CHARACTERS_MAX = 1_024

function errorOf(attempt: Attempt): string | undefined {
  if (attempt.is !== 'answered') return attempt.message.slice(0, ERROR_CHARACTERS_MAX)
  try {
    const { errorType, errorMessage } = JSON.parse(attempt.payload.toString('utf8')) as { errorType?: string, errorMessage?: string }
    return [errorType, errorMessage].filter(Boolean).join(': ').slice(0, ERROR_CHARACTERS_MAX)
  } catch {
    return attempt.payload.toString('utf8').slice(0, ERROR_CHARACTERS_MAX)
  }
}

/**
 * The record of an event that is done with, for its destination.
 *
 * Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations". Observed: AWS, 21-03-2024, recorded by localstack's
 * test_assess_lambda_destination_invocation and test_lambda_destination_default_retries: members, and the qualifier at the end of the ARN.
 * Ours: an event that the function never saw has no response; of one that was throttled, the status stands for it.
 */
export function invocationRecord(event: QueuedEvent, payload: Uint8Array, { condition, attempt, nowMs }: { condition: Condition, attempt: Attempt | undefined, nowMs: number }): Buffer {
  const head = {
    version: '1.0',
    timestamp: new Date(nowMs).toISOString(),
    requestContext: {
      requestId: event.id,
      functionArn: `${functionArn(event)}:${event.qualifier ?? '$LATEST'}`,
      condition,
      approximateInvokeCount: event.attempts,
    },
  }
  // Payloads are put in as they are, so that no number in them changes.
  const parts = [JSON.stringify(head).slice(0, -1), `,"requestPayload":${textOf(payload)}`]
  const context = condition === 'ZeroReservedConcurrency' || !attempt ? undefined : responseContextOf(attempt)
  if (context) parts.push(`,"responseContext":${JSON.stringify(context)}`)
  if (context && attempt?.is === 'answered') parts.push(`,"responsePayload":${jsonText(attempt.payload)}`)
  return Buffer.from(`${parts.join('')}}`)
}

function responseContextOf(attempt: Attempt): object {
  switch (attempt.is) {
    case 'answered': return { statusCode: 200, executedVersion: attempt.executedVersion, ...(attempt.functionError && { functionError: attempt.functionError }) }
    case 'refused': return { statusCode: attempt.status }
    case 'missing': return { statusCode: 404 }
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** What a runtime answered is JSON as a rule; anything else becomes a string. */
function jsonText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  try {
    JSON.parse(text)
    return text
  } catch {
    return JSON.stringify(text)
  }
}

/** The queue of a function's events. */
export function queueOf({ accountId, region, name }: Pick<FunctionReference, 'accountId' | 'region' | 'name'>): string {
  return `${accountId}/${region}/${name}`
}
