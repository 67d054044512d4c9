// ImportApiKeys: keys from a file of comma-separated values.

import type * as sdk from '@aws-sdk/client-api-gateway'
import { AwsError } from '#aws/errors.ts'
import { checkKeyValue, sealKeyValue } from './api-key-values.ts'
import { keyName } from './api-keys.ts'
import { refusing, type Caller, type Input } from './edit.ts'
import { errors } from './errors.ts'
import { newApiId } from './ids.ts'
import type { ApiGateway } from './index.ts'
import { API_KEYS_PER_REGION_MAX, USAGE_PLANS_PER_KEY_MAX } from './limits.ts'
import { booleanOf } from './patch.ts'
import { findPlan } from './usage-store.ts'
import { transactions } from './store.ts'

/**
 * A row that cannot be taken is a warning; with `failOnWarnings` any warning refuses the whole file. What is taken is taken at once or not at all.
 * A key whose value is known is overwritten. Source: API Gateway developer guide, "API Gateway API key file format".
 */
export async function importApiKeys(
  { body, failOnWarnings }: Input<sdk.ImportApiKeysRequest>, { scope }: Caller, gateway: ApiGateway,
): Promise<sdk.ApiKeyIds> {
  const { database, clock, random, sealer } = gateway
  const warnings: string[] = []
  const now = clock.now()
  const keys: Parameters<typeof transactions.insertKeys.run>[1]['keys'] = []
  for (const { row, name, value, description, enabled, planIds } of readKeys(Buffer.from(body).toString('utf8'))) {
    try {
      const key = {
        ...scope, id: newApiId(random), name: keyName(name), description: description || undefined, enabled, tags: {}, createdAtMs: now, lastUpdatedAtMs: now,
      }
      const known: string[] = []
      for (const planId of planIds) {
        if (await findPlan(database, scope, planId)) known.push(planId)
        else warnings.push(`Row ${row}: Invalid Usage Plan ID specified: ${planId}`)
      }
      keys.push({ key, ...sealKeyValue(checkKeyValue(value), key, sealer), planIds: known })
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      warnings.push(`Row ${row}: ${error.message}`)
    }
  }
  if (failOnWarnings && warnings.length > 0) throw errors.BadRequestException(`Failed to import API keys due to warnings: ${warnings.join('; ')}`)
  const ids = await refusing(database.transact(transactions.insertKeys, {
    keys, keysMax: API_KEYS_PER_REGION_MAX, overwrites: true, plansMax: USAGE_PLANS_PER_KEY_MAX,
  }))
  return { ids, warnings: warnings.length > 0 ? warnings : undefined }
}

interface Row {
  /** Counted from 1, the line of names included. */
  row: number
  name: string
  value: string
  description: string
  enabled: boolean
  planIds: string[]
}

/** @throws BadRequestException without the columns `Name` and `Key`. Ours: the words. */
function readKeys(text: string): Row[] {
  const [head, ...rows] = parseCsv(text.replace(/^\uFEFF/, ''))
  const columns = (head ?? []).map((name) => name.trim().toLowerCase())
  if (!columns.includes('name') || !columns.includes('key')) throw errors.BadRequestException('API key file must have the columns Name and Key')
  if (rows.length > API_KEYS_PER_REGION_MAX) throw errors.BadRequestException(`API key file cannot have more than ${API_KEYS_PER_REGION_MAX} keys`)
  return rows.map((cells, index) => {
    const at = (column: string) => cells[columns.indexOf(column)]?.trim() ?? ''
    return {
      row: index + 2, name: at('name'), value: at('key'), description: at('description'),
      enabled: at('enabled') === '' || booleanOf(at('enabled')),
      planIds: at('usageplanids').split(',').map((id) => id.trim()).filter((id) => id !== ''),
    }
  })
}

/** Rows of cells. A cell in quotes, double or single, may hold commas and line ends, and its own quote twice. Empty lines are no rows. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let cells: string[] = []
  const cell = /[^\S\r\n]*?(?:"([^"]*(?:""[^"]*)*)"|'([^']*(?:''[^']*)*)'|([^,\r\n"'][^,\r\n]*)?)[^\S\r\n]*(,|\r\n|\r|\n|$)/y
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text)
    if (!match) throw errors.BadRequestException('API key file is not in the format CSV')
    const [, double, single, plain = '', end] = match
    cells.push(double?.replaceAll('""', '"') ?? single?.replaceAll("''", "'") ?? plain)
    if (end === ',') continue
    if (cells.length > 1 || cells[0]!.trim() !== '') rows.push(cells)
    cells = []
  }
  if (cells.length > 0) rows.push([...cells, ''])
  return rows
}
