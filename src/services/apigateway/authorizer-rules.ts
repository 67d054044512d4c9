// What an authorizer may be: its defaults, AWS's refusals, and how it is patched.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { parseArn } from '#aws/arn.ts'
import { compileJavaPattern } from '#lib/java-regex.ts'
import { errors, invalidMapping, missing } from './errors.ts'
import { checkCredentials, functionOf } from './integration-rules.ts'
import { AUTHORIZER_RESULT_TTL_SECONDS_DEFAULT, AUTHORIZER_RESULT_TTL_SECONDS_MAX, AUTHORIZERS_PER_API_MAX } from './limits.ts'
import type { ApiDesign, Authorizer } from './model.ts'
import type { PatchRule } from './patch.ts'

export type NewAuthorizer = Omit<sdk.CreateAuthorizerRequest, 'restApiId'>

/** An authorizer as it was asked for; `check` has found nothing wrong with it. */
export function newAuthorizer(id: string, request: NewAuthorizer): Authorizer {
  const isCognito = request.type === 'COGNITO_USER_POOLS'
  const authorizer: Authorizer = {
    id,
    name: request.name ?? '',
    type: request.type as Authorizer['type'],
    providerARNs: request.providerARNs?.length ? request.providerARNs : undefined,
    // Source: AWS CLI reference, create-authorizer, examples.
    authType: request.authType || (isCognito ? 'cognito_user_pools' : 'custom'),
    authorizerUri: request.authorizerUri || undefined,
    authorizerCredentials: request.authorizerCredentials || undefined,
    identitySource: request.identitySource || undefined,
    identityValidationExpression: request.identityValidationExpression || undefined,
    // Source: as above: user pools show none, whatever was asked for.
    authorizerResultTtlInSeconds: isCognito ? undefined : request.authorizerResultTtlInSeconds,
  }
  checkAuthorizer(authorizer)
  return authorizer
}

/**
 * Source: API Gateway API reference, CreateAuthorizer (what each type needs). The sentence about the URI as users report it; `Invalid
 * request input` is what they report where something is missing (awsdocs/aws-cloudformation-user-guide pull request 692). Ours: the others.
 */
export function checkAuthorizer(authorizer: Authorizer): void {
  const { name, type, providerARNs = [], authorizerUri, authorizerCredentials, identitySource, identityValidationExpression, authorizerResultTtlInSeconds: ttl } = authorizer
  if (name === '') throw invalidInput()
  if (!authorizerTypes.includes(type)) throw errors.BadRequestException(`Invalid Authorizer Type specified. Valid options are ${authorizerTypes.join(',')}`)
  if (type === 'COGNITO_USER_POOLS') {
    if (providerARNs.length === 0) throw invalidInput()
    for (const arn of providerARNs) if (userPoolOf(arn) === undefined) throw errors.BadRequestException(`Invalid provider ARN specified: ${arn}`)
  } else {
    if (authorizerUri === undefined || !isFunctionUri(authorizerUri)) {
      throw errors.BadRequestException(`Invalid Authorizer URI: ${authorizerUri ?? null}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.`)
    }
    checkCredentials(authorizerCredentials)
  }
  if (ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 0 && ttl <= AUTHORIZER_RESULT_TTL_SECONDS_MAX)) {
    throw errors.BadRequestException(`Invalid authorizer result TTL specified: ${ttl}. Must be between 0 and ${AUTHORIZER_RESULT_TTL_SECONDS_MAX} seconds`)
  }
  const isCached = (ttl ?? AUTHORIZER_RESULT_TTL_SECONDS_DEFAULT) > 0
  if (identitySource === undefined && (type !== 'REQUEST' || isCached)) throw invalidInput()
  for (const source of identitySourcesOf(identitySource)) checkSource(source, type)
  if (type !== 'REQUEST' && identitySourcesOf(identitySource).length > 1) throw invalidMapping(`Invalid mapping expression specified: ${identitySource}`)
  checkExpression(identityValidationExpression)
}

const authorizerTypes: readonly string[] = ['TOKEN', 'REQUEST', 'COGNITO_USER_POOLS']

const invalidInput = () => errors.BadRequestException('Invalid request input')

/** Stage variables may stand for the function. */
function isFunctionUri(uri: string): boolean {
  return functionOf(uri) !== undefined || /^arn:[^:]+:apigateway:[^:]+:lambda:path\/+[0-9-]+\/functions\/.*\$\{stageVariables\.\w+\}.*\/invocations$/.test(uri)
}

