// How callers name functions: by name, partial ARN or full ARN, with or without a qualifier.

import type { Scope } from '#aws/arn.ts'
import { errors } from './errors.ts'
import { FUNCTION_NAME_CHARACTERS_MAX } from './limits.ts'

/** A function that a caller names, and the version or alias of it. */
export interface FunctionReference extends Scope {
  name: string
  /** As the caller gave it: `$LATEST`, a number or an alias. */
  qualifier: string | undefined
}

/**
 * Source: Lambda API reference, FunctionName: name formats.
 * Observed: AWS, 25-11-2025, recorded by localstack's test_function_arns (the regions of the European sovereign cloud, which the published
 * model lacks).
 */
export const FUNCTION_NAME_PATTERN = '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?'

const parts = /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?<accountId>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_.]+)(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/

/**
 * The function that `text` names, for a caller in `scope`. The input's constraints were checked before.
 *
 * @throws ResourceNotFoundException for an ARN of another region, InvalidParameterValueException when the two qualifiers differ.
 */
export function parseFunctionName(text: string, scope: Scope, qualifier?: string): FunctionReference {
  const found = parts.exec(text)?.groups
  if (!found) throw errors.InvalidParameterValueException(`${text} is not a function name`)
  const { region = scope.region, accountId = scope.accountId, name, qualifier: own } = found
  // Observed: AWS, 25-11-2025, recorded by localstack's test_get_function_wrong_region.
  if (region !== scope.region) throw errors.ResourceNotFoundException(`Functions from '${region}' are not reachable in this region ('${scope.region}')`)
  // Observed: AWS, 25-11-2025, recorded by localstack's test_ops_with_arn_qualifier_mismatch.
  if (own !== undefined && qualifier !== undefined && own !== qualifier) {
    throw errors.InvalidParameterValueException('The derived qualifier from the function name does not match the specified qualifier.')
  }
  return { accountId, region, name: name!, qualifier: qualifier ?? own }
}

/**
 * The name of a function to be made. Source: Lambda API reference, CreateFunction: a name alone has 64 characters at most.
 * Observed: AWS, 10-04-2024, recorded by localstack's test_function_arns: the codes, and that another account is refused without a word.
 */
export function parseNewFunctionName(text: string, scope: Scope): FunctionReference {
  const reference = parseFunctionName(text, scope)
  if (reference.name.length > FUNCTION_NAME_CHARACTERS_MAX) {
    throw errors.InvalidParameterValueException(`1 validation error detected: Value '${reference.name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${FUNCTION_NAME_CHARACTERS_MAX}`)
  }
  if (reference.accountId !== scope.accountId) throw errors.AccessDeniedException('', { Message: null })
  if (reference.qualifier !== undefined && reference.qualifier !== '$LATEST') {
    throw errors.InvalidParameterValueException('A function is created without a qualifier.')
  }
  return { ...reference, qualifier: undefined }
}

/** `arn:aws:lambda:us-east-1:123456789012:function:name`, without a qualifier. */
export function functionArn({ region, accountId, name }: Pick<FunctionReference, 'region' | 'accountId' | 'name'>): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`
}

/** With the qualifier that the caller gave, if any: what permissions and messages name. */
export function qualifiedArn(reference: FunctionReference): string {
  return reference.qualifier === undefined ? functionArn(reference) : `${functionArn(reference)}:${reference.qualifier}`
}

/** The function of a full ARN, or undefined when it is none. */
export function parseFunctionArn(arn: string): FunctionReference | undefined {
  const found = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):function:([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$/.exec(arn)
  if (!found) return undefined
  return { region: found[1]!, accountId: found[2]!, name: found[3]!, qualifier: found[4] }
}

/** Of a function's sessions under its role: at least two characters. Observed: AWS, 24-11-2025, recorded by localstack's test_assume_role. */
export function sessionNameOf(name: string): string {
  return name.length < 2 ? `${name}@lambda_function` : name
}
