// Registers a service; the same name and version overwrites.

import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { required, table, TableName, type ServiceKey } from './table.ts'

interface Registration extends ServiceKey {
  endpoint_url: string
  /** Seconds for which a client may keep the address; a whole number, or text that spells one. */
  ttl: number | string
  status: string
}

export async function lambda_handler(parameters: Registration) {
  const name = required(parameters, 'service_name')
  const version = required(parameters, 'service_version')
  console.info(`lambda_handler - service_name: ${name} service_version: ${version}`)
  await table.send(new PutCommand({
    TableName,
    Item: {
      name,
      version,
      endpoint_url: required(parameters, 'endpoint_url'),
      ttl: wholeNumber(required(parameters, 'ttl')),
      status: required(parameters, 'status'),
    },
  }))
}

function wholeNumber(text: string): number {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new Error(`The field ttl must be a whole number, not ${JSON.stringify(text)}.`)
  return Number(text)
}
