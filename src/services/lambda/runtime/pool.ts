// The environments of all functions: who waits for one, when another is started, and when one goes.

import { availableParallelism } from 'node:os'
import type { Log } from '#lib/log.ts'
import type { FunctionSnapshot } from '../directory.ts'
import { errors } from '../errors.ts'
import { tooManyRequests } from '../concurrency/admission.ts'
import { ENVIRONMENTS_MAX, IDLE_MS_MAX, PROVISION_PAUSE_MS, STARTS_AT_ONCE_MAX, WAITING_BYTES_MAX, WAITING_CALLS_MAX, WAITING_MS_MAX } from '../limits.ts'
import type { Environment, EnvironmentEvent, Outcome, StopReason } from './environment.ts'
import { launch, type LaunchOptions } from './launch.ts'
import { afterInvocation, afterStart, isWorthStarting, newPace, PATIENCE_MS, type Pace } from './patience.ts'
import type { ResponseSink } from './response-stream.ts'

export interface PoolOptions extends LaunchOptions {
  log: Log
  environmentsMax?: number
  idleMsMax?: number
  waitingBytesMax?: number
  waitingMsMax?: number
}

export interface Pool {
  /**
   * Runs one event in an environment of the function, idle or new. A streamed answer goes into the sink while it is made.
   *
   * @throws TooManyRequestsException when as many environments as may be are busy, or too many calls wait already; what `launch` throws.
   */
  run(snapshot: FunctionSnapshot, event: EnvironmentEvent, sink?: ResponseSink): Promise<Outcome>
  /** From now on keeps so many environments of this version ready; none any more with 0. */
  provision(snapshot: FunctionSnapshot, environments: number): void
  /** How many of them are there, and why more could not be started. */
  provisioned(snapshot: Pick<FunctionSnapshot, 'arn' | 'record'>): { ready: number, failure: string | undefined }
  /** How many environments there are. */
  size(): number
  stopAll(because: StopReason): Promise<void>
  /** Nothing runs any more, and nothing will. */
  close(): Promise<void>
}

interface Waiter {
  snapshot: FunctionSnapshot
  event: EnvironmentEvent
  sink: ResponseSink | undefined
  sinceMs: number
  resolve: (outcome: Outcome | Promise<Outcome>) => void
  reject: (error: unknown) => void
}

interface Member {
  environment: Environment
  /** Kept ready, however long nobody uses it. */
  isProvisioned: boolean
  /** Its init is over. */
  isReady: boolean
  group: Group
  generation: string
  /** From then on it takes no more events. */
  retiresAtMs: number
  idleSinceMs: number
}

/** What is to be kept ready of one version. */
interface Provision {
  snapshot: FunctionSnapshot
  environments: number
  /** Of them, those that start now. */
  starting: number
  failure?: { message: string, atMs: number } | undefined
}

/** The environments of one version of a function. */
interface Group {
  /** Of the version, `$LATEST` included. */
  arn: string
  generation: string
  members: Set<Member>
  /** Used last, first: so that those that are not needed are left alone and go. */
  idle: Member[]
  waiters: Waiter[]
  starting: number
  pace: Pace
  isWatched: boolean
  provision: Provision | undefined
}

const SWEEP_MS = 1_000
/** An environment retires so long before its credentials end, beside the time that one more invocation may take. */
const CREDENTIALS_MARGIN_MS = 60_000

