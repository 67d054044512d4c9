// AWS's sentence for a refusal: who may not do what on which resource, and which kind of policy is why.

import type { Evaluation, PolicyLayer } from './evaluate.ts'

export interface RefusedAction {
  /** The caller's ARN. */
  caller: string
  action: string
  /** As the service prints it; empty where it prints none. */
  resource: string
  isAssumption?: boolean | undefined
}

/** Source: IAM user guide, "Troubleshoot access denied error messages", access denied error message examples. */
const layers: Record<PolicyLayer, { denied: string, lacking: string }> = {
  identity: { denied: 'an identity-based policy', lacking: 'identity-based policy' },
  resource: { denied: 'a resource-based policy', lacking: 'resource-based policy' },
  boundary: { denied: 'a permissions boundary', lacking: 'permissions boundary' },
  session: { denied: 'a session policy', lacking: 'session policy' },
}

/**
 * Source: as above, the format of most messages.
 * STS does not say which policy lacks the Allow of an AssumeRole: so it stands in every refusal that its users report.
 */
export function refusalSentence({ caller, action, resource, isAssumption }: RefusedAction, { outcome, because }: Pick<Evaluation, 'outcome' | 'because'>): string {
  // Whoever did not sign has no name. Source: the same refusal as users of web identities report it.
  if (caller === '') return `Not authorized to perform ${action}`
  const beginning = `User: ${caller} is not authorized to perform: ${action}${resource ? ` on resource: ${resource}` : ''}`
  if (isAssumption && outcome === 'implicit-deny') return beginning
  if (isAssumption && because === 'resource') return `${beginning} with an explicit deny in the role trust policy`
  if (because === undefined) return beginning
  return outcome === 'explicit-deny'
    ? `${beginning} with an explicit deny in ${layers[because].denied}`
    : `${beginning} because no ${layers[because].lacking} allows the ${action} action`
}
