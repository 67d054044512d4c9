// A real browser for tests of pages: Chromium from the npm registry, without a window.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'

interface TestLike { after(hook: () => Promise<void>): void, skip(message?: string): void }

/** Starts a browser that ends with the test. Undefined where Chromium does not run, and the test is then skipped, saying so. */
export async function openBrowser(t: TestLike): Promise<Browser | undefined> {
  const unpacked = mkdtempSync(join(tmpdir(), 'countersign-browser-'))
  t.after(async () => { rmSync(unpacked, { recursive: true, force: true }) })
  const { executablePath, args } = await unpack(unpacked)
  if (executablePath === undefined || spawnSync(executablePath, ['--version'], { timeout: 20_000 }).status !== 0) {
    t.skip('absent: chromium')
    return undefined
  }
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({ executablePath, args, headless: true })
  t.after(() => browser.close())
  return browser
}

/** The package unpacks into the directory for temporary files, which another user's tests must not share, and brings its libraries only to AWS's runtimes. */
async function unpack(directory: string): Promise<{ executablePath: string | undefined, args: string[] }> {
  const { TMPDIR, AWS_LAMBDA_JS_RUNTIME } = process.env
  Object.assign(process.env, { TMPDIR: directory, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' })
  try {
    const { default: chromium } = await import('@sparticuz/chromium')
    const executablePath = await chromium.executablePath()
    // Its fonts are looked for in the usual directory only.
    const fonts = join(directory, 'fonts', 'fonts.conf')
    writeFileSync(fonts, readFileSync(fonts, 'utf8').replaceAll('>/tmp/fonts', `>${directory}/fonts`))
    return { executablePath, args: chromium.args }
  } catch {
    return { executablePath: undefined, args: [] }
  } finally {
    restore('TMPDIR', TMPDIR)
    restore('AWS_LAMBDA_JS_RUNTIME', AWS_LAMBDA_JS_RUNTIME)
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
