// What DynamoDB asks policies: the action, the table, and for items the condition keys of fine-grained access.

import type { Call, Permission } from '#aws/service.ts'
import type { DynamoDbService } from './api.ts'
import { parseCondition, parsePaths, type Node, type PathStep } from './expressions/parse.ts'
import { tableArn, tableNamed } from './model.ts'
import type { WireItem } from './values.ts'

interface NamesTable { TableName: string }

/** `action` on the table that the input names. */
export const onTable = (action: string) => (input: NamesTable, { scope }: Pick<Call, 'scope'>): Permission[] =>
  [{ action: `dynamodb:${action}`, resource: tableArn(scope, tableNamed(input.TableName, scope)) }]

interface NamesItem extends NamesTable {
  Item?: WireItem | undefined
  Key?: WireItem | undefined
  ReturnValues?: string | undefined
  ReturnConsumedCapacity?: string | undefined
  AttributesToGet?: string[] | undefined
  ProjectionExpression?: string | undefined
  ConditionExpression?: string | undefined
  ExpressionAttributeNames?: Record<string, string> | undefined
  Expected?: Record<string, unknown> | undefined
}

/**
 * `action` on an item: with the partition key's value, the attributes named anywhere, and what is asked back.
 *
 * Source: developer guide, "Using IAM policy conditions for fine-grained access control", condition keys. Ours: `dynamodb:Select` is given
 * for GetItem, too, so that a policy that allows only chosen attributes stops a read of all.
 */
export const onItem = (action: string) => async (input: NamesItem, { scope }: Pick<Call, 'scope'>, { tables }: DynamoDbService): Promise<Permission[]> => {
  const name = tableNamed(input.TableName, scope)
  const table = await tables.find(name, scope)
  const leading = table && leadingKey((input.Item ?? input.Key)?.[table.partitionKey.name])
  return [{
    action: `dynamodb:${action}`,
    resource: tableArn(scope, name),
    context: {
      ...(leading === undefined ? {} : { 'dynamodb:leadingkeys': [leading] }),
      'dynamodb:attributes': attributesOf(input),
      ...(action === 'GetItem' ? { 'dynamodb:select': input.ProjectionExpression === undefined && !input.AttributesToGet ? 'ALL_ATTRIBUTES' : 'SPECIFIC_ATTRIBUTES' } : {}),
      ...(input.ReturnValues === undefined ? {} : { 'dynamodb:returnvalues': input.ReturnValues }),
      ...(input.ReturnConsumedCapacity === undefined ? {} : { 'dynamodb:returnconsumedcapacity': input.ReturnConsumedCapacity }),
    },
  }]
}

function leadingKey(value: WireItem[string] | undefined): string | undefined {
  if (typeof value?.S === 'string') return value.S
  if (typeof value?.N === 'string') return value.N
  return value?.B instanceof Uint8Array ? Buffer.from(value.B).toString('base64') : undefined
}

/** Top-level names of every attribute that the request touches. An expression that does not parse names none: it is refused later. */
function attributesOf(input: NamesItem): string[] {
  const names = new Set([...Object.keys(input.Item ?? input.Key ?? {}), ...(input.AttributesToGet ?? []), ...Object.keys(input.Expected ?? {})])
  const add = ([head]: readonly PathStep[]) => {
    if (head && 'word' in head) names.add(head.word)
    else if (head && 'placeholder' in head) names.add(input.ExpressionAttributeNames?.[head.placeholder] ?? head.placeholder)
  }
  const walk = (node: Node) => {
    if (node.is === 'path') add(node.steps)
    else if (node.is !== 'value') node.of.forEach(walk)
  }
  try {
    if (input.ProjectionExpression !== undefined) parsePaths(input.ProjectionExpression).forEach(add)
    if (input.ConditionExpression !== undefined) walk(parseCondition(input.ConditionExpression).node)
  } catch {
    // The handler says what is wrong with it.
  }
  return [...names]
}
