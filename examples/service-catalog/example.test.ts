// The example as its README tells it: deployed by its own scripts into a real server, used by its own clients.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { join } from 'node:path'
import { GetRestApisCommand, ImportRestApiCommand, CreateDeploymentCommand, GetDeploymentsCommand } from '@aws-sdk/client-api-gateway'
import { UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { readFile } from 'node:fs/promises'
import { absent, runProgram } from '../../test/support/programs.ts'
import { startServer, type TestServer } from '../../test/support/server.ts'
import { signedPost, signRequest, type Credentials } from './client.ts'

const here = import.meta.dirname

/** Deploys with the TypeScript scripts. Answers the printed address, with the stage, and everything that was printed. */
async function deploy(server: TestServer, args: string[] = []): Promise<{ url: string, printed: string }> {
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join(here, 'deploy.ts'), ...args], { env: server.environment() })
  assert.equal(code, 0, stderr)
  return { url: /^the catalog is at (\S+)$/m.exec(stdout)![1]!, printed: stdout }
}

const registration = { service_name: 'orders', service_version: '1.0', endpoint_url: 'http://127.0.0.1:1/orders', ttl: '300', status: 'healthy' }

async function register(url: string, credentials: Credentials, body: object | string): Promise<{ status: number, body: any, headers: Headers }> {
  const response = await signedPost(`${url}/catalog/register`, 'us-east-1', 'execute-api', typeof body === 'string' ? body : JSON.stringify(body), credentials)
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
}

