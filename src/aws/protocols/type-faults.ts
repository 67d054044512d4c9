// What AWS says when a JSON value has the wrong type. DynamoDB speaks a dialect of its own.

import type { AwsError } from '../errors.ts'
import type { ServiceModel, Shape } from '../model.ts'
import { wireErrors } from './protocol.ts'

/** `isElement`: the value stands in a list or map, not as a structure's member. */
export type TypeFault = (given: unknown, expected: Shape, isElement: boolean) => AwsError

export function typeFaultsOf(model: ServiceModel): TypeFault {
  const say = model.signingName === 'dynamodb' ? dynamodbFault(model) : commonFault
  return (given, expected, isElement) => wireErrors.SerializationException(say(given, expected, isElement))
}

/** Members of which a service says in words of its own that their type is wrong: they reach it as they came. Ours: no such answer is recorded. */
const judgedByServices = new Set(['apigateway CreateRestApiRequest.minimumCompressionSize'])

export function isJudgedByService({ signingName }: ServiceModel, shape: Shape, member: string): boolean {
  return judgedByServices.has(`${signingName} ${shape.name}.${member}`)
}

/** Nested deeper than any service allows: refused before the stack is. */
export const nestingFault = (): AwsError => wireErrors.SerializationException('')

const javaNames: Partial<Record<Shape['type'], string>> = {
  string: 'String', integer: 'Integer', long: 'Long', float: 'Float', double: 'Double', boolean: 'Boolean', timestamp: 'Date', blob: 'Blob',
}

/**
 * Observed: Athena, 23-09-2026, recorded by athena-local (a number for a string, a string for an integer, `true` for either, a list or
 * structure where none belongs, a scalar for a list or structure). The other combinations follow its pattern.
 */
function commonFault(given: unknown, expected: Shape): string {
  if (Array.isArray(given)) return 'Start of list found where not expected'
  if (typeof given === 'object') return 'Start of structure or map found where not expected.'
  if (expected.type === 'list') return 'Expected list or null'
  if (expected.type === 'map') return 'Expected map or null'
  if (expected.type === 'structure') return 'Expected null'
  const name = javaNames[expected.type]!
  return `${typeof given === 'number' ? 'NUMBER_VALUE' : tokenOf(given)} can not be converted to ${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}

/** Observed: DynamoDB, recorded by dynalite's tests (`assertType`). */
function dynamodbFault(model: ServiceModel): (given: unknown, expected: Shape, isElement: boolean) => string {
  const typeName = (shape: Shape): string => {
    switch (shape.type) {
      case 'list': return `java.util.List<${typeName(model.shape(shape.member!))}>`
      case 'map': return `java.util.Map<java.lang.String, ${typeName(model.shape(shape.value!))}>`
      case 'structure': return `com.amazonaws.dynamodb.v20120810.${shape.name}`
      case 'blob': return 'java.nio.ByteBuffer'
      case 'timestamp': return 'java.util.Date'
      default: return `java.lang.${javaNames[shape.type]}`
    }
  }
  return (given, expected, isElement) => {
    const isCollection = expected.type === 'list' || expected.type === 'map'
    if (Array.isArray(given)) return `Unrecognized collection type ${isCollection ? '' : 'class '}${typeName(expected)}`
    if (typeof given === 'object') return 'Start of structure or map found where not expected'
    if (isCollection && isElement) return genericCast
    if (isCollection) return 'Unexpected field type'
    if (expected.type === 'structure') return isElement ? 'Unexpected value type in payload' : 'Unexpected field type'
    if (expected.type === 'blob') return typeof given === 'string' ? base64Fault(given) : 'only base-64-encoded strings are convertible to bytes'
    if (expected.type === 'boolean' && typeof given === 'string') return 'Unexpected token received from parser'
    return `${tokenOf(given)} cannot be converted to ${javaNames[expected.type]}`
  }
}

const genericType = 'sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl'
const genericCast = `class ${genericType} cannot be cast to class java.lang.Class (${genericType} and java.lang.Class are in module java.base of loader 'bootstrap')`

// The last word is spelt so by the service.
const base64Fault = (given: string): string => given.length % 4 === 0
  ? 'Invalid last non-pad Base64 character dectected'
  : `Base64 encoded length is expected a multiple of 4 bytes but found: ${given.length}`

function tokenOf(given: unknown): string {
  switch (typeof given) {
    case 'string': return 'STRING_VALUE'
    case 'number': return Number.isInteger(given) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE'
    default: return given === true ? 'TRUE_VALUE' : 'FALSE_VALUE'
  }
}
