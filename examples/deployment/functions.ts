// Functions: created with their archive, or brought to it.

import { createHash } from 'node:crypto'
import {
  CreateFunctionCommand, GetFunctionConfigurationCommand, UpdateFunctionCodeCommand, UpdateFunctionConfigurationCommand, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2,
  type LambdaClient, type Runtime,
} from '@aws-sdk/client-lambda'
import { absentWhen, withPatience } from './calls.ts'

export interface FunctionWanted {
  name: string
  description: string
  archive: Buffer
  handler: string
  runtime: Runtime
  roleArn: string
  environment?: Record<string, string>
  /** Seconds. */
  timeout?: number
  memoryMb?: number
}

/** Creates the function, or gives it the archive and the environment where they differ. Answers its ARN; it can be invoked then. */
export async function ensureFunction(lambda: LambdaClient, wanted: FunctionWanted): Promise<string> {
  const { name, archive, environment = {}, timeout = 10, memoryMb = 128 } = wanted
  const existing = await absentWhen('ResourceNotFoundException', () => lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name })))
  if (!existing) {
    const { FunctionArn } = await withPatience(/cannot be assumed/, () => lambda.send(new CreateFunctionCommand({
      FunctionName: name, Description: wanted.description, Runtime: wanted.runtime, Role: wanted.roleArn, Handler: wanted.handler,
      Code: { ZipFile: archive }, Timeout: timeout, MemorySize: memoryMb, Environment: { Variables: environment },
    })))
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: name })
    console.log(`created function ${name}`)
    return FunctionArn!
  }
  if (existing.CodeSha256 !== createHash('sha256').update(archive).digest('base64')) {
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: archive }))
    await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: name })
    console.log(`updated the code of function ${name}`)
  }
  if (!isSame(existing.Environment?.Variables ?? {}, environment) || existing.Role !== wanted.roleArn || existing.Handler !== wanted.handler || existing.Runtime !== wanted.runtime) {
    await lambda.send(new UpdateFunctionConfigurationCommand({
      FunctionName: name, Environment: { Variables: environment }, Role: wanted.roleArn, Handler: wanted.handler, Runtime: wanted.runtime,
    }))
    await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: name })
    console.log(`updated the settings of function ${name}`)
  }
  return existing.FunctionArn!
}

function isSame(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
