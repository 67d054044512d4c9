// Names and paths as IAM checks them: in words of its own, after the lengths that the model sets.

import type { ShapeConstraints } from '#aws/validate.ts'
import { errors } from './errors.ts'

/** The model's patterns for names and paths, which IAM reports in other words than a violated pattern. */
export const liftedPatterns: Readonly<Record<string, ShapeConstraints>> = Object.fromEntries(
  ['userNameType', 'existingUserNameType', 'roleNameType', 'groupNameType', 'policyNameType', 'pathType', 'pathPrefixType', 'policyPathType']
    .map((shape) => [shape, { pattern: undefined }]),
)

const NAMES = ['UserName', 'NewUserName', 'RoleName', 'GroupName', 'NewGroupName', 'PolicyName']
const PATHS = ['Path', 'NewPath']

/**
 * Source: IAM user guide, "IAM and AWS STS quotas", IAM name requirements. The sentences are IAM's as users report them.
 * @throws ValidationError
 */
export function checkNames(input: Readonly<Record<string, unknown>>): void {
  for (const member of NAMES) {
    const name = input[member]
    if (typeof name === 'string' && !/^[A-Za-z0-9_+=,.@-]+$/.test(name)) {
      throw errors.ValidationError(`The specified value for ${lowerFirst(member)} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`)
    }
  }
  for (const member of PATHS) {
    const path = input[member]
    if (typeof path === 'string' && !/^\/([\x21-\x7E]+\/)?$/.test(path)) {
      throw errors.ValidationError(`The specified value for ${lowerFirst(member)} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.`)
    }
  }
  const prefix = input.PathPrefix
  if (typeof prefix === 'string' && !/^\/[\x21-\x7F]*$/.test(prefix)) {
    throw errors.ValidationError('The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric characters and/or / characters.')
  }
}

function lowerFirst(text: string): string {
  return text[0]!.toLowerCase() + text.slice(1)
}
