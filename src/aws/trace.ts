// The record that one request leaves: what was looked at and decided, step by step. Everything that tells about a request renders it.

/** A step of a request, with the facts that explain it. Facts must be JSON and must never hold a secret. */
export interface TraceStep {
  /** Milliseconds since the request arrived. */
  atMs: number
  /** `authentication`, `policy`, `route`, `request-template`, `integration`, `function-log`, `response`, … */
  step: string
  facts: Record<string, unknown>
}

export interface Trace {
  readonly requestId: string
  add(step: string, facts: Record<string, unknown>): void
  /** The steps so far. */
  steps(): readonly TraceStep[]
}

/** A trace holds at most this many steps and characters of facts; what does not fit is counted in a last step. */
const TRACE_STEPS_MAX = 200
const TRACE_CHARACTERS_MAX = 256 * 1024

/** Starts a trace at the arrival of a request. `monotonic` gives milliseconds. */
export function startTrace(requestId: string, monotonic: () => number): Trace {
  const startedAt = monotonic()
  const steps: TraceStep[] = []
  let characters = 0
  let dropped = 0
  return {
    requestId,
    add(step, facts) {
      characters += weightOf(facts)
      if (steps.length >= TRACE_STEPS_MAX || characters > TRACE_CHARACTERS_MAX) { dropped++; return }
      steps.push({ atMs: monotonic() - startedAt, step, facts })
    },
    steps: () => dropped === 0 ? steps : [...steps, { atMs: monotonic() - startedAt, step: 'dropped', facts: { steps: dropped } }],
  }
}

/** About how many characters a value has as JSON, without making them: every request passes here. */
function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (value === null || typeof value !== 'object') return 8
  let weight = 2
  for (const name in value) weight += name.length + 4 + weightOf((value as Record<string, unknown>)[name])
  return weight
}
