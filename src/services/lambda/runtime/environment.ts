// One execution environment: a process that speaks the Runtime API, from its start over its invocations to its end.

import { spawn, type ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { Clock } from '#lib/clock.ts'
import { INIT_MS_MAX, INVOKE_RESPONSE_BYTES_MAX } from '../limits.ts'
import { exitFailure, ofRequest, oversizeFailure, payloadOf, timeoutFailure, type Exit } from './failures.ts'
import type { Command } from './isolation/isolation.ts'
import {
  createLineReader, createLogTail, createMessageReader, endLine, initReportLine, initStartLine, reportLine, startLine, timeoutLine, type Report,
} from './log-lines.ts'
import { createRuntimeConnection, type EventMessage, type RuntimeConnection } from './runtime-api.ts'

export type EnvironmentEvent = Omit<EventMessage, 'deadlineMs'>

/** What an invocation came to. */
export interface Outcome {
  payload: Buffer
  functionError?: 'Unhandled'
  logTail: Buffer
}

export type StopReason = 'idle too long' | 'timed out' | 'exited' | 'replaced' | 'failed to start' | 'misbehaved'

/** An environment is in exactly one of these states. */
type State =
  | { is: 'starting', sinceMs: number }
  | { is: 'idle' }
  | { is: 'busy', invocation: Running }
  /** The answer is here, the request for the next event is not. */
  | { is: 'finishing' }
  | { is: 'stopped', because: StopReason }

interface Running {
  event: EnvironmentEvent
  startedAtMs: number
  tail: ReturnType<typeof createLogTail>
  deadline: AbortController
  resolve: (outcome: Outcome) => void
}

/** Why the init phase failed: the answer to the invocation that needed the environment. */
interface InitFailure {
  payload: (requestId: string) => Buffer
  status: 'error' | 'timeout'
  errorType: string | undefined
  initMs: number
  lines: readonly string[]
}

export interface EnvironmentOptions {
  command: Command
  variables: Readonly<Record<string, string>>
  timeoutMs: number
  memoryMb: number
  /** `nodejs:26.10.0`, for the first line of the log. */
  runtimeVersion: string
  runtimeVersionArn: string
  clock: Clock
  emit: (lines: readonly { timestampMs: number, message: string }[]) => void
  /** It can take an event. Called after the start and after each invocation. */
  onIdle: (environment: Environment) => void
  /** Called once. */
  onStopped: (environment: Environment) => void
}

export interface Environment {
  /** Only for an idle environment. Never rejects: a failure is an outcome. */
  invoke(event: EnvironmentEvent): Promise<Outcome>
  /** After a failed start: what the invocation is answered for which the environment was started. */
  failFor(requestId: string): Outcome | undefined
  /** Kills every process of it. Resolves when the first of them, whose end takes the others with it, is gone. */
  stop(because: StopReason): Promise<void>
  readonly isIdle: boolean
  readonly isStopped: boolean
}

/** Messages of a failed init that are repeated in the log tail of its invocation. */
const initLinesMax = 100

export function startEnvironment(options: EnvironmentOptions): Environment {
  const { command, clock, timeoutMs, memoryMb, emit } = options
  const startedAtMs = clock.monotonic()
  let state: State = { is: 'starting', sinceMs: startedAtMs }
  let initMs: number | undefined
  let initFailure: InitFailure | undefined
  let initLines: string[] | undefined = []
  let usedBytes = 0
  let lastRequestId: string | undefined
  let pending: { timestampMs: number, message: string }[] = []
  const exited = Promise.withResolvers<void>()
  const initDeadline = new AbortController()

  const child: ChildProcess = spawn(command.file, command.args, {
    cwd: command.workingDirectory,
    env: options.variables,
    // A process group of its own: signals for the server's terminal do not reach it, and it can be killed as a whole.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    ...(command.userId === undefined ? {} : { uid: command.userId, gid: command.userId }),
  })
  const socket = child.stdio[3] as Duplex | undefined
  const messages = child.stdio[4] as Duplex | undefined

  function print(message: string): void {
    pending.push({ timestampMs: clock.now(), message })
    if (state.is === 'busy') state.invocation.tail.add(message)
    else if (initLines !== undefined && initLines.length < initLinesMax) initLines.push(message)
  }

  function flush(): void {
    if (pending.length === 0) return
    emit(pending)
    pending = []
  }

  const lineReaders = [child.stdout, child.stderr].map((stream) => {
    const reader = createLineReader(print)
    stream?.on('data', (chunk: Buffer) => {
      reader.push(chunk)
      flush()
    })
    stream?.on('error', () => {})
    return reader
  })
  const messageReader = createMessageReader(print)
  messages?.on('data', (chunk: Buffer) => {
    messageReader.push(chunk)
    flush()
  })
  messages?.on('error', () => {})

  /** Lets everything be read that the process wrote before what we have just seen: output travels beside the Runtime API. */
  async function drainOutput(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => { setImmediate(resolve) })
    for (const reader of lineReaders) reader.end()
  }

  function becomeIdle(): void {
    if (state.is === 'starting') {
      initMs = clock.monotonic() - state.sinceMs
      initLines = undefined
      initDeadline.abort('over')
    }
    state = { is: 'idle' }
    options.onIdle(environment)
  }

  const connection: RuntimeConnection | undefined = socket && createRuntimeConnection(socket, {
    onNext(used) {
      noteMemory(used)
      if (state.is === 'starting' || state.is === 'finishing') becomeIdle()
      else if (state.is === 'busy' && state.invocation.deadline.signal.aborted) nextIsHere = true
    },
    onResponse(requestId, payload, used) {
      noteMemory(used)
      finish(requestId, { payload }, { status: 'success' })
    },
    onError(requestId, payload, errorType, used) {
      noteMemory(used)
      if (requestId === undefined) failInit({ payload: () => payload, status: 'error', errorType })
      else finish(requestId, { payload, functionError: 'Unhandled' }, { status: 'success' })
    },
    onOversize(requestId) {
      const failure = oversizeFailure(INVOKE_RESPONSE_BYTES_MAX)
      finish(requestId, { payload: payloadOf(failure), functionError: 'Unhandled' }, { status: 'error', errorType: failure.errorType })
    },
    onGarbage() { void stop('misbehaved') },
  })

  /** The request for the next event came while the log of this one was still being read. */
  let nextIsHere = false

  function noteMemory(used: number | undefined): void {
    if (used !== undefined && used > usedBytes) usedBytes = used
  }

  /** Ends the invocation under way: its answer stands, its log is completed, its caller is answered. */
  function finish(requestId: string, answer: Omit<Outcome, 'logTail'>, how: Pick<Report, 'status' | 'errorType'>, durationMs?: number): void {
    if (state.is !== 'busy' || state.invocation.event.requestId !== requestId || state.invocation.deadline.signal.aborted) return
    const { invocation } = state
    const tookMs = durationMs ?? clock.monotonic() - invocation.startedAtMs
    invocation.deadline.abort('answered')
    nextIsHere = false
    void drainOutput().then(() => {
      print(endLine(requestId))
      print(reportLine({ requestId, durationMs: tookMs, memoryMb, usedMemoryMb: usedMb(), initMs, ...how }))
      flush()
      initMs = undefined
      invocation.resolve({ ...answer, logTail: invocation.tail.bytes() })
      if (state.is !== 'busy') return
      state = { is: 'finishing' }
      if (nextIsHere) becomeIdle()
    })
  }

  function usedMb(): number {
    return Math.min(memoryMb, Math.ceil(usedBytes / (1024 * 1024)))
  }

  function failInit({ payload, status, errorType }: Pick<InitFailure, 'payload' | 'status' | 'errorType'>): void {
    if (state.is !== 'starting' || initFailure !== undefined) return
    const took = clock.monotonic() - state.sinceMs
    initFailure = { payload, status, errorType, initMs: took, lines: [] }
    initDeadline.abort('over')
    void drainOutput().then(() => {
      initFailure = { ...initFailure!, lines: initLines ?? [] }
      pending.push({ timestampMs: clock.now(), message: initReportLine({ initMs: took, status, errorType }) })
      flush()
      return stop('failed to start')
    })
  }

  child.on('error', (error) => {
    failInit({ payload: () => payloadOf({ errorType: 'Runtime.ExitError', errorMessage: `The environment could not be started: ${error.message}` }), status: 'error', errorType: 'Runtime.ExitError' })
    exited.resolve()
  })
  let isGone = false
  child.on('exit', (code, signal) => {
    // Takes what the function left running; later its number may belong to somebody else.
    kill()
    isGone = true
    void onExit({ code, signal })
  })

  async function onExit(exit: Exit): Promise<void> {
    // What it still said before it ended counts.
    await drainOutput()
    const { errorType, reason } = exitFailure(exit)
    if (state.is === 'starting') failInit({ payload: (requestId) => payloadOf(ofRequest(requestId, { errorType, reason })), status: 'error', errorType })
    const isUnexpected = state.is !== 'stopped' && initFailure === undefined
    if (isUnexpected && lastRequestId !== undefined) {
      print(`RequestId: ${lastRequestId} Error: ${reason}\n${errorType}\n`)
      flush()
    }
    if (state.is === 'busy') {
      const { requestId } = state.invocation.event
      finish(requestId, { payload: payloadOf(ofRequest(requestId, { errorType, reason })), functionError: 'Unhandled' }, { status: 'error', errorType })
      // The caller is answered when the log is complete.
      await drainOutput()
    }
    exited.resolve()
    if (state.is !== 'stopped' && initFailure === undefined) become('exited')
  }

  function become(because: StopReason): void {
    if (state.is === 'stopped') return
    state = { is: 'stopped', because }
    initDeadline.abort('over')
    options.onStopped(environment)
  }

  function stop(because: StopReason): Promise<void> {
    if (state.is === 'busy' && !state.invocation.deadline.signal.aborted) {
      // Replaced or misbehaving while it worked: its caller is told as if it had exited.
      const { requestId } = state.invocation.event
      const { errorType, reason } = exitFailure({ code: null, signal: 'SIGKILL' })
      finish(requestId, { payload: payloadOf(ofRequest(requestId, { errorType, reason })), functionError: 'Unhandled' }, { status: 'error', errorType })
    }
    kill()
    become(because)
    return exited.promise
  }

  function kill(): void {
    if (child.pid === undefined || isGone) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // The whole group is gone already.
    }
  }

  /** Source: Lambda developer guide, "Lambda execution environment": init has 10 s; one that fails is done again under the function's own timeout. */
  async function watchInit(): Promise<void> {
    const initMsMax = Math.max(INIT_MS_MAX, timeoutMs)
    await clock.sleep(initMsMax, initDeadline.signal)
    if (initDeadline.signal.aborted) return
    failInit({ payload: (requestId) => payloadOf(timeoutFailure(requestId, initMsMax)), status: 'timeout', errorType: undefined })
  }

  async function watchDeadline({ event, deadline, startedAtMs: since }: Running): Promise<void> {
    await clock.sleep(timeoutMs, deadline.signal)
    if (deadline.signal.aborted) return
    const { requestId } = event
    // Killed before the log is completed, so that nothing follows its REPORT.
    kill()
    print(timeoutLine(clock.now(), requestId, timeoutMs))
    finish(requestId, { payload: payloadOf(timeoutFailure(requestId, timeoutMs)), functionError: 'Unhandled' }, { status: 'timeout' }, Math.max(timeoutMs, clock.monotonic() - since))
    await drainOutput()
    become('timed out')
  }

  const environment: Environment = {
    get isIdle() { return state.is === 'idle' },
    get isStopped() { return state.is === 'stopped' },
    stop,
    invoke(event) {
      if (state.is !== 'idle' || connection === undefined) throw new Error('the environment is not idle')
      const { promise, resolve } = Promise.withResolvers<Outcome>()
      const invocation: Running = { event, startedAtMs: clock.monotonic(), tail: createLogTail(), deadline: new AbortController(), resolve }
      state = { is: 'busy', invocation }
      lastRequestId = event.requestId
      print(startLine(event.requestId))
      flush()
      connection.send({ ...event, deadlineMs: clock.now() + timeoutMs })
      void watchDeadline(invocation)
      return promise
    },
    failFor(requestId) {
      if (initFailure === undefined) return undefined
      const { payload, status, errorType, initMs: took, lines } = initFailure
      const tail = createLogTail()
      const platform = (message: string) => {
        pending.push({ timestampMs: clock.now(), message })
        tail.add(message)
      }
      platform(startLine(requestId))
      for (const line of lines) tail.add(line)
      platform(endLine(requestId))
      platform(reportLine({ requestId, durationMs: took, memoryMb, usedMemoryMb: usedMb(), initMs: undefined, status, errorType }))
      flush()
      return { payload: payload(requestId), functionError: 'Unhandled', logTail: tail.bytes() }
    },
  }
  pending.push({ timestampMs: clock.now(), message: initStartLine(options.runtimeVersion, options.runtimeVersionArn) })
  flush()
  void watchInit()
  return environment
}
