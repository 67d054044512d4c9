// `npm run bench`: what a user's requests cost here, as ratios to a raw Node server measured in the same run on the same machine.
//
// usage: npm run bench [-- --seconds N --connections N --rounds N --commit-delay-ms N]
// The server runs as users run it: embedded store, every request authenticated, authorized, durable.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { signHeaders } from '#aws/sigv4/sign.ts'
import { readCredentials, type AccessKeyPair } from '#lib/credentials-file.ts'
import { deployScenarios } from './deploy.ts'
import { load } from './load.ts'
import { measureStarts } from './starts.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    'commit-delay-ms': { type: 'string', default: '0' },
  },
})
const seconds = Number(options.seconds)
const connections = Number(options.connections)
const rounds = Number(options.rounds)

const root = resolve(import.meta.dirname, '..')
const dataDir = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
const children: ChildProcess[] = []
try {
  const rawPort = Number(await firstLine(start([join(root, 'bench', 'raw-server.ts')])))
  // AWS's quota of 10,000 requests a second to an account's APIs would be what is measured otherwise; on AWS, too, it is raised on demand.
  const server = start([join(root, 'src', 'main.ts'), 'serve', '--port', '0', '--data-dir', dataDir, '--log-level', 'warn', '--account-rate-limit', '1000000', '--commit-delay-ms', options['commit-delay-ms']])
  const endpoint = await untilReady()
  const port = Number(new URL(endpoint).port)
  const credentials = readCredentials(dataDir)!
  const idleMiB = memoryMiB(server.pid!)
  const { apiId, mockPath, lookupPath, functionName, tableName } = await deployScenarios(endpoint, credentials)

  const json10 = (target: string, body: object) => signed(credentials, port, 'dynamodb', 'POST', '/', JSON.stringify(body), { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `DynamoDB_20120810.${target}` })
  const scenarios: { name: string, port: number, status: number, request: () => (connection: number, index: number) => Buffer }[] = [
    { name: 'raw node:http', port: rawPort, status: 200, request: () => same(signed(credentials, rawPort, 'execute-api', 'GET', '/', '', {})) },
    { name: 'signed GetCallerIdentity', port, status: 200, request: () => same(signed(credentials, port, 'sts', 'POST', '/', 'Action=GetCallerIdentity&Version=2011-06-15', { 'content-type': 'application/x-www-form-urlencoded' })) },
    { name: 'signed execute-api, mock', port, status: 200, request: () => same(signed(credentials, port, 'execute-api', 'GET', `/_aws/execute-api/${apiId}${mockPath}`, '', {})) },
    { name: 'catalog lookup (API → function → GetItem)', port, status: 200, request: () => same(Buffer.from(`GET /_aws/execute-api/${apiId}${lookupPath} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`)) },
    { name: 'signed Invoke', port, status: 200, request: () => same(signed(credentials, port, 'lambda', 'POST', `/2015-03-31/functions/${functionName}/invocations`, '{"a":1}', { 'content-type': 'application/json' })) },
    { name: 'signed GetItem', port, status: 200, request: () => same(json10('GetItem', { TableName: tableName, Key: { id: { S: 'item-1' } } })) },
    {
      // Values vary: a store may skip a write that changes nothing.
      name: 'signed PutItem, flushed', port, status: 200, request: () => {
        const prepared = Array.from({ length: 512 }, (_, n) => json10('PutItem', { TableName: tableName, Item: { id: { S: `item-${n % 128}` }, n: { N: String(n) }, text: { S: 'x'.repeat(200) } } }))
        return (connection, index) => prepared[(connection * 17 + index) % prepared.length]!
      },
    },
  ]

  const results = new Map<string, { requestsPerSecond: number, p50Ms: number, p99Ms: number }[]>()
  for (let round = 0; round < rounds; round++) {
    for (const scenario of scenarios) {
      const make = scenario.request()
      if (round === 0) await load({ port: scenario.port, connections, seconds: 1, request: make, status: scenario.status })
      const result = await load({ port: scenario.port, connections, seconds, request: make, status: scenario.status })
      results.set(scenario.name, [...results.get(scenario.name) ?? [], result])
    }
  }

  const median = (name: string, field: 'requestsPerSecond' | 'p50Ms' | 'p99Ms') => results.get(name)!.map((result) => result[field]).toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!
  const floor = median('raw node:http', 'requestsPerSecond')
  console.log(`${connections} connections, ${seconds} s a round, medians of ${rounds}; commits slowed by ${options['commit-delay-ms']} ms`)
  console.log(`${'scenario'.padEnd(44)}${'requests/s'.padStart(12)}${'to raw'.padStart(9)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}`)
  for (const { name } of scenarios) {
    const rate = median(name, 'requestsPerSecond')
    console.log(`${name.padEnd(44)}${Math.round(rate).toLocaleString('en-US').padStart(12)}${(rate / floor).toFixed(2).padStart(9)}${median(name, 'p50Ms').toFixed(2).padStart(9)}${median(name, 'p99Ms').toFixed(2).padStart(9)}`)
  }
  await measureStarts({
    endpoint, port, credentials, samples: 5 * rounds,
    invoke: (name) => signed(credentials, port, 'lambda', 'POST', `/2015-03-31/functions/${name}/invocations`, '{"a":1}', { 'content-type': 'application/json' }),
    plain: signed(credentials, port, 'sts', 'POST', '/', 'Action=GetCallerIdentity&Version=2011-06-15', { 'content-type': 'application/x-www-form-urlencoded' }),
  })
  console.log(`memory: ${idleMiB} MiB idle, ${memoryMiB(server.pid!)} MiB after the load`)
} finally {
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.filter((child) => child.exitCode === null && child.signalCode === null).map((child) => new Promise((done) => child.once('exit', done))))
  rmSync(dataDir, { recursive: true, force: true })
}

function start(args: string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    child.stdout!.setEncoding('utf8').once('data', (text: string) => done(text.trim()))
    child.once('exit', () => fail(new Error('the server under test ended')))
  })
}

async function untilReady(): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      const endpoint = readFileSync(join(dataDir, 'endpoint'), 'utf8').trim()
      if ((await fetch(`${endpoint}/_countersign/health`)).ok) return endpoint
    } catch { /* not yet */ }
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error('the server under test did not become ready')
}

/** The whole bytes of a signed request. */
function signed({ accessKeyId, secretAccessKey }: AccessKeyPair, port: number, service: string, method: string, path: string, body: string, headers: Record<string, string>): Buffer {
  const bytes = Buffer.from(body)
  const all = signHeaders({
    method, path, rawQuery: '', headers: { ...headers, host: `127.0.0.1:${port}` }, body: bytes, service, region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey }, nowMs: Date.now(),
  })
  const lines = Object.entries({ ...all, 'content-length': String(bytes.length) }).map(([name, value]) => `${name}: ${value}`)
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`), bytes])
}

function same(request: Buffer): () => Buffer {
  return () => request
}

/** Resident memory of one process, where the system tells it (Linux). */
function memoryMiB(pid: number): number | string {
  try {
    const pages = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Math.round(Number(pages) / 1024)
  } catch {
    return '?'
  }
}
