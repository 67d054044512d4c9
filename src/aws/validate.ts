// The constraints of a service model, checked and reported in AWS's words. Compiled once per operation.

import type { OperationModel, ServiceModel, Shape, ShapeRef } from './model.ts'

/** What the service itself demands of a shape, where that is not what its model says. `elements: undefined` leaves a list's elements to the service. */
export type ShapeConstraints = { [Name in 'min' | 'max' | 'pattern' | 'enum']?: Shape[Name] | undefined } & { elements?: undefined }

/** The sentence about everything that is wrong with an input, or undefined. */
export type Validate = (input: Record<string, unknown>) => string | undefined

/** Observed: DynamoDB, recorded by dynalite's tests: ten are reported at most. Ours: the same for the other services. */
const ERRORS_MAX = 10
/** Ours: AWS repeats a value whole. A client needs the beginning. */
const VALUE_CHARACTERS_MAX = 1000
/** Ours: a text that is longer than allowed, and than this, is reported for its length alone; some patterns take cubic time to fail. */
const PATTERN_CHARACTERS_MAX = 1024

type Report = (value: unknown, shape: Shape, path: string, says: string) => void
/** Checks what is inside a value. `path` is the value's own, without a dot at its end. */
type Check = (value: any, path: string, report: Report) => void

interface Constraint {
  says: string
  holds: (value: any) => boolean
}

/**
 * Compiles the constraints of an operation's input. `corrections` replaces constraints of shapes by name; `undefined` lifts one.
 *
 * Source: the sentences are those of AWS's common validator, as recorded in answers of DynamoDB (dynalite's tests), Lambda and STS
 * (LocalStack's snapshots).
 */
export function compileValidator(
  model: ServiceModel, operation: OperationModel, corrections: Readonly<Record<string, ShapeConstraints>> = {},
): Validate | undefined {
  if (!operation.input) return undefined
  const checks = createChecks(model, corrections)
  const check = checks.structure(operation.input, topPathOf(model, operation))
  if (!check) return undefined
  // Observed: IAM, 10-02-2026 to 12-02-2026, recorded by localstack's test_policy_version_errors and test_role_tag_errors: it repeats no value.
  const repeatsValues = model.signingName !== 'iam'
  return (input) => {
    let errors: string[] | undefined
    check(input, '', (value, shape, path, says) => {
      errors ??= []
      if (errors.length < ERRORS_MAX) errors.push(`Value${repeatsValues ? ` ${quoted(model, shape, value)}` : ''} at '${path}' failed to satisfy constraint: ${says}`)
    })
    return errors && `${errors.length} validation error${errors.length === 1 ? '' : 's'} detected: ${errors.join('; ')}`
  }
}

type PathOfMember = (path: string, name: string, ref: ShapeRef) => string

const memberPath: PathOfMember = (path, name) => path === '' ? lowerFirst(name) : `${path}.${lowerFirst(name)}`

/**
 * How the members of an operation's input are named.
 *
 * Observed: API Gateway, 30-06-2025 and 11-07-2025, recorded by localstack's test_update_method_response_negative_tests and
 * test_create_rest_api_with_endpoint_configuration: what travels in the body stands under the name of the input, a label does not.
 */
function topPathOf(model: ServiceModel, operation: OperationModel): PathOfMember {
  if (model.metadata.serviceId !== 'API Gateway') return memberPath
  const prefix = `${lowerFirst(operation.name)}Input`
  return (_path, name, ref) => memberPath(ref.location === undefined ? prefix : '', name, ref)
}

