// Takes a service out of the catalog. Deregistering what is not there succeeds.

import { DeleteCommand } from '@aws-sdk/lib-dynamodb'
import { required, table, TableName, type ServiceKey } from './table.ts'

export async function lambda_handler(parameters: ServiceKey) {
  const name = required(parameters, 'service_name')
  const version = required(parameters, 'service_version')
  console.info(`lambda_handler - service_name: ${name} service_version: ${version}`)
  await table.send(new DeleteCommand({ TableName, Key: { name, version } }))
}
