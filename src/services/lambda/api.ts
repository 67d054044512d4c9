// Every operation of Lambda that is served, with the permissions that AWS checks for it. Start reading here.

import type {
  AddLayerVersionPermissionRequest, AddPermissionRequest, CreateAliasRequest, CreateFunctionRequest, CreateFunctionUrlConfigRequest,
  DeleteAliasRequest, DeleteFunctionConcurrencyRequest, DeleteFunctionEventInvokeConfigRequest, DeleteFunctionRequest,
  DeleteFunctionUrlConfigRequest, DeleteLayerVersionRequest, DeleteProvisionedConcurrencyConfigRequest, GetAccountSettingsRequest,
  GetAliasRequest, GetFunctionConcurrencyRequest, GetFunctionCodeSigningConfigRequest, GetFunctionConfigurationRequest, GetFunctionEventInvokeConfigRequest,
  GetFunctionRecursionConfigRequest, GetFunctionRequest, GetFunctionUrlConfigRequest, GetLayerVersionByArnRequest,
  GetLayerVersionPolicyRequest, GetLayerVersionRequest, GetPolicyRequest, GetProvisionedConcurrencyConfigRequest,
  GetRuntimeManagementConfigRequest, InvocationRequest, InvokeAsyncRequest, InvokeWithResponseStreamRequest, ListAliasesRequest,
  ListFunctionEventInvokeConfigsRequest, ListFunctionsRequest, ListFunctionUrlConfigsRequest, ListLayersRequest,
  ListLayerVersionsRequest, ListProvisionedConcurrencyConfigsRequest, ListTagsRequest, ListVersionsByFunctionRequest,
  PublishLayerVersionRequest, PublishVersionRequest, PutFunctionConcurrencyRequest, PutFunctionEventInvokeConfigRequest,
  PutFunctionRecursionConfigRequest, PutProvisionedConcurrencyConfigRequest, PutRuntimeManagementConfigRequest,
  RemoveLayerVersionPermissionRequest, RemovePermissionRequest, TagResourceRequest, UntagResourceRequest, UpdateAliasRequest,
  UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest, UpdateFunctionEventInvokeConfigRequest, UpdateFunctionUrlConfigRequest,
} from '@aws-sdk/client-lambda'
import { operation, type Call, type Operations, type Permission, type Valid } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { Database } from '#storage/database.ts'
import type { Roles } from '#services/iam/index.ts'
import { getAccountSettings } from './account-settings.ts'
import { createAlias, deleteAlias, getAlias, listAliases, updateAlias } from './aliases.ts'
import type { CodeStore } from './code.ts'
import {
  deleteFunctionConcurrency, deleteProvisionedConcurrencyConfig, getFunctionConcurrency, getProvisionedConcurrencyConfig, listProvisionedConcurrencyConfigs,
  putFunctionConcurrency, putProvisionedConcurrencyConfig,
} from './concurrency.ts'
import { createFunction } from './create-function.ts'
import type { FunctionDirectory } from './directory.ts'
import {
  deleteFunctionEventInvokeConfig, getFunctionEventInvokeConfig, listFunctionEventInvokeConfigs, putFunctionEventInvokeConfig, updateFunctionEventInvokeConfig,
} from './event-invoke-config.ts'
import type { Deliveries } from './events/deliveries.ts'
import { getFunctionCodeSigningConfig, getFunctionRecursionConfig, getRuntimeManagementConfig, putFunctionRecursionConfig, putRuntimeManagementConfig } from './function-notes.ts'
import { deleteFunction, getFunction, getFunctionConfiguration, listFunctions } from './functions.ts'
import { invoke } from './invoke.ts'
import { invokeAsync } from './invoke-async.ts'
import { invokeWithResponseStream } from './invoke-with-response-stream.ts'
import type { Invoker } from './invoker.ts'
import { layerArn, layerVersionArn, parseLayerName, parseLayerVersionArn } from './layer-names.ts'
import { addLayerVersionPermission, getLayerVersionPolicy, removeLayerVersionPermission } from './layer-permissions.ts'
import { layerPolicyOf } from './layer-uses.ts'
import { deleteLayerVersion, getLayerVersion, getLayerVersionByArn, listLayers, listLayerVersions, publishLayerVersion } from './layers.ts'
import { functionArn, parseFunctionName, parseNewFunctionName, qualifiedArn } from './names.ts'
import { addPermission, getPolicy, removePermission } from './permissions.ts'
import type { Interpreters } from './runtime/interpreters.ts'
import type { Pool } from './runtime/pool.ts'
import { listTags, tagResource, untagResource } from './tags.ts'
import { updateFunctionCode, updateFunctionConfiguration } from './update-function.ts'
import { createFunctionUrlConfig, deleteFunctionUrlConfig, getFunctionUrlConfig, listFunctionUrlConfigs, updateFunctionUrlConfig } from './urls.ts'
import { listVersionsByFunction, publishVersion } from './versions.ts'

