// `npm run check`: types, lint, import rules and documentation in step, one after the other; fails if any does.

import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { checkImports } from './imports.ts'

const root = resolve(import.meta.dirname, '..')
const bin = (name: string) => join(root, 'node_modules', '.bin', name)

const steps: { name: string, passes: () => boolean }[] = [
  { name: 'types', passes: () => command(bin('tsc'), ['--project', root]) },
  { name: 'lint', passes: () => command(bin('oxlint'), ['--type-aware', '--deny-warnings', root]) },
  { name: 'imports', passes: () => {
    const faults = checkImports(root)
    for (const fault of faults) console.error(fault)
    return faults.length === 0
  } },
  { name: 'docs', passes: () => command(process.execPath, [join(root, 'scripts', 'docs.ts'), '--check']) },
]

const failed = steps.filter(({ name, passes }) => {
  const isGood = passes()
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${name}`)
  return !isGood
})
process.exitCode = failed.length === 0 ? 0 : 1

function command(file: string, args: string[]): boolean {
  return spawnSync(file, args, { cwd: root, stdio: 'inherit' }).status === 0
}
