// Control groups: made, entered and removed where the kernel lets this user; and not missed where it does not.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { openCgroups } from './cgroups.ts'

const probe = openCgroups('probe', systemClock)
await probe?.close()

test('an environment\'s group has its members, and goes when they are gone', { skip: probe ? false : 'absent: control groups that this user may make' }, async (t) => {
  const cgroups = openCgroups('test', systemClock)!
  t.after(() => cgroups.close())
  assert.ok(cgroups.controllers.includes('memory'))
  const group = cgroups.make('one', { memoryBytesMax: 64 * 1024 * 1024, processors: 0.1 })!
  const child = spawn('/bin/cat', { stdio: ['pipe', 'pipe', 'ignore'] })
  await group.admit([child.pid!])
  assert.equal(group.memoryKills(), 0)
  // A group of the same name is there already.
  assert.equal(cgroups.make('one', { memoryBytesMax: 1, processors: 1 }), undefined)
  group.close()
  child.stdin.end()
  await once(child, 'exit')
  assert.ok(cgroups.make('one', { memoryBytesMax: 64 * 1024 * 1024, processors: 0.1 }), 'what could not go at first has gone')
})
