// For which method API Gateway acts: what the policies of functions and roles open themselves to.

import { formatArn } from '#aws/arn.ts'
import type { ApiCall } from '../exchange.ts'

/** `arn:aws:execute-api:region:account:api/stage/METHOD/resource/{path}`, as `aws:SourceArn`. */
export function sourceArnOf({ route }: Pick<ApiCall, 'route'>): string {
  const { snapshot, stage } = route.deployed
  const { definition, resource } = route.method
  // A method ANY is named `*`. Source: the permissions that the console and the SAM translator give.
  const httpMethod = definition.httpMethod === 'ANY' ? '*' : definition.httpMethod
  return formatArn({
    service: 'execute-api', region: snapshot.region, accountId: snapshot.accountId,
    resource: `${snapshot.apiId}/${stage.stageName}/${httpMethod}${resource.path}`,
  })
}
