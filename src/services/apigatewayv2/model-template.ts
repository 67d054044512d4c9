// A sample mapping template for what a JSON Schema describes.

/** How deep a sample goes; what is below is `null`. Ours. */
const DEPTH_MAX = 20

/**
 * The template. Source: API Gateway developer guide, "Models and mapping templates", the template that the console generates: texts are `foo`,
 * numbers 42, booleans true, lists a loop.
 */
export function templateOf(schema: unknown): string {
  return `#set($inputRoot = $input.path('$'))\n${sample(schema, '', 0)}`
}

function sample(schema: unknown, indent: string, depth: number): string {
  if (depth > DEPTH_MAX || typeof schema !== 'object' || schema === null) return 'null'
  const { type, properties, items } = schema as { type?: unknown, properties?: unknown, items?: unknown }
  const inner = `${indent}  `
  if (type === 'array' || (type === undefined && items !== undefined)) {
    return [
      '[',
      '##TODO: Update this foreach loop to reference array from input json',
      '#foreach($elem in $inputRoot)',
      `${inner}${sample(items, inner, depth + 1)}#if($foreach.hasNext),#end`,
      '#end',
      `${indent}]`,
    ].join('\n')
  }
  if (type === 'object' || properties !== undefined) {
    const members = Object.entries(properties ?? {}).map(([name, of]) => `${inner}${JSON.stringify(name)} : ${sample(of, inner, depth + 1)}`)
    return members.length === 0 ? '{ }' : `{\n${members.join(',\n')}\n${indent}}`
  }
  switch (type) {
    case 'string': return '"foo"'
    case 'integer': return '42'
    case 'number': return '42.2'
    case 'boolean': return 'true'
    default: return 'null'
  }
}
