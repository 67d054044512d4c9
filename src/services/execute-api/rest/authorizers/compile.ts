// An authorizer made ready to be asked: its sources read, its pattern compiled, once per deployment.

import { compileJavaPattern, PatternError } from '#lib/java-regex.ts'
import type { Authorizer } from '#services/apigateway/index.ts'

export interface CompiledAuthorizer {
  definition: Authorizer
  /** Mapping expressions, in their order. */
  sources: readonly string[]
  /** What a token must match as a whole; a pattern that does not compile matches nothing. */
  expression: RegExp | undefined
  /** 0 keeps no result. */
  ttlSeconds: number
}

/** Source: API Gateway API reference, CreateAuthorizer, `authorizerResultTtlInSeconds`. */
const RESULT_TTL_SECONDS_DEFAULT = 300

export function compileAuthorizer(definition: Authorizer): CompiledAuthorizer {
  const { identitySource = '', identityValidationExpression, authorizerResultTtlInSeconds } = definition
  return {
    definition,
    sources: identitySource.split(',').map((source) => source.trim()).filter((source) => source !== ''),
    expression: identityValidationExpression === undefined ? undefined : compiledExpression(identityValidationExpression),
    ttlSeconds: authorizerResultTtlInSeconds ?? RESULT_TTL_SECONDS_DEFAULT,
  }
}

function compiledExpression(pattern: string): RegExp {
  try {
    return compileJavaPattern(pattern, 'whole text')
  } catch (error) {
    if (error instanceof PatternError) return /(?!)/
    throw error
  }
}