function createChecks(model: ServiceModel, corrections: Readonly<Record<string, ShapeConstraints>>) {
  const compiled = new Map<string, Check | undefined>()
  // Observed: Lambda, in published answers: the lists and maps of its model may not hold null, and it says so among their constraints.
  const elementsSay = model.signingName === 'lambda' ? ['Member must not be null'] : []

  /** The check for what is inside values of a shape; undefined when nothing can be wrong there. */
  function inside(shape: Shape): Check | undefined {
    if (compiled.has(shape.name)) return compiled.get(shape.name)
    // A shape that contains itself: assume that there is something to check.
    compiled.set(shape.name, (value, path, report) => compiled.get(shape.name)?.(value, path, report))
    const check = compile(shape)
    compiled.set(shape.name, check)
    return check
  }

  function compile(shape: Shape): Check | undefined {
    if (shape.type === 'structure') return structure(shape, memberPath)
    if (shape.type === 'list') return list(shape)
    return shape.type === 'map' ? map(shape) : undefined
  }

  function structure(shape: Shape, pathOf: PathOfMember): Check | undefined {
    const required = new Set(shape.required)
    const members = Object.entries(shape.members ?? {}).map(([name, ref]) => {
      const target = model.shape(ref)
      return { name, ref, target, isRequired: required.has(name), own: constraintsOf(target), inner: inside(target) }
    }).filter(({ isRequired, own, inner }) => isRequired || own.length > 0 || inner !== undefined)
    if (members.length === 0) return undefined
    return (value, path, report) => {
      for (const { name, ref, target, isRequired, own, inner } of members) {
        const held = value[name]
        if (held === undefined) {
          if (isRequired) report(null, target, pathOf(path, name, ref), 'Member must not be null')
          continue
        }
        for (const { says, holds } of own) if (!holds(held)) report(held, target, pathOf(path, name, ref), says)
        inner?.(held, pathOf(path, name, ref), report)
      }
    }
  }

  function list(shape: Shape): Check | undefined {
    if ('elements' in (corrections[shape.name] ?? {})) return undefined
    const element = model.shape(shape.member!)
    const own = constraintsOf(element)
    const inner = inside(element)
    if (own.length === 0 && !inner) return undefined
    const says = `Member must satisfy constraint: [${summaryOf(own)}]`
    return (value, path, report) => {
      if (own.some(({ holds }) => !value.every(holds))) report(value, shape, path, says)
      if (inner) for (const [index, one] of value.entries()) inner(one, `${path}.${index + 1}.member`, report)
    }
  }

  function map(shape: Shape): Check | undefined {
    const element = model.shape(shape.value!)
    const keys = constraintsOf(model.shape(shape.key!))
    const own = constraintsOf(element)
    const inner = inside(element)
    if (keys.length === 0 && own.length === 0 && !inner) return undefined
    return (value, path, report) => {
      if (keys.some(({ holds }) => !Object.keys(value).every(holds))) report(value, shape, path, `Map keys must satisfy constraint: [${summaryOf(keys)}]`)
      if (own.some(({ holds }) => !Object.values(value).every(holds))) report(value, shape, path, `Map value must satisfy constraint: [${summaryOf(own)}]`)
      if (inner) for (const [key, one] of Object.entries(value)) inner(one, `${path}.${key}.member`, report)
    }
  }

  function constraintsOf(shape: Shape): Constraint[] {
    const { name, type } = shape
    const { min, max, pattern, enum: values } = name in corrections ? { ...shape, ...corrections[name] } : shape
    const isNumber = type === 'integer' || type === 'long' || type === 'float' || type === 'double'
    const measure = isNumber ? (value: number) => value : type === 'map' ? (value: object) => Object.keys(value).length : (value: { length: number }) => value.length
    const [what, written] = isNumber ? ['value', type === 'float' || type === 'double' ? decimal : String] : ['length', String]
    const constraints: Constraint[] = []
    if (max !== undefined) constraints.push({ says: `Member must have ${what} less than or equal to ${written(max)}`, holds: (value) => measure(value) <= max })
    if (min !== undefined) constraints.push({ says: `Member must have ${what} greater than or equal to ${written(min)}`, holds: (value) => measure(value) >= min })
    if (pattern !== undefined && type === 'string') {
      const expression = compilePattern(pattern)
      const isJudged = (value: string) => max === undefined || value.length <= Math.max(max, PATTERN_CHARACTERS_MAX)
      constraints.push({ says: `Member must satisfy regular expression pattern: ${pattern}`, holds: (value) => !isJudged(value) || expression.test(value) })
    }
    if (values !== undefined) constraints.push({ says: `Member must satisfy enum value set: [${values.join(', ')}]`, holds: (value) => values.includes(value) })
    return constraints
  }

  const summaryOf = (constraints: readonly Constraint[]): string => [...constraints.map(({ says }) => says), ...elementsSay].join(', ')

  return { structure }
}

/** A pattern of a model as Java means it: the whole text must match. */
export function compilePattern(pattern: string): RegExp {
  // A class of Java's that JavaScript has under no name; it stands alone in the models.
  const known = pattern.replaceAll('\\p{Print}', '[ -~]')
  // Unicode classes and surrogate pairs need the `u` flag, under which an escape that means nothing special is an error: used only where it must be.
  if (!/\\p\{|\\u\{|\\u[dD][89abAB]/.test(known)) return new RegExp(`^(?:${known})$`)
  return new RegExp(`^(?:${known.replace(/\\([^\w\s^$\\.*+?()[\]{}|/-])/g, '$1')})$`, 'u')
}

const decimal = (value: number): string => Number.isInteger(value) ? value.toFixed(1) : String(value)

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

/** A value as the messages show it: `null` bare, everything else in quotes and as Java prints it. Sensitive values are not repeated (Ours). */
function quoted(model: ServiceModel, shape: Shape, value: unknown): string {
  if (value === null) return 'null'
  const text = shown(model, shape, value)
  return `'${text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text}'`
}

function shown(model: ServiceModel, shape: Shape, value: any): string {
  if (shape.sensitive) return '***'
  switch (shape.type) {
    case 'list': return `[${value.slice(0, 100).map((one: unknown) => shown(model, model.shape(shape.member!), one)).join(', ')}]`
    case 'map': {
      const of = model.shape(shape.value!)
      return `{${Object.entries(value).slice(0, 100).map(([key, one]) => `${key}=${shown(model, of, one)}`).join(', ')}}`
    }
    case 'structure': {
      const held = Object.entries(value).map(([name, one]) => `${lowerFirst(name)}=${shown(model, model.shape(shape.members![name]!), one)}`)
      return `${shape.name}(${held.join(', ')})`
    }
    case 'blob': return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`
    case 'timestamp': return (value as Date).toISOString()
    case 'float':
    case 'double': return decimal(value)
    default: return String(value)
  }
}
