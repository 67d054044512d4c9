// Paths of a projection, and the part of an item that they choose.

import type { StoredItem, StoredValue } from '../values.ts'
import { checkReservedSteps, pathOf, shownPath } from './check.ts'
import type { Path } from './condition.ts'
import { parsePaths } from './parse.ts'
import type { Placeholders } from './placeholders.ts'
import { ExpressionRefusal } from './scan.ts'

/** Reads a projection. @throws ExpressionRefusal. Observed: DynamoDB, recorded by dynalite's tests (getItem.js), for order and words. */
export function readProjection(expression: string, placeholders: Placeholders): Path[] {
  const parsed = parsePaths(expression)
  for (const steps of parsed) checkReservedSteps(steps)
  const paths = parsed.map((steps) => pathOf(steps, placeholders))
  for (const [index, path] of paths.entries()) for (const earlier of paths.slice(0, index)) checkPair(earlier, path)
  return paths
}

/** No path may lead into another, nor treat as a list what another treats as a map. */
function checkPair(one: Path, two: Path): void {
  const both = `must remove or rewrite one of these paths; path one: ${shownPath(one)}, path two: ${shownPath(two)}`
  for (let index = 0; index < one.length && index < two.length; index++) {
    if (typeof one[index] !== typeof two[index]) throw new ExpressionRefusal(`Two document paths conflict with each other; ${both}`)
    if (one[index] !== two[index]) return
  }
  throw new ExpressionRefusal(`Two document paths overlap with each other; ${both}`)
}

/** What of a value is wanted: all of it, or what the steps lead to. */
type Wanted = 'all' | Map<string | number, Wanted>

/**
 * The part of an item that the paths choose: what they do not find is left out, and elements of lists close up in their own order.
 *
 * Observed: DynamoDB, 2026, recorded by nubo-db's projectionValidation.test.ts.
 */
export function project(item: StoredItem, paths: readonly Path[]): StoredItem {
  const wanted: Wanted = new Map()
  for (const path of paths) add(wanted, path)
  return projectMap(item, wanted)
}

function add(wanted: Map<string | number, Wanted>, [step, ...rest]: Path): void {
  const known = wanted.get(step!)
  if (known === 'all') return
  if (rest.length === 0) {
    wanted.set(step!, 'all')
    return
  }
  const inner = known ?? new Map<string | number, Wanted>()
  wanted.set(step!, inner)
  add(inner, rest)
}

function projectMap(map: StoredItem, wanted: Map<string | number, Wanted>): StoredItem {
  const entries: [string, StoredValue][] = []
  for (const [step, inner] of wanted) {
    if (typeof step !== 'string' || !Object.hasOwn(map, step)) continue
    const value = projectValue(map[step]!, inner)
    if (value !== undefined) entries.push([step, value])
  }
  return Object.fromEntries(entries)
}

function projectValue(value: StoredValue, wanted: Wanted): StoredValue | undefined {
  if (wanted === 'all') return value
  if ('M' in value) {
    const map = projectMap(value.M, wanted)
    return Object.keys(map).length > 0 ? { M: map } : undefined
  }
  if (!('L' in value)) return undefined
  const chosen: StoredValue[] = []
  for (const step of [...wanted.keys()].filter((one) => typeof one === 'number').sort((a, b) => a - b)) {
    const element = value.L[step]
    const part = element && projectValue(element, wanted.get(step)!)
    if (part !== undefined) chosen.push(part)
  }
  return chosen.length > 0 ? { L: chosen } : undefined
}

/**
 * Refuses paths into key attributes, which are scalars.
 *
 * Observed: DynamoDB, recorded by dynalite's tests (getItem.js).
 */
export function nestedHeads(paths: readonly Path[]): Set<string> {
  return new Set(paths.filter(({ length }) => length > 1).map(([head]) => String(head)))
}
