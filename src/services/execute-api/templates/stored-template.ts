// A mapping template as APIs hold it: one that does not parse is kept, too, and fails at each request.

import { compileMappingTemplate, type MappingTemplate } from './mapping-template.ts'
import { TemplateError } from './velocity/errors.ts'

/** A template, or why it does not parse: that is told at each request, as AWS does. An empty template passes everything through. */
export type CompiledTemplate =
  | { is: 'template', name: string, template: MappingTemplate }
  | { is: 'broken', name: string, reason: string }
  | { is: 'empty' }

/** @param name which one, for traces. */
export function compileStoredTemplate(text: string | null, name: string): CompiledTemplate {
  if (text === null || text === '') return { is: 'empty' }
  try {
    return { is: 'template', name, template: compileMappingTemplate(text) }
  } catch (error) {
    if (error instanceof TemplateError) return { is: 'broken', name, reason: error.message }
    throw error
  }
}
