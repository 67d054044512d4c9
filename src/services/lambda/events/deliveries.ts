// Where an event's record goes when it is done with: to functions, if its function's role may invoke them.

import type { Clock } from '#lib/clock.ts'
import { headersFromRaw } from '#lib/http.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { RoleCaller } from '#aws/caller.ts'
import type { Roles } from '#services/iam/index.ts'
import type { FunctionDirectory } from '../directory.ts'
import { EVENT_PAYLOAD_BYTES_MAX } from '../limits.ts'
import type { FunctionRecord } from '../model.ts'
import { parseFunctionArn, sessionNameOf } from '../names.ts'
import type { QueuedEvent } from './model.ts'
import type { Stored } from './store.ts'

export interface DeliveriesOptions {
  directory: FunctionDirectory
  roles: Pick<Roles, 'findRole'>
  authorizer: Authorizer
  clock: Clock
  random: RandomSource
}

export interface Deliveries {
  /** Why a function that runs as this role may not hand its records to `target`; undefined when it may. */
  obstacle(source: Pick<FunctionRecord, 'accountId' | 'region' | 'name'> & { roleArn: string }, target: string): Promise<'missing' | 'denied' | undefined>
  /** The event that carries a record to its target. @throws Undeliverable */
  prepare(source: FunctionRecord, target: string, record: Buffer, traceHeader: string): Promise<Stored<QueuedEvent>>
}

/** A record that cannot be handed to its target; the message says why. */
export class Undeliverable extends Error {}

export function createDeliveries({ directory, roles, authorizer, clock, random }: DeliveriesOptions): Deliveries {
  const obstacle: Deliveries['obstacle'] = async ({ accountId, region, name, roleArn }, target) => {
    const [snapshot, role] = [await directory.findByArn(target), await roles.findRole(roleArn)]
    if (!snapshot) return 'missing'
    if (!role) return 'denied'
    const atMs = clock.now()
    // Nobody signs with this session: it only says whose policies are asked.
    const sessionName = sessionNameOf(name)
    const caller: RoleCaller = {
      is: 'role', accountId: role.accountId, roleName: role.name, roleArn, roleId: role.roleId, sessionName,
      arn: `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${sessionName}`, userId: `${role.roleId}:${sessionName}`,
      accessKeyId: '', issuedAtMs: atMs, expiresAtMs: atMs + 60_000,
    }
    const request = { headers: headersFromRaw([]), remoteAddress: '127.0.0.1', isSecure: true }
    const { allowed } = await authorizer.decide({ caller, scope: { accountId, region }, atMs, request }, {
      action: 'lambda:InvokeFunction', resource: target, ...(snapshot.policy && { resourcePolicy: snapshot.policy }),
    })
    return allowed ? undefined : 'denied'
  }
  return {
    obstacle,
    async prepare(source, target, record, traceHeader) {
      const reference = parseFunctionArn(target)
      if (!reference) throw new Undeliverable(`${target} is no function`)
      const why = await obstacle({ ...source, roleArn: source.settings.role }, target)
      if (why === 'missing') throw new Undeliverable(`${target} does not exist`)
      if (why === 'denied') throw new Undeliverable(`the function's role may not invoke ${target}`)
      if (record.length > EVENT_PAYLOAD_BYTES_MAX) throw new Undeliverable(`the record of ${record.length} bytes is too large for ${target}`)
      return { event: { id: random.uuid(), ...reference, acceptedAtMs: clock.now(), attempts: 0, refusals: 0, traceHeader }, payload: record }
    },
  }
}
