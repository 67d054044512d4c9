// The answer of a Lambda authorizer that returns a policy: REST and WebSocket APIs, and HTTP APIs in format 1.0.

import { compilePolicy } from '#aws/policy/compile.ts'
import { MalformedPolicy, type Policy, type PolicyDocument } from '#aws/policy/document.ts'
import { evaluate, type Evaluation } from '#aws/policy/evaluate.ts'
import { parsePolicy } from '#aws/policy/parse.ts'
import { anonymousKeys, inEverySpelling, INVOKE, type InvokeQuestion } from './question.ts'

/** An answer that was understood. */
export interface PolicyAnswer {
  principalId: string
  /** As the function wrote them; `contextTexts` has them as REST and WebSocket APIs show them. */
  context: Readonly<Record<string, string | number | boolean>>
  /** An API key, where the API takes keys from its authorizer. Must not enter a trace or a log. */
  usageIdentifierKey: string | undefined
  policy: Policy
  /** The document as JSON text. */
  policyText: string
}

/** Why an answer is none, for the execution log and the trace; says nothing of the values in it. */
export interface MalformedAnswer {
  malformed: string
}

/** Bytes. Source: API Gateway quotas for REST APIs, "AWS Lambda authorizer result size" (8 KB). */
export const AUTHORIZER_RESULT_BYTES_MAX = 8 * 1024

/**
 * Reads what the function answered, and compiles its policy.
 *
 * Source: API Gateway developer guide, "Output from an API Gateway Lambda authorizer": `principalId` (which may be empty, as a log that a user of
 * awslabs/aws-serverless-auth-reference-app published shows) and `policyDocument` must be there, and the values of `context` are strings, numbers or booleans. That anything else is refused: dherault/serverless-offline pull request 1376,
 * tried on AWS (`context`), and serverless/examples issue 305 (an answer without both).
 */
export function readPolicyAnswer(payload: Buffer): PolicyAnswer | MalformedAnswer {
  if (payload.length > AUTHORIZER_RESULT_BYTES_MAX) return { malformed: `the answer is larger than ${AUTHORIZER_RESULT_BYTES_MAX} bytes` }
  let answer: unknown
  try {
    answer = JSON.parse(payload.toString('utf8'))
  } catch {
    return { malformed: 'the answer is not JSON' }
  }
  if (!isObject(answer)) return { malformed: 'the answer is not an object' }
  const { principalId, policyDocument, context, usageIdentifierKey } = answer
  if (!isScalar(principalId)) return { malformed: 'principalId is missing' }
  if (!isObject(policyDocument)) return { malformed: 'policyDocument is missing' }
  if (context !== undefined && context !== null && !isObject(context)) return { malformed: 'context is not an object' }
  const wrong = Object.entries(context ?? {}).find(([, value]) => !isScalar(value))
  if (wrong) return { malformed: `context.${wrong[0]} is neither string nor number nor boolean` }
  if (usageIdentifierKey !== undefined && usageIdentifierKey !== null && typeof usageIdentifierKey !== 'string') return { malformed: 'usageIdentifierKey is not a string' }
  try {
    return {
      principalId: String(principalId),
      context: (context ?? {}) as PolicyAnswer['context'],
      usageIdentifierKey: usageIdentifierKey || undefined,
      policy: compiled(policyDocument),
      policyText: JSON.stringify(policyDocument),
    }
  } catch (error) {
    if (error instanceof MalformedPolicy) return { malformed: `policyDocument: ${error.message}` }
    throw error
  }
}

/** The API key in an answer, malformed or not, for logs to leave it out. */
export function keyOfAnswer(payload: Buffer): string[] {
  const key = /"usageIdentifierKey"\s*:\s*"((?:[^"\\]|\\.)+)"/.exec(payload.toString('utf8'))?.[1]
  return key === undefined ? [] : [key]
}

/** Ours: a document without a version is taken, as authorizers in the field have none; its text has no variables then. */
function compiled(document: Record<string, unknown>): Policy {
  parsePolicy(JSON.stringify({ ...document, Version: '2012-10-17' }), 'identity')
  if (document['Version'] !== undefined && document['Version'] !== '2012-10-17' && document['Version'] !== '2008-10-17') throw new MalformedPolicy('Syntax errors in policy.')
  return compilePolicy(document as unknown as PolicyDocument, 'the authorizer\'s policy')
}

/** Source: developer guide, as above: what arrives in `$context.authorizer` and in events is text. */
export function contextTexts(context: PolicyAnswer['context']): Record<string, string> {
  return Object.fromEntries(Object.entries(context).map(([name, value]) => [name, String(value)]))
}

/** Whether the policy lets its principal invoke: a kept answer may be asked for every method of its API. */
export function evaluateAnswer({ principalId, policy }: Pick<PolicyAnswer, 'principalId' | 'policy'>, question: InvokeQuestion): Evaluation {
  const { accountId } = question.scope
  return inEverySpelling(question, (asked) => evaluate({
    principal: { is: 'user', accountId, arn: principalId }, action: INVOKE, resource: asked.resource, resourceAccountId: accountId, lookup: anonymousKeys(asked),
  }, { identity: [policy] }))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isScalar = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value)
