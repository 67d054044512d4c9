// The example as its README tells it: deployed by its own script into two accounts of a real server, called by its own function.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { DeleteRolePolicyCommand, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import { InvokeCommand, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda'
import { newAccount, policyOf, type TestAccount } from '../../test/support/accounts.ts'
import { absent, runProgram } from '../../test/support/programs.ts'
import { startServer, type TestServer } from '../../test/support/server.ts'

const here = import.meta.dirname
const first = '000000000000'
const second = '222222222222'
const assumedCaller = `arn:aws:sts::${first}:assumed-role/cross-account-caller/call_other_account`

interface World {
  server: TestServer
  other: TestAccount
  url: string
  deploy(args?: string[]): Promise<string>
  /** What the function answered, or the message with which it failed. */
  call(): Promise<{ statusCode?: number, body?: unknown, errorMessage?: string }>
}

async function start(t: TestContext, args: string[] = []): Promise<World> {
  const server = await startServer(t)
  const other = await newAccount(server, second)
  const environment = { ...server.environment(), OTHER_AWS_ACCESS_KEY_ID: other.credentials.accessKeyId, OTHER_AWS_SECRET_ACCESS_KEY: other.credentials.secretAccessKey }
  const deploy = async (more: string[] = args) => {
    const { code, stdout, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'deploy.ts'), ...more], { env: environment })
    assert.equal(code, 0, stderr)
    return stdout
  }
  const url = /^the API of account B is at (\S+)$/m.exec(await deploy())![1]!
  return {
    server, other, url, deploy,
    async call() {
      const { Payload } = await server.lambda.send(new InvokeCommand({ FunctionName: 'call_other_account' }))
      const { body, ...rest } = JSON.parse(Buffer.from(Payload!).toString('utf8')) as { statusCode?: number, body?: string, errorMessage?: string }
      return { ...rest, ...(body === undefined ? {} : { body: JSON.parse(body) as unknown }) }
    },
  }
}

const greeting = { statusCode: 200, body: { message: 'Hello from account B', caller: `arn:aws:sts::${second}:assumed-role/cross-account-api/AssumedRoleSession` } }
const forbidden = { statusCode: 403, body: { message: 'Forbidden' } }

describe('the call across accounts', () => {
  test('is deployed once, and its scenario prints what account B answers', async (t) => {
    const { server, url, deploy } = await start(t)
    assert.equal(await deploy(), `the caller in account A is the function call_other_account\nthe API of account B is at ${url}\n`)
    const { code, stdout, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'scenario.ts'), 'call_other_account', url], { env: server.environment() })
    assert.equal(code, 0, stdout + stderr)
    assert.equal(stdout, `unsigned: 403 {"message":"Forbidden"}\nfrom account A, with a session of account B's role: 200 ${JSON.stringify(greeting.body)}\n`)
  })

  test('signs the host of the path form, or that of AWS', async (t) => {
    const { call, deploy } = await start(t)
    assert.deepEqual(await call(), greeting)
    await deploy(['--host-form'])
    assert.deepEqual(await call(), greeting)
  })

  test('needs every half: permission in A, trust in B, permission in B', async (t) => {
    const { server, other, call } = await start(t)
    const assume = `sts:AssumeRole on resource: arn:aws:iam::${second}:role/cross-account-api`

    await other.iam.send(new DeleteRolePolicyCommand({ RoleName: 'cross-account-api', PolicyName: 'invoke' }))
    assert.deepEqual(await call(), forbidden)
    await other.iam.send(new PutRolePolicyCommand({ RoleName: 'cross-account-api', PolicyName: 'invoke', PolicyDocument: policyOf({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'arn:aws:execute-api:us-east-1:*:*' }) }))
    assert.deepEqual(await call(), forbidden)
    await other.iam.send(new PutRolePolicyCommand({ RoleName: 'cross-account-api', PolicyName: 'invoke', PolicyDocument: policyOf({ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: 'arn:aws:execute-api:*:*:*' }) }))
    assert.deepEqual(await call(), greeting)

    const trust = (AWS: string) => other.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'cross-account-api', PolicyDocument: policyOf({ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }) }))
    await trust(`arn:aws:iam::${second}:root`)
    assert.match((await call()).errorMessage!, new RegExp(`^User: ${assumedCaller} is not authorized to perform: ${assume}`))
    await trust(`arn:aws:iam::${first}:root`)
    assert.deepEqual(await call(), greeting)

    await server.iam.send(new DeleteRolePolicyCommand({ RoleName: 'cross-account-caller', PolicyName: 'assume' }))
    assert.match((await call()).errorMessage!, new RegExp(`^User: ${assumedCaller} is not authorized to perform: ${assume}`))
  })

  test('tells the external id that the trust asks for', async (t) => {
    const { server, call } = await start(t, ['--external-id', 'contract-7'])
    assert.deepEqual(await call(), greeting)
    const Variables = { ROLE_ARN: `arn:aws:iam::${second}:role/cross-account-api`, API_URL: server.endpoint, API_REGION: 'ap-south-1', EXTERNAL_ID: 'contract-8' }
    await server.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'call_other_account', Environment: { Variables } }))
    assert.match((await call()).errorMessage!, /is not authorized to perform: sts:AssumeRole/)
  })

  test('from Python: the same, with its library in the archive', { skip: absent('boto3') || absent('requests') }, async (t) => {
    const { call, deploy } = await start(t, ['--python'])
    assert.deepEqual(await call(), greeting)
    await deploy(['--python', '--host-form'])
    assert.deepEqual(await call(), greeting)
  })

  test('wants two accounts', async (t) => {
    const server = await startServer(t)
    const { accessKeyId, secretAccessKey } = server.credentials
    const deploy = (more: Record<string, string>) => runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'deploy.ts')], { env: { ...server.environment(), ...more } })
    const without = await deploy({})
    assert.equal(without.code, 1)
    assert.match(without.stderr, /Set OTHER_AWS_ACCESS_KEY_ID and OTHER_AWS_SECRET_ACCESS_KEY\./)
    const same = await deploy({ OTHER_AWS_ACCESS_KEY_ID: accessKeyId, OTHER_AWS_SECRET_ACCESS_KEY: secretAccessKey })
    assert.match(same.stderr, /Both keys are of account 000000000000; OTHER_AWS_ACCESS_KEY_ID must be of another one\./)
  })
})
