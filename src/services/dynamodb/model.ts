// Tables as values: what is kept of one, what the hot path needs of it, its names and ARNs.

import type { CreateTableInput } from '@aws-sdk/client-dynamodb'
import { formatArn, parseArn, type Scope } from '#aws/arn.ts'
import { errors } from './errors.ts'

export type ScalarType = 'S' | 'N' | 'B'

export interface KeyAttribute {
  name: string
  type: ScalarType
}

export interface Index {
  name: string
  isGlobal: boolean
  keys: readonly KeyAttribute[]
  projection: { ProjectionType?: string | undefined, NonKeyAttributes?: readonly string[] | undefined }
}

/** What CreateTable was told, as far as it is kept. JSON. */
export type TableSettings = Pick<CreateTableInput,
  'AttributeDefinitions' | 'KeySchema' | 'LocalSecondaryIndexes' | 'GlobalSecondaryIndexes' | 'BillingMode' | 'ProvisionedThroughput' |
  'StreamSpecification' | 'SSESpecification' | 'Tags' | 'TableClass' | 'DeletionProtectionEnabled' | 'OnDemandThroughput'>

/** A table as operations on items use it: read once, kept until it changes. */
export interface Table {
  /** The store's own number: a table made anew under the same name has another. */
  id: number
  name: string
  scope: Scope
  /** A UUID. */
  tableId: string
  createdAtMs: number
  settings: TableSettings
  partitionKey: KeyAttribute
  sortKey: KeyAttribute | undefined
  indexes: readonly Index[]
}

/** Source: ListTables, API reference. */
export const LIST_LIMIT = 100

export function tableArn({ accountId, region }: Scope, name: string): string {
  return formatArn({ service: 'dynamodb', region, accountId, resource: `table/${name}` })
}

const NAME_CHARACTERS_MIN = 3
const NAME_CHARACTERS_MAX = 255
const namePattern = /^[a-zA-Z0-9_.-]+$/

/**
 * The table that an input names, by name or by ARN, within the caller's account and region.
 *
 * Observed: DynamoDB, 2026, recorded by nubo-db's error-messages tests: a name is judged before everything else, in the words of its
 * constraints.
 */
export function tableNamed(given: string, scope: Scope): string {
  if (given.startsWith('arn:')) return tableOfArn(given, scope)
  const broken = given.length > NAME_CHARACTERS_MAX ? `Member must have length less than or equal to ${NAME_CHARACTERS_MAX}`
    : given.length < NAME_CHARACTERS_MIN ? `Member must have length greater than or equal to ${NAME_CHARACTERS_MIN}`
    : !namePattern.test(given) ? 'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+'
    : undefined
  if (broken !== undefined) throw errors.ValidationException(`1 validation error detected: Value '${given}' at 'tableName' failed to satisfy constraint: ${broken}`)
  return given
}

/** Ours: tables of other accounts and regions are out of reach, and so not found. */
function tableOfArn(given: string, scope: Scope): string {
  const arn = parseArn(given)
  const name = /^table\/([a-zA-Z0-9_.-]{3,255})$/.exec(arn?.resource ?? '')?.[1]
  if (arn?.service !== 'dynamodb' || name === undefined) throw errors.ValidationException(`Invalid TableArn: ${given}`)
  if (arn.accountId !== scope.accountId || arn.region !== scope.region) throw noSuchTable()
  return name
}

/** What operations on items say. Observed: DynamoDB, 2026, recorded by nubo-db's getItem.test.ts. */
export const noSuchTable = () => errors.ResourceNotFoundException('Requested resource not found')

/** What operations on tables say. Observed: DynamoDB, recorded by dynalite's tests (describeTable.js). */
export const noSuchTableNamed = (name: string) => errors.ResourceNotFoundException(`Requested resource not found: Table: ${name} not found`)
