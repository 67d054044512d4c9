// ImportRestApi and PutRestApi: an API from a definition, new or into one that exists.

import type * as sdk from '@aws-sdk/client-api-gateway'
import type { BasePathMode } from '#aws/open-api.ts'
import type { Call } from '#aws/service.ts'
import { mayPassRole, maySetPolicy } from '../permissions.ts'
import { newSettings } from '../api-settings.ts'
import { editApi, withRetries, type Input } from '../edit.ts'
import { errors, missing } from '../errors.ts'
import { newApiId, newId, newModelName } from '../ids.ts'
import type { ApiGateway } from '../index.ts'
import { functionOf } from '../integration-rules.ts'
import { APIS_PER_REGION_MAX } from '../limits.ts'
import type { RestApi } from '../model.ts'
import { describeApi, emptyDesign, listed } from '../rest-apis.ts'
import { transactions } from '../store.ts'
import { applyPlan } from './apply-plan.ts'
import { createFindings, type Findings } from './findings.ts'
import { planImport, type ImportPlan } from './plan.ts'
import { readDefinition } from './read-definition.ts'

export async function importRestApi(
  { body, failOnWarnings = false, parameters }: Input<sdk.ImportRestApiRequest>, call: Call, gateway: ApiGateway,
): Promise<sdk.RestApi> {
  const { database, clock, random } = gateway
  const { scope } = call
  const apiId = newApiId(random)
  const findings = createFindings()
  const plan = await planned(body, { apiId, findings, parameters }, call, gateway)
  const types = parameters?.['endpointConfigurationTypes']?.split(',') as sdk.EndpointType[] | undefined
  const api: RestApi = {
    id: apiId,
    accountId: scope.accountId,
    region: scope.region,
    createdAtMs: clock.now(),
    settings: newSettings({ name: plan.name, endpointConfiguration: { types } }, { ...scope, apiId }),
    design: emptyDesign(newApiId(random)),
  }
  applyPlan(plan, api, { mode: 'overwrite', findings, newId: () => newId(random), absentFunctions: await absentFunctions(plan, gateway) })
  findings.settle({ failOnWarnings })
  await withRetries(() => database.transact(transactions.insertApi, { api, apisMax: APIS_PER_REGION_MAX }))
  return describeApi(listed(api), { warnings: [...findings.warnings] })
}

/** Without a mode the definition is merged. Source: API Gateway API reference, PutRestApi, `mode`. */
export async function putRestApi(
  { restApiId, body, mode = 'merge', failOnWarnings = false, parameters }: Input<sdk.PutRestApiRequest>, call: Call, gateway: ApiGateway,
): Promise<sdk.RestApi> {
  const reading = createFindings()
  const plan = await planned(body, { apiId: restApiId, findings: reading, parameters }, call, gateway)
  const absent = await absentFunctions(plan, gateway)
  return editApi(gateway, call, restApiId, () => missing.api(call.scope, restApiId), (api) => {
    // An edit may run again, and then must not say everything twice.
    const findings = reading.copy()
    applyPlan(plan, api, { mode, findings, newId: () => newId(gateway.random), absentFunctions: absent })
    findings.settle({ failOnWarnings })
    return describeApi(listed(api), { withTags: true, warnings: [...findings.warnings] })
  })
}

/** Reads and plans a definition, and asks for the permissions that its content needs. */
async function planned(
  body: Uint8Array, { apiId, findings, parameters }: { apiId: string, findings: Findings, parameters: Record<string, string> | undefined },
  call: Call, { random }: ApiGateway,
): Promise<ImportPlan> {
  const plan = planImport(readDefinition(body), { apiId, findings, basePath: basePathMode(parameters), ignoresDocumentation: parameters?.['ignore'] === 'documentation', newModelName: () => newModelName(random) })
  if (plan.policy !== undefined) await call.require(maySetPolicy(call, apiId))
  const roles = new Set([...plan.methods.map(({ integration }) => integration?.credentials), ...plan.authorizers.map((authorizer) => authorizer.authorizerCredentials)])
  for (const permission of [...roles].flatMap(mayPassRole)) await call.require(permission)
  return plan
}

/** Source: API Gateway developer guide, "Set the OpenAPI basePath property". Ours: the words. */
function basePathMode(parameters: Record<string, string> | undefined): BasePathMode {
  const mode = parameters?.['basepath'] ?? 'ignore'
  if (mode !== 'ignore' && mode !== 'prepend' && mode !== 'split') {
    throw errors.BadRequestException(`Invalid basepath specified: ${mode}. Valid options are ignore,prepend,split`)
  }
  return mode
}

async function absentFunctions({ methods }: ImportPlan, { functions }: ApiGateway): Promise<Set<string>> {
  const absent = new Set<string>()
  if (!functions) return absent
  const named = new Set(methods.flatMap(({ integration }) => functionOf(integration?.uri) ?? []))
  for (const functionArn of named) if (!await functions.exists(functionArn)) absent.add(functionArn)
  return absent
}
