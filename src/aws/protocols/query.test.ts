// The query protocol, judged by what IAM and STS answer.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AwsError } from '#aws/errors.ts'
import { loadModel } from '#aws/model.ts'
import { createEcho, signedFor } from '#test/sdk/wire/echo.ts'
import { headerOf, requestOf } from '#test/sdk/wire/requests.ts'
import { createFormReaders, treeOf } from './form-tree.ts'
import { escapeXml } from './xml-writer.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }

const call = (service: string, body: string) => requestOf({ headers: { ...signedFor(service), ...form }, body })

const answers = { iam: { GetUser: {}, TagUser: {}, ListUsers: {} }, sts: { AssumeRole: {}, GetCallerIdentity: {} } }

function errorIn(body: unknown): Record<string, string | undefined> {
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(String(body))?.[1]
  return { type: element('Type'), code: element('Code'), message: element('Message'), requestId: element('RequestId') }
}

describe('a query request that names no operation', () => {
  for (const [says, body, code, message] of [
    ['an action of another service', 'Action=GetSendStatistics&Version=2010-05-08', 'InvalidAction', 'Could not find operation GetSendStatistics for version 2010-05-08'],
    ['another version', 'Action=GetUser&Version=2012-12-01', 'InvalidAction', 'Could not find operation GetUser for version 2012-12-01'],
    ['no version', 'Action=GetUser', 'InvalidAction', 'Could not find operation GetUser for version NO_VERSION_SPECIFIED'],
    ['no action', 'Version=2010-05-08', 'MissingAction', 'Missing Action'],
    ['nothing', '', 'MissingAction', 'Missing Action'],
    ['a name of the language', 'Action=constructor&Version=2010-05-08', 'InvalidAction', 'Could not find operation constructor for version 2010-05-08'],
  ] as const) {
    test(`${says}: ${code}`, async () => {
      const answer = await createEcho(answers).handle(call('iam', body))
      assert.equal(answer.status, 400)
      const { requestId, ...error } = errorIn(answer.body)
      assert.deepEqual(error, { type: 'Sender', code, message })
      assert.equal(requestId, headerOf(answer, 'x-amzn-requestid'))
      assert.equal(headerOf(answer, 'content-type'), 'text/xml')
    })
  }

  test('what it repeats of the request is escaped', async () => {
    const answer = await createEcho(answers).handle(call('iam', 'Action=%3Cscript%3E%26&Version=1'))
    assert.match(String(answer.body), /Could not find operation &lt;script&gt;&amp; for version 1</)
  })

  test('a form with another content type has no action', async () => {
    const answer = await createEcho(answers).handle(requestOf({ headers: signedFor('iam'), body: 'Action=GetUser&Version=2010-05-08' }))
    assert.equal(errorIn(answer.body).code, 'MissingAction')
  })
})

describe('a query request that accepts JSON first', () => {
  const inJson = (service: string, body: string, accept = 'application/json') => createEcho({
    iam: { GetUser: {}, DeleteUser: {} },
    sts: { AssumeRole: { Credentials: { AccessKeyId: 'A', SecretAccessKey: 's', SessionToken: 't', Expiration: new Date(1_500_000_000_000) }, PackedPolicySize: 6 } },
  }).handle(requestOf({ headers: { ...signedFor(service), ...form, accept }, body }))

  test('is refused in JSON', async () => {
    const answer = await inJson('iam', 'Action=Nothing&Version=2010-05-08')
    assert.deepEqual([answer.status, headerOf(answer, 'content-type')], [400, 'application/json'])
    assert.deepEqual(JSON.parse(String(answer.body)), {
      Error: { Code: 'InvalidAction', Message: 'Could not find operation Nothing for version 2010-05-08', Type: 'Sender' }, RequestId: headerOf(answer, 'x-amzn-requestid'),
    })
  })

  test('is answered in JSON, with times in seconds', async () => {
    const answer = await inJson('sts', 'Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=s1')
    assert.deepEqual(JSON.parse(String(answer.body)), {
      AssumeRoleResponse: {
        AssumeRoleResult: { Credentials: { AccessKeyId: 'A', SecretAccessKey: 's', SessionToken: 't', Expiration: 1_500_000_000 }, PackedPolicySize: 6 },
        ResponseMetadata: { RequestId: headerOf(answer, 'x-amzn-requestid') },
      },
    })
    const empty = await inJson('iam', 'Action=DeleteUser&Version=2010-05-08&UserName=a', 'application/json, */*')
    assert.deepEqual(Object.keys(JSON.parse(String(empty.body)).DeleteUserResponse), ['ResponseMetadata'])
  })

  test('and one that accepts something else first is answered in XML', async () => {
    for (const accept of ['*/*', 'text/xml, application/json']) assert.equal(headerOf(await inJson('iam', 'Action=DeleteUser&Version=2010-05-08&UserName=a', accept), 'content-type'), 'text/xml')
  })
})

