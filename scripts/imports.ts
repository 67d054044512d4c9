// The import rules of ARCHITECTURE.md, as a check: which folder may import from which.

import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

interface Import {
  /** Paths relative to the root, as `src/aws/arn.ts`. */
  from: string
  to: string
  isTypeOnly: boolean
}

/** One sentence for each import that breaks a rule. */
export function checkImports(root: string): string[] {
  const files = globSync(['src/**/*.ts', 'src/**/*.tsx', 'examples/**/*.ts'], { cwd: root }).filter((file) => !file.includes('node_modules'))
  return files.flatMap((file) => importsOf(root, file)).flatMap((one) => {
    const fault = faultOf(one)
    return fault === undefined ? [] : [`${one.from} imports ${one.to}: ${fault}`]
  })
}

function faultOf({ from, to, isTypeOnly }: Import): string | undefined {
  const isTest = from.endsWith('.test.ts')
  if (from.startsWith('examples/')) return to.startsWith('src/') || to.startsWith('test/') && !isTest ? 'an example imports nothing of ours' : undefined
  if (isTest) return undefined
  if (to.startsWith('test/') || to.startsWith('bench/') || to.startsWith('scripts/')) return 'the product imports no tests, benchmarks or scripts'
  const layer = layerOf(from)
  const target = layerOf(to)
  if (layer === 'root') return undefined
  if (layer === 'services' && target === 'services') {
    if (serviceOf(from) === serviceOf(to)) return undefined
    return isTypeOnly && /^src\/services\/[^/]+\/index\.ts$/.test(to) ? undefined : 'a service may only import types, and only from another service\'s index.ts'
  }
  return layer === target || allowed[layer].includes(target) ? undefined : `${layer} may import ${allowed[layer].join(', ') || 'nothing of ours'}`
}

type Layer = 'lib' | 'storage' | 'aws' | 'services' | 'cli' | 'console' | 'root'

const allowed: Record<Layer, readonly Layer[]> = {
  lib: [],
  storage: ['lib'],
  aws: ['lib'],
  services: ['lib', 'storage', 'aws'],
  cli: ['lib', 'aws'],
  console: ['lib', 'aws'],
  root: [],
}

function layerOf(file: string): Layer {
  const folder = /^src\/([^/]+)\//.exec(file)?.[1]
  return folder !== undefined && folder in allowed ? folder as Layer : 'root'
}

function serviceOf(file: string): string | undefined {
  return /^src\/services\/([^/]+)\//.exec(file)?.[1]
}

function importsOf(root: string, from: string): Import[] {
  const text = readFileSync(join(root, from), 'utf8')
  const found: Import[] = []
  for (const [, keyword, specifier] of text.matchAll(/^\s*(import type|import|export type|export)\b[^'"\n]*?(?:\n[^'"]*?)?from ['"]([^'"]+)['"]/gm)) {
    const to = resolveSpecifier(root, from, specifier!)
    if (to !== undefined) found.push({ from, to, isTypeOnly: keyword!.endsWith('type') })
  }
  for (const [, specifier] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    const to = resolveSpecifier(root, from, specifier!)
    if (to !== undefined) found.push({ from, to, isTypeOnly: false })
  }
  return found
}

function resolveSpecifier(root: string, from: string, specifier: string): string | undefined {
  const mapped = /^#(lib|storage|aws|services)\/(.*)$/.exec(specifier)
  if (mapped) return `src/${mapped[1]}/${mapped[2]}`
  if (specifier.startsWith('#src/')) return `src/${specifier.slice(5)}`
  if (specifier.startsWith('#test/')) return `test/${specifier.slice(6)}`
  if (specifier.startsWith('.')) return relative(root, resolve(root, dirname(from), specifier))
  return undefined
}
