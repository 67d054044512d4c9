// Roles that API Gateway takes on: who is let in, and for how long one session serves.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compilePolicy } from '#aws/policy/compile.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import { evaluate } from '#aws/policy/evaluate.ts'
import type { Role, Roles } from '#services/iam/index.ts'
import { createGatewayRoles } from './gateway-role.ts'
import { GatewayRefusal } from './gateway-responses.ts'

const accountId = '111122223333'
const roleArn = `arn:aws:iam::${accountId}:role/path/tables`
const trusting = (Service: string, Condition?: object) => compilePolicy(parsePolicy(JSON.stringify({
  Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole', ...(Condition && { Condition }) }],
}), 'trust'), 'trust')

/** Roles in memory, judged as IAM judges them; `issued` are the sessions begun. */
function rolesOf(...kept: Role[]) {
  let nowMs = Date.parse('2026-05-01T10:00:00Z')
  const issued: string[] = []
  const roles: Pick<Roles, 'findRole' | 'isTrusting' | 'issue'> = {
    findRole: async (arn) => kept.find((role) => role.arn === arn),
    isTrusting(role, service, keys = {}) {
      const lower = new Map(Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value]))
      return evaluate({
        principal: { is: 'service', accountId: role.accountId, arn: service }, action: 'sts:AssumeRole', resource: role.arn,
        resourceAccountId: role.accountId, lookup: (key) => lower.get(key),
      }, { identity: [], resource: role.trustPolicy }).outcome === 'allowed'
    },
    async issue({ role, sessionName, durationSeconds }) {
      issued.push(`${role.roleId}:${sessionName}`)
      return { accessKeyId: `ASIA${issued.length}`, secretAccessKey: '', sessionToken: '', expiresAtMs: nowMs + durationSeconds * 1000 }
    },
  }
  const gatewayRoles = createGatewayRoles({ roles, clock: { now: () => nowMs } })
  return { gatewayRoles, issued, kept, tick: (ms: number) => { nowMs += ms } }
}

const tables: Role = { arn: roleArn, name: 'tables', roleId: 'AROATABLES', accountId, trustPolicy: trusting('apigateway.amazonaws.com'), maxSessionSeconds: 3600 }

function refused(call: Promise<unknown>) {
  return assert.rejects(call, (error) => error instanceof GatewayRefusal && error.status === 500 && error.message === 'Internal server error'
    && error.logLine === 'Execution failed due to configuration error: API Gateway does not have permission to assume the provided role')
}

describe('a role that API Gateway takes on', () => {
  test('is refused where it does not exist, trusts another service, or belongs to another account', async () => {
    await refused(rolesOf().gatewayRoles.callerFor(roleArn, accountId))
    await refused(rolesOf({ ...tables, trustPolicy: trusting('lambda.amazonaws.com') }).gatewayRoles.callerFor(roleArn, accountId))
    await refused(rolesOf(tables).gatewayRoles.callerFor(roleArn, '444455556666'))
  })

  test('is refused to an API that its trust policy does not name', async () => {
    const trustPolicy = trusting('apigateway.amazonaws.com', { ArnLike: { 'aws:SourceArn': `arn:aws:execute-api:us-east-1:${accountId}:one/*` } })
    const { gatewayRoles } = rolesOf({ ...tables, trustPolicy })
    await refused(gatewayRoles.callerFor(roleArn, accountId, `arn:aws:execute-api:us-east-1:${accountId}:two/dev/GET/`))
    await gatewayRoles.callerFor(roleArn, accountId, `arn:aws:execute-api:us-east-1:${accountId}:one/dev/GET/`)
  })

  test('calls under the name of its session', async () => {
    const caller = await rolesOf(tables).gatewayRoles.callerFor(roleArn, accountId)
    assert.equal(caller.arn, `arn:aws:sts::${accountId}:assumed-role/tables/BackplaneAssumeRoleSession`)
    assert.equal(caller.userId, 'AROATABLES:BackplaneAssumeRoleSession')
    assert.equal(caller.expiresAtMs - caller.issuedAtMs, 3_600_000)
  })

  test('keeps its session until a minute before the end', async () => {
    const { gatewayRoles, issued, tick } = rolesOf(tables)
    await gatewayRoles.callerFor(roleArn, accountId)
    tick(3_540_000)
    await gatewayRoles.callerFor(roleArn, accountId)
    assert.equal(issued.length, 1)
    tick(1)
    await gatewayRoles.callerFor(roleArn, accountId)
    assert.equal(issued.length, 2)
  })

  test('is refused at the next call once it does not trust any longer', async () => {
    const { gatewayRoles, kept } = rolesOf(tables)
    await gatewayRoles.callerFor(roleArn, accountId)
    kept[0] = { ...tables, trustPolicy: trusting('lambda.amazonaws.com') }
    await refused(gatewayRoles.callerFor(roleArn, accountId))
  })
})