export function createPool(options: PoolOptions): Pool {
  const { clock, log, environmentsMax = ENVIRONMENTS_MAX, idleMsMax = IDLE_MS_MAX, waitingBytesMax = WAITING_BYTES_MAX, waitingMsMax = WAITING_MS_MAX } = options
  /** A start keeps a core busy. */
  const startsAtOnceMax = Math.min(STARTS_AT_ONCE_MAX, availableParallelism())
  const groups = new Map<string, Group>()
  const closing = new AbortController()
  /** Ends of environments that are not over yet. */
  const ending = new Set<Promise<void>>()
  let total = 0
  let startingTotal = 0
  let waitingBytes = 0
  let isSweeping = false

  function groupOf({ arn: functionArn, record }: FunctionSnapshot): Group {
    const arn = `${functionArn}:${record.version}`
    let group = groups.get(arn)
    if (!group) {
      group = { arn, generation: record.generation, members: new Set(), idle: [], waiters: [], starting: 0, pace: newPace, isWatched: false, provision: undefined }
      groups.set(arn, group)
    }
    if (group.generation !== record.generation) {
      group.generation = record.generation
      for (const member of group.idle.splice(0)) retire(member, 'replaced')
    }
    return group
  }

  function retire(member: Member, because: StopReason): void {
    awaitEnd(member.environment.stop(because))
  }

  function awaitEnd(end: Promise<void>): void {
    ending.add(end)
    void end.then(() => ending.delete(end))
  }

  function takeIdle(group: Group): Member | undefined {
    for (let member = popIdle(group); member; member = popIdle(group)) {
      if (member.environment.isIdle && isUsable(member)) return member
      retire(member, 'replaced')
    }
    return undefined
  }

  /** The one used last; before it, one that is kept ready. */
  function popIdle({ idle, provision }: Group): Member | undefined {
    const at = provision ? idle.findLastIndex(({ isProvisioned }) => isProvisioned) : -1
    return at === -1 ? idle.pop() : idle.splice(at, 1)[0]
  }

  function isUsable({ generation, group, retiresAtMs }: Member): boolean {
    return generation === group.generation && clock.now() < retiresAtMs
  }

  function onIdle(member: Member): void {
    member.idleSinceMs = clock.monotonic()
    if (closing.signal.aborted || !isUsable(member)) return retire(member, 'replaced')
    const waiter = takeWaiter(member.group)
    if (waiter) waiter.resolve(invokeIn(member, waiter.event, waiter.sink))
    else member.group.idle.push(member)
    if (member.isProvisioned) provisionMore(member.group)
  }

  function takeWaiter(group: Group): Waiter | undefined {
    const waiter = group.waiters.shift()
    if (waiter) waitingBytes -= waiter.event.payload.length
    return waiter
  }

  async function invokeIn({ environment, group }: Member, event: EnvironmentEvent, sink: ResponseSink | undefined): Promise<Outcome> {
    const outcome = await environment.invoke(event, sink)
    if (outcome.durationMs !== undefined) group.pace = afterInvocation(group.pace, outcome.durationMs)
    return outcome
  }

  /** Init is done again within the invocation that has waited longest. */
  function onInitFailed(member: Member): void {
    const waiter = closing.signal.aborted || !isUsable(member) ? undefined : takeWaiter(member.group)
    // Source: deployers' reports of what AWS says (serverless issue 7250, aws-cdk issue 6016).
    if (member.isProvisioned) noteProvisionFailure(member.group, 'FUNCTION_ERROR_INIT_FAILURE')
    if (waiter) waiter.resolve(invokeIn(member, waiter.event, waiter.sink))
    else retire(member, 'failed to start')
  }

  function noteProvisionFailure({ provision }: Group, message: string): void {
    if (provision) provision.failure = { message, atMs: clock.monotonic() }
  }

  /** Starts environments that are to be kept ready, as far as there is room for them. */
  function provisionMore(group: Group): void {
    const { provision } = group
    if (!provision || closing.signal.aborted || provision.snapshot.record.generation !== group.generation) return
    const ready = readyOf(group)
    // Those that are too many are kept no longer than others.
    let kept = 0
    for (const member of group.members) if (member.isProvisioned && member.isReady && ++kept > provision.environments) member.isProvisioned = false
    if (ready >= provision.environments) provision.failure = undefined
    else if (provision.failure && clock.monotonic() - provision.failure.atMs < PROVISION_PAUSE_MS) return
    while (ready + provision.starting < provision.environments && startingTotal < startsAtOnceMax) {
      if (total + startingTotal >= environmentsMax && !makeRoom()) return noteProvisionFailure(group, `This server runs ${environmentsMax} environments at most.`)
      void start(group, provision.snapshot, provision)
    }
  }

  function readyOf({ members }: Group): number {
    let ready = 0
    for (const { isProvisioned, isReady } of members) if (isProvisioned && isReady) ready++
    return ready
  }

  function onStopped(member: Member): void {
    const { group } = member
    awaitEnd(member.environment.stop('exited'))
    if (!group.members.delete(member)) return
    total--
    const at = group.idle.indexOf(member)
    if (at !== -1) group.idle.splice(at, 1)
    consider(group)
    if (member.isProvisioned) provisionMore(group)
  }

  /** Starts an environment when the oldest waiting call needs one. */
  function consider(group: Group): void {
    const oldest = group.waiters[0]
    if (!oldest || closing.signal.aborted) return
    const { members, waiters, starting, pace } = group
    const crowd = { waiting: waiters.length, environments: Math.max(members.size, starting), starting, oldestWaitMs: clock.monotonic() - oldest.sinceMs }
    if (!isWorthStarting(crowd, pace)) return
    if (group.starting >= group.waiters.length || startingTotal >= startsAtOnceMax) return
    if (total + startingTotal >= environmentsMax && !makeRoom()) {
      // Whose function has environments waits for one of them; without any, nothing that it waits for would come.
      if (group.starting === 0 && (members.size === 0 || crowd.oldestWaitMs > waitingMsMax)) refuse(group)
      return
    }
    void start(group, oldest.snapshot)
  }

  /** Ends the environment that nobody used for longest. */
  function makeRoom(): boolean {
    let oldest: Member | undefined
    for (const group of groups.values()) {
      const member = group.idle.find(({ isProvisioned }) => !isProvisioned)
      if (member && (!oldest || member.idleSinceMs < oldest.idleSinceMs)) oldest = member
    }
    if (!oldest) return false
    endIdle(oldest, 'replaced')
    return true
  }

  function endIdle(member: Member, because: StopReason): void {
    member.group.idle.splice(member.group.idle.indexOf(member), 1)
    retire(member, because)
  }

  function refuse(group: Group): void {
    takeWaiter(group)?.reject(tooManyRequests('ConcurrentInvocationLimitExceeded'))
  }

  async function start(group: Group, snapshot: FunctionSnapshot, provision?: Provision): Promise<void> {
    group.starting++
    startingTotal++
    if (provision) provision.starting++
    const sinceMs = clock.monotonic()
    let isStarting = true
    const started = () => {
      if (!isStarting) return
      isStarting = false
      group.starting--
      startingTotal--
      if (provision) provision.starting--
      // Who waited for a start of others to be over.
      if (startingTotal === startsAtOnceMax - 1) for (const other of groups.values()) if (other.provision) provisionMore(other)
    }
    let member: Member | undefined
    try {
      const { environment, expiresAtMs } = await launch(snapshot, {
        onIdle: () => {
          if (!member!.isReady) group.pace = afterStart(group.pace, clock.monotonic() - sinceMs)
          member!.isReady = true
          started()
          onIdle(member!)
        },
        onInitFailed: () => {
          started()
          onInitFailed(member!)
        },
        onStopped: () => {
          started()
          onStopped(member!)
        },
      }, { ...options, initializationType: provision ? 'provisioned-concurrency' : 'on-demand' })
      const { timeoutSeconds } = snapshot.record.settings
      member = {
        environment, group, isProvisioned: provision !== undefined, isReady: false, generation: snapshot.record.generation, idleSinceMs: clock.monotonic(),
        retiresAtMs: expiresAtMs - timeoutSeconds * 1000 - CREDENTIALS_MARGIN_MS,
      }
      group.members.add(member)
      total++
      if (closing.signal.aborted) retire(member, 'replaced')
    } catch (error) {
      if (provision) noteProvisionFailure(group, (error as Error).message)
      started()
      // Whatever was wrong would be wrong for the next one too, but each call deserves its own attempt.
      takeWaiter(group)?.reject(error)
      if (!('code' in (error as object))) log.error({ err: error, function: group.arn }, 'an environment could not be started')
      consider(group)
    }
  }

  /** Looks after calls that wait, as long as there are any. */
  async function watch(group: Group): Promise<void> {
    if (group.isWatched) return
    group.isWatched = true
    while (group.waiters.length > 0 && !closing.signal.aborted) {
      await clock.sleep(PATIENCE_MS, closing.signal)
      for (let before = -1; before !== group.starting;) {
        before = group.starting
        consider(group)
      }
    }
    group.isWatched = false
  }

  /** Ends environments that nobody uses and looks after those that are kept ready, as long as there are any. */
  async function sweep(): Promise<void> {
    if (isSweeping) return
    isSweeping = true
    while (groups.size > 0 && !closing.signal.aborted) {
      await clock.sleep(Math.min(SWEEP_MS, idleMsMax), closing.signal)
      const now = clock.monotonic()
      for (const [key, group] of groups) {
        for (const member of group.idle.filter((one) => !isKept(one, now))) endIdle(member, 'idle too long')
        provisionMore(group)
        if (isUnused(group)) groups.delete(key)
      }
    }
    isSweeping = false
  }

  /** What is kept ready is replaced when it must take no more events. */
  function isKept(member: Member, now: number): boolean {
    return member.isProvisioned && member.group.provision ? isUsable(member) : now - member.idleSinceMs < idleMsMax
  }

  const isUnused = ({ members, waiters, starting, provision }: Group) => members.size === 0 && waiters.length === 0 && starting === 0 && !provision

  async function stopAll(because: StopReason): Promise<void> {
    for (const group of [...groups.values()]) {
      for (let waiter = takeWaiter(group); waiter; waiter = takeWaiter(group)) waiter.reject(errors.ServiceException('The server is being stopped or emptied.'))
      group.provision = undefined
      for (const member of [...group.members]) retire(member, because)
    }
    await Promise.all([...ending])
  }

  return {
    run(snapshot, event, sink) {
      if (closing.signal.aborted) throw errors.ServiceException('The server is being stopped.')
      const group = groupOf(snapshot)
      const member = group.waiters.length === 0 ? takeIdle(group) : undefined
      if (member) return invokeIn(member, event, sink)
      if (group.waiters.length >= WAITING_CALLS_MAX || waitingBytes + event.payload.length > waitingBytesMax) throw tooManyRequests('ConcurrentInvocationLimitExceeded')
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
      waitingBytes += event.payload.length
      group.waiters.push({ snapshot, event, sink, sinceMs: clock.monotonic(), resolve, reject })
      consider(group)
      void watch(group)
      void sweep()
      return promise
    },
    provision(snapshot, environments) {
      if (closing.signal.aborted) return
      const group = groupOf(snapshot)
      if (environments === 0) group.provision = undefined
      else if (group.provision) Object.assign(group.provision, { snapshot, environments })
      else group.provision = { snapshot, environments, starting: 0 }
      provisionMore(group)
      void sweep()
    },
    provisioned({ arn, record: { version } }) {
      const group = groups.get(`${arn}:${version}`)
      return { ready: group ? readyOf(group) : 0, failure: group?.provision?.failure?.message }
    },
    size: () => total,
    stopAll,
    async close() {
      closing.abort('closed')
      await stopAll('replaced')
      // A start that was under way when closing began ends itself as soon as it is there.
      while (startingTotal > 0 || ending.size > 0) {
        await Promise.all([...ending])
        if (startingTotal > 0) await clock.sleep(5)
        for (const group of groups.values()) for (const member of group.members) retire(member, 'replaced')
      }
    },
  }
}
