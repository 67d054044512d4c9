// `countersign doctor`: what this machine gives, and what to install for more.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { examineMachine } from '#services/lambda/runtime/examine.ts'
import type { Settings } from './config.ts'

/** One line for each thing that makes a difference. Runs programs of this machine to ask for their versions. */
export async function examine(settings: Settings): Promise<string[]> {
  const machine = await examineMachine()
  return [
    `node: ${process.version} (${process.execPath})`,
    ...machine.interpreters.map(({ language, version, path }) => `${language}: ${version} (${path})`),
    ...machine.interpreters.some(({ language }) => language === 'python') ? [] : ['python: not found; Python functions cannot be created until a python3 is installed'],
    `isolation: level ${machine.isolation.level}, ${machine.isolation.about}`,
    ...machine.isolation.advice,
    `limits: ${machine.limits}`,
    ...machine.isolation.level > settings.minIsolation ? [`isolation: below COUNTERSIGN_MIN_ISOLATION=${settings.minIsolation}; the server would refuse to start`] : [],
    settings.databaseUrl === undefined ? 'store: embedded (SQLite); set COUNTERSIGN_DATABASE_URL to share one between processes' : 'store: PostgreSQL, from COUNTERSIGN_DATABASE_URL',
    versionLine('postgres', postgresPrograms(), 'not found; only needed for the tests of that engine'),
    versionLine('aws', ['aws'], 'not found; any AWS SDK works as well'),
    versionLine('strace', ['strace'], 'not found; only needed for the tests that watch the disk'),
  ]
}

function versionLine(name: string, programs: readonly string[], otherwise: string): string {
  for (const program of programs) {
    const { status, stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 })
    if (status === 0) return `${name}: ${(stdout + stderr).trim().split('\n')[0]}`
  }
  return `${name}: ${otherwise}`
}

/** Distributions keep the server's programs off the PATH. */
function postgresPrograms(): string[] {
  try {
    return ['postgres', ...readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin/postgres`)]
  } catch {
    return ['postgres']
  }
}
