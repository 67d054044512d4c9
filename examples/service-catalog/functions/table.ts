// The table of the catalog, as the three functions see it.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'

export const TableName = 'Services'

export const table = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }))

export interface ServiceKey {
  service_name: string
  service_version: string
}

/** The value of a required field; its absence is the caller's mistake. */
export function required<Field extends string>(parameters: Partial<Record<Field, unknown>>, field: Field): string {
  const value = parameters[field]
  if (value === undefined || value === null) throw new Error(`The field ${field} is missing.`)
  return String(value)
}
