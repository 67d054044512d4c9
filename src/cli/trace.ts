// `countersign trace`: what a request went through, step by step.

import type { Session } from './session.ts'
import { CommandRefusal } from './session.ts'
import { sendSigned } from './request.ts'

interface StoredTrace {
  requestId: string
  accountId?: string
  at?: string
  steps: { atMs: number, step: string, facts: Record<string, unknown> }[]
  [fact: string]: unknown
}

/** The trace of one request. @throws CommandRefusal with the server's own sentence. */
export async function findTrace(session: Session, requestId: string, nowMs: number): Promise<StoredTrace> {
  const { status, body } = await sendSigned(session, { method: 'GET', url: `${session.endpoint}/_countersign/traces/${encodeURIComponent(requestId)}`, service: 'countersign' }, nowMs)
  const answer = JSON.parse(body.toString()) as StoredTrace & { message?: string }
  if (status !== 200) throw new CommandRefusal(String(answer.message))
  return answer
}

/** The trace for a person to read: a line for each step, its facts indented below. */
export function renderTrace({ steps, ...facts }: StoredTrace): string {
  const head = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => `${name}: ${shown(value)}`)
  const body = steps.map(({ atMs, step, facts: own }) => [
    `${atMs.toFixed(1).padStart(9)} ms  ${step}`,
    ...Object.entries(own).map(([name, value]) => `              ${name}: ${shown(value).replaceAll('\n', '\n              ')}`),
  ].join('\n'))
  return [...head, '', ...body].join('\n')
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