/** What the handlers hold in common. */
export interface LambdaService {
  database: Database
  clock: Clock
  random: RandomSource
  sealer: Sealer
  roles: Roles
  code: CodeStore
  directory: FunctionDirectory
  invoker: Invoker
  deliveries: Pick<Deliveries, 'obstacle'>
  pool: Pick<Pool, 'provisioned'>
  interpreters: Interpreters
  /** Where `Code.Location` leads. */
  endpoint: { url(): string }
  log: { warn(facts: Record<string, unknown>, message: string): void }
}

type Named = Valid<{ FunctionName: string | undefined, Qualifier?: string | undefined }>

/** Permissions name the function with the qualifier that the caller gave. Source: Service authorization reference, AWS Lambda. */
const onFunction = (action: string) => ({ FunctionName, Qualifier }: Named, { scope }: Call): Permission[] =>
  [{ action, resource: qualifiedArn(parseFunctionName(FunctionName, scope, Qualifier)) }]

const onUnqualifiedFunction = (action: string) => ({ FunctionName }: Named, { scope }: Call): Permission[] =>
  [{ action, resource: functionArn(parseFunctionName(FunctionName, scope)) }]

/** Either the caller's policies or the function's own may allow it. Source: Lambda API reference, Invoke and InvokeWithResponseStream. */
const toInvoke = async ({ FunctionName, Qualifier }: Named, { scope }: Call, { directory }: LambdaService): Promise<Permission[]> => {
  const reference = parseFunctionName(FunctionName, scope, Qualifier)
  const policy = (await directory.find(reference))?.policy
  return [{ action: 'lambda:InvokeFunction', resource: qualifiedArn(reference), ...(policy && { resourcePolicy: policy }) }]
}

/** Source: aws/aws-sdk-ruby pull request 706: what AWS asks of InvokeAsync, whatever its reference says. */
const toInvokeAsync = ({ FunctionName }: Valid<InvokeAsyncRequest>, call: Call, service: LambdaService): Promise<Permission[]> => toInvoke({ FunctionName }, call, service)

/** Source: Service authorization reference, AWS Lambda, condition keys. */
const withLayers = (layers: string[] | undefined): Pick<Permission, 'context'> => layers?.length ? { context: { 'lambda:Layer': layers } } : {}

const withAuthType = (permissions: readonly Permission[], authType: string | undefined): Permission[] =>
  permissions.map((permission) => ({ ...permission, ...(authType === undefined ? {} : { context: { 'lambda:FunctionUrlAuthType': authType } }) }))

type NamedLayer = Valid<{ LayerName: string | undefined, VersionNumber: number | undefined }>

const onLayerVersion = (action: string) => ({ LayerName, VersionNumber }: NamedLayer, { scope }: Call): Permission[] =>
  [{ action, resource: layerVersionArn({ ...parseLayerName(LayerName, scope), version: VersionNumber }) }]

/** Either the caller's policies or the layer version's own may allow it; for another account both must. */
const toGetLayer = async (resource: string, service: LambdaService): Promise<Permission[]> => {
  const key = parseLayerVersionArn(resource)
  const policy = key && await layerPolicyOf(key, service)
  return [{ action: 'lambda:GetLayerVersion', resource, ...(policy && { resourcePolicy: policy }) }]
}

/** Source: IAM user guide, "Grant a user permissions to pass a role to an AWS service". */
const passRole = (roleArn: string): Permission =>
  ({ action: 'iam:PassRole', resource: roleArn, context: { 'iam:PassedToService': 'lambda.amazonaws.com' } })

