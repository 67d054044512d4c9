// Starting and stopping: what refuses to start says why in one sentence, what starts serves, and what stops leaves nothing behind.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { CreateTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { keptDirectory } from '#test/support/kept-directory.ts'
import { absent, runProgram } from '#test/support/programs.ts'
import { startProcess } from '#test/support/process.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer } from '#test/support/server.ts'

const root = resolve(import.meta.dirname, '../..')

/** Runs `countersign` to its end. */
function countersign(args: string[], settings: Record<string, string> = {}, environment: NodeJS.ProcessEnv = {}) {
  const named = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`COUNTERSIGN_${name}`, value]))
  return runProgram(process.execPath, [join(root, 'src/main.ts'), ...args], { env: { PATH: process.env.PATH, ...environment, ...named } })
}

/** Asserts that the program ended with 1 and this one sentence. */
function saysOnly({ code, stderr }: { code: number | null, stderr: string }, sentence: RegExp): void {
  assert.match(stderr, sentence)
  assert.equal(stderr.trim().split('\n').length, 1, stderr)
  assert.equal(code, 1)
}

describe('serve refuses to start, with one sentence,', () => {
  test('on a port that is taken', async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await new Promise((done) => other.once('listening', done))
    const { port } = other.address() as AddressInfo
    saysOnly(await countersign(['serve'], { DATA_DIR: keptDirectory(), PORT: String(port), HOST: '127.0.0.1' }), new RegExp(`Port ${port} is taken by another process; .*--port`))
  })

  test('in a data directory that another server uses, and the other goes on', async (t) => {
    const dataDir = keptDirectory()
    const server = await startServer(t, { dataDir })
    saysOnly(await countersign(['serve'], { DATA_DIR: dataDir, PORT: '0' }), /is in use by process \d+; stop it, or set COUNTERSIGN_DATA_DIR/)
    await server.sts.send(new GetCallerIdentityCommand({}))
  })

  test('in a data directory that cannot be made', async () => {
    const file = join(keptDirectory(), 'file')
    writeFileSync(file, '')
    for (const below of [join(file, 'below'), '/proc/countersign', '/dev/null/countersign']) {
      saysOnly(await countersign(['serve'], { DATA_DIR: below, PORT: '0' }), /data directory .* cannot be .*COUNTERSIGN_DATA_DIR/)
    }
  })

  test('with a damaged, emptied or lost store, and leaves it as it is', async () => {
    const dataDir = keptDirectory()
    await (await startServer(undefined, { dataDir })).close()
    const file = join(dataDir, 'core.db')
    const whole = readFileSync(file)
    for (const damage of [Buffer.alloc(whole.length, 7), Buffer.alloc(0), whole.subarray(0, 5000)]) {
      writeFileSync(file, damage)
      saysOnly(await countersign(['serve'], { DATA_DIR: dataDir, PORT: '0' }), /core\.db is damaged .*restore a backup/)
      assert.ok(readFileSync(file).equals(damage), 'the file is as it was')
    }
    rmSync(file)
    saysOnly(await countersign(['serve'], { DATA_DIR: dataDir, PORT: '0' }), /core\.db is missing/)
    writeFileSync(file, whole)
    await (await startServer(undefined, { dataDir })).close()
  })

  test('with a master key that is lost, open to others, or another store\'s', async () => {
    const dataDir = keptDirectory()
    await (await startServer(undefined, { dataDir })).close()
    const file = join(dataDir, 'master.key')
    const key = readFileSync(file)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    rmSync(file)
    saysOnly(await countersign(['serve'], { DATA_DIR: dataDir, PORT: '0' }), /master key .* is missing/)
    writeFileSync(file, Buffer.alloc(32, 1), { mode: 0o600 })
    saysOnly(await countersign(['serve'], { DATA_DIR: dataDir, PORT: '0' }), /does not match this store/)
    writeFileSync(file, key)
    chmodSync(file, 0o644)
    saysOnly(await countersign(['serve'], { DATA_DIR: dataDir, PORT: '0' }), /can be read by others .*chmod 600/)
  })

  test('with settings that make no sense', async () => {
    saysOnly(await countersign(['serve', '--port', 'abc'], { DATA_DIR: keptDirectory() }), /COUNTERSIGN_PORT must be a whole number/)
    saysOnly(await countersign(['serve'], { DATA_DIR: keptDirectory(), PORT: '0', HOST: '0.0.0.0' }), /without TLS would send secrets in the clear/)
    saysOnly(await countersign(['serve'], { DATA_DIR: keptDirectory(), PORT: '0', TLS_CERT: '/nowhere.pem', TLS_KEY: '/nowhere.key' }), /\/nowhere\.pem cannot be read \(ENOENT\)/)
  })
})

