// `npm run docs`: writes the pages that are generated from tables in the code. With `--check`: fails when a page is out of step.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { renderCompatibility } from '#aws/compatibility.ts'
import { loadModel } from '#aws/model.ts'
import { settings } from '#src/config.ts'

const root = resolve(import.meta.dirname, '..')

/** Folders of `src/services` with the models they serve, and the file of their table of operations; a file that is not there serves nothing yet. */
const services: readonly (readonly [folder: string, model: string, table?: string])[] = [
  ['apigateway', 'apigateway-2015-07-09'],
  ['apigatewayv2', 'apigatewayv2-2018-11-29'],
  ['dynamodb', 'dynamodb-2012-08-10'],
  ['execute-api', 'apigatewaymanagementapi-2018-11-29', 'websocket/management/operations.ts'],
  ['iam', 'iam-2010-05-08'],
  ['lambda', 'lambda-2015-03-31'],
  ['logs', 'logs-2014-03-28'],
  ['sts', 'sts-2011-06-15'],
]

interface Page {
  /** From the root of the repository. */
  path: string
  text: string
}

async function compatibilityPage([folder, modelName, file = 'api.ts']: typeof services[number]): Promise<Page> {
  const table = join(root, 'src', 'services', folder, file)
  const { operations } = existsSync(table) ? await import(pathToFileURL(table).href) as { operations: object } : { operations: {} }
  const readme = join('src', 'services', folder, 'README.md')
  return {
    path: join('docs', 'compatibility', `${folder}.md`),
    text: renderCompatibility({
      model: loadModel(modelName),
      served: Object.keys(operations),
      readme: existsSync(join(root, readme)) ? `../../${readme}` : undefined,
    }),
  }
}

function settingsPage(): Page {
  const rows = Object.values(settings).map(({ name, about, default: byDefault }) =>
    `| \`COUNTERSIGN_${name}\` | \`--${name.toLowerCase().replaceAll('_', '-')}\` | ${byDefault === '' ? '' : `\`${byDefault}\``} | ${about.replaceAll('|', '\\|')} |`)
  return {
    path: join('docs', 'guides', 'settings.md'),
    text: [
      '# Settings',
      '',
      '<!-- Written by `npm run docs` from `src/config.ts`. Do not edit. -->',
      '',
      'A flag wins over its environment variable, a variable over the default.',
      '',
      '| variable | flag | default | |',
      '| --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n'),
  }
}

const pages = [...await Promise.all(services.map(compatibilityPage)), settingsPage()]
const stale = pages.filter(({ path, text }) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text)

if (process.argv.includes('--check')) {
  for (const { path } of stale) console.error(`${path} is out of step: run npm run docs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    console.log(`wrote ${path}`)
  }
}
