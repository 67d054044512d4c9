// The extensions of one environment: who registered, for which events, and who still has to ask for the next one.
// Source: Lambda developer guide, "Using the Lambda Extensions API to create extensions"; AWS's runtime interface emulator for the refusals.

import type { RandomSource } from '#lib/random.ts'
import { EXTENSIONS_MAX } from '../limits.ts'
import { accepted, type Reply } from './runtime-server.ts'

export type ExtensionEventType = 'INVOKE' | 'SHUTDOWN'

export interface Extension {
  id: string
  name: string
  isExternal: boolean
  events: readonly ExtensionEventType[]
  /** `Started` did not register yet; `Running` has an event at work; `Ready` waits for the next one. */
  state: 'Started' | 'Registered' | 'Running' | 'Ready' | 'InitError' | 'ExitError' | 'Exited'
  errorType?: string | undefined
  /** Hands it the event that it waits for. */
  waiting?: ((reply: Reply | undefined) => void) | undefined
  /** An event that came before it asked for it. */
  pending?: Reply | undefined
}

export interface ExtensionsOptions {
  /** Names of the programs in `/opt/extensions`. */
  external: readonly string[]
  function: { functionName: string, functionVersion: string, handler: string, accountId: string }
  random: RandomSource
  /** Something may have become ready that was not. */
  onProgress: () => void
  /** An extension failed: the environment cannot be used. */
  onFault: (fault: { errorType: string, reason: string }) => void
}

export interface Extensions {
  register(name: string | undefined, body: Buffer, features: string | undefined): Reply
  next(id: string | undefined, signal: AbortSignal): Reply | Promise<Reply | undefined>
  fail(id: string | undefined, errorType: string | undefined, phase: 'init' | 'exit'): Reply
  /** The extension that an identifier belongs to, or the refusal. */
  identify(id: string | undefined): { extension: Extension } | { refusal: Reply }
  /** The process of an external one ended. */
  exited(name: string, reason: string): void
  invoke(event: object): void
  shutdown(event: object): void
  /** Internal ones register while the runtime starts; then nobody does any more. */
  closeRegistration(): void
  readonly all: readonly Extension[]
  /** External ones that did not register yet. */
  readonly isWaitingForRegistrations: boolean
  /** Each waits for the next event. */
  readonly areReady: boolean
  readonly areGone: boolean
}

