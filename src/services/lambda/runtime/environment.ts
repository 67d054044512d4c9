// One execution environment: its start, its invocations one after the other, and its end. `proceed` decides when it goes on.

import { INIT_MS_MAX } from '../limits.ts'
import type { Environment, EnvironmentOptions, StopReason } from './environment-options.ts'
import { createEnvironmentLog } from './environment-log.ts'
import { createExtensions } from './extensions.ts'
import { exitFailure, ofRequest, payloadOf, timeoutFailure, type Exit, type Reason } from './failures.ts'
import { createInvocation, type Ended, type Running } from './invocation.ts'
import { holdsSocket, peerOf } from './isolation/processes.ts'
import { timeoutLine } from './log-lines.ts'
import { watchResources, type Exceeded } from './resources.ts'
import { createRuntimeConnection } from './runtime-api.ts'
import type { EventMessage, EventReceiver, RuntimeListener } from './runtime-listener.ts'
import { startSandbox, type Sandbox } from './sandbox.ts'
import { shutDown, type ShutdownReason } from './shutdown.ts'
import { createTelemetry } from './telemetry.ts'

export type { Environment, EnvironmentOptions, StopReason } from './environment-options.ts'
export type { EnvironmentEvent, Outcome } from './invocation.ts'

/** An environment is in exactly one of these states. */
type State =
  /** Within an invocation when init is done again after it failed. */
  | { is: 'starting', sinceMs: number, invocation?: Running }
  /** Init failed; the next invocation does it again. */
  | { is: 'failed' }
  | { is: 'idle' }
  | { is: 'busy', invocation: Running }
  /** The answer is here; the runtime or an extension has not asked for the next event. */
  | { is: 'finishing' }
  | { is: 'stopped', because: StopReason }

/** By then a program has usually started what it starts beside itself. */
const SETTLED_MS = 100

