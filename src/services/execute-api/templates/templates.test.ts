// Runs the cases in test/cases/templates: what AWS was recorded to do, what authors write, and JSONPath.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { TemplateContext, type ContextFacts } from './context.ts'
import { PayloadNotJson, type RequestParameters } from './input.ts'
import { JsonPath, JsonPathError } from './json-path/path.ts'
import { parseJson, printJson } from './json.ts'
import { compileMappingTemplate } from './mapping-template.ts'
import { JavaList, JavaMap, toText } from './values.ts'
import { compileTemplate } from './velocity/compile.ts'
import { TemplateError } from './velocity/errors.ts'

interface TemplateCase {
  says: string
  source: string
  given: { template: string, payload?: string, parameters?: RequestParameters, variables?: Record<string, unknown> }
  expect: { output?: string, error?: string, overrides?: unknown }
}

const facts: ContextFacts = {
  accountId: '123456789012', apiId: 'abcd1234', deploymentId: 'dep123', domainName: 'abcd1234.execute-api.us-east-1.amazonaws.com',
  domainPrefix: 'abcd1234', extendedRequestId: 'ext=', httpMethod: 'POST', identity: { sourceIp: '192.0.2.1', userAgent: 'curl/7.84.0' },
  path: '/prod/pets/7', protocol: 'HTTP/1.1', requestId: 'rid-1', requestTime: '09/Apr/2015:12:34:56 +0000', requestTimeEpoch: 1428582896000,
  resourceId: 'efg567', resourcePath: '/pets/{id}', stage: 'prod',
}
const defaultParameters: RequestParameters = {
  path: { id: '7' }, querystring: { q: "it's", page: '2' }, header: { Accept: 'application/json', 'X-Name': 'a "b"' },
}

function readCases<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../../test/cases/templates/${name}.json`, import.meta.url), 'utf8')) as T
}

function run({ template, payload, parameters, variables }: TemplateCase['given']): TemplateCase['expect'] {
  // Variables of a case come the way a template gets them: parsed from JSON.
  const prelude = Object.keys(variables ?? {}).map((name) => `#set($${name} = $util.parseJson($stageVariables.vars).${name})`).join('')
  const context = new TemplateContext(facts)
  const stageVariables = variables ? { vars: JSON.stringify(variables) } : { env: 'beta', url: 'http://x' }
  try {
    const output = compileMappingTemplate(prelude + template).render({ payload: payload ?? '', parameters: parameters ?? defaultParameters, context, stageVariables })
    return { output, overrides: JSON.parse(JSON.stringify(context.overrides())) }
  } catch (error) {
    assert.ok(error instanceof TemplateError || error instanceof PayloadNotJson, String(error))
    return { error: error.message }
  }
}

for (const file of ['recorded', 'idioms']) {
  describe(`mapping templates, ${file}`, () => {
    for (const { says, given, expect } of readCases<TemplateCase[]>(file)) {
      test(says, () => {
        const result = run(given)
        assert.equal(result.error, expect.error)
        assert.equal(result.output, expect.output)
        if (expect.overrides !== undefined) assert.deepEqual(result.overrides, expect.overrides)
      })
    }
  })
}

describe('JSONPath', () => {
  const { document, cases } = readCases<{ document: unknown, cases: { path: string, expect: 'nothing' | 'error' | { prints: string } }[] }>('json-path')
  const parsed = parseJson(JSON.stringify(document))
  for (const { path, expect } of cases) {
    test(path === '' ? 'an empty path' : path, () => {
      if (expect === 'error') {
        assert.throws(() => JsonPath.compile(path).read(parsed), JsonPathError)
        return
      }
      const value = JsonPath.compile(path).read(parsed)
      if (expect === 'nothing') return assert.equal(value, undefined)
      const isJson = typeof value === 'string' || value instanceof JavaMap || (value instanceof JavaList && value.kind === 'json')
      assert.equal(isJson ? printJson(value, 'with plain slashes') : toText(value), expect.prints)
    })
  }
})

describe('compiled templates', () => {
  test('leave macros and #evaluate standing when they are switched off, as AWS was recorded to do', () => {
    const template = compileTemplate('\n#macro(hi)hello#end#hi() #set($x = 1)#evaluate("$x")', { macros: 'as text' })
    assert.equal(template.render(new Map()), '\n#hi()#evaluate("$x")')
  })

  test('run twice give the same answer twice: nothing of a run stays behind', () => {
    const template = compileTemplate('#set($n = $n + "x")$n#macro(m $a)$a#end#m("y")', { macros: 'run' })
    assert.deepEqual([template.render(new Map()), template.render(new Map())], ['xy', 'xy'])
  })

  test('have no way to JavaScript: members of our own objects are not there', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']) {
      const output = compileTemplate(`[$m.${name.replaceAll('_', '')}][$l.${name.replaceAll('_', '')}][$s["${name}"]][$m["${name}"]]`, { macros: 'run' })
        .render(new Map<string, never>([['m', new JavaMap() as never], ['l', new JavaList([], 'java') as never], ['s', 'x' as never]]))
      assert.equal(output, '[][][][]')
    }
  })
})
