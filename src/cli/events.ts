// `countersign events`: asynchronous invocations that wait, run or were given up.

import { CommandRefusal, type Session } from './session.ts'
import { sendSigned } from './request.ts'

export interface ListedEvent {
  requestId: string
  functionArn: string
  state: string
  acceptedAt: string
  attempts: number
  lastError?: string
  [fact: string]: unknown
}

/** The latest events of the caller's account. @throws CommandRefusal with the server's own sentence. */
export async function listEvents(session: Session, limit: number, nowMs: number): Promise<ListedEvent[]> {
  const { events } = await ask<{ events: ListedEvent[] }>(session, 'GET', `events?limit=${limit}`, nowMs)
  return events
}

/** One event with what it carries. @throws CommandRefusal */
export function showEvent(session: Session, requestId: string, nowMs: number): Promise<ListedEvent> {
  return ask(session, 'GET', `events/${encodeURIComponent(requestId)}`, nowMs)
}

/** Gives an event that was given up its attempts anew. @throws CommandRefusal */
export function retryEvent(session: Session, requestId: string, nowMs: number): Promise<ListedEvent> {
  return ask(session, 'POST', `events/${encodeURIComponent(requestId)}/retry`, nowMs)
}

/** A line for each event, for a person to read. */
export function renderEvents(events: readonly ListedEvent[]): string {
  if (events.length === 0) return 'There are no events.'
  return events.map(({ requestId, state, acceptedAt, attempts, functionArn, lastError }) =>
    [requestId, state.padEnd(8), acceptedAt, `${attempts} attempt${attempts === 1 ? '' : 's'}`.padEnd(10), functionArn, ...(lastError ? [lastError.split('\n', 1)[0]!] : [])].join('  ')).join('\n')
}

/** An event member by member. */
export function renderEvent(event: ListedEvent): string {
  return Object.entries(event).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('\n')
}

async function ask<Answer>(session: Session, method: string, path: string, nowMs: number): Promise<Answer> {
  const { status, body } = await sendSigned(session, { method, url: `${session.endpoint}/_countersign/${path}`, service: 'countersign' }, nowMs)
  const answer = JSON.parse(body.toString()) as Answer & { message?: string }
  if (status !== 200) throw new CommandRefusal(String(answer.message))
  return answer
}