describe('the service catalog', () => {
  test('deployed twice deploys once, and its scenario prints what the document prints', async (t) => {
    const server = await startServer(t)
    const { url } = await deploy(server)
    const again = await deploy(server)
    assert.equal(again.printed, `the catalog is at ${url}\n`)
    const { items } = await server.apigateway.send(new GetRestApisCommand({}))
    assert.deepEqual(items!.map(({ name }) => name), ['catalog_service'])
    assert.equal((await server.apigateway.send(new GetDeploymentsCommand({ restApiId: items![0]!.id }))).items!.length, 1)

    const { stdout, code } = await runProgram(process.execPath, [join(here, 'scenario.ts'), url], { env: server.environment() })
    assert.equal(stdout, [
      'ERROR:root:Error code: 403', 'INFO:root:Successfully registered the service.', 'INFO:root:Endpoint URL: notarealurlregister6', 'INFO:root:TTL: 300', 'INFO:root:Status: healthy', '',
    ].join('\n'))
    assert.equal(code, 0)
  })

  test('refuses and answers as on AWS', async (t) => {
    const server = await startServer(t)
    const { url } = await deploy(server)
    const apiId = /execute-api\/(\w+)|\/\/(\w+)\.execute-api/.exec(url)!.slice(1).find((id) => id !== undefined)!

    // Refusals.
    const unsigned = await fetch(`${url}/catalog/register`, { method: 'POST', body: JSON.stringify(registration) })
    assert.deepEqual([unsigned.status, await unsigned.json()], [403, { message: 'Missing Authentication Token' }])
    assert.equal(unsigned.headers.get('x-amzn-errortype'), 'MissingAuthenticationTokenException')

    const wrong = await register(url, { ...server.credentials, secretAccessKey: 'x'.repeat(40) }, registration)
    assert.equal(wrong.status, 403)
    assert.match(wrong.body.message, /^The request signature we calculated does not match the signature you provided\. Check your AWS Secret Access Key and signing method\. Consult the service documentation for details\.\n\nThe Canonical String for this request should have been\n'POST\n/)

    const stranger = await register(url, await server.user('stranger', [{ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' }]), registration)
    assert.equal(stranger.status, 403)
    assert.match(stranger.body.Message, new RegExp(`^User: arn:aws:iam::000000000000:user/stranger is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:\\*{8}0000:${apiId}/dev/POST/catalog/register`))

    for (const [path, method] of [['/nowhere', 'GET'], ['/catalog/register', 'GET'], ['/v1/nowhere', 'POST']] as const) {
      const response = await fetch(`${url}${path}`, { method })
      assert.deepEqual([response.status, await response.json()], [403, { message: 'Missing Authentication Token' }], `${method} ${path}`)
    }

    // What is allowed.
    const member = await server.user('member', [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `arn:aws:execute-api:us-east-1:*:${apiId}/dev/POST/*` }])
    assert.deepEqual((await register(url, member, registration)).status, 201)
    const lookup = async () => {
      const response = await fetch(`${url}/catalog/orders/1.0`)
      return [response.status, await response.json()]
    }
    assert.deepEqual(await lookup(), [200, { endpoint_url: 'http://127.0.0.1:1/orders', ttl: 300, status: 'healthy' }])
    assert.equal((await register(`${url}/v1`, member, { ...registration, ttl: 60, status: 'failing' })).status, 201)
    assert.deepEqual(await lookup(), [200, { endpoint_url: 'http://127.0.0.1:1/orders', ttl: 60, status: 'failing' }])
    const gone = await signedPost(`${url}/catalog/deregister`, 'us-east-1', 'execute-api', JSON.stringify({ service_name: 'orders', service_version: '1.0' }), member)
    assert.equal(gone.status, 201)
    assert.deepEqual(await lookup(), [404, { error_message: 'Service Not Found' }])

    // What the file maps to its default response: the function's own errors.
    const missing = await register(url, member, { ...registration, endpoint_url: undefined })
    assert.deepEqual([missing.status, missing.body.errorMessage, missing.body.errorType], [201, 'The field endpoint_url is missing.', 'Error'])
    const abc = await register(url, member, { ...registration, ttl: 'abc' })
    assert.deepEqual([abc.status, abc.body.errorType], [201, 'Error'])
    assert.equal((await register(url, member, '{"service_name": ')).status, 400)
  })

  test('with a validator and an error pattern, wrong requests are 400', async (t) => {
    const server = await startServer(t)
    const { url } = await deploy(server, ['--swagger', join(here, 'swagger-validated.json')])
    const { endpoint_url: _, ...missing } = registration
    const refused = await register(url, server.credentials, missing)
    assert.deepEqual([refused.status, refused.body], [400, { message: 'Invalid request body' }])
    const abc = await register(url, server.credentials, { ...registration, ttl: 'abc' })
    assert.deepEqual([abc.status, abc.body], [400, { error_message: 'The field ttl must be a whole number, not "abc".' }])
    assert.equal((await register(url, server.credentials, registration)).status, 201)
  })

  test('imported only with the default base path, the API does not answer below /v1', async (t) => {
    const server = await startServer(t)
    const { url } = await deploy(server)
    const text = (await readFile(join(here, 'swagger.json'), 'utf8')).replace('"catalog_service"', '"once"').replaceAll(/\$(\w+)ARN\$/g, 'arn:aws:lambda:us-east-1:000000000000:function:$1')
    const { id } = await server.apigateway.send(new ImportRestApiCommand({ body: Buffer.from(text) }))
    await server.apigateway.send(new CreateDeploymentCommand({ restApiId: id, stageName: 'dev' }))
    const base = `${server.endpoint}/_aws/execute-api/${id}/dev`
    assert.ok(url !== base)
    assert.equal((await fetch(`${base}/catalog/none/1`)).status, 404)
    const prepended = await fetch(`${base}/v1/catalog/none/1`)
    assert.deepEqual([prepended.status, await prepended.json()], [403, { message: 'Missing Authentication Token' }])
  })

  test('a short-term key signs as well as a long-term one, and its token is needed', async (t) => {
    const server = await startServer(t)
    const { url } = await deploy(server)
    const roleArn = await server.role('visitor', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }])
    const traveller = server.clients(await server.user('traveller', [{ Effect: 'Allow', Action: 'dynamodb:ListTables', Resource: '*' }]))
    await server.iam.send(new UpdateAssumeRolePolicyCommand({
      RoleName: 'visitor', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:user/traveller' }, Action: 'sts:AssumeRole' }] }),
    }))
    const { Credentials: session } = await traveller.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'trip' }))
    const credentials = { accessKeyId: session!.AccessKeyId!, secretAccessKey: session!.SecretAccessKey!, sessionToken: session!.SessionToken! }
    assert.equal((await register(url, credentials, registration)).status, 201)
    const { sessionToken: _, ...withoutToken } = credentials
    const refused = await register(url, withoutToken, registration)
    assert.deepEqual([refused.status, refused.body.message], [403, 'The security token included in the request is invalid.'])
  })

  test('the host may be signed with its port, as SDKs do, or without, as the document does', async (t) => {
    const server = await startServer(t)
    const { url } = await deploy(server)
    const bare = signRequest('POST', `${url}/catalog/register`, server.credentials, 'us-east-1', 'execute-api', JSON.stringify(registration))
    assert.ok(new URL(url).port !== '')
    const response = await fetch(bare.url, { method: 'POST', headers: bare.headers, body: Buffer.from(bare.body) })
    assert.equal(response.status, 201)
  })

  test('from Python: deployed, refused, registered and looked up', { skip: absent('boto3') }, async (t) => {
    const server = await startServer(t)
    const deployed = await runProgram('python3', [join(here, 'deploy.py')], { env: server.environment() })
    assert.equal(deployed.code, 0, deployed.stderr)
    const url = /^the catalog is at (\S+)$/m.exec(deployed.stdout)![1]!
    const { code, stderr } = await runProgram('python3', [join(here, 'client.py'), url], { env: server.environment() })
    assert.equal(stderr, [
      'ERROR:root:Error code: 403', 'INFO:root:Successfully registered the service.', 'INFO:root:Endpoint URL: notarealurlregister6', 'INFO:root:TTL: 300', 'INFO:root:Status: healthy', '',
    ].join('\n'))
    assert.equal(code, 0)
    const abc = await register(url, server.credentials, { ...registration, ttl: 'abc' })
    assert.deepEqual([abc.status, abc.body.errorType], [201, 'ValueError'])
    const missing = await register(url, server.credentials, { service_name: 'orders', service_version: '1.0' })
    assert.deepEqual([missing.status, missing.body.errorMessage, missing.body.errorType], [201, "'endpoint_url'", 'KeyError'])
  })
})
