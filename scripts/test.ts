// Runs every test (`npm test`), or with `--slow` the long ones, and ends with what had to be skipped because this machine lacks it.

import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { availableParallelism } from 'node:os'

const root = resolve(import.meta.dirname, '..')
const args = process.argv.slice(2)
const isSlow = args.includes('--slow')
const named = args.filter((argument) => !argument.startsWith('--'))
/** A test that has not ended by then hangs. */
const TEST_TIMEOUT_MS = isSlow ? 20 * 60_000 : 3 * 60_000

const files = named.length > 0
  ? named.map((name) => resolve(name))
  : globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'], { cwd: root, exclude: (name) => String(name).includes('node_modules') })
      .filter((file) => file.endsWith('.slow.test.ts') === isSlow)
      .map((file) => join(root, file))
      .sort()

const scratch = mkdtempSync(join(tmpdir(), 'countersign-test-'))
const report = join(scratch, 'report.tap')
const child = spawn(process.execPath, [
  '--test',
  `--test-concurrency=${isSlow ? 1 : availableParallelism()}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  '--test-reporter=dot', '--test-reporter-destination=stdout',
  '--test-reporter=spec', `--test-reporter-destination=${join(scratch, 'report.txt')}`,
  '--test-reporter=tap', `--test-reporter-destination=${report}`,
  ...files,
], { cwd: root, stdio: 'inherit', env: withoutSettings(process.env) })

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  const tap = readIfAny(report)
  const failures = readIfAny(join(scratch, 'report.txt')).split('✖ failing tests:')[1]
  if (failures !== undefined) console.log(`\nfailing tests:${failures}`)
  // TAP escapes the `#` of a name; a skip directive stands unescaped at the end of its line.
  const skipped = [...tap.matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)].map(([, name, reason]) => ({ name: name!, reason: reason! }))
  console.log(tap.split('\n').filter((line) => /^# (tests|pass|fail|cancelled|skipped|todo|duration_ms) /.test(line)).map((line) => line.replace('# ', 'ℹ ')).join('\n'))
  const byReason = Map.groupBy(skipped, ({ reason }) => reason || 'no reason given')
  for (const [reason, tests] of byReason) console.log(`skipped ${tests.length} (${reason})`)
  rmSync(scratch, { recursive: true, force: true })
  process.exitCode = signal ? 1 : code ?? 1
  if (args.includes('--no-skips') && skipped.length > 0) {
    console.log(`${skipped.length} skipped tests, but everything they need should be installed here:`)
    for (const { name, reason } of skipped) console.log(`  ${name}: ${reason}`)
    process.exitCode = 1
  }
})

/** Settings of a person's own server, and their AWS credentials, have no part in tests. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const clean: NodeJS.ProcessEnv = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('COUNTERSIGN_') && !name.startsWith('AWS_')) clean[name] = value
  }
  return clean
}

function readIfAny(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
