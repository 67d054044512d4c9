// The catalog from nothing by the AWS CLI alone: table, role, functions, import, deployment, and what its addresses then answer.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { createDeploymentPackage } from '../../../examples/service-catalog/deployment.ts'
import { signedPost } from '../../../examples/service-catalog/client.ts'
import { absent, aws, awsRaw } from '#test/support/programs.ts'
import { startServer } from '#test/support/server.ts'

const example = resolve(import.meta.dirname, '../../../examples/service-catalog')

describe('the AWS CLI', { skip: absent('aws') }, () => {
  test('builds the catalog from nothing', async (t) => {
    const server = await startServer(t)
    const env = server.environment()
    const scratch = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
    t.after(() => rmSync(scratch, { recursive: true, force: true }))
    const account = '000000000000'
    assert.equal((await aws(env, ['sts', 'get-caller-identity'])).Account, account)

    await aws(env, ['dynamodb', 'create-table', '--table-name', 'Services', '--billing-mode', 'PAY_PER_REQUEST',
      '--attribute-definitions', 'AttributeName=name,AttributeType=S', 'AttributeName=version,AttributeType=S', '--key-schema', 'AttributeName=name,KeyType=HASH', 'AttributeName=version,KeyType=RANGE'])
    await aws(env, ['dynamodb', 'wait', 'table-exists', '--table-name', 'Services'])
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] }
    const role = await aws(env, ['iam', 'create-role', '--role-name', 'catalog', '--assume-role-policy-document', JSON.stringify(trust)])
    await aws(env, ['iam', 'put-role-policy', '--role-name', 'catalog', '--policy-name', 'table', '--policy-document', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'], Resource: `arn:aws:dynamodb:us-east-1:${account}:table/Services` }] })])

    let swagger = readFileSync(join(example, 'swagger.json'), 'utf8')
    for (const name of ['catalog_service', 'catalog_register', 'catalog_deregister']) {
      const zip = join(scratch, `${name}.zip`)
      await createDeploymentPackage(zip, [join(example, 'functions', `${name}.ts`), join(example, 'functions', 'table.ts')])
      const created = await aws(env, ['lambda', 'create-function', '--function-name', name, '--runtime', 'nodejs22.x', '--role', role.Role.Arn, '--handler', `${name}.lambda_handler`, '--zip-file', `fileb://${zip}`])
      await aws(env, ['lambda', 'wait', 'function-active-v2', '--function-name', name])
      await aws(env, ['lambda', 'add-permission', '--function-name', name, '--statement-id', 'api', '--action', 'lambda:InvokeFunction', '--principal', 'apigateway.amazonaws.com', '--source-arn', `arn:aws:execute-api:us-east-1:${account}:*/*/*/*`])
      swagger = swagger.replaceAll(`$${name}ARN$`, created.FunctionArn)
    }
    const file = join(scratch, 'swagger.json')
    writeFileSync(file, swagger)
    // Version 1 takes the file's bytes with fileb:// everywhere; version 2 wants them so for blobs too.
    const api = await aws(env, ['apigateway', 'import-rest-api', '--body', `fileb://${file}`, '--parameters', 'basepath=ignore'])
    await aws(env, ['apigateway', 'put-rest-api', '--rest-api-id', api.id, '--mode', 'merge', '--body', `fileb://${file}`, '--parameters', 'basepath=prepend'])
    await aws(env, ['apigateway', 'create-deployment', '--rest-api-id', api.id, '--stage-name', 'dev'])
    const resources = await aws(env, ['apigateway', 'get-resources', '--rest-api-id', api.id])
    assert.ok(resources.items.some(({ path }: { path: string }) => path === '/v1/catalog/register'))

    const url = `${server.endpoint}/_aws/execute-api/${api.id}/dev`
    const registration = JSON.stringify({ service_name: 'cli', service_version: '2', endpoint_url: 'http://127.0.0.1:1', ttl: 60, status: 'healthy' })
    const unsigned = await fetch(`${url}/catalog/register`, { method: 'POST', body: Buffer.from(registration) })
    assert.deepEqual([unsigned.status, await unsigned.json()], [403, { message: 'Missing Authentication Token' }])
    assert.equal((await signedPost(`${url}/catalog/register`, 'us-east-1', 'execute-api', registration, server.credentials)).status, 201)
    assert.deepEqual(await (await fetch(`${url}/v1/catalog/cli/2`)).json(), { endpoint_url: 'http://127.0.0.1:1', ttl: 60, status: 'healthy' })

    const invoked = await awsRaw(env, ['lambda', 'invoke', '--function-name', 'catalog_service', '--log-type', 'Tail', '--payload', `fileb://${writtenTo(join(scratch, 'event'), '{"service_name":"cli","service_version":"2"}')}`, join(scratch, 'answer')])
    assert.equal(invoked.code, 0, invoked.stderr)
    assert.deepEqual(JSON.parse(readFileSync(join(scratch, 'answer'), 'utf8')), { endpoint_url: 'http://127.0.0.1:1', ttl: 60, status: 'healthy' })
    assert.match(Buffer.from(JSON.parse(invoked.stdout).LogResult, 'base64').toString(), /REPORT RequestId: /)

    const refused = await awsRaw({ ...env, AWS_SECRET_ACCESS_KEY: 'wrong' }, ['dynamodb', 'list-tables'])
    assert.match(refused.stderr, /InvalidSignatureException.*The request signature we calculated does not match the signature you provided/)
    assert.notEqual(refused.code, 0)
  })
})

function writtenTo(file: string, text: string): string {
  writeFileSync(file, text)
  return file
}
