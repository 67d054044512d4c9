// What a caller is answered when the platform, not the function, has to say that an invocation failed.

/** Source: the runtime interface emulator of AWS prints signals as Go does. */
const signalNames: Readonly<Record<string, string>> = {
  SIGKILL: 'killed', SIGABRT: 'aborted', SIGSEGV: 'segmentation fault', SIGTERM: 'terminated', SIGBUS: 'bus error', SIGILL: 'illegal instruction',
  SIGFPE: 'floating point exception', SIGINT: 'interrupt', SIGHUP: 'hangup', SIGPIPE: 'broken pipe', SIGTRAP: 'trace/breakpoint trap',
  SIGXFSZ: 'file size limit exceeded', SIGXCPU: 'CPU time limit exceeded',
}

/** Of Linux; bubblewrap and shells answer 128 + the number. */
const signalNumbers: Readonly<Record<number, string>> = {
  1: 'SIGHUP', 2: 'SIGINT', 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 9: 'SIGKILL', 11: 'SIGSEGV', 13: 'SIGPIPE', 15: 'SIGTERM',
  24: 'SIGXCPU', 25: 'SIGXFSZ',
}

export interface Exit {
  code: number | null
  signal: string | null
}

export interface Failure {
  errorType: string
  errorMessage: string
}

/** Why an environment failed, before it is known which request is told. */
export interface Reason {
  errorType: string
  reason: string
}

/**
 * Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_runtime_wrapper_not_found (an exit status); the sentence for status 0 is
 * that of the runtime interface emulator.
 */
export function exitFailure({ code, signal }: Exit): Reason {
  const name = signal ?? (code !== null && code > 128 ? signalNumbers[code - 128] : undefined)
  const reason = name !== undefined ? `Runtime exited with error: signal: ${signalNames[name] ?? name}`
    : code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`
  return { errorType: 'Runtime.ExitError', reason }
}

export function ofRequest(requestId: string, { errorType, reason }: Reason): Failure {
  return { errorType, errorMessage: `RequestId: ${requestId} Error: ${reason}` }
}

/** Observed: AWS, 25-11-2025, recorded by localstack's test_lambda_invoke_with_timeout. */
export function timeoutFailure(requestId: string, timeoutMs: number): Failure {
  return ofRequest(requestId, { errorType: 'Sandbox.Timedout', reason: `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds` })
}

/** Observed: AWS, 24-11-2025, recorded by localstack's test_lambda_too_large_response. */
export function oversizeFailure(bytesMax: number): { errorMessage: string, errorType: string } {
  return { errorMessage: `Response payload size exceeded maximum allowed payload size (${bytesMax} bytes).`, errorType: 'Function.ResponseSizeTooLarge' }
}

export function payloadOf(failure: object): Buffer {
  return Buffer.from(JSON.stringify(failure))
}