const refused = (errorType: string, errorMessage: string): Reply => ({ status: 403, body: { errorMessage, errorType } })
const eventsOfInternal = new Set<string>(['INVOKE'])
const eventsOfExternal = new Set<string>(['INVOKE', 'SHUTDOWN'])
const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function createExtensions({ external, function: facts, random, onProgress, onFault }: ExtensionsOptions): Extensions {
  const all: Extension[] = external.map((name) => ({ id: random.uuid(), name, isExternal: true, events: [], state: 'Started' }))
  let isOpen = true
  let isShutDown = false

  function deliver(extension: Extension, event: object): void {
    const reply: Reply = { status: 200, headers: { 'Lambda-Extension-Event-Identifier': random.uuid() }, body: event }
    extension.state = 'Running'
    if (extension.waiting) extension.waiting(reply)
    else extension.pending = reply
    extension.waiting = undefined
  }

  function identify(id: string | undefined): { extension: Extension } | { refusal: Reply } {
    if (id === undefined || id === '') return { refusal: refused('Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header') }
    if (!isUuid.test(id)) return { refusal: refused('Extension.InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier') }
    const extension = all.find((one) => one.id === id && one.state !== 'Started')
    return extension ? { extension } : { refusal: refused('Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`) }
  }

  const transition = (extension: Extension, target: string) =>
    refused('Extension.InvalidExtensionState', `State transition from ${extension.state} to ${target} failed for extension ${extension.name}. Error: State transition is not allowed`)

  return {
    all,
    identify,
    get isWaitingForRegistrations() { return all.some(({ state }) => state === 'Started') },
    get areReady() { return all.every(({ state }) => state === 'Ready') },
    get areGone() { return all.every(({ isExternal, state }) => !isExternal || state === 'Exited') },

    register(name, body, features) {
      if (name === undefined || name === '') return refused('Extension.InvalidExtensionName', 'Empty extension name')
      const events = eventsOf(body)
      if (events === undefined) return refused('InvalidRequestFormat', 'The request is not a JSON object with a list of events.')
      let extension = all.find((one) => one.name === name)
      const known = extension?.isExternal ? eventsOfExternal : eventsOfInternal
      const unknown = events.find((event) => !known.has(event))
      if (unknown !== undefined) return refused('Extension.InvalidEventType', `${unknown}: ${eventsOfExternal.has(unknown) ? 'ShutdownEventNotSupportedForInternalExtension' : 'InvalidEventType'}`)
      if (extension?.isExternal && extension.state !== 'Started') return transition(extension, 'Registered')
      if (!extension?.isExternal) {
        if (!isOpen) return refused('Extension.RegistrationClosed', 'Extension registration closed already')
        if (extension) return refused('Extension.InvalidExtensionState', 'Extension with this name already registered')
        if (all.length >= EXTENSIONS_MAX) return refused('Extension.TooManyExtensions', `Extension limit (${EXTENSIONS_MAX}) reached`)
        all.push(extension = { id: random.uuid(), name, isExternal: false, events: [], state: 'Started' })
      }
      extension.events = events as ExtensionEventType[]
      extension.state = 'Registered'
      onProgress()
      const { accountId, ...shown } = facts
      // Source: the guide, Register: the account's id for those who accept the feature.
      const body_ = (features ?? '').split(',').map((feature) => feature.trim()).includes('accountId') ? { ...shown, accountId } : shown
      return { status: 200, headers: { 'Lambda-Extension-Identifier': extension.id }, body: body_ }
    },

    next(id, signal) {
      const found = identify(id)
      if ('refusal' in found) return found.refusal
      const { extension } = found
      if (extension.state === 'InitError' || extension.state === 'ExitError' || extension.state === 'Exited') return transition(extension, 'Ready')
      const { pending } = extension
      extension.pending = undefined
      if (pending) return pending
      extension.state = 'Ready'
      const { promise, resolve } = Promise.withResolvers<Reply | undefined>()
      extension.waiting = resolve
      signal.addEventListener('abort', () => {
        if (extension.waiting === resolve) extension.waiting = undefined
        resolve(undefined)
      }, { once: true })
      onProgress()
      return promise
    },

    fail(id, errorType, phase) {
      const found = identify(id)
      if ('refusal' in found) return found.refusal
      if (errorType === undefined || errorType === '') return refused('Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found')
      const { extension } = found
      const target = phase === 'init' ? 'InitError' : 'ExitError'
      if (extension.state === 'InitError' || extension.state === 'ExitError') return transition(extension, target)
      extension.state = target
      extension.errorType = errorType
      onFault({ errorType: `Extension.${target}`, reason: errorType })
      return accepted
    },

    exited(name, reason) {
      const extension = all.find((one) => one.isExternal && one.name === name)
      if (!extension || extension.state === 'Exited') return
      const hadFailed = extension.state === 'InitError' || extension.state === 'ExitError'
      extension.state = 'Exited'
      if (!isShutDown && !hadFailed) {
        extension.errorType = 'Extension.Crash'
        onFault({ errorType: 'Extension.Crash', reason })
      }
      onProgress()
    },

    invoke(event) {
      for (const extension of all) if (extension.events.includes('INVOKE')) deliver(extension, event)
    },
    shutdown(event) {
      isShutDown = true
      for (const extension of all) if (extension.events.includes('SHUTDOWN') && extension.state !== 'Exited') deliver(extension, event)
    },
    closeRegistration() { isOpen = false },
  }
}

function eventsOf(body: Buffer): string[] | undefined {
  try {
    const { events = [] } = JSON.parse(body.toString('utf8')) as { events?: unknown }
    return Array.isArray(events) && events.every((event) => typeof event === 'string') ? events : undefined
  } catch {
    return undefined
  }
}
