// `#name` and `:value`: what a request gives for its expressions, and what they use of it.

import { AwsError } from '#aws/errors.ts'
import { errors } from '../errors.ts'
import { storeValue, type StoredValue, type WireItem } from '../values.ts'
import { ExpressionRefusal } from './scan.ts'

export interface ExpressionInput {
  ExpressionAttributeNames?: Record<string, string> | undefined
  ExpressionAttributeValues?: WireItem | undefined
}

export class Placeholders {
  readonly #names: Readonly<Record<string, string>>
  readonly #values: Readonly<Record<string, StoredValue>>
  readonly #unusedNames: Set<string>
  readonly #unusedValues: Set<string>

  /**
   * Checks the form of both; values are changed into what is stored.
   *
   * @throws ValidationException. Observed: DynamoDB, recorded by dynalite's tests, for order and words.
   */
  constructor({ ExpressionAttributeNames: names, ExpressionAttributeValues: values }: ExpressionInput) {
    if (names) checkKeys('ExpressionAttributeNames', names, /^#[0-9a-zA-Z_]+$/)
    if (values) {
      checkKeys('ExpressionAttributeValues', values, /^:[0-9a-zA-Z_]+$/)
      for (const key in values) {
        try {
          storeValue(values[key]!, 1)
        } catch (error) {
          if (!(error instanceof AwsError)) throw error
          throw errors.ValidationException(`ExpressionAttributeValues contains invalid value: ${error.message} for key ${key}`)
        }
      }
    }
    this.#names = names ?? {}
    this.#values = (values ?? {}) as Record<string, StoredValue>
    this.#unusedNames = new Set(Object.keys(this.#names))
    this.#unusedValues = new Set(Object.keys(this.#values))
  }

  /** @throws ExpressionRefusal when it is not given. */
  name(placeholder: string): string {
    if (!Object.hasOwn(this.#names, placeholder)) {
      throw new ExpressionRefusal(`An expression attribute name used in the document path is not defined; attribute name: ${placeholder}`)
    }
    this.#unusedNames.delete(placeholder)
    return this.#names[placeholder]!
  }

  /** @throws ExpressionRefusal when it is not given. */
  value(placeholder: string): StoredValue {
    if (!Object.hasOwn(this.#values, placeholder)) {
      throw new ExpressionRefusal(`An expression attribute value used in expression is not defined; attribute value: ${placeholder}`)
    }
    this.#unusedValues.delete(placeholder)
    return this.#values[placeholder]!
  }

  /** @throws ValidationException naming what no expression used. To be called when all expressions are read. */
  expectAllUsed(): void {
    for (const [kind, unused] of [['Names', this.#unusedNames], ['Values', this.#unusedValues]] as const) {
      if (unused.size > 0) throw errors.ValidationException(`Value provided in ExpressionAttribute${kind} unused in expressions: keys: {${[...unused].join(', ')}}`)
    }
  }
}

function checkKeys(parameter: string, given: object, form: RegExp): void {
  const keys = Object.keys(given)
  if (keys.length === 0) throw errors.ValidationException(`${parameter} must not be empty`)
  const bad = keys.find((key) => !form.test(key))
  if (bad !== undefined) throw errors.ValidationException(`${parameter} contains invalid key: Syntax error; key: "${bad}"`)
}

/** Reads one expression; a refusal becomes the error that names the parameter. */
export function reading<Result>(parameter: string, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    throw error instanceof ExpressionRefusal ? errors.ValidationException(`Invalid ${parameter}: ${error.message}`) : error
  }
}

/**
 * Refuses parameters that do not go together.
 *
 * Observed: DynamoDB, recorded by dynalite's tests and, in 2026, by nubo-db's error-messages tests.
 */
export function checkTogether(input: object, expression: string, legacy: readonly string[]): void {
  const given = input as Record<string, unknown>
  if (given[expression] !== undefined) {
    const both = legacy.filter((name) => given[name] !== undefined)
    if (both.length === 0) return
    throw errors.ValidationException(
      'Can not use both expression and non-expression parameters in the same request: ' +
      `Non-expression parameters: {${both.join(', ')}} Expression parameters: {${expression}}`)
  }
  if (given.ExpressionAttributeNames !== undefined) throw errors.ValidationException('ExpressionAttributeNames can only be specified when using expressions')
  if (given.ExpressionAttributeValues !== undefined) {
    throw errors.ValidationException(`ExpressionAttributeValues can only be specified when using expressions: ${expression} is null`)
  }
}