/** The id of the pool (`us-east-1_abc`) that an ARN names. */
export function userPoolOf(providerArn: string): string | undefined {
  const arn = parseArn(providerArn)
  return arn?.service === 'cognito-idp' ? /^userpool\/([\w-]+_[0-9A-Za-z]+)$/.exec(arn.resource)?.[1] : undefined
}

/** Source: API Gateway API reference, CreateAuthorizer, `identitySource`: expressions, separated by commas. */
export function identitySourcesOf(identitySource: string | undefined): string[] {
  return (identitySource ?? '').split(',').map((source) => source.trim()).filter((source) => source !== '')
}

function checkSource(source: string, type: Authorizer['type']): void {
  const form = type === 'REQUEST' ? /^(?:method\.request\.(?:header|querystring)|stageVariables|context)\.[^\s,]+$/ : /^method\.request\.header\.[^\s,]+$/
  if (!form.test(source)) throw invalidMapping(`Invalid mapping expression specified: ${source}`)
}

function checkExpression(expression: string | undefined): void {
  try {
    compileJavaPattern(expression ?? '', 'whole text')
  } catch {
    throw errors.BadRequestException(`Invalid identity validation expression specified: ${expression}`)
  }
}

/**
 * Adds an authorizer, or puts it in the place of the one that has its id.
 * Source: public reports of refused authorizers (the sentence about names, which is AWS's for both kinds of APIs); quotas (the number).
 */
export function addAuthorizer({ authorizers }: ApiDesign, authorizer: Authorizer): Authorizer {
  const { id, name } = authorizer
  if (Object.values(authorizers).some((other) => other.name === name && other.id !== id)) {
    throw errors.BadRequestException(`Authorizer name must be unique. Authorizer ${name} already exists in this RestApi.`)
  }
  // Ours: the words.
  if (!Object.hasOwn(authorizers, id) && Object.keys(authorizers).length >= AUTHORIZERS_PER_API_MAX) {
    throw errors.LimitExceededException('Maximum number of Authorizers for this API has been reached.')
  }
  return authorizers[id] = authorizer
}

export function requireAuthorizer({ authorizers }: ApiDesign, id: string): Authorizer {
  const authorizer = Object.hasOwn(authorizers, id) ? authorizers[id] : undefined
  if (!authorizer) throw missing.authorizer()
  return authorizer
}

/** The method that keeps an authorizer from being deleted, as AWS names it. Source: hashicorp/terraform pull request 6731: `GET//test`. */
export function userOf({ resources }: ApiDesign, authorizerId: string): string | undefined {
  for (const { path, methods } of Object.values(resources)) {
    const user = Object.values(methods).find((method) => method.authorizerId === authorizerId)
    if (user) return `${user.httpMethod}/${path}`
  }
  return undefined
}

/** Source: API Gateway API reference, "Patch operations", UpdateAuthorizer. What comes of all of them together is checked at the end. */
export const authorizerRules: readonly PatchRule<Authorizer>[] = [
  { path: '/name', replace: (authorizer, value) => { authorizer.name = value } },
  { path: '/type', replace: (authorizer, value) => { authorizer.type = value as Authorizer['type'] } },
  { path: '/authType', replace: (authorizer, value) => { authorizer.authType = value } },
  { path: '/authorizerUri', replace: (authorizer, value) => { authorizer.authorizerUri = value || undefined } },
  {
    path: '/authorizerCredentials',
    replace: (authorizer, value) => { authorizer.authorizerCredentials = value || undefined },
    remove: (authorizer) => { authorizer.authorizerCredentials = undefined },
  },
  { path: '/identitySource', replace: (authorizer, value) => { authorizer.identitySource = value || undefined } },
  {
    path: '/identityValidationExpression',
    replace: (authorizer, value) => { authorizer.identityValidationExpression = value || undefined },
    remove: (authorizer) => { authorizer.identityValidationExpression = undefined },
  },
  { path: '/authorizerResultTtlInSeconds', replace: (authorizer, value) => { authorizer.authorizerResultTtlInSeconds = value === '' ? undefined : Number(value) } },
  {
    path: '/providerARNs',
    add: (authorizer, value) => { authorizer.providerARNs = [...new Set([...authorizer.providerARNs ?? [], value])] },
    remove: (authorizer, value) => {
      const rest = (authorizer.providerARNs ?? []).filter((arn) => arn !== value)
      authorizer.providerARNs = rest.length > 0 ? rest : undefined
    },
  },
]
