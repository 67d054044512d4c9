// What CreateTable refuses, in DynamoDB's order and words.
//
// Observed: DynamoDB, recorded by dynalite's tests (createTable.js); 2026, recorded by nubo-db's createTable tests; for the rest
// `Source:` and `Ours:` stand beside it.

import type { CreateTableInput, KeySchemaElement, Projection } from '@aws-sdk/client-dynamodb'
import type { Valid } from '#aws/service.ts'
import { errors, invalidParameter } from './errors.ts'

const CAPACITY_UNITS_MAX = 1_000_000_000_000
const LOCAL_INDEXES_MAX = 5
const GLOBAL_INDEXES_MAX = 20

export function checkTable(input: Valid<CreateTableInput>): void {
  checkThroughput(input)
  const defined = (input.AttributeDefinitions ?? []).map(({ AttributeName }) => AttributeName!)
  const schema = input.KeySchema ?? []
  if (schema.length === 0) throw errors.ValidationException('One or more parameter values were invalid: Missing the KeySchema')
  if (schema.length > defined.length) throw errors.ValidationException('Invalid KeySchema: Some index key attribute have no definition')
  checkSchema(schema, defined)
  const { LocalSecondaryIndexes: local, GlobalSecondaryIndexes: global } = input
  if (!local && !global && schema.length !== defined.length) {
    throw invalidParameter('Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions')
  }
  const names = new Set<string>()
  if (local) checkLocalIndexes(input, defined, names)
  if (global) checkGlobalIndexes(input, defined, names)
  checkUnusedAttributes(input, defined)
  checkOthers(input)
}

function checkThroughput({ BillingMode, ProvisionedThroughput, OnDemandThroughput }: Valid<CreateTableInput>): void {
  if (BillingMode === 'PAY_PER_REQUEST') {
    // Observed: AWS, 08-10-2025, recorded by localstack's test_dynamodb_pay_per_request.
    if (ProvisionedThroughput) throw invalidParameter('Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST')
    return
  }
  if (!ProvisionedThroughput) throw invalidParameter('ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED')
  for (const name of ['ReadCapacityUnits', 'WriteCapacityUnits'] as const) {
    if (ProvisionedThroughput[name]! > CAPACITY_UNITS_MAX) throw errors.ValidationException(`Given value ${ProvisionedThroughput[name]} for ${name} is out of bounds`)
  }
  // Ours: the words.
  if (OnDemandThroughput) throw invalidParameter('OnDemandThroughput cannot be specified when BillingMode is PROVISIONED')
}

function checkSchema(schema: readonly KeySchemaElement[], defined: readonly string[]): void {
  const keys = schema.map(({ AttributeName }) => AttributeName!)
  if (keys.some((key) => !defined.includes(key))) {
    throw invalidParameter(`Some index key attributes are not defined in AttributeDefinitions. Keys: [${keys.join(', ')}], AttributeDefinitions: [${defined.join(', ')}]`)
  }
  if (keys[0] === keys[1]) throw errors.ValidationException('Both the Hash Key and the Range Key element in the KeySchema have the same name')
  if (schema[0]!.KeyType !== 'HASH') throw errors.ValidationException('Invalid KeySchema: The first KeySchemaElement is not a HASH key type')
  if (schema[1] && schema[1].KeyType !== 'RANGE') throw errors.ValidationException('Invalid KeySchema: The second KeySchemaElement is not a RANGE key type')
}

function checkLocalIndexes({ KeySchema, LocalSecondaryIndexes: indexes }: Valid<CreateTableInput>, defined: readonly string[], names: Set<string>): void {
  if (indexes!.length === 0) throw invalidParameter('List of LocalSecondaryIndexes is empty')
  if (KeySchema!.length !== 2) throw invalidParameter('Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex')
  const tableHash = KeySchema![0]!.AttributeName
  for (const { IndexName, KeySchema: schema, Projection: projection } of indexes!) {
    checkSchema(schema!, defined)
    if (schema!.length !== 2) throw invalidParameter(`Index KeySchema does not have a range key for index: ${IndexName}`)
    const hash = schema![0]!.AttributeName
    if (hash !== tableHash) {
      throw invalidParameter(`Index KeySchema does not have the same leading hash key as table KeySchema for index: ${IndexName}. index hash key: ${hash}, table hash key: ${tableHash}`)
    }
    checkProjection(projection!)
    checkName(IndexName!, names)
  }
  if (indexes!.length > LOCAL_INDEXES_MAX) throw invalidParameter(`Number of LocalSecondaryIndexes exceeds per-table limit of ${LOCAL_INDEXES_MAX}`)
}

