// The shape of the tables of Java methods.

import { isNumber, JavaDouble, noSuchMethod, type Value } from '../../values.ts'
import type { Patterns } from '#lib/java-regex.ts'

/** A method of values of one type. Answers `noSuchMethod` for arguments that no overload takes; throws where Java does. */
export type Method<Self extends Value> = (self: Self, args: readonly Value[], patterns: Patterns) => Value | typeof noSuchMethod

export type Methods<Self extends Value> = Readonly<Record<string, Method<Self>>>

/** Wraps a method that takes no arguments. */
export function plain<Self extends Value>(run: (self: Self) => Value): Method<Self> {
  return (self, args) => (args.length === 0 ? run(self) : noSuchMethod)
}

/** Wraps a method of one text. */
export function ofText<Self extends Value>(run: (self: Self, text: string, patterns: Patterns) => Value): Method<Self> {
  return (self, args, patterns) => (args.length === 1 && typeof args[0] === 'string' ? run(self, args[0], patterns) : noSuchMethod)
}

/** Wraps a method of one value of any type. */
export function ofOne<Self extends Value>(run: (self: Self, value: Value) => Value): Method<Self> {
  return (self, args) => (args.length === 1 ? run(self, args[0]) : noSuchMethod)
}

/** An int argument, or undefined. */
export function toInt(value: Value): number | undefined {
  if (typeof value === 'number') return value
  return isNumber(value) && !(value instanceof JavaDouble) ? Number(value) : undefined
}

/** A Java `hashCode()` of text. */
export function hashOf(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}
