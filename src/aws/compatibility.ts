// The compatibility page of a service, made from its model and its table of operations so that it cannot be wrong.

import type { ServiceModel } from './model.ts'

export interface CompatibilityPage {
  model: ServiceModel
  /** Names in the service's table. */
  served: readonly string[]
  /** Path of the service's own README from the page; undefined when it has none. */
  readme: string | undefined
}

/** The page as Markdown. Throws when the table names an operation that the model does not have. */
export function renderCompatibility({ model, served, readme }: CompatibilityPage): string {
  const unknown = served.find((name) => !model.operation(name))
  if (unknown !== undefined) throw new Error(`${model.name} has no operation ${unknown}`)
  const { serviceFullName, apiVersion, protocol } = model.metadata
  const names = model.operationNames
  const rows = [...names].sort((a, b) => Number(served.includes(b)) - Number(served.includes(a)) || (a < b ? -1 : 1))
    .map((name) => `| ${name} | ${served.includes(name) ? 'served' : '501'} |`)
  return [
    `# ${serviceFullName}: operations`,
    '',
    '<!-- Written by `npm run docs` from the service model and the table of operations. Do not edit. -->',
    '',
    `API version ${apiVersion}, protocol ${protocol}. ${served.length} of ${names.length} operations are served; every other one is answered`,
    'with status 501 and the code `NotImplemented`, by name, and changes nothing.',
    ...(readme === undefined ? [] : ['', `What a served operation does not do, and where it differs by design: [notes](${readme}).`]),
    '',
    '| operation | |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
