#!/usr/bin/env node
// The `countersign` command: the repository's launcher with the command line behind it.

import { dirname, join } from 'node:path'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = dirname(realpathSync(fileURLToPath(import.meta.url)))
process.argv.splice(2, 0, join(here, '..', 'src', 'main.ts'))
await import('./run.mjs')