describe('a server', () => {
  test('ends on SIGTERM with 0 within ten seconds and is found as it was', async (t) => {
    const dataDir = keptDirectory()
    const first = await startProcess({ dataDir })
    t.after(() => first.end('SIGKILL'))
    assert.equal((await fetch(`${first.endpoint}/_countersign/health`)).status, 200)
    assert.deepEqual(await first.end('SIGTERM'), { code: 0, signal: null })
    const second = await startProcess({ dataDir })
    t.after(() => second.end('SIGKILL'))
    assert.deepEqual(second.credentials, first.credentials)
  })

  test('keeps its root credentials and master key for their owner alone', async (t) => {
    const { dataDir } = await startServer(t)
    for (const file of ['credentials', 'master.key', 'core.db', 'logs.db', 'endpoint']) assert.equal(statSync(join(dataDir, file)).mode & 0o077, 0, file)
  })

  test('takes its root credentials from the settings, and no longer knows the earlier ones', async (t) => {
    const dataDir = keptDirectory()
    const before = await startServer(undefined, { dataDir })
    const { credentials: earlier } = before
    await before.close()
    const chosen = { accessKeyId: 'AKIACHOSENCHOSEN1234', secretAccessKey: 'a-secret-of-at-least-16' }
    const after = await startServer(t, { dataDir, settings: { ROOT_ACCESS_KEY_ID: chosen.accessKeyId, ROOT_SECRET_ACCESS_KEY: chosen.secretAccessKey } })
    assert.deepEqual(after.credentials, chosen)
    assert.equal((await after.sts.send(new GetCallerIdentityCommand({}))).Arn, 'arn:aws:iam::000000000000:root')
    await refuses(after.clients(earlier).sts.send(new GetCallerIdentityCommand({})), 403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
  })

  test('accepts no credential that it did not issue', async (t) => {
    const server = await startServer(t)
    for (const [accessKeyId, secretAccessKey] of [['test', 'test'], ['000000000000', 'test'], ['AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY']] as const) {
      await refuses(server.clients({ accessKeyId, secretAccessKey }).sts.send(new GetCallerIdentityCommand({})), 403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
      await refuses(server.clients({ accessKeyId, secretAccessKey }).dynamodb.send(new ListTablesCommand({})), 400, 'UnrecognizedClientException', 'The security token included in the request is invalid.')
    }
  })

  test('serves health and metrics to anyone, and nothing else unsigned', async (t) => {
    const { endpoint } = await startServer(t)
    const health = await fetch(`${endpoint}/_countersign/health`)
    assert.deepEqual([health.status, (await health.json() as { status: string }).status], [200, 'ok'])
    assert.match(await (await fetch(`${endpoint}/_countersign/metrics`)).text(), /^countersign_requests_total|^process_cpu/m)
    for (const path of ['/_countersign/traces', '/_countersign/traces/x', '/_countersign/nothing']) assert.ok([403, 404].includes((await fetch(`${endpoint}${path}`)).status), path)
    assert.equal((await fetch(`${endpoint}/_countersign/reset`, { method: 'POST' })).status, 403)
  })

  test('speaks TLS when told to', { skip: absent('openssl') }, async (t) => {
    const dir = keptDirectory()
    const made = await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')])
    assert.equal(made.code, 0, made.stderr)
    const server = await startServer(t, { settings: { TLS_CERT: join(dir, 'cert.pem'), TLS_KEY: join(dir, 'key.pem'), HOST: '127.0.0.1' } })
    assert.match(server.endpoint, /^https:\/\/127\.0\.0\.1:/)
    const { code, stdout } = await runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`, '-CAfile', join(dir, 'cert.pem'), '-verify_return_error', '-brief'], { input: 'GET /_countersign/health HTTP/1.0\r\n\r\n' })
    assert.equal(code, 0)
    assert.ok(stdout.length >= 0)
  })
})

describe('the command line', () => {
  test('has help for every command', async () => {
    for (const command of [[], ['serve'], ['env'], ['curl'], ['trace'], ['events', 'list'], ['events', 'show'], ['events', 'retry'], ['backup'], ['restore'], ['reset'], ['doctor'], ['version']]) {
      const { code, stdout } = await countersign([...command, '--help'])
      assert.equal(code, 0)
      assert.match(stdout, /Usage: countersign/)
    }
  })

  test('prints an environment that AWS clients work with', async (t) => {
    const server = await startServer(t)
    const { stdout } = await countersign(['env', '--data-dir', server.dataDir])
    assert.match(stdout, new RegExp(`^export AWS_ENDPOINT_URL=${server.endpoint}$`, 'm'))
    const shell = await runProgram('sh', ['-c', `${stdout}\nprintf '%s %s' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"`])
    assert.equal(shell.stdout, `${server.credentials.accessKeyId} ${server.credentials.secretAccessKey}`)
    saysOnly(await countersign(['env', '--data-dir', keptDirectory()]), /There are no credentials in/)
  })

  test('sends a signed request, and shows the trace of one', async (t) => {
    const server = await startServer(t)
    const environment = server.environment()
    const answer = await countersign(['curl', '-i', '-s', 'sts', '-H', 'content-type: application/x-www-form-urlencoded', '-d', 'Action=GetCallerIdentity&Version=2011-06-15', '/'], {}, environment)
    assert.match(answer.stdout, /^HTTP\/1\.1 200 /)
    assert.match(answer.stdout, /arn:aws:iam::000000000000:root/)
    const requestId = /^x-amzn-requestid: (\S+)/im.exec(answer.stdout)![1]!
    let trace = await countersign(['trace', requestId], {}, environment)
    // Traces are written within a second of the answer.
    for (let attempt = 0; attempt < 20 && trace.code !== 0; attempt++) trace = await countersign(['trace', requestId], {}, environment)
    assert.match(trace.stdout, /GetCallerIdentity/)
    assert.match(trace.stdout, /authentication/)
    saysOnly(await countersign(['trace', 'no-such-request'], {}, environment), /There is no trace of a request no-such-request/)
    assert.equal((await countersign(['curl', '/restapis'], {}, { ...environment, AWS_SECRET_ACCESS_KEY: 'wrong'.repeat(5) })).code, 22)
  })

  test('resets only a server that allows it, to its first-start state', async (t) => {
    const strict = await startServer(t)
    saysOnly(await countersign(['reset'], {}, strict.environment()), /COUNTERSIGN_ALLOW_RESET=1/)
    const server = await startServer(t, { settings: { ALLOW_RESET: '1' } })
    const member = await server.user('member', [{ Effect: 'Allow', Action: '*', Resource: '*' }])
    saysOnly(await countersign(['reset'], {}, server.environment(member)), /Only the root/)
    await server.dynamodb.send(new CreateTableCommand({ TableName: 'Things', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] }))
    assert.equal((await countersign(['reset'], {}, server.environment())).code, 0)
    assert.deepEqual((await server.dynamodb.send(new ListTablesCommand({}))).TableNames, [])
    await refuses(server.clients(member).sts.send(new GetCallerIdentityCommand({})), 403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
  })

  test('backs a running server up, and restores it elsewhere', async (t) => {
    const server = await startServer(t)
    await server.dynamodb.send(new CreateTableCommand({ TableName: 'Kept', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] }))
    const file = join(keptDirectory(), 'copy')
    assert.equal((await countersign(['backup', file, '--data-dir', server.dataDir])).code, 0)
    assert.ok(!readFileSync(file).includes(readFileSync(join(server.dataDir, 'master.key'))), 'the master key is not in a backup')
    saysOnly(await countersign(['backup', file, '--data-dir', server.dataDir]), /exists/)
    const elsewhere = join(keptDirectory(), 'data')
    mkdirSync(elsewhere, { mode: 0o700 })
    assert.equal((await countersign(['restore', file, '--data-dir', elsewhere])).code, 0)
    saysOnly(await countersign(['serve'], { DATA_DIR: elsewhere, PORT: '0' }), /master key .* is missing/)
    writeFileSync(join(elsewhere, 'master.key'), readFileSync(join(server.dataDir, 'master.key')), { mode: 0o600 })
    const restored = await startServer(t, { dataDir: elsewhere })
    assert.deepEqual(restored.credentials, server.credentials)
    assert.deepEqual((await restored.dynamodb.send(new ListTablesCommand({}))).TableNames, ['Kept'])
  })
})
