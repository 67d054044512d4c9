// How a service says no: every error's code and status is declared once per service, and a throw supplies only the message.

/** An error that a client sees, in AWS's own code, status and words. The protocols turn it into bytes. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  /** Further members of the error's shape, as the model spells them (`{ Type: 'User' }`). */
  readonly members: Readonly<Record<string, unknown>>
  constructor(code: string, status: number, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = code
    this.code = code
    this.status = status
    this.members = members
  }
}

export type ErrorFactories<Code extends string> = {
  readonly [C in Code]: (message: string, members?: Readonly<Record<string, unknown>>) => AwsError
}

/**
 * Declares a service's errors: wire code → HTTP status, and members that every error of that code carries.
 *
 * `const errors = declareErrors({ ResourceNotFoundException: { status: 404, members: { Type: 'User' } } })`, then
 * `throw errors.ResourceNotFoundException('Function not found: …')`.
 */
export function declareErrors<const Code extends string>(
  table: { readonly [C in Code]: { status: number, members?: Readonly<Record<string, unknown>> } },
): ErrorFactories<Code> {
  const factories = {} as Record<Code, ErrorFactories<Code>[Code]>
  for (const code of Object.keys(table) as Code[]) {
    const { status, members: fixed } = table[code]
    factories[code] = (message, members) => new AwsError(code, status, message, { ...fixed, ...members })
  }
  return factories
}
