// What an environment prints, as log events: lines of its output streams, whole messages of its runtime, and the platform's own lines.

import { LOG_EVENT_BYTES_MAX, LOG_TAIL_BYTES } from '../limits.ts'

/**
 * Turns a stream of bytes into lines, each with its line end. A line longer than a log event becomes several; `end` gives what is left.
 */
export function createLineReader(onLine: (line: string) => void): { push(chunk: Buffer): void, end(): void } {
  let rest: Buffer | undefined
  const emit = (line: Buffer) => {
    for (let at = 0; at < line.length; at += LOG_EVENT_BYTES_MAX) onLine(line.toString('utf8', at, Math.min(line.length, at + LOG_EVENT_BYTES_MAX)))
  }
  return {
    push(chunk) {
      let bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10)) {
        emit(bytes.subarray(0, end + 1))
        bytes = bytes.subarray(end + 1)
      }
      if (bytes.length >= LOG_EVENT_BYTES_MAX) {
        emit(bytes)
        bytes = bytes.subarray(bytes.length)
      }
      rest = bytes.length === 0 ? undefined : bytes
    },
    end() {
      if (rest !== undefined) emit(rest)
      rest = undefined
    },
  }
}

/** Reads the messages that our bootstraps send whole: four bytes of length, big-endian, then UTF-8. A message keeps its line ends. */
export function createMessageReader(onMessage: (message: string) => void): { push(chunk: Buffer): void } {
  let rest: Buffer = Buffer.alloc(0)
  let toSkip = 0
  return {
    push(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (;;) {
        if (toSkip > 0) {
          const skipped = Math.min(toSkip, rest.length)
          toSkip -= skipped
          rest = rest.subarray(skipped)
        }
        if (rest.length < 4) return
        const length = rest.readUInt32BE(0)
        const kept = Math.min(length, LOG_EVENT_BYTES_MAX)
        if (rest.length < 4 + kept) return
        onMessage(rest.toString('utf8', 4, 4 + kept))
        rest = rest.subarray(4 + kept)
        toSkip = length - kept
      }
    },
  }
}

/** Keeps the end of an invocation's log. */
export function createLogTail(): { add(line: string): void, bytes(): Buffer } {
  const lines: string[] = []
  let characters = 0
  return {
    add(line) {
      lines.push(line)
      characters += line.length
      while (lines.length > 1 && characters - lines[0]!.length >= LOG_TAIL_BYTES) characters -= lines.shift()!.length
    },
    bytes() {
      const all = Buffer.from(lines.join(''))
      return all.length <= LOG_TAIL_BYTES ? all : all.subarray(all.length - LOG_TAIL_BYTES)
    },
  }
}

/** How an invocation ended, as its REPORT line tells. */
export interface Report {
  requestId: string
  durationMs: number
  billedDurationMs: number
  memoryMb: number
  usedMemoryMb: number
  /** Of the first invocation in an environment. */
  initMs?: number | undefined
  status: string
  errorType?: string | undefined
}

/** Observed: AWS, 24-11-2025, recorded by localstack's test_invocation_with_logs, here and below. */
export function startLine(requestId: string, version: string): string {
  return `START RequestId: ${requestId} Version: ${version}\n`
}

export function endLine(requestId: string): string {
  return `END RequestId: ${requestId}\n`
}

/** Source: Lambda developer guide, "Working with Lambda function logs": what REPORT has after a timeout or a failure of the runtime. */
export function reportLine({ requestId, durationMs, billedDurationMs, memoryMb, usedMemoryMb, initMs, status, errorType }: Report): string {
  const parts = [
    `REPORT RequestId: ${requestId}`, `Duration: ${durationMs.toFixed(2)} ms`, `Billed Duration: ${billedDurationMs} ms`,
    `Memory Size: ${memoryMb} MB`, `Max Memory Used: ${usedMemoryMb} MB`,
  ]
  if (initMs !== undefined) parts.push(`Init Duration: ${initMs.toFixed(2)} ms`)
  if (status !== 'success') parts.push(`Status: ${status}`)
  if (errorType !== undefined) parts.push(`Error Type: ${errorType}`)
  return `${parts.join('\t')}\t\n`
}

/** Source: Lambda developer guide, "Identifying runtime version changes". */
export function initStartLine(runtimeVersion: string, runtimeVersionArn: string): string {
  return `INIT_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}\n`
}

/** Source: Lambda developer guide, "Lambda execution environment", failures during the init phase. */
export function initReportLine({ initMs, phase, status, errorType }: { initMs: number, phase: string, status: string, errorType?: string | undefined }): string {
  return `INIT_REPORT Init Duration: ${initMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${status}${errorType === undefined ? '' : `\tError Type: ${errorType}`}\n`
}

/** Source: Lambda developer guide, "Troubleshoot execution issues", timeouts. */
export function timeoutLine(atMs: number, requestId: string, timeoutMs: number): string {
  return `${new Date(atMs).toISOString()} ${requestId} Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds\n\n`
}
