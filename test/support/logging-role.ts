// The role with which API Gateway writes logs, as an account must have named it before a stage logs.

import { UpdateAccountCommand } from '@aws-sdk/client-api-gateway'
import { AttachRolePolicyCommand, CreateRoleCommand } from '@aws-sdk/client-iam'
import type { TestServer } from './server.ts'

export const namesRole = (value: string) => new UpdateAccountCommand({ patchOperations: [{ op: 'replace', path: '/cloudwatchRoleArn', value }] })

/** Makes the role that the developer guide asks for. */
export async function loggingRole({ iam }: Pick<TestServer, 'iam'>): Promise<string> {
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'apigateway.amazonaws.com' }, Action: 'sts:AssumeRole' }] }
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'logging', AssumeRolePolicyDocument: JSON.stringify(trust) }))
  await iam.send(new AttachRolePolicyCommand({ RoleName: 'logging', PolicyArn: 'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs' }))
  return Role!.Arn!
}

/** Makes it, and names it in the account's settings. */
export async function allowLogging(server: Pick<TestServer, 'iam' | 'apigateway'>): Promise<void> {
  await server.apigateway.send(namesRole(await loggingRole(server)))
}
