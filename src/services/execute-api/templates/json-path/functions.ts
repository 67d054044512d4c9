// The functions that may end a JSONPath: `$.list.length()`, `$.numbers.sum()`, …

import { isNumber, JavaDouble, JavaList, JavaMap, toText, type Value } from '../values.ts'
import { JsonPathError, type FunctionArgument } from './path.ts'

/** @throws JsonPathError for an unknown function, or numbers asked of what has none. */
export function applyFunction(name: string, args: readonly FunctionArgument[], model: Value, document: Value): Value {
  const given = args.map((arg) => ('value' in arg ? arg.value : arg.path.read(document)))
  switch (name) {
    case 'length': case 'size':
      if (model instanceof JavaList) return model.items.length
      return model instanceof JavaMap ? model.entries.size : null
    case 'keys': return model instanceof JavaMap ? new JavaList([...model.entries.keys()], 'java') : null
    case 'first': return model instanceof JavaList ? model.items[0] : null
    case 'last': return model instanceof JavaList ? model.items.at(-1) : null
    case 'index': return model instanceof JavaList && typeof given[0] === 'number' ? model.items.at(given[0]) : null
    case 'append': return model instanceof JavaList ? new JavaList([...model.items, ...given], 'json') : model
    case 'concat': {
      const texts = model instanceof JavaList ? model.items.filter((item) => typeof item === 'string') : []
      return [...texts, ...given.map(toText)].join('')
    }
    case 'min': return aggregate(model, given, (numbers) => Math.min(...numbers))
    case 'max': return aggregate(model, given, (numbers) => Math.max(...numbers))
    case 'sum': return aggregate(model, given, sum)
    case 'avg': return aggregate(model, given, (numbers) => sum(numbers) / numbers.length)
    case 'stddev': return aggregate(model, given, (numbers) => {
      const mean = sum(numbers) / numbers.length
      return Math.sqrt(sum(numbers.map((number) => number * number)) / numbers.length - mean * mean)
    })
    default: throw new JsonPathError(`Function with name: ${name} does not exist.`)
  }
}

function aggregate(model: Value, given: readonly Value[], combine: (numbers: number[]) => number): JavaDouble {
  const values = [...(model instanceof JavaList ? model.items : []), ...given.flatMap((value) => (value instanceof JavaList ? value.items : [value]))]
  const numbers = values.filter(isNumber).map((value) => (value instanceof JavaDouble ? value.value : Number(value)))
  if (numbers.length === 0) throw new JsonPathError('Aggregation function attempted to calculate value using empty array')
  return new JavaDouble(combine(numbers))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
