// How long a step of a request took, for access logs.

import type { Trace } from '#aws/trace.ts'

/** Milliseconds between a step of the trace and the one before it. */
export function stepLatency({ trace }: { trace: Trace }, name: string): number | undefined {
  const steps = trace.steps()
  const index = steps.findIndex(({ step }) => step === name)
  return index < 1 ? undefined : Math.round(steps[index]!.atMs - steps[index - 1]!.atMs)
}
