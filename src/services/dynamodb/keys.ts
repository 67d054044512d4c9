// Primary keys: taken from items, checked against the table, and encoded so that bytes stand in DynamoDB's order.

import { errors, invalidParameter } from './errors.ts'
import type { KeyAttribute, Table } from './model.ts'
import { encodeNumber } from './numbers.ts'
import { attributeOf, typeOf, type StoredItem, type StoredValue } from './values.ts'

/** Source: developer guide, "Quotas", partition and sort keys. */
const PARTITION_KEY_BYTES_MAX = 2048
const SORT_KEY_BYTES_MAX = 1024

/** Where an item is kept: rows of one partition stand together, in the order of their sort keys. */
export interface ItemKey {
  /** A hash of the partition key and the key itself: partitions are spread evenly, so that parts of the range are parts of a scan. */
  partition: Buffer
  /** Empty where the table has no sort key. */
  sort: Buffer
}

/**
 * The key of an item about to be stored, and whether its index keys have their types.
 *
 * Observed: DynamoDB, recorded by dynalite's tests (putItem.js) and, for empty values, by nubo-db's error-messages tests (2026).
 */
export function keyOfItem(table: Table, item: StoredItem): ItemKey {
  const key = encodeKey(table, ({ name, type }) => {
    const value = attributeOf(item, name)
    if (!value) throw invalidParameter(`Missing the key ${name} in the item`)
    if (typeOf(value) !== type) throw invalidParameter(`Type mismatch for key ${name} expected: ${type} actual: ${typeOf(value)}`)
    return value
  })
  for (const index of table.indexes) for (const attribute of index.keys) checkIndexKey(index.name, attribute, attributeOf(item, attribute.name))
  return key
}

/** The key that a request names. Observed: DynamoDB, recorded by dynalite's tests (getItem.js). */
export function keyOfRequest(table: Table, given: StoredItem): ItemKey {
  const expected = table.sortKey ? 2 : 1
  const mismatch = () => errors.ValidationException('The provided key element does not match the schema')
  if (Object.keys(given).length !== expected) throw mismatch()
  return encodeKey(table, ({ name, type }) => {
    const value = attributeOf(given, name)
    if (!value || typeOf(value) !== type) throw mismatch()
    return value
  })
}

function encodeKey({ partitionKey, sortKey }: Table, valueOf: (attribute: KeyAttribute) => StoredValue): ItemKey {
  const partition = encodeChecked(partitionKey, valueOf(partitionKey))
  // The misprint is DynamoDB's.
  if (partition.length > PARTITION_KEY_BYTES_MAX) throw invalidParameter(`Size of hashkey has exceeded the maximum size limit of${PARTITION_KEY_BYTES_MAX} bytes`)
  const sort = sortKey ? encodeChecked(sortKey, valueOf(sortKey)) : Buffer.alloc(0)
  if (sort.length > SORT_KEY_BYTES_MAX) throw invalidParameter(`Aggregated size of all range keys has exceeded the size limit of ${SORT_KEY_BYTES_MAX} bytes`)
  return { partition: Buffer.concat([hashOf(partition), partition]), sort }
}

function encodeChecked({ name }: KeyAttribute, value: StoredValue): Buffer {
  const bytes = encodeScalar(value)
  if (bytes.length === 0) {
    throw errors.ValidationException(`One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${'S' in value ? 'string' : 'binary'} value. Key: ${name}`)
  }
  return bytes
}

/** A key value as bytes in DynamoDB's order: strings by their UTF-8, binary as unsigned bytes, numbers by size. */
export function encodeScalar(value: StoredValue): Buffer {
  if ('S' in value) return Buffer.from(value.S)
  if ('N' in value) return encodeNumber(value.N)
  if ('B' in value) return Buffer.from(value.B, 'base64')
  throw new Error('a key is a string, a number or binary')
}

/** FNV-1a with its bits mixed once more, four bytes. Not secret: it only spreads. */
function hashOf(bytes: Buffer): Buffer {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  const mixed = Buffer.alloc(4)
  mixed.writeInt32BE(hash ^ (hash >>> 16))
  return mixed
}

function checkIndexKey(indexName: string, { name, type }: KeyAttribute, value: StoredValue | undefined): void {
  if (!value) return
  const actual = typeOf(value)
  if (actual !== type) throw invalidParameter(`Type mismatch for Index Key ${name} Expected: ${type} Actual: ${actual} IndexName: ${indexName}`)
  if (('S' in value && value.S === '') || ('B' in value && value.B === '')) {
    throw errors.ValidationException(
      'One or more parameter values are not valid. A value specified for a secondary index key is not supported. ' +
      `The AttributeValue for a key attribute cannot contain an empty ${'S' in value ? 'string' : 'binary'} value. IndexName: ${indexName}, IndexKey: ${name}`)
  }
}
