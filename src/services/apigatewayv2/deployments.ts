// Deployments: an API frozen as it stands, and the stage that it goes to.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { Conflict } from '#storage/database.ts'
import { textOf } from './api-settings.ts'
import { wholeSeconds } from './apis.ts'
import { deployFault } from './deploy.ts'
import { readApi, withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import { newId } from './ids.ts'
import type { ApiGatewayV2 } from './index.ts'
import type { Deployment } from './model.ts'
import { pageOf } from './pages.ts'
import { findDeployment, listDeployments, transactions } from './store.ts'

export async function createDeployment(
  { ApiId, StageName, Description }: Input<sdk.CreateDeploymentRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.CreateDeploymentResponse> {
  const { database, clock, random } = gateway
  const fault = deployFault(await readApi(gateway, call, ApiId))
  if (fault !== undefined) throw errors.BadRequestException(fault)
  const deployment: Deployment = {
    deploymentId: newId(random), apiId: ApiId, createdAtMs: clock.now(), description: textOf(Description, 1024, 'description'),
    autoDeployed: false, status: 'DEPLOYED',
  }
  await withRetries(async () => {
    try {
      await database.transact(transactions.insertDeployment, { deployment, stageName: StageName || undefined })
    } catch (error) {
      // Seen in reports: users' logs of CreateDeployment.
      if (error instanceof Conflict && error.reason === 'stage missing') {
        throw errors.BadRequestException(
          `Stage ${StageName} does not exist. StageName specified on a CreateDeployment request must exist so the stage can be updated with the new deployment.`)
      }
      throw error
    }
  })
  return describeDeployment(deployment)
}

export async function getDeployment(
  { ApiId, DeploymentId }: Input<sdk.GetDeploymentRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetDeploymentResponse> {
  await readApi(gateway, call, ApiId)
  return describeDeployment(await requireDeployment(gateway, ApiId, DeploymentId))
}

export async function getDeployments(
  { ApiId, ...page }: Input<sdk.GetDeploymentsRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.GetDeploymentsResponse> {
  await readApi(gateway, call, ApiId)
  const deployments = await listDeployments(gateway.database, ApiId)
  // The latest come first, as on AWS's console; equal times are told apart by the id.
  const keyOf = ({ createdAtMs, deploymentId }: Deployment) => `${String(9e15 - createdAtMs).padStart(16, '0')}/${deploymentId}`
  const { Items, NextToken } = pageOf(deployments, keyOf, page)
  return { Items: Items.map(describeDeployment), NextToken }
}

export async function updateDeployment(
  { ApiId, DeploymentId, Description }: Input<sdk.UpdateDeploymentRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateDeploymentResponse> {
  await readApi(gateway, call, ApiId)
  const deployment = await requireDeployment(gateway, ApiId, DeploymentId)
  if (Description !== undefined) deployment.description = textOf(Description, 1024, 'description')
  if (!await gateway.database.transact(transactions.updateDeployment, deployment)) throw missing.deployment(DeploymentId)
  return describeDeployment(deployment)
}

export async function deleteDeployment({ ApiId, DeploymentId }: Input<sdk.DeleteDeploymentRequest>, call: Caller, gateway: ApiGatewayV2): Promise<void> {
  await readApi(gateway, call, ApiId)
  const deleted = await withRetries(() => gateway.database.transact(transactions.deleteDeployment, { apiId: ApiId, deploymentId: DeploymentId }))
  if (!deleted) throw missing.deployment(DeploymentId)
}

async function requireDeployment({ database }: Pick<ApiGatewayV2, 'database'>, apiId: string, deploymentId: string): Promise<Deployment> {
  const deployment = await findDeployment(database, apiId, deploymentId)
  if (!deployment) throw missing.deployment(deploymentId)
  return deployment
}

/** As AWS shows a deployment. Source: AWS CLI reference, examples of `create-deployment` and `get-deployments`. */
function describeDeployment({ autoDeployed, createdAtMs, deploymentId, description, status }: Deployment): sdk.Deployment {
  return { AutoDeployed: autoDeployed, CreatedDate: wholeSeconds(createdAtMs), DeploymentId: deploymentId, DeploymentStatus: status, Description: description }
}