export const operations: Operations<LambdaService> = {
  CreateFunction: operation({
    access: ({ FunctionName, Role, Tags, Layers }: Valid<CreateFunctionRequest>, { scope }) => {
      const resource = functionArn(parseNewFunctionName(FunctionName, scope))
      return [
        { action: 'lambda:CreateFunction', resource, ...withLayers(Layers) },
        passRole(Role),
        ...(Tags && Object.keys(Tags).length > 0 ? [{ action: 'lambda:TagResource', resource }] : []),
      ]
    },
    run: createFunction,
  }),
  GetFunction: operation<LambdaService, GetFunctionRequest, unknown>({ access: onFunction('lambda:GetFunction'), run: getFunction }),
  GetFunctionConfiguration: operation<LambdaService, GetFunctionConfigurationRequest, unknown>({
    access: onFunction('lambda:GetFunctionConfiguration'), run: getFunctionConfiguration,
  }),
  ListFunctions: operation<LambdaService, ListFunctionsRequest, unknown>({ access: () => [{ action: 'lambda:ListFunctions', resource: '*' }], run: listFunctions }),
  UpdateFunctionCode: operation<LambdaService, UpdateFunctionCodeRequest, unknown>({ access: onUnqualifiedFunction('lambda:UpdateFunctionCode'), run: updateFunctionCode }),
  UpdateFunctionConfiguration: operation<LambdaService, UpdateFunctionConfigurationRequest, unknown>({
    access: (input, call) => [
      ...onUnqualifiedFunction('lambda:UpdateFunctionConfiguration')(input, call).map((permission) => ({ ...permission, ...withLayers(input.Layers) })),
      ...(input.Role === undefined ? [] : [passRole(input.Role)]),
    ],
    run: updateFunctionConfiguration,
  }),
  DeleteFunction: operation<LambdaService, DeleteFunctionRequest, unknown>({ access: onFunction('lambda:DeleteFunction'), run: deleteFunction }),

  PublishVersion: operation<LambdaService, PublishVersionRequest, unknown>({ access: onUnqualifiedFunction('lambda:PublishVersion'), run: publishVersion }),
  ListVersionsByFunction: operation<LambdaService, ListVersionsByFunctionRequest, unknown>({
    access: onUnqualifiedFunction('lambda:ListVersionsByFunction'), run: listVersionsByFunction,
  }),

  CreateAlias: operation<LambdaService, CreateAliasRequest, unknown>({ access: onUnqualifiedFunction('lambda:CreateAlias'), run: createAlias }),
  GetAlias: operation<LambdaService, GetAliasRequest, unknown>({ access: onUnqualifiedFunction('lambda:GetAlias'), run: getAlias }),
  ListAliases: operation<LambdaService, ListAliasesRequest, unknown>({ access: onUnqualifiedFunction('lambda:ListAliases'), run: listAliases }),
  UpdateAlias: operation<LambdaService, UpdateAliasRequest, unknown>({ access: onUnqualifiedFunction('lambda:UpdateAlias'), run: updateAlias }),
  DeleteAlias: operation<LambdaService, DeleteAliasRequest, unknown>({ access: onUnqualifiedFunction('lambda:DeleteAlias'), run: deleteAlias }),

  CreateFunctionUrlConfig: operation<LambdaService, CreateFunctionUrlConfigRequest, unknown>({
    access: (input, call) => withAuthType(onFunction('lambda:CreateFunctionUrlConfig')(input, call), input.AuthType), run: createFunctionUrlConfig,
  }),
  GetFunctionUrlConfig: operation<LambdaService, GetFunctionUrlConfigRequest, unknown>({ access: onFunction('lambda:GetFunctionUrlConfig'), run: getFunctionUrlConfig }),
  ListFunctionUrlConfigs: operation<LambdaService, ListFunctionUrlConfigsRequest, unknown>({
    access: onUnqualifiedFunction('lambda:ListFunctionUrlConfigs'), run: listFunctionUrlConfigs,
  }),
  UpdateFunctionUrlConfig: operation<LambdaService, UpdateFunctionUrlConfigRequest, unknown>({
    access: (input, call) => withAuthType(onFunction('lambda:UpdateFunctionUrlConfig')(input, call), input.AuthType), run: updateFunctionUrlConfig,
  }),
  DeleteFunctionUrlConfig: operation<LambdaService, DeleteFunctionUrlConfigRequest, unknown>({
    access: onFunction('lambda:DeleteFunctionUrlConfig'), run: deleteFunctionUrlConfig,
  }),

  PublishLayerVersion: operation<LambdaService, PublishLayerVersionRequest, unknown>({
    access: ({ LayerName }, { scope }) => [{ action: 'lambda:PublishLayerVersion', resource: layerArn(parseLayerName(LayerName, scope)) }], run: publishLayerVersion,
  }),
  GetLayerVersion: operation<LambdaService, GetLayerVersionRequest, unknown>({
    access: ({ LayerName, VersionNumber }, { scope }, service) => toGetLayer(layerVersionArn({ ...parseLayerName(LayerName, scope), version: VersionNumber }), service),
    run: getLayerVersion,
  }),
  GetLayerVersionByArn: operation<LambdaService, GetLayerVersionByArnRequest, unknown>({ access: ({ Arn }, _call, service) => toGetLayer(Arn, service), run: getLayerVersionByArn }),
  ListLayers: operation<LambdaService, ListLayersRequest, unknown>({ access: () => [{ action: 'lambda:ListLayers', resource: '*' }], run: listLayers }),
  ListLayerVersions: operation<LambdaService, ListLayerVersionsRequest, unknown>({
    access: () => [{ action: 'lambda:ListLayerVersions', resource: '*' }], run: listLayerVersions,
  }),
  DeleteLayerVersion: operation<LambdaService, DeleteLayerVersionRequest, unknown>({ access: onLayerVersion('lambda:DeleteLayerVersion'), run: deleteLayerVersion }),
  AddLayerVersionPermission: operation<LambdaService, AddLayerVersionPermissionRequest, unknown>({
    access: onLayerVersion('lambda:AddLayerVersionPermission'), run: addLayerVersionPermission,
  }),
  GetLayerVersionPolicy: operation<LambdaService, GetLayerVersionPolicyRequest, unknown>({ access: onLayerVersion('lambda:GetLayerVersionPolicy'), run: getLayerVersionPolicy }),
  RemoveLayerVersionPermission: operation<LambdaService, RemoveLayerVersionPermissionRequest, unknown>({
    access: onLayerVersion('lambda:RemoveLayerVersionPermission'), run: removeLayerVersionPermission,
  }),

  GetAccountSettings: operation<LambdaService, GetAccountSettingsRequest, unknown>({
    access: () => [{ action: 'lambda:GetAccountSettings', resource: '*' }], run: getAccountSettings,
  }),
  PutFunctionRecursionConfig: operation<LambdaService, PutFunctionRecursionConfigRequest, unknown>({
    access: onUnqualifiedFunction('lambda:PutFunctionRecursionConfig'), run: putFunctionRecursionConfig,
  }),
  GetFunctionCodeSigningConfig: operation<LambdaService, GetFunctionCodeSigningConfigRequest, unknown>({
    access: onUnqualifiedFunction('lambda:GetFunctionCodeSigningConfig'), run: getFunctionCodeSigningConfig,
  }),
  GetFunctionRecursionConfig: operation<LambdaService, GetFunctionRecursionConfigRequest, unknown>({
    access: onUnqualifiedFunction('lambda:GetFunctionRecursionConfig'), run: getFunctionRecursionConfig,
  }),
  PutRuntimeManagementConfig: operation<LambdaService, PutRuntimeManagementConfigRequest, unknown>({
    access: onFunction('lambda:PutRuntimeManagementConfig'), run: putRuntimeManagementConfig,
  }),
  GetRuntimeManagementConfig: operation<LambdaService, GetRuntimeManagementConfigRequest, unknown>({
    access: onFunction('lambda:GetRuntimeManagementConfig'), run: getRuntimeManagementConfig,
  }),

  AddPermission: operation<LambdaService, AddPermissionRequest, unknown>({
    access: (input, call) => withAuthType(onFunction('lambda:AddPermission')(input, call), input.FunctionUrlAuthType)
      .map((permission) => ({ ...permission, context: { ...permission.context, 'lambda:Principal': input.Principal } })),
    run: addPermission,
  }),
  GetPolicy: operation<LambdaService, GetPolicyRequest, unknown>({ access: onFunction('lambda:GetPolicy'), run: getPolicy }),
  RemovePermission: operation<LambdaService, RemovePermissionRequest, unknown>({ access: onFunction('lambda:RemovePermission'), run: removePermission }),

  Invoke: operation<LambdaService, InvocationRequest, unknown>({ access: toInvoke, run: invoke }),
  InvokeWithResponseStream: operation<LambdaService, InvokeWithResponseStreamRequest, unknown>({ access: toInvoke, run: invokeWithResponseStream }),

  InvokeAsync: operation<LambdaService, InvokeAsyncRequest, unknown>({ access: toInvokeAsync, run: invokeAsync }),

  PutFunctionEventInvokeConfig: operation<LambdaService, PutFunctionEventInvokeConfigRequest, unknown>({
    access: onFunction('lambda:PutFunctionEventInvokeConfig'), run: putFunctionEventInvokeConfig,
  }),
  UpdateFunctionEventInvokeConfig: operation<LambdaService, UpdateFunctionEventInvokeConfigRequest, unknown>({
    access: onFunction('lambda:UpdateFunctionEventInvokeConfig'), run: updateFunctionEventInvokeConfig,
  }),
  GetFunctionEventInvokeConfig: operation<LambdaService, GetFunctionEventInvokeConfigRequest, unknown>({
    access: onFunction('lambda:GetFunctionEventInvokeConfig'), run: getFunctionEventInvokeConfig,
  }),
  DeleteFunctionEventInvokeConfig: operation<LambdaService, DeleteFunctionEventInvokeConfigRequest, unknown>({
    access: onFunction('lambda:DeleteFunctionEventInvokeConfig'), run: deleteFunctionEventInvokeConfig,
  }),
  ListFunctionEventInvokeConfigs: operation<LambdaService, ListFunctionEventInvokeConfigsRequest, unknown>({
    access: onUnqualifiedFunction('lambda:ListFunctionEventInvokeConfigs'), run: listFunctionEventInvokeConfigs,
  }),

  PutFunctionConcurrency: operation<LambdaService, PutFunctionConcurrencyRequest, unknown>({
    access: onUnqualifiedFunction('lambda:PutFunctionConcurrency'), run: putFunctionConcurrency,
  }),
  GetFunctionConcurrency: operation<LambdaService, GetFunctionConcurrencyRequest, unknown>({
    access: onUnqualifiedFunction('lambda:GetFunctionConcurrency'), run: getFunctionConcurrency,
  }),
  DeleteFunctionConcurrency: operation<LambdaService, DeleteFunctionConcurrencyRequest, unknown>({
    access: onUnqualifiedFunction('lambda:DeleteFunctionConcurrency'), run: deleteFunctionConcurrency,
  }),
  PutProvisionedConcurrencyConfig: operation<LambdaService, PutProvisionedConcurrencyConfigRequest, unknown>({
    access: onFunction('lambda:PutProvisionedConcurrencyConfig'), run: putProvisionedConcurrencyConfig,
  }),
  GetProvisionedConcurrencyConfig: operation<LambdaService, GetProvisionedConcurrencyConfigRequest, unknown>({
    access: onFunction('lambda:GetProvisionedConcurrencyConfig'), run: getProvisionedConcurrencyConfig,
  }),
  ListProvisionedConcurrencyConfigs: operation<LambdaService, ListProvisionedConcurrencyConfigsRequest, unknown>({
    access: onUnqualifiedFunction('lambda:ListProvisionedConcurrencyConfigs'), run: listProvisionedConcurrencyConfigs,
  }),
  DeleteProvisionedConcurrencyConfig: operation<LambdaService, DeleteProvisionedConcurrencyConfigRequest, unknown>({
    access: onFunction('lambda:DeleteProvisionedConcurrencyConfig'), run: deleteProvisionedConcurrencyConfig,
  }),

  TagResource: operation<LambdaService, TagResourceRequest, unknown>({ access: ({ Resource }) => [{ action: 'lambda:TagResource', resource: Resource }], run: tagResource }),
  UntagResource: operation<LambdaService, UntagResourceRequest, unknown>({ access: ({ Resource }) => [{ action: 'lambda:UntagResource', resource: Resource }], run: untagResource }),
  ListTags: operation<LambdaService, ListTagsRequest, unknown>({ access: ({ Resource }) => [{ action: 'lambda:ListTags', resource: Resource }], run: listTags }),
}