describe('a query value of the wrong form', () => {
  for (const [body, message] of [
    ['Action=ListUsers&Version=2010-05-08&MaxItems=abc', "'abc' is not a valid number"],
    ['Action=ListUsers&Version=2010-05-08&MaxItems=1e3', "'1e3' is not a valid number"],
    ['Action=TagUser&Version=2010-05-08&UserName=a&Tags=x', 'Unexpected list element termination'],
    ['Action=TagUser&Version=2010-05-08&UserName=a&Tags.member.1=x', 'Unexpected complex element termination'],
  ] as const) {
    test(`${body.slice(30)}: MalformedInput`, async () => {
      const answer = await createEcho(answers).handle(call('iam', body))
      assert.deepEqual([answer.status, errorIn(answer.body).code, errorIn(answer.body).message], [400, 'MalformedInput', message])
    })
  }
})

describe('a query request', () => {
  test('carries lists and structures under dotted names, in the order of their numbers', async () => {
    const echo = createEcho(answers)
    await echo.handle(call('iam', 'Action=TagUser&Version=2010-05-08&UserName=a%2Bb&Tags.member.10.Key=last&Tags.member.10.Value=3+4&Tags.member.2.Key=k&Tags.member.2.Value=&Unknown.x.1=y'))
    assert.deepEqual(echo.lastInput, { UserName: 'a+b', Tags: [{ Key: 'k', Value: '' }, { Key: 'last', Value: '3 4' }] })
  })

  test('may stand in the query string of a GET', async () => {
    const echo = createEcho({ sts: { GetCallerIdentity: { Account: '1' } } })
    const answer = await echo.handle(requestOf({ method: 'GET', target: '/?Action=GetCallerIdentity&Version=2011-06-15', headers: signedFor('sts') }))
    assert.equal(answer.status, 200)
  })

  test('an empty list is a list', async () => {
    const echo = createEcho(answers)
    await echo.handle(call('iam', 'Action=TagUser&Version=2010-05-08&UserName=a&Tags='))
    assert.deepEqual(echo.lastInput.Tags, [])
  })

  test('a map is read by its entries, whatever their keys are', () => {
    const model = loadModel('iam-2010-05-08')
    const read = createFormReaders(model)({ shape: 'summaryMapType' })
    const map = read(treeOf(new URLSearchParams('entry.1.key=__proto__&entry.1.value=1&entry.2.key=Users&entry.2.value=2'))) as object
    assert.deepEqual(Object.entries(map), [['__proto__', 1], ['Users', 2]])
  })

  test('a name of very many parts is cut, not followed', async () => {
    const answer = await createEcho(answers).handle(call('iam', `Action=GetUser&Version=2010-05-08&${'a.'.repeat(200_000)}=1`))
    assert.equal(answer.status, 200)
  })
})

describe('a query answer', () => {
  test('is XML in the namespace of the service, with a request id in body and header', async () => {
    const echo = createEcho({ iam: { GetUser: { User: { UserName: 'a<b>&"c', Path: '/', CreateDate: new Date('2026-01-02T03:04:05Z'), Tags: [{ Key: 'k', Value: 'v' }], hidden: 1 } } } })
    const answer = await echo.handle(call('iam', 'Action=GetUser&Version=2010-05-08'))
    const requestId = headerOf(answer, 'x-amzn-requestid')
    assert.equal(answer.body, '<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult><User><Path>/</Path><UserName>a&lt;b&gt;&amp;&quot;c</UserName>'
      + '<CreateDate>2026-01-02T03:04:05Z</CreateDate><Tags><member><Key>k</Key><Value>v</Value></member></Tags></User></GetUserResult>'
      + `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></GetUserResponse>`)
  })

  test('of an operation without output has only its metadata', async () => {
    const answer = await createEcho(answers).handle(call('iam', 'Action=TagUser&Version=2010-05-08&UserName=a&Tags='))
    assert.match(String(answer.body), /^<TagUserResponse xmlns="[^"]+"><ResponseMetadata><RequestId>[^<]+<\/RequestId><\/ResponseMetadata><\/TagUserResponse>$/)
  })

  test('an error thrown under the name of its shape is answered with its code', async () => {
    const echo = createEcho({ iam: { GetUser: () => { throw new AwsError('NoSuchEntityException', 404, 'The user with name a cannot be found.') } } })
    const answer = await echo.handle(call('iam', 'Action=GetUser&Version=2010-05-08&UserName=a'))
    assert.deepEqual([answer.status, errorIn(answer.body).code], [404, 'NoSuchEntity'])
  })

  test('text that XML cannot hold is replaced', () => {
    assert.equal(escapeXml('a\u0000b\u001fc\uffffd\ud800e\tf\r\n😀<'), 'a\ufffdb\ufffdc\ufffdd\ufffde\tf&#13;\n😀&lt;')
  })
})
