// What a deployment makes of an API: whether it may be deployed, what is frozen, and what a stage is told.

import type { StageRecord, V2Api } from './model.ts'
import type { V2ApiSnapshot } from './snapshot.ts'

/** Freezes an API as it stands. */
export function freeze({ id, accountId, region, settings, design }: V2Api, deploymentId: string): V2ApiSnapshot {
  const { tags: _tags, ...frozen } = settings
  return { ...frozen, ...design, apiId: id, accountId, region, deploymentId }
}

/**
 * Why an API cannot be deployed, if so: an HTTP API needs a route that leads somewhere.
 * Seen in reports: users' logs of `LastDeploymentStatusMessage` and of CreateDeployment (HTTP: since 2025 with `valid`, before that without);
 * aws/serverless-application-model issue 2512 (WebSocket).
 */
export function deployFault({ settings, design }: V2Api): string | undefined {
  const routes = Object.values(design.routes)
  if (settings.protocolType === 'WEBSOCKET') return routes.length > 0 ? undefined : 'At least one route is required before deploying the Api.'
  return routes.some(({ target }) => target !== undefined) ? undefined : 'Unable to deploy API because no valid routes exist in this API'
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
