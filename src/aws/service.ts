// What a service is to the wire: its model's name and a table of operations. Whatever a table lacks is answered 501 by name.

import type { HttpRequest } from '#lib/http.ts'
import type { Caller } from './caller.ts'
import type { Scope } from './arn.ts'
import type { AwsError } from './errors.ts'
import type { ConditionContext, Policy } from './policy/document.ts'
import type { Trace } from './trace.ts'
import type { ShapeConstraints } from './validate.ts'

/** One API request, once its caller is known. */
export interface Call {
  requestId: string
  caller: Caller
  /** The caller's account and the region of the signature's scope. */
  scope: Scope
  /** When the request arrived, milliseconds. */
  atMs: number
  trace: Trace
  request: Pick<HttpRequest, 'headers' | 'remoteAddress' | 'isSecure'>
  /**
   * Refuses with the service's access-denied error unless the caller has the permission. For what only a handler can know
   * (`iam:PassRole` on a stored role); everything else belongs into `access`.
   */
  require(permission: Permission): Promise<void>
}

export type Tags = Readonly<Record<string, string>>

/** Something that AWS checks before it runs an operation. */
export interface Permission {
  /** `lambda:CreateFunction`. */
  action: string
  /** The ARN acted on, or `*` where the action has no resource. */
  resource: string
  /** Condition keys beyond the global ones (`iam:PassedToService`). */
  context?: ConditionContext
  /** The policy of the resource itself, where it has one: either side may allow within an account. */
  resourcePolicy?: Policy
  /**
   * The resource is a role that is to be assumed, and `resourcePolicy` its trust policy, without which nobody may; a refusal does not
   * say which policy lacks the Allow. Source: IAM user guide, "Evaluating policies within a single account": role trust policies.
   */
  isAssumption?: true
  /** The tags of the resource, `aws:ResourceTag/…`; asked for only when a policy reads them. */
  resourceTags?: () => Promise<Tags | undefined>
  /** The identity provider whose token vouches for a caller that did not sign: the resource's policy must let it. */
  provider?: string
  /** How a refusal names the resource where the service does not print its ARN (`role x`); empty where it prints none. */
  shownAs?: string
}

/**
 * One operation. Request line, members, constraints and error shapes come from the model, types from the official SDK.
 *
 * `Service` is what the service's handlers hold in common (store, clock, …): the third argument of every handler.
 */
export interface Operation<Service, Input = any, Output = any> {
  /** Every permission that AWS checks, with its real action and ARN. An empty list needs a reason beside it. */
  access: (input: Input, call: Call, service: Service) => Permission[] | Promise<Permission[]>
  run: (input: Input, call: Call, service: Service) => Promise<Output> | Output
  /** Takes requests without a signature, whose caller is then anonymous; one that signs all the same must do so rightly. */
  isUnsigned?: true
}

export type Operations<Service> = { readonly [name: string]: Operation<Service> }

/** A service as `server.ts` registers it. */
export interface ServiceDefinition<Service = any> {
  /** File name of the model without its ending: `lambda-2015-03-31`. */
  model: string
  operations: Operations<Service>
  service: Service
  /** Callers whom the service does not take for an operation, whatever policies say: some kinds of sessions. */
  refusesCaller?: (caller: Caller, operation: string) => AwsError | undefined
  /** The tags of a resource that a permission names, where the service has tags: `aws:ResourceTag/…`. */
  tagsOf?: (resourceArn: string, scope: Scope, service: Service) => Promise<Tags | undefined>
  /** Largest request body the service reads, bytes. */
  bodyBytesMax: number
  /**
   * Limits and wordings in which the service departs from its model or from its protocol's usual way; see `dispatch.ts`.
   * For example the code and status of its validation and access-denied errors.
   */
  errors: ServiceErrorStyle
}

/** The codes with which a service refuses before any handler runs. */
export interface ServiceErrorStyle {
  /** Model constraints violated: `ValidationException`, `ValidationError`, `InvalidParameterValueException`, … */
  validation: { code: string, status: number }
  /** Caller known, permission missing. */
  accessDenied: { code: string, status: number }
  /**
   * Constraints of the model's shapes, by shape name, where the service itself checks something else; `undefined` lifts one.
   * `{ FunctionName: { pattern: '…' } }`. Each needs a source beside it.
   */
  constraints?: Readonly<Record<string, ShapeConstraints>>
}

/**
 * An SDK input after validation: members that the model requires are present.
 * (The SDK types them `T | undefined` without a question mark.)
 */
export type Valid<Input> = { [Key in keyof Input]: {} extends Pick<Input, Key> ? Input[Key] : Exclude<Input[Key], undefined> }

/** Declares one operation with its types checked against the official SDK's. */
export function operation<Service, Input, Output>(definition: Operation<Service, Valid<Input>, Output>): Operation<Service> {
  return definition as Operation<Service>
}
