// What events of format 1.0 have in common, those of integrations and those of authorizers: headers and identity.

import type { RequestValues } from './request-values.ts'
import type { IdentityFacts } from './templates/context.ts'

export interface EventHeaders {
  headers: Record<string, string>
  multiValueHeaders: Record<string, string[]>
}

/** API Gateway spells these itself. Source: localstack's AWS_PROXY integration, from recorded events; `Host`: events published by users. */
const spelledAs: Readonly<Record<string, string>> = { authorization: 'Authorization', 'user-agent': 'User-Agent', host: 'Host' }

/**
 * Of every header its values, and its last one. Source: events published by users, of 2018 to 2024: in the order of the alphabet, without case.
 *
 * @param isSeen which of them the function is given.
 */
export function eventHeaders({ multiValues }: Pick<RequestValues, 'multiValues'>, isSeen: (lowerName: string, values: readonly string[]) => boolean = () => true): EventHeaders {
  const lines = Object.entries(multiValues.header)
    .map(([name, values]) => ({ name, lower: name.toLowerCase(), values }))
    .filter(({ lower, values }) => isSeen(lower, values))
    .toSorted((one, other) => (one.lower < other.lower ? -1 : 1))
  const seen: EventHeaders = { headers: {}, multiValueHeaders: {} }
  for (const { name, lower, values } of lines) {
    const spelled = spelledAs[lower] ?? name
    seen.headers[spelled] = values.at(-1)!
    seen.multiValueHeaders[spelled] = values
  }
  return seen
}

const nobody = {
  cognitoIdentityPoolId: null, accountId: null, cognitoIdentityId: null, caller: null, sourceIp: null, principalOrgId: null, accessKey: null,
  cognitoAuthenticationType: null, cognitoAuthenticationProvider: null, userArn: null, userAgent: null, user: null,
}

/** `requestContext.identity`: what is not known is null. Observed: AWS, 10-07-2024, recorded by localstack's test_lambda_aws_proxy_integration. */
export function eventIdentity(identity: IdentityFacts): Record<string, unknown> {
  return { ...nobody, ...Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined)) }
}