function checkGlobalIndexes({ BillingMode, GlobalSecondaryIndexes: indexes }: Valid<CreateTableInput>, defined: readonly string[], names: Set<string>): void {
  if (indexes!.length === 0) throw invalidParameter('List of GlobalSecondaryIndexes is empty')
  for (const { IndexName, KeySchema: schema, Projection: projection, ProvisionedThroughput } of indexes!) {
    checkSchema(schema!, defined)
    checkProjection(projection!)
    if (BillingMode === 'PAY_PER_REQUEST' && ProvisionedThroughput) {
      throw invalidParameter(`ProvisionedThroughput should not be specified for index: ${IndexName} when BillingMode is PAY_PER_REQUEST`)
    }
    // Observed: DynamoDB, quoted by Scylla's test_gsi_throughput_required_in_provisioned_mode.
    if (BillingMode !== 'PAY_PER_REQUEST' && !ProvisionedThroughput) throw invalidParameter(`ProvisionedThroughput is not specified for index: ${IndexName}`)
    checkName(IndexName!, names)
  }
  if (indexes!.length > GLOBAL_INDEXES_MAX) throw invalidParameter(`GlobalSecondaryIndex count exceeds the per-table limit of ${GLOBAL_INDEXES_MAX}`)
}

function checkProjection({ ProjectionType: type, NonKeyAttributes: attributes }: Projection): void {
  if (type === undefined) throw invalidParameter('Unknown ProjectionType: null')
  if (attributes && type !== 'INCLUDE') throw invalidParameter(`ProjectionType is ${type}, but NonKeyAttributes is specified`)
  // Observed: DynamoDB, 2026, recorded by nubo-db's specValidation.test.ts: refused. Ours: the words.
  if (!attributes && type === 'INCLUDE') throw invalidParameter('ProjectionType is INCLUDE, but NonKeyAttributes is not specified')
}

function checkName(name: string, names: Set<string>): void {
  if (names.has(name)) throw invalidParameter(`Duplicate index name: ${name}`)
  names.add(name)
}

/** With indexes, too, each definition is some key's. Source: CreateTable, API reference, `AttributeDefinitions`. Ours: the words. */
function checkUnusedAttributes({ KeySchema, LocalSecondaryIndexes, GlobalSecondaryIndexes }: Valid<CreateTableInput>, defined: readonly string[]): void {
  const schemas = [KeySchema, ...(LocalSecondaryIndexes ?? []).map((index) => index.KeySchema), ...(GlobalSecondaryIndexes ?? []).map((index) => index.KeySchema)]
  const used = new Set(schemas.flatMap((schema) => (schema ?? []).map(({ AttributeName }) => AttributeName)))
  if (defined.some((name) => !used.has(name))) {
    throw invalidParameter(`Some AttributeDefinitions are not used. AttributeDefinitions: [${defined.join(', ')}], keys used: [${[...used].join(', ')}]`)
  }
}

function checkOthers({ StreamSpecification: stream, SSESpecification: encryption, ResourcePolicy, GlobalTableSourceArn }: Valid<CreateTableInput>): void {
  // Observed: DynamoDB, 2026, recorded by nubo-db's specValidation.test.ts: refused. Ours: the words.
  if (stream && !stream.StreamEnabled && stream.StreamViewType !== undefined) throw invalidParameter('StreamViewType cannot be specified when StreamEnabled is false')
  if (stream?.StreamEnabled && stream.StreamViewType === undefined) throw invalidParameter('StreamViewType must be specified when StreamEnabled is true')
  // Ours, all of these: what would protect or share data is refused where it cannot be honoured.
  if (encryption?.KMSMasterKeyId !== undefined) throw errors.ValidationException('KMS validation error: The key could not be found')
  if (ResourcePolicy !== undefined) throw invalidParameter('ResourcePolicy is not supported')
  if (GlobalTableSourceArn !== undefined) throw invalidParameter('GlobalTableSourceArn is not supported')
}
