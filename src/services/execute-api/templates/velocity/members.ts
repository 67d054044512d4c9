// Properties, indexes and methods of values: Java's, as far as templates use them.

import { HostObject, JavaDouble, JavaList, JavaMap, MapEntry, noSuchMethod, type Value } from '../values.ts'
import { listMethods } from './methods/lists.ts'
import { entryMethods, mapMethods } from './methods/maps.ts'
import { booleanMethods, numberMethods } from './methods/numbers.ts'
import { stringMethods } from './methods/strings.ts'
import type { Methods } from './methods/method.ts'
import type { Patterns } from '#lib/java-regex.ts'

/**
 * A property: of a map its entry, of anything else what `getName()` or `isName()` answers. Undefined when there is none.
 * Source: Velocity user guide, "Property Lookup Rules".
 */
export function propertyOf(value: Value, name: string, patterns: Patterns): Value {
  if (value instanceof JavaMap) return name === 'class' ? new ClassName(value) : value.entries.get(name)
  if (value instanceof HostObject) return value.property(name)
  if (name === 'class') return new ClassName(value)
  const capital = name[0]!.toUpperCase() + name.slice(1)
  const got = callMethod(value, `get${capital}`, [], patterns)
  if (got !== noSuchMethod) return got
  const is = callMethod(value, `is${capital}`, [], patterns)
  return is === noSuchMethod ? undefined : is
}

/** Calls a method, or answers `noSuchMethod`. A method that Java would let fail throws. */
export function callMethod(value: Value, name: string, args: readonly Value[], patterns: Patterns): Value | typeof noSuchMethod {
  if (value instanceof HostObject) return value.call(name, args)
  const method = methodsOf(value)?.[name]
  if (method === undefined || !Object.hasOwn(methodsOf(value)!, name)) {
    if (name === 'getClass' && args.length === 0) return new ClassName(value)
    return noSuchMethod
  }
  return method(value as never, args, patterns)
}

function methodsOf(value: Value): Methods<never> | undefined {
  switch (typeof value) {
    case 'string': return stringMethods
    case 'boolean': return booleanMethods
    case 'number': case 'bigint': return numberMethods
  }
  if (value instanceof JavaList) return listMethods
  if (value instanceof JavaMap) return mapMethods
  if (value instanceof JavaDouble) return numberMethods
  if (value instanceof MapEntry) return entryMethods
  return undefined
}

/**
 * An element by index or key. A negative index counts from the end.
 * @throws RangeError where Java throws IndexOutOfBoundsException.
 */
export function elementOf(value: Value, index: Value): Value {
  if (value instanceof JavaMap) return value.entries.get(index)
  if (value instanceof JavaList && typeof index === 'number') {
    const at = index < 0 ? value.items.length + index : index
    if (at < 0 || at >= value.items.length) throw new RangeError(`Index ${index} out of bounds for length ${value.items.length}`)
    return value.items[at]
  }
  return undefined
}

/** `#set($map.name = …)`, `#set($map['name'] = …)`, `#set($list[0] = …)`. What cannot be set stays as it is. */
export function setMember(value: Value, member: Value, content: Value): void {
  if (value instanceof JavaMap) value.entries.set(member, content)
  else if (value instanceof JavaList && typeof member === 'number') {
    const at = member < 0 ? value.items.length + member : member
    if (at < 0 || at >= value.items.length) throw new RangeError(`Index ${member} out of bounds for length ${value.items.length}`)
    value.items[at] = content
  }
}

/** What `$x.class` gives: authors ask for its name to tell lists from maps. */
class ClassName extends HostObject {
  readonly #name: string
  constructor(value: Value) {
    super()
    this.#name = classNameOf(value)
  }

  override property(name: string): Value {
    if (name === 'name') return this.#name
    return name === 'simpleName' ? this.#name.slice(this.#name.lastIndexOf('.') + 1) : undefined
  }

  override call(name: string, args: readonly Value[]): Value | typeof noSuchMethod {
    if (args.length > 0) return noSuchMethod
    if (name === 'getName') return this.#name
    return name === 'getSimpleName' ? this.property('simpleName') : name === 'toString' ? this.print() : noSuchMethod
  }

  print(): string {
    return `class ${this.#name}`
  }
}

function classNameOf(value: Value): string {
  if (value instanceof JavaList) return { json: 'net.minidev.json.JSONArray', java: 'java.util.ArrayList', array: '[Ljava.lang.String;' }[value.kind]
  if (value instanceof JavaMap) return 'java.util.LinkedHashMap'
  if (value instanceof JavaDouble) return 'java.lang.Double'
  if (typeof value === 'number') return Math.abs(value) <= 0x7fffffff ? 'java.lang.Integer' : 'java.lang.Long'
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? 'java.lang.Long' : 'java.math.BigInteger'
  if (typeof value === 'boolean') return 'java.lang.Boolean'
  return typeof value === 'string' ? 'java.lang.String' : 'java.lang.Object'
}
