// Looks a service up. The API maps an error with "NotFound" in it to 404.

import { GetCommand } from '@aws-sdk/lib-dynamodb'
import { required, table, TableName, type ServiceKey } from './table.ts'

export async function lambda_handler(parameters: ServiceKey) {
  const name = required(parameters, 'service_name')
  const version = required(parameters, 'service_version')
  console.info(`lambda_handler - service_name: ${name} service_version: ${version}`)
  const { Item } = await table.send(new GetCommand({ TableName, Key: { name, version } }))
  if (Item === undefined) throw new Error('NotFoundException')
  return { endpoint_url: Item.endpoint_url, ttl: Item.ttl, status: Item.status }
}