export function startEnvironment(options: EnvironmentOptions): Environment {
  const { clock, random, timeoutMs, memoryMb, server, initializationType, cgroup } = options
  let state: State = { is: 'starting', sinceMs: clock.monotonic() }
  let sandbox: Sandbox
  /** Of what an earlier sandbox still says nothing counts. */
  let generation = 0
  let runtimeWaits: EventReceiver | undefined
  /** An event for a runtime that stopped waiting; it will ask again. */
  let owed: EventMessage | undefined
  let isRuntimeStarted = false
  let initMs: number | undefined
  let isFailingInit = false
  let initDeadline = new AbortController()
  let reportedBytes = 0
  let lastRequestId: string | undefined
  let exceeded: Exceeded | undefined
  let extensions = newExtensions()
  let ending: Promise<unknown> | undefined
  /** Of the invocation whose log is being written. */
  let tail: Running['tail'] | undefined
  const telemetry = createTelemetry({ clock, hasExtensions: options.extensions.length > 0 })
  const log = createEnvironmentLog({ settings: options.logs, clock, telemetry, emit: options.emit, tail: () => tail })
  const resources = watchResources({
    clock, memoryMb, scratch: options.scratch, pids: (how) => sandbox.pids(how), isBusy: () => state.is === 'busy' || state.is === 'starting',
    onExceeded(what) {
      exceeded ??= what
      sandbox.kill()
    },
  })

  function invocation(): Running | undefined {
    return state.is === 'busy' || state.is === 'starting' ? state.invocation : undefined
  }

  function newExtensions() {
    return createExtensions({ external: options.extensions, function: options.function, random, onProgress: () => { proceed() }, onFault: (fault) => { fail(fault) } })
  }

  // Starting.

  function start(within: Running | undefined): void {
    const own = ++generation
    const isCurrent = () => own === generation
    state = { is: 'starting', sinceMs: clock.monotonic(), ...(within && { invocation: within }) }
    isFailingInit = false
    isRuntimeStarted = options.extensions.length === 0
    runtimeWaits = undefined
    owed = undefined
    initDeadline = new AbortController()
    const { runtimeVersion, runtimeVersionArn, function: { functionName, functionVersion } } = options
    log.platform({ type: 'platform.initStart', record: { initializationType, phase: phase(), runtimeVersion, runtimeVersionArn, functionName, functionVersion } })
    sandbox = startSandbox({
      command: options.command, variables: options.variables, processes: options.processes, shells: options.shells, isKept: options.extensions.length > 0, niceness: options.niceness,
      onOutput: (source, text) => { log.output(source, text) },
      onRuntimeExit: (exit) => { if (isCurrent()) onRuntimeExit(exit) },
      onExtensionExit: (name, exit) => { if (isCurrent()) extensions.exited(name, exitFailure(exit).reason.replace('Runtime exited with error: ', '')) },
      onFailure: (error) => { if (isCurrent()) fail({ errorType: 'Runtime.ExitError', reason: `The environment could not be started: ${error.message}` }) },
    })
    void admit()
    if (sandbox.connection) createRuntimeConnection(sandbox.connection, { ...runtime, onGarbage: () => { void stop('misbehaved') } })
    if (options.obstacle) fail(options.obstacle)
    else if (!within) void watchInit(initDeadline.signal)
    proceed()
  }

  /** Not at once: while it is admitted no process of the machine starts another. Until then it is watched. */
  async function admit(): Promise<void> {
    if (cgroup === undefined) return
    await clock.sleep(SETTLED_MS)
    await cgroup.admit(sandbox.pids({ ageMsMax: SETTLED_MS }))
  }

  const phase = () => invocation() === undefined ? 'init' as const : 'invoke' as const

  /** Goes on when nobody is to be waited for any more. */
  function proceed(): void {
    if (state.is === 'starting' && !isFailingInit) {
      if (extensions.isWaitingForRegistrations) return
      if (!isRuntimeStarted) {
        isRuntimeStarted = true
        sandbox.startRuntime()
      }
      if (runtimeWaits !== undefined && extensions.areReady) initialized(state)
    } else if (state.is === 'finishing' && runtimeWaits !== undefined && extensions.areReady) becomeIdle()
  }

  function initialized({ sinceMs, invocation: within }: State & { is: 'starting' }): void {
    const durationMs = clock.monotonic() - sinceMs
    if (!within) initMs = durationMs
    log.platform({ type: 'platform.initRuntimeDone', record: { initializationType, phase: phase(), status: 'success' } })
    for (const { name, events } of extensions.all) log.platform({ type: 'platform.extension', record: { name, state: 'Ready', events } })
    log.platform({ type: 'platform.initReport', record: { initializationType, phase: phase(), status: 'success', metrics: { durationMs } } })
    initDeadline.abort('over')
    telemetry.endStart()
    if (within) begin(within)
    else becomeIdle()
    void admit()
  }

  function becomeIdle(): void {
    state = { is: 'idle' }
    options.onIdle(environment)
  }

  /** Source: Lambda developer guide, "Lambda execution environment": init has ten seconds, and is done again within the next invocation. */
  async function watchInit(signal: AbortSignal): Promise<void> {
    await clock.sleep(INIT_MS_MAX, signal)
    if (!signal.aborted) failInit((requestId) => ({ payload: payloadOf(timeoutFailure(requestId, INIT_MS_MAX)), functionError: 'Unhandled', status: 'timeout' }))
  }

  // The Runtime API.

  const runtime: RuntimeListener = {
    onNext(receiver, usedBytes) {
      noteMemory(usedBytes)
      if (owed !== undefined) {
        receiver.send(owed)
        owed = undefined
        return
      }
      runtimeWaits = receiver
      extensions.closeRegistration()
      proceed()
    },
    onResponse(requestId, payload, usedBytes) {
      noteMemory(usedBytes)
      return finish(requestId, { payload, status: 'success' })
    },
    onStream(requestId, contentType, source) {
      return underWay(requestId)?.stream(contentType, source, (ended, usedBytes) => {
        noteMemory(usedBytes)
        finish(requestId, ended)
      })
    },
    onError(requestId, payload, errorType, usedBytes) {
      noteMemory(usedBytes)
      if (requestId !== undefined) return finish(requestId, { payload, functionError: 'Unhandled', status: 'success' })
      if (state.is !== 'starting') return false
      failInit(() => ({ payload, functionError: 'Unhandled', status: 'error', errorType }))
      return true
    },
    onOversize(requestId) { finish(requestId, underWay(requestId)?.oversized()) },
  }

  server.attach({
    runtime,
    extensions: {
      register: (...request) => extensions.register(...request),
      next: (...request) => extensions.next(...request),
      initError: (id, errorType) => extensions.fail(id, errorType, 'init'),
      exitError: (id, errorType) => extensions.fail(id, errorType, 'exit'),
      subscribe(id, api, body) {
        const found = extensions.identify(id)
        if ('refusal' in found) return found.refusal
        const { name } = found.extension
        const { reply, types } = telemetry.subscribe(name, api, body)
        if (types) log.platform({ type: api === 'logs' ? 'platform.logsSubscription' : 'platform.telemetrySubscription', record: { name, state: 'Subscribed', types } })
        return reply
      },
    },
    isOwn(connection) {
      const peer = peerOf(connection)
      // Ours: systems without /proc do not tell; there, functions are not kept apart either.
      if (peer === undefined) return process.platform !== 'linux'
      return options.userId === undefined ? holdsSocket(sandbox.pids({ ageMsMax: 0 }), peer.inode) : peer.userId === options.userId
    },
  })

  // Invocations.

  function begin(running: Running): void {
    state = { is: 'busy', invocation: running }
    printStart(running)
    const { event } = running
    const deadlineMs = running.startedAt + timeoutMs
    const receiver = runtimeWaits
    runtimeWaits = undefined
    extensions.invoke({
      eventType: 'INVOKE', deadlineMs, requestId: event.requestId, invokedFunctionArn: event.functionArn, tracing: tracingOf(event.traceHeader),
    })
    const message = { ...event, deadlineMs }
    if (receiver === undefined || receiver.isGone) owed = message
    else receiver.send(message)
  }

  function printStart({ event: { requestId, traceHeader } }: Running): void {
    log.platform({ type: 'platform.start', record: { requestId, version: options.function.functionVersion, tracing: tracingOf(traceHeader) } })
  }

  function underWay(requestId: string): Running | undefined {
    const running = invocation()
    return running?.event.requestId === requestId && !running.deadline.signal.aborted ? running : undefined
  }

  /** Ends the invocation under way: its answer stands, its log is completed, its caller is answered. Whether there was one. */
  function finish(requestId: string, ended: Ended | undefined): boolean {
    const running = underWay(requestId)
    if (!running || !ended) return false
    const durationMs = Math.max(ended.durationMs ?? 0, clock.monotonic() - running.startedAtMs)
    running.deadline.abort('answered')
    const { status, errorType } = ended
    const usedMemoryMb = status === 'error' && exceeded === 'memory' ? memoryMb : usedMb()
    void sandbox.drainOutput().then(() => {
      const tracing = tracingOf(running.event.traceHeader)
      log.platform({ type: 'platform.runtimeDone', record: { requestId, status, errorType, metrics: { durationMs, producedBytes: running.producedBytes(ended) }, tracing } })
      log.platform({
        type: 'platform.report',
        record: {
          requestId, status, errorType, tracing,
          metrics: { durationMs, billedDurationMs: Math.ceil(durationMs), memorySizeMB: memoryMb, maxMemoryUsedMB: usedMemoryMb, initDurationMs: initMs },
        },
      })
      log.flush()
      initMs = undefined
      if (tail === running.tail) tail = undefined
      running.resolve({ ...ended, durationMs })
      if (state.is !== 'busy' || state.invocation !== running) return
      state = { is: 'finishing' }
      proceed()
    })
    return true
  }

  function noteMemory(used: number | undefined): void {
    if (used !== undefined && used > reportedBytes) reportedBytes = used
  }

  /** What our bootstraps told, which costs nothing; of other runtimes, what the system tells. */
  function usedMb(): number {
    return Math.min(memoryMb, Math.ceil((reportedBytes || resources.residentBytes()) / (1024 * 1024)))
  }

  async function watchDeadline(running: Running): Promise<void> {
    await clock.sleep(timeoutMs, running.deadline.signal)
    if (running.deadline.signal.aborted) return
    const { requestId } = running.event
    // Ended before the log is completed, so that nothing follows its REPORT.
    const end = endProcesses('timeout')
    if (options.logs.format === 'Text') log.print(timeoutLine(clock.now(), requestId, timeoutMs))
    finish(requestId, { payload: payloadOf(timeoutFailure(requestId, timeoutMs)), functionError: 'Unhandled', status: 'timeout', durationMs: timeoutMs })
    become('timed out', end)
  }

  // Failures and ends.

  /** The runtime ended, an extension failed, or nothing could be started. */
  function fail({ errorType, reason }: Reason): void {
    if (state.is === 'starting') {
      failInit(failedWith({ errorType, reason }))
      return
    }
    if (state.is === 'stopped' || state.is === 'failed') return
    const end = endProcesses('failure')
    if (lastRequestId !== undefined && options.logs.format === 'Text') log.print(`RequestId: ${lastRequestId} Error: ${reason}\n${errorType}\n`)
    log.flush()
    const running = invocation()
    if (running) finish(running.event.requestId, failedWith({ errorType, reason })(running.event.requestId))
    become('exited', end)
  }

  function onRuntimeExit(exit: Exit): void {
    const isOutOfMemory = exceeded === 'memory' || (cgroup?.memoryKills() ?? 0) > 0
    if (isOutOfMemory) exceeded = 'memory'
    const { errorType, reason } = exitFailure(exit)
    if (exceeded === 'processes' || exceeded === 'files') log.print(`The environment was ended: it had more ${exceeded} than it may have.\n`)
    fail({ errorType: isOutOfMemory ? 'Runtime.OutOfMemory' : errorType, reason })
  }

  /** `ended` is the outcome of an invocation that init was done for. */
  function failInit(ended: (requestId: string) => Ended): void {
    if (state.is !== 'starting' || isFailingInit) return
    const failed = state
    const durationMs = clock.monotonic() - failed.sinceMs
    const { status, errorType } = ended('')
    isFailingInit = true
    initDeadline.abort('over')
    void sandbox.drainOutput().then(() => {
      if (state !== failed) return
      for (const { name, events, errorType: why } of extensions.all) if (why !== undefined) log.platform({ type: 'platform.extension', record: { name, state: why === 'Extension.Crash' ? 'Exited' : 'Failed', events, errorType: why } })
      log.platform({ type: 'platform.initRuntimeDone', record: { initializationType, phase: phase(), status, errorType } })
      log.platform({ type: 'platform.initReport', record: { initializationType, phase: phase(), status, errorType, metrics: { durationMs } } })
      log.flush()
      const end = endProcesses('failure')
      const within = failed.invocation
      if (!within) {
        state = { is: 'failed' }
        options.onInitFailed(environment)
        return
      }
      printStart(within)
      finish(within.event.requestId, ended(within.event.requestId))
      become('failed to start', end)
    })
  }

  function become(because: StopReason, end: Promise<void>): void {
    if (state.is === 'stopped') return
    state = { is: 'stopped', because }
    initDeadline.abort('over')
    ending = end.then(() => {
      resources.stop()
      telemetry.close()
      server.close()
      cgroup?.close()
    })
    options.onStopped(environment)
  }

  /** Kills what runs; first extensions and their runtime are told, where there are any. */
  async function endProcesses(reason: ShutdownReason): Promise<void> {
    await shutDown({ sandbox, extensions, telemetry, clock, reason })
  }

  async function stop(because: StopReason): Promise<void> {
    if (state.is !== 'stopped') {
      // Replaced or misbehaving while it worked: its caller is told as if it had exited.
      const running = invocation()
      if (running) finish(running.event.requestId, failedWith(exitFailure({ code: null, signal: 'SIGKILL' }))(running.event.requestId))
      become(because, endProcesses('spindown'))
    }
    await ending
  }

  const environment: Environment = {
    get isIdle() { return state.is === 'idle' },
    get isStopped() { return state.is === 'stopped' },
    stop,
    invoke(event, sink) {
      if (state.is !== 'idle' && state.is !== 'failed') throw new Error('the environment is not idle')
      const running = createInvocation(event, { sink, startedAtMs: clock.monotonic(), startedAt: clock.now() })
      lastRequestId = event.requestId
      tail = running.tail
      if (state.is === 'idle') begin(running)
      else {
        extensions = newExtensions()
        exceeded = undefined
        start(running)
      }
      void watchDeadline(running)
      return running.outcome
    },
  }
  start(undefined)
  return environment
}

function tracingOf(value: string): { type: 'X-Amzn-Trace-Id', value: string } {
  return { type: 'X-Amzn-Trace-Id', value }
}

function failedWith({ errorType, reason }: Reason): (requestId: string) => Ended {
  return (requestId) => ({ payload: payloadOf(ofRequest(requestId, { errorType, reason })), functionError: 'Unhandled', status: 'error', errorType })
}
