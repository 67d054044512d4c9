// What a deployment makes of an API: whether it may be deployed, what is frozen, and what a stage is told.

import type { StageRecord, V2Api } from './model.ts'
import type { V2ApiSnapshot } from './snapshot.ts'

/** Freezes an API as it stands. */
export function freeze({ id, accountId, region, settings, design }: V2Api, deploymentId: string): V2ApiSnapshot {
  const { tags: _tags, ...frozen } = settings
  return { ...frozen, ...design, apiId: id, accountId, region, deploymentId }
}

/**
 * Why an API cannot be deployed, if so.
 * Seen in reports: mach-composer/mach-composer-cli issue 42 (HTTP), aws/serverless-application-model issue 2512 (WebSocket).
 */
export function deployFault({ settings, design }: V2Api): string | undefined {
  if (Object.keys(design.routes).length > 0) return undefined
  return settings.protocolType === 'HTTP'
    ? 'Unable to deploy API because no routes exist in this API'
    : 'At least one route is required before deploying the Api.'
}

/** Source: AWS CLI reference, examples of `get-deployments`. */
export const AUTO_DEPLOYMENT_DESCRIPTION = 'Automatic deployment triggered by changes to the Api configuration'

/** A stage after an automatic deployment, or after the attempt of one. Source: AWS CLI reference, example of `get-stage` (the words of success). */
export function afterAutoDeploy(stage: StageRecord, { deploymentId, fault, now }: { deploymentId: string, fault: string | undefined, now: number }): StageRecord {
  if (fault !== undefined) return { ...stage, lastUpdatedAtMs: now, lastDeploymentStatusMessage: `Deployment attempt failed: ${fault}` }
  return {
    ...stage,
    deploymentId,
    lastUpdatedAtMs: now,
    lastDeploymentStatusMessage: `Successfully deployed stage with deployment ID '${deploymentId}'`,
  }
}
