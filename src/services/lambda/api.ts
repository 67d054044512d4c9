// Every operation of Lambda that is served, with the permissions that AWS checks for it. Start reading here.

import type {
  AddPermissionRequest, CreateFunctionRequest, DeleteFunctionRequest, GetFunctionConfigurationRequest, GetFunctionRequest, GetPolicyRequest,
  InvocationRequest, InvokeWithResponseStreamRequest, ListFunctionsRequest, ListTagsRequest, ListVersionsByFunctionRequest, PublishVersionRequest, RemovePermissionRequest,
  TagResourceRequest, UntagResourceRequest, UpdateFunctionCodeRequest, UpdateFunctionConfigurationRequest,
} from '@aws-sdk/client-lambda'
import { operation, type Call, type Operations, type Permission, type Valid } from '#aws/service.ts'
import type { Clock } from '#lib/clock.ts'
import type { RandomSource } from '#lib/random.ts'
import type { Sealer } from '#lib/seal.ts'
import type { Database } from '#storage/database.ts'
import type { Roles } from '#services/iam/index.ts'
import type { CodeStore } from './code.ts'
import { createFunction } from './create-function.ts'
import type { FunctionDirectory } from './directory.ts'
import { deleteFunction, getFunction, getFunctionConfiguration, listFunctions } from './functions.ts'
import { invoke } from './invoke.ts'
import { invokeWithResponseStream } from './invoke-with-response-stream.ts'
import type { Invoker } from './invoker.ts'
import { functionArn, parseFunctionName, parseNewFunctionName, qualifiedArn } from './names.ts'
import { addPermission, getPolicy, removePermission } from './permissions.ts'
import type { Interpreters } from './runtime/interpreters.ts'
import { listTags, tagResource, untagResource } from './tags.ts'
import { updateFunctionCode, updateFunctionConfiguration } from './update-function.ts'
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

/** Source: IAM user guide, "Grant a user permissions to pass a role to an AWS service". */
const passRole = (roleArn: string): Permission =>
  ({ action: 'iam:PassRole', resource: roleArn, context: { 'iam:PassedToService': 'lambda.amazonaws.com' } })

export const operations: Operations<LambdaService> = {
  CreateFunction: operation({
    access: ({ FunctionName, Role, Tags }: Valid<CreateFunctionRequest>, { scope }) => {
      const resource = functionArn(parseNewFunctionName(FunctionName, scope))
      return [
        { action: 'lambda:CreateFunction', resource },
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
      ...onUnqualifiedFunction('lambda:UpdateFunctionConfiguration')(input, call),
      ...(input.Role === undefined ? [] : [passRole(input.Role)]),
    ],
    run: updateFunctionConfiguration,
  }),
  DeleteFunction: operation<LambdaService, DeleteFunctionRequest, unknown>({ access: onFunction('lambda:DeleteFunction'), run: deleteFunction }),

  PublishVersion: operation<LambdaService, PublishVersionRequest, unknown>({ access: onUnqualifiedFunction('lambda:PublishVersion'), run: publishVersion }),
  ListVersionsByFunction: operation<LambdaService, ListVersionsByFunctionRequest, unknown>({
    access: onUnqualifiedFunction('lambda:ListVersionsByFunction'), run: listVersionsByFunction,
  }),

  AddPermission: operation<LambdaService, AddPermissionRequest, unknown>({ access: onFunction('lambda:AddPermission'), run: addPermission }),
  GetPolicy: operation<LambdaService, GetPolicyRequest, unknown>({ access: onFunction('lambda:GetPolicy'), run: getPolicy }),
  RemovePermission: operation<LambdaService, RemovePermissionRequest, unknown>({ access: onFunction('lambda:RemovePermission'), run: removePermission }),

  Invoke: operation<LambdaService, InvocationRequest, unknown>({ access: toInvoke, run: invoke }),
  InvokeWithResponseStream: operation<LambdaService, InvokeWithResponseStreamRequest, unknown>({ access: toInvoke, run: invokeWithResponseStream }),

  TagResource: operation<LambdaService, TagResourceRequest, unknown>({ access: ({ Resource }) => [{ action: 'lambda:TagResource', resource: Resource }], run: tagResource }),
  UntagResource: operation<LambdaService, UntagResourceRequest, unknown>({ access: ({ Resource }) => [{ action: 'lambda:UntagResource', resource: Resource }], run: untagResource }),
  ListTags: operation<LambdaService, ListTagsRequest, unknown>({ access: ({ Resource }) => [{ action: 'lambda:ListTags', resource: Resource }], run: listTags }),
}
