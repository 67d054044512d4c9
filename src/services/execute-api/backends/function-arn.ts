// The function that an integration or an authorizer names.

/** A function's ARN, or the one in an invocation URI, stage variables put in; undefined for anything else. */
export function functionArnOf(uri: string, stageVariables: Readonly<Record<string, string>>): string | undefined {
  const filled = uri.replace(/\$\{stageVariables\.([A-Za-z0-9_]+)\}/g, (_, name: string) => stageVariables[name] ?? '')
  if (/^arn:[^:]+:lambda:[^:]+:\d{12}:function:/.test(filled)) return filled
  return /^arn:[^:]+:apigateway:[^:]*:lambda:path\/+2015-03-31\/functions\/(.+)\/invocations$/.exec(filled)?.[1]
}
