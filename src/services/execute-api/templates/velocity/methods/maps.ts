// The methods of java.util.Map and of its entries.

import { javaEquals, JavaList, JavaMap, MapEntry, noSuchMethod, toText, type Value } from '../../values.ts'
import { hashOf, ofOne, plain, type Methods } from './method.ts'

/** A template's map holds at most this many entries. */
const MAP_ENTRIES_MAX = 1_000_000

export const mapMethods: Methods<JavaMap> = {
  size: plain((map) => map.entries.size),
  isEmpty: plain((map) => map.entries.size === 0),
  toString: plain(toText),
  hashCode: plain((map) => hashOf(toText(map))),
  equals: ofOne((map, other) => javaEquals(map, other)),
  get: ofOne((map, key) => map.entries.get(key)),
  getOrDefault: (map, args) => (args.length === 2 ? (map.entries.has(args[0]) ? map.entries.get(args[0]) : args[1]) : noSuchMethod),
  containsKey: ofOne((map, key) => map.entries.has(key)),
  containsValue: ofOne((map, value) => [...map.entries.values()].some((held) => javaEquals(held, value))),
  keySet: plain((map) => new JavaList([...map.entries.keys()], 'java')),
  values: plain((map) => new JavaList([...map.entries.values()], 'java')),
  entrySet: plain((map) => new JavaList([...map.entries.keys()].map((key) => new MapEntry(map, key)), 'java')),
  put: (map, args) => (args.length === 2 ? put(map, args[0], args[1]) : noSuchMethod),
  putIfAbsent: (map, args) => {
    if (args.length !== 2) return noSuchMethod
    const held = map.entries.get(args[0])
    return held === null || held === undefined ? put(map, args[0], args[1]) : held
  },
  putAll: ofOne((map, other) => {
    if (other instanceof JavaMap) for (const [key, value] of other.entries) put(map, key, value)
    return undefined
  }),
  replace: (map, args) => (args.length === 2 ? (map.entries.has(args[0]) ? put(map, args[0], args[1]) : undefined) : noSuchMethod),
  remove: ofOne((map, key) => {
    const before = map.entries.get(key)
    map.entries.delete(key)
    return before
  }),
  clear: plain((map) => {
    map.entries.clear()
    return undefined
  }),
}

function put(map: JavaMap, key: Value, value: Value): Value {
  const before = map.entries.get(key)
  if (map.entries.size >= MAP_ENTRIES_MAX && !map.entries.has(key)) throw new RangeError(`the map holds ${MAP_ENTRIES_MAX} entries already`)
  map.entries.set(key, value)
  return before
}

export const entryMethods: Methods<MapEntry> = {
  getKey: plain((entry) => entry.key),
  getValue: plain((entry) => entry.map.entries.get(entry.key)),
  setValue: ofOne((entry, value) => put(entry.map, entry.key, value)),
  toString: plain(toText),
}
