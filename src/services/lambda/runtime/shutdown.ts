// The shutdown phase: SIGTERM for the runtime, SHUTDOWN for extensions, and the end of what is left when their time is over.
// Source: Lambda developer guide, "Lambda execution environment", shutdown phase: none without extensions, 500 ms with internal, 2,000 ms with external ones.

import type { Clock } from '#lib/clock.ts'
import { SHUTDOWN_EXTERNAL_MS, SHUTDOWN_INTERNAL_MS } from '../limits.ts'
import type { Extensions } from './extensions.ts'
import type { Sandbox } from './sandbox.ts'
import type { Telemetry } from './telemetry.ts'

/** Source: AWS's runtime interface emulator: how the reasons are spelt. */
export type ShutdownReason = 'spindown' | 'timeout' | 'failure'

export interface ShutdownOptions {
  sandbox: Sandbox
  extensions: Extensions
  telemetry: Telemetry
  clock: Clock
  reason: ShutdownReason
}

/** Source: AWS's runtime interface emulator: what a runtime has of the time before extensions are told. */
const shareOfRuntime = 0.3
const LOOK_MS = 10

/** Resolves when the first process of the sandbox is gone. Without extensions everything is killed before it returns. */
export async function shutDown({ sandbox, extensions, telemetry, clock, reason }: ShutdownOptions): Promise<void> {
  const registered = extensions.all.filter(({ state }) => state !== 'Started' && state !== 'Exited')
  if (registered.length > 0) {
    const hasExternal = registered.some(({ isExternal }) => isExternal)
    const budgetMs = hasExternal ? SHUTDOWN_EXTERNAL_MS : SHUTDOWN_INTERNAL_MS
    const endsAtMs = clock.monotonic() + budgetMs
    const over = new AbortController()
    void sandbox.ended.then(() => { over.abort('ended') })
    const deadlineMs = clock.now() + budgetMs
    sandbox.terminateRuntime()
    await clock.sleep(hasExternal ? Math.min(budgetMs * shareOfRuntime, LOOK_MS) : budgetMs, over.signal)
    if (hasExternal) {
      await telemetry.flush()
      extensions.shutdown({ eventType: 'SHUTDOWN', shutdownReason: reason, deadlineMs })
      while (!extensions.areGone && !over.signal.aborted && clock.monotonic() < endsAtMs) await clock.sleep(LOOK_MS, over.signal)
    }
  }
  sandbox.kill()
  await sandbox.ended
}
