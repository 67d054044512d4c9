// An API's resource policy where nobody has signed.

import type { Evaluation } from '#aws/policy/evaluate.ts'
import { refusalSentence } from '#aws/policy/refusal.ts'
import { evaluateAnonymously, INVOKE, type InvokeQuestion } from '../../authorizers/question.ts'
import { maskedAccount } from '../../authorizers/refusals.ts'
import { configurationError, GatewayRefusal } from '../../gateway-responses.ts'
import type { Exchange, Route } from '../exchange.ts'

/** What the policy says of this request; undefined where the API has none. The trace names the statements that matched. */
export function judgeAnonymously(exchange: Exchange, { deployment: { policy } }: Route, question: InvokeQuestion): Evaluation | undefined {
  if (policy === undefined) return undefined
  if ('broken' in policy) throw configurationError(`Invalid resource policy: ${policy.broken}`)
  const evaluation = evaluateAnonymously(policy, question)
  exchange.trace.add('policy', {
    action: INVOKE, resource: question.resource, caller: 'anonymous', allowed: evaluation.outcome === 'allowed', outcome: evaluation.outcome, statements: evaluation.matched,
  })
  return evaluation
}

/** Source: public reports of such answers, of 2025 with the end that names the policy. */
export function anonymousRefusal(evaluation: Evaluation, { resource }: InvokeQuestion): GatewayRefusal {
  return new GatewayRefusal('ACCESS_DENIED', refusalSentence({ caller: 'anonymous', action: INVOKE, resource: maskedAccount(resource) }, evaluation))
}
