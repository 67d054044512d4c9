// The methods of java.util.List, and of arrays, which Velocity lets look like lists.

import { javaEquals, JavaList, noSuchMethod, toText, type Value } from '../../values.ts'
import { hashOf, ofOne, plain, toInt, type Methods } from './method.ts'

/** A template's list holds at most this many items. */
const LIST_ITEMS_MAX = 1_000_000

export const listMethods: Methods<JavaList> = {
  size: plain((list) => list.items.length),
  isEmpty: plain((list) => list.items.length === 0),
  toString: plain(toText),
  toJSONString: plain(toText),
  hashCode: plain((list) => hashOf(toText(list))),
  equals: ofOne((list, other) => javaEquals(list, other)),
  contains: ofOne((list, value) => position(list, value) !== -1),
  containsAll: ofOne((list, other) => other instanceof JavaList && other.items.every((value) => position(list, value) !== -1)),
  indexOf: ofOne(position),
  lastIndexOf: ofOne((list, value) => list.items.findLastIndex((item) => javaEquals(item, value))),
  iterator: plain((list) => list),
  toArray: plain((list) => new JavaList([...list.items], 'array')),
  get: (list, args) => {
    const index = args.length === 1 ? toInt(args[0]) : undefined
    if (index === undefined) return noSuchMethod
    return list.items[checked(list, index)]
  },
  set: (list, args) => {
    const index = args.length === 2 ? toInt(args[0]) : undefined
    if (index === undefined) return noSuchMethod
    const before = list.items[checked(list, index)]
    list.items[index] = args[1]
    return before
  },
  add: (list, args) => {
    if (args.length === 0 || args.length > 2 || list.kind === 'array') return noSuchMethod
    if (list.items.length >= LIST_ITEMS_MAX) throw new RangeError(`the list holds ${LIST_ITEMS_MAX} items already`)
    if (args.length === 1) {
      list.items.push(args[0])
      return true
    }
    const index = toInt(args[0])
    if (index === undefined) return noSuchMethod
    if (index !== list.items.length) checked(list, index)
    list.items.splice(index, 0, args[1])
    return undefined
  },
  addAll: ofOne((list, other) => {
    if (!(other instanceof JavaList)) return undefined
    if (list.items.length + other.items.length > LIST_ITEMS_MAX) throw new RangeError(`the list would hold more than ${LIST_ITEMS_MAX} items`)
    list.items.push(...other.items)
    return other.items.length > 0
  }),
  remove: ofOne((list, value) => {
    const index = toInt(value)
    if (index !== undefined) return list.items.splice(checked(list, index), 1)[0]
    const found = position(list, value)
    if (found !== -1) list.items.splice(found, 1)
    return found !== -1
  }),
  removeAll: ofOne((list, other) => keep(list, (item) => !(other instanceof JavaList && position(other, item) !== -1))),
  retainAll: ofOne((list, other) => keep(list, (item) => other instanceof JavaList && position(other, item) !== -1)),
  clear: plain((list) => {
    list.items.length = 0
    return undefined
  }),
  subList: (list, args) => {
    const from = toInt(args[0])
    const to = toInt(args[1])
    if (from === undefined || to === undefined || args.length !== 2) return noSuchMethod
    if (from < 0 || to > list.items.length || from > to) throw new RangeError(`fromIndex: ${from}, toIndex: ${to}, size: ${list.items.length}`)
    return new JavaList(list.items.slice(from, to), 'java')
  },
}

function position(list: JavaList, value: Value): number {
  return list.items.findIndex((item) => javaEquals(item, value))
}

function checked(list: JavaList, index: number): number {
  if (index < 0 || index >= list.items.length) throw new RangeError(`Index ${index} out of bounds for length ${list.items.length}`)
  return index
}

function keep(list: JavaList, isKept: (item: Value) => boolean): boolean {
  const kept = list.items.filter(isKept)
  const isChanged = kept.length !== list.items.length
  list.items.splice(0, list.items.length, ...kept)
  return isChanged
}
