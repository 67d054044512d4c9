// Roles: who may assume them, and what they may do.

import { CreateRoleCommand, GetRoleCommand, GetRolePolicyCommand, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand, type IAMClient } from '@aws-sdk/client-iam'
import { absentWhen } from './calls.ts'

export interface RoleWanted {
  name: string
  /** The trust policy's principal; Lambda unless given. */
  trusts?: Record<string, string>
  /** The trust policy's condition. */
  condition?: Record<string, Record<string, string>>
  policyName: string
  /** Statements of the inline policy. */
  statements: readonly object[]
}

/** Creates the role unless it is there, and gives it its trust and policy where they differ. Answers its ARN. */
export async function ensureRole(iam: IAMClient, { name, trusts = { Service: 'lambda.amazonaws.com' }, condition, policyName, statements }: RoleWanted): Promise<string> {
  const trust = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: trusts, Action: 'sts:AssumeRole', ...(condition ? { Condition: condition } : {}) }] })
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  const existing = await absentWhen('NoSuchEntityException', () => iam.send(new GetRoleCommand({ RoleName: name })))
  if (existing && decodeURIComponent(existing.Role!.AssumeRolePolicyDocument!) !== trust) {
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: trust }))
    console.log(`changed whom role ${name} trusts`)
  }
  const { Role } = existing ?? await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust }))
  const current = existing && await absentWhen('NoSuchEntityException', () => iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName: policyName })))
  if (!current || decodeURIComponent(current.PolicyDocument!) !== PolicyDocument) {
    await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: policyName, PolicyDocument }))
    console.log(`${existing ? 'changed the policy of' : 'created'} role ${name}`)
  }
  return Role!.Arn!
}
