// The repository keeps its own promises: import rules, links in documents, settings in step with their page.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { settings } from '#src/config.ts'
import { checkImports } from '../scripts/imports.ts'

const root = resolve(import.meta.dirname, '..')
const documents = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'examples/**/*.md'], { cwd: root }).filter((file) => !file.includes('node_modules'))

describe('the repository', () => {
  test('imports go one way', () => {
    assert.deepEqual(checkImports(root), [])
  })

  test('every link in a document leads to a file', () => {
    const broken = documents.flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(([, target]) => target!)
      .filter((target) => !existsSync(resolve(root, dirname(file), target)))
      .map((target) => `${file} → ${target}`))
    assert.deepEqual(broken, [])
  })

  test('every source file says in its first line what it is for', () => {
    const silent = globSync(['src/**/*.ts', 'scripts/*.ts', 'bench/*.ts', 'test/**/*.ts'], { cwd: root }).filter((file) => !/^\/\/ .{10,}/.test(readFileSync(join(root, file), 'utf8')))
    assert.deepEqual(silent, [])
  })

  test('every setting stands in the settings page', () => {
    const page = readFileSync(join(root, 'docs/guides/settings.md'), 'utf8')
    const missing = Object.values(settings).filter(({ name, about }) => !page.includes(`\`COUNTERSIGN_${name}\``) || !page.includes(about))
    assert.deepEqual(missing, [])
  })

  test('every example imports only packages that it names', () => {
    const wrong = globSync('examples/*/package.json', { cwd: root }).flatMap((file) => {
      const { dependencies = {} } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { dependencies?: Record<string, string> }
      return globSync('**/*.ts', { cwd: join(root, dirname(file)) }).filter((name) => !name.endsWith('.test.ts') && !name.includes('node_modules')).flatMap((name) =>
        [...readFileSync(join(root, dirname(file), name), 'utf8').matchAll(/from '([^'.][^']*)'/g)].map(([, specifier]) => specifier!)
          .filter((specifier) => !specifier.startsWith('node:') && !Object.keys(dependencies).some((known) => specifier === known || specifier.startsWith(`${known}/`)))
          .map((specifier) => `${name}: ${specifier}`))
    })
    assert.deepEqual(wrong, [])
  })
})
