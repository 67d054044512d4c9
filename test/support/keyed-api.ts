// An API whose one method needs a key, deployed with a usage plan and a key of the plan: for tests of keys and limits.

import {
  CreateApiKeyCommand, CreateDeploymentCommand, CreateUsagePlanCommand, CreateUsagePlanKeyCommand, ImportRestApiCommand,
  type APIGatewayClient, type CreateUsagePlanCommandInput,
} from '@aws-sdk/client-api-gateway'
import { rawRequest, sendRaw, type RawAnswer } from './raw-request.ts'

const definition = JSON.stringify({
  swagger: '2.0', info: { title: 'keyed', version: '1' },
  securityDefinitions: { api_key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
  paths: {
    '/sign': {
      post: {
        security: [{ api_key: [] }], responses: { 200: { description: 'fine' } },
        'x-amazon-apigateway-integration': { type: 'mock', requestTemplates: { 'application/json': '{"statusCode": 200}' }, responses: { default: { statusCode: '200' } } },
      },
    },
  },
})

export interface Keyed {
  apigateway: APIGatewayClient
  restApiId: string
  usagePlanId: string
  keyId: string
  value: string
  /** Calls the method, on this server or on another that shares its store. */
  sign(key?: string, port?: number): Promise<RawAnswer>
}

/** `POST /sign` under a key, in a plan. */
export async function keyed(server: { apigateway: APIGatewayClient, port: number }, plan: Partial<CreateUsagePlanCommandInput> = {}): Promise<Keyed> {
  const { apigateway } = server
  const { id: restApiId } = await apigateway.send(new ImportRestApiCommand({ body: Buffer.from(definition) }))
  await apigateway.send(new CreateDeploymentCommand({ restApiId: restApiId!, stageName: 'dev' }))
  const { id: usagePlanId } = await apigateway.send(new CreateUsagePlanCommand({ name: 'plan', apiStages: [{ apiId: restApiId, stage: 'dev' }], ...plan }))
  const { id: keyId, value } = await apigateway.send(new CreateApiKeyCommand({ name: 'key', enabled: true }))
  await apigateway.send(new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: 'API_KEY' }))
  return {
    apigateway, restApiId: restApiId!, usagePlanId: usagePlanId!, keyId: keyId!, value: value!,
    sign: (key, port = server.port) => sendRaw(rawRequest({
      method: 'POST', target: '/dev/sign', host: `${restApiId}.execute-api.localhost:${port}`, body: '{}', headers: key === undefined ? {} : { 'x-api-key': key },
    }), { port }),
  }
}
