// What is known of a call: the facts behind `$context` in templates, `requestContext` in events, and access logs.

import { commonLogTime } from '#aws/common-log-time.ts'
import type { SignatureClaim } from '#aws/authenticate.ts'
import type { Caller } from '#aws/caller.ts'
import type { ContextFacts, IdentityFacts } from '../templates/context.ts'
import type { Exchange, Route, TestInvocation } from './exchange.ts'

/** What is known of a call, before its body is read too. */
export function factsOf(exchange: Exchange, { address, deployed, method }: Route, claim: SignatureClaim | undefined): ContextFacts {
  const { request, requestId, extendedRequestId, atMs } = exchange
  const { snapshot, stage } = deployed
  const domainName = exchange.test ? TEST_DOMAIN : (request.headers.get('host') ?? '').replace(/:\d+$/, '')
  return {
    resourceId: method.resource.id,
    resourcePath: method.resource.path,
    httpMethod: request.method,
    extendedRequestId,
    requestTime: commonLogTime(atMs),
    path: exchange.test ? address.path : `/${address.stageName}${address.path === '/' ? '' : address.path}`,
    accountId: snapshot.accountId,
    protocol: 'HTTP/1.1',
    stage: stage.stageName,
    domainPrefix: domainName.split('.')[0]!,
    requestTimeEpoch: atMs,
    requestId,
    identity: exchange.test ? testIdentity(exchange.test)
      : { ...identityOf(request.remoteAddress, request.headers.get('user-agent'), claim?.caller), ...keyFacts(exchange) },
    authorizer: exchange.authorized?.facts,
    domainName,
    deploymentId: snapshot.deploymentId,
    apiId: snapshot.apiId,
  }
}

/** Source: events of test invocations that users published, of 2019 to 2024; so are the values of `testIdentity`. */
const TEST_DOMAIN = 'testPrefix.testDomainName'

/** Who tests is the caller, whether the method asks for one or not; key and address are texts that stand for one. */
function testIdentity({ caller, userAgent }: TestInvocation): IdentityFacts {
  return {
    ...identityOf('test-invoke-source-ip', userAgent, caller),
    apiKey: 'test-invoke-api-key',
    apiKeyId: 'test-invoke-api-key-id',
  }
}

/** Source: developer guide, "$context variables": `identity.caller` and `identity.user` are principal identifiers of a signed request. */
function identityOf(sourceIp: string, userAgent: string | undefined, caller: Caller | undefined): IdentityFacts {
  if (caller === undefined || !('accessKeyId' in caller)) return { sourceIp, userAgent }
  const { accountId, accessKeyId: accessKey, userId, arn: userArn } = caller
  return { sourceIp, userAgent, accountId, accessKey, caller: userId, user: userId, userArn }
}

/** Source: developer guide, "$context variables": `identity.apiKey` and `identity.apiKeyId`, of methods that require a key. */
function keyFacts({ key }: Exchange): Pick<IdentityFacts, 'apiKey' | 'apiKeyId'> {
  return key ? { apiKey: key.value, apiKeyId: key.grant.keyId } : {}
}
