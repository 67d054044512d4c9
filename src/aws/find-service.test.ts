// Which service a request is for.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { modelNames } from '#test/sdk/wire/echo.ts'
import { requestOf, type RequestParts } from '#test/sdk/wire/requests.ts'
import { protocolOf } from './dispatch.ts'
import { findService, scopedServiceOf } from './find-service.ts'
import { loadModel } from './model.ts'

const services = modelNames.map(loadModel).map((model) => ({ model, protocol: protocolOf(model) }))

function find(parts: RequestParts): string {
  const found = findService(requestOf(parts), services)
  return 'service' in found ? found.service.model.name : 'unknownScope' in found ? `unknown: ${found.unknownScope}` : 'nothing'
}

const scoped = (credential: string) => ({ authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0` })

describe('the service of a request is', () => {
  test('that of the scope, whatever else the request looks like', () => {
    assert.equal(find({ headers: { ...scoped('AKIA/20260102/us-east-1/lambda/aws4_request'), 'x-amz-target': 'DynamoDB_20120810.GetItem' } }), 'lambda-2015-03-31')
    assert.equal(find({ method: 'GET', target: '/?X-Amz-Credential=AKIA%2F20260102%2Fus-east-1%2Fsts%2Faws4_request' }), 'sts-2011-06-15')
    assert.equal(find({ headers: scoped('AKIA/20260102/us-east-1/s3/aws4_request') }), 'unknown: s3')
    assert.equal(find({ headers: scoped('a/key/with/slashes/20260102/us-east-1/iam/aws4_request') }), 'iam-2010-05-08')
  })

  test('one of the two that share a scope, by path', () => {
    const headers = scoped('AKIA/20260102/us-east-1/apigateway/aws4_request')
    assert.equal(find({ headers, target: '/restapis' }), 'apigateway-2015-07-09')
    assert.equal(find({ headers, target: '/v2/apis' }), 'apigatewayv2-2018-11-29')
    assert.equal(find({ headers, target: '/v2' }), 'apigatewayv2-2018-11-29')
    assert.equal(find({ headers, target: '/v22' }), 'apigateway-2015-07-09')
  })

  test('for an unsigned request, the one that it looks like', () => {
    assert.equal(find({ headers: { 'x-amz-target': 'Logs_20140328.PutLogEvents' } }), 'logs-2014-03-28')
    assert.equal(find({ target: '/2014-11-13/functions/f/invoke-async/' }), 'lambda-2015-03-31')
    assert.equal(find({ method: 'GET', target: '/restapis' }), 'apigateway-2015-07-09')
    assert.equal(find({ method: 'GET', target: '/?Action=GetCallerIdentity&Version=2011-06-15' }), 'sts-2011-06-15')
    assert.equal(find({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Action=x' }), 'iam-2010-05-08')
    assert.equal(find({ method: 'GET', target: '/' }), 'nothing')
  })
})

test('a credential that is not of a scope names no service', () => {
  for (const credential of ['', 'AKIA', 'AKIA/20260102/us-east-1/lambda', '////']) {
    assert.equal(scopedServiceOf(requestOf({ headers: scoped(credential) })) || undefined, undefined, credential)
  }
})

test('a scope is read in linear time: a key of a million characters is no burden', () => {
  for (const key of ['a'.repeat(1_000_000), 'a/'.repeat(500_000)]) {
    assert.equal(scopedServiceOf(requestOf({ headers: scoped(`${key}/20260102/us-east-1/iam/aws4_request`) })), 'iam')
    scopedServiceOf(requestOf({ headers: scoped(key) }))
  }
})
