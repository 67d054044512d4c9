// `countersign reset`: asks a running server to go back to its first-start state.

import { CommandRefusal, type Session } from './session.ts'
import { sendSigned } from './request.ts'

/** @throws CommandRefusal with the server's own sentence. */
export async function resetServer(session: Session, nowMs: number): Promise<void> {
  const { status, body } = await sendSigned(session, { method: 'POST', url: `${session.endpoint}/_countersign/reset`, service: 'countersign' }, nowMs)
  if (status !== 200) throw new CommandRefusal(String((JSON.parse(body.toString()) as { message?: string }).message))
}
