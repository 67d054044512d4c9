// The roles that API Gateway takes on to call what stands behind an API: an integration's, an authorizer's.

import type { RoleCaller } from '#aws/caller.ts'
import type { Clock } from '#lib/clock.ts'
import type { Roles } from '#services/iam/index.ts'
import { configurationError } from './gateway-responses.ts'

/** Whom a role's trust policy must let in. Source: developer guide, "API Gateway permissions model for invoking an API". */
export const GATEWAY_PRINCIPAL = 'apigateway.amazonaws.com'

/** Source: public reports of what such calls are refused with: `assumed-role/{role}/BackplaneAssumeRoleSession`. */
const SESSION_NAME = 'BackplaneAssumeRoleSession'

/** Ours: AWS does not say how long its sessions last. The default of AssumeRole. */
const SESSION_SECONDS = 3_600
/** A session is not begun a call with when less is left of it: more than any integration takes. */
const SESSION_LEFT_MS_MIN = 60_000
/** Sessions kept; beyond them the one used longest ago is dropped. */
const SESSIONS_MAX = 1_000

export interface GatewayRoles {
  /**
   * A session of the role, as its caller: one that lasts for another minute at least. The role is looked at every time, so that one that
   * was deleted, or that no longer trusts API Gateway, is refused at the next call.
   *
   * @param accountId whose API names the role: it must be the role's own.
   * @param sourceArn what API Gateway acts for (`arn:aws:execute-api:…`), as `aws:SourceArn` of the role's trust policy.
   * @throws GatewayRefusal 500, with AWS's reason in the log line, unless the role exists and trusts API Gateway.
   */
  callerFor(roleArn: string, accountId: string, sourceArn?: string): Promise<RoleCaller>
}

export interface GatewayRolesOptions {
  roles: Pick<Roles, 'findRole' | 'isTrusting' | 'issue'>
  clock: Pick<Clock, 'now'>
}

export function createGatewayRoles({ roles, clock }: GatewayRolesOptions): GatewayRoles {
  /** By the id of the role: a role made anew under an old name has no part in the old one's session. */
  const sessions = new Map<string, RoleCaller>()

  return {
    async callerFor(roleArn, accountId, sourceArn) {
      const role = await roles.findRole(roleArn)
      const keys = { 'aws:SourceAccount': accountId, ...(sourceArn !== undefined && { 'aws:SourceArn': sourceArn }) }
      // Source: public reports of refused integrations: "Cross-account pass role is not allowed."
      if (role?.accountId !== accountId || !roles.isTrusting(role, GATEWAY_PRINCIPAL, keys)) {
        // Source: zappa/Zappa issue 63 and others: the execution log of such a call; the caller sees `Internal server error`.
        throw configurationError('API Gateway does not have permission to assume the provided role')
      }
      const { roleId, name: roleName } = role
      const known = sessions.get(roleId)
      sessions.delete(roleId)
      const caller = known && known.expiresAtMs - clock.now() >= SESSION_LEFT_MS_MIN ? known : await begin({ roleId, accountId, roleName, roleArn })
      sessions.set(roleId, caller)
      if (sessions.size > SESSIONS_MAX) sessions.delete(sessions.keys().next().value!)
      return caller
    },
  }

  async function begin({ roleId, accountId, roleName, roleArn }: Pick<RoleCaller, 'roleId' | 'accountId' | 'roleName' | 'roleArn'>): Promise<RoleCaller> {
    const { accessKeyId, expiresAtMs } = await roles.issue({ role: { roleId, accountId }, sessionName: SESSION_NAME, durationSeconds: SESSION_SECONDS })
    return {
      is: 'role', accountId, roleName, roleArn, roleId, accessKeyId, expiresAtMs,
      sessionName: SESSION_NAME,
      arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${SESSION_NAME}`,
      userId: `${roleId}:${SESSION_NAME}`,
      issuedAtMs: expiresAtMs - SESSION_SECONDS * 1000,
    }
  }
}
