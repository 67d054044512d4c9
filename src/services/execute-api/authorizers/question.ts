// What is asked of policies where nobody has signed: may this request invoke this method?

import type { Scope } from '#aws/arn.ts'
import type { AnonymousCaller } from '#aws/caller.ts'
import type { Policy } from '#aws/policy/document.ts'
import { decodedPath } from '#aws/http-payload/request-parts.ts'
import { evaluate, type Evaluation } from '#aws/policy/evaluate.ts'
import { globalKeys } from '#aws/policy/global-keys.ts'
import type { Lookup } from '#aws/policy/match.ts'
import type { Call } from '#aws/service.ts'

export const INVOKE = 'execute-api:Invoke'

export interface InvokeQuestion {
  /** `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`. */
  resource: string
  /** Of the API. */
  scope: Scope
  request: Call['request']
  atMs: number
}

const nobody: AnonymousCaller = { is: 'anonymous', accountId: '', arn: '', userId: '' }

/**
 * What a policy says of a path as it was sent, unless it denies what that path is decoded. Ours: routes and backends read paths decoded, so that a
 * Deny must hold for every spelling.
 */
export function inEverySpelling(question: InvokeQuestion, judge: (question: InvokeQuestion) => Evaluation): Evaluation {
  const asSent = judge(question)
  const resource = decodedPath(question.resource)
  if (resource === question.resource) return asSent
  const asRead = judge({ ...question, resource })
  return asRead.outcome === 'explicit-deny' ? asRead : asSent
}

/** The condition keys of a request that nobody has signed. */
export function anonymousKeys({ resource, scope, request, atMs }: InvokeQuestion): Lookup {
  return globalKeys({
    call: { caller: nobody, scope, atMs, request }, permission: { action: INVOKE, resource }, policies: {}, resourceAccountId: scope.accountId, now: () => atMs,
  })
}

/** What an API's resource policy says of a caller that nobody knows: only statements for everybody (`"Principal": "*"`) speak of it. */
export function evaluateAnonymously(policy: Policy, question: InvokeQuestion): Evaluation {
  return inEverySpelling(question, (asked) => evaluate({
    principal: { is: 'anonymous', accountId: '', arn: '' }, action: INVOKE, resource: asked.resource, resourceAccountId: asked.scope.accountId,
    lookup: anonymousKeys(asked),
  }, { identity: [], resource: policy }))
}
