// Roles that write logs for API Gateway: whether one may.

import { formatArn } from '#aws/arn.ts'
import type { Authorizer } from '#aws/authorize.ts'
import type { RoleCaller } from '#aws/caller.ts'
import type { Clock } from '#lib/clock.ts'
import { headersFromRaw } from '#lib/http.ts'
import type { Roles } from '#services/iam/index.ts'
import type { LoggingRoles } from './account.ts'

/** The least that writing needs. Source: developer guide, "Permissions for CloudWatch logging": AmazonAPIGatewayPushToCloudWatchLogs has these. */
const ACTIONS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']

export interface LoggingRolesOptions {
  roles: Pick<Roles, 'findRole' | 'isTrusting'>
  authorizer: Authorizer
  clock: Pick<Clock, 'now'>
}

export function createLoggingRoles({ roles, authorizer, clock }: LoggingRolesOptions): LoggingRoles {
  return {
    async mayLog(roleArn, scope) {
      const role = await roles.findRole(roleArn)
      if (role?.accountId !== scope.accountId || !roles.isTrusting(role, 'apigateway.amazonaws.com', { 'aws:SourceAccount': scope.accountId })) return false
      const atMs = clock.now()
      // Nobody signs with this session: it only says whose policies are asked.
      const caller: RoleCaller = {
        is: 'role', accountId: role.accountId, roleName: role.name, roleArn, roleId: role.roleId, sessionName: 'APIGateway',
        arn: `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/APIGateway`, userId: `${role.roleId}:APIGateway`,
        accessKeyId: '', issuedAtMs: atMs, expiresAtMs: atMs + 60_000,
      }
      const request = { headers: headersFromRaw([]), remoteAddress: '127.0.0.1', isSecure: true }
      const resource = formatArn({ service: 'logs', ...scope, resource: 'log-group:API-Gateway-Execution-Logs_any/stage:log-stream:any' })
      for (const action of ACTIONS) {
        if (!(await authorizer.decide({ caller, scope, atMs, request }, { action, resource })).allowed) return false
      }
      return true
    },
  }
}
