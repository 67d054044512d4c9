// Archives of functions: the same files always make the same bytes, so that a function that has not changed keeps its hash.

import { readdir, readFile } from 'node:fs/promises'
import { findPackageJSON, stripTypeScriptTypes } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { fromBufferPromise } from 'yauzl'
import { ZipFile } from 'yazl'

export interface ArchiveEntry {
  /** Its path in the archive. */
  name: string
  contents: Buffer
  isExecutable?: boolean
}

const entryDate = new Date(Date.UTC(2000, 0, 1))

export async function archiveOf(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const zip = new ZipFile()
  for (const { name, contents, isExecutable } of entries.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    zip.addBuffer(contents, name, { mtime: entryDate, mode: isExecutable ? 0o100755 : 0o100644 })
  }
  zip.end()
  return buffer(zip.outputStream)
}

/** Files of an archive, by name. */
export async function readArchive(archive: Buffer, names: readonly string[]): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const zip = await fromBufferPromise(archive)
  for await (const entry of zip.eachEntry()) {
    if (names.includes(entry.fileName)) files.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)))
  }
  return files
}

/** A source file; TypeScript enters as the JavaScript that it is without its types, with `.mjs`. */
export async function sourceFile(file: string): Promise<ArchiveEntry> {
  const contents = await readFile(file)
  if (!file.endsWith('.ts')) return { name: basename(file), contents }
  const script = stripTypeScriptTypes(contents.toString('utf8')).replaceAll(/(from\s+'\.[^']*)\.ts'/g, '$1.mjs\'')
  return { name: basename(file).replace(/\.ts$/, '.mjs'), contents: Buffer.from(script) }
}

/** What a library needs at run time: scripts and package files, not its types, its maps or its documents. */
const isNeeded = (name: string) => /\.(?:c|m)?js$|(?:^|\/)package\.json$|(?:^|\/)LICEN[CS]E/.test(name)

/** A library and everything that it depends on, as found from `from` (a directory), in `node_modules` as npm would lay it out flat. */
export async function libraryFiles(name: string, from: string): Promise<ArchiveEntry[]> {
  const entries = new Map<string, ArchiveEntry[]>()
  await collect(name, from, entries)
  return [...entries.values()].flat()
}

async function collect(name: string, from: string, entries: Map<string, ArchiveEntry[]>): Promise<void> {
  if (entries.has(name)) return
  const manifest = findPackageJSON(name, pathToFileURL(join(from, 'index.js')))
  if (manifest === undefined) throw new Error(`The library ${name} is not installed.`)
  const home = dirname(manifest)
  const files = (await readdir(home, { recursive: true, withFileTypes: true }))
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(home.length + 1))
    .filter((file) => !file.startsWith('node_modules/') && isNeeded(file))
  entries.set(name, await Promise.all(files.map(async (file) => ({ name: `node_modules/${name}/${file}`, contents: await readFile(join(home, file)) }))))
  const { dependencies = {} } = JSON.parse(await readFile(manifest, 'utf8')) as { dependencies?: Record<string, string> }
  for (const dependency of Object.keys(dependencies)) await collect(dependency, home, entries)
}
