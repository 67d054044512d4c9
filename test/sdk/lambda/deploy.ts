// Functions for the tests of Lambda: archives from texts, deployed with the official client.

import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { CreateFunctionCommand, InvokeCommand, type CreateFunctionCommandInput, type FunctionConfiguration, type InvokeCommandInput } from '@aws-sdk/client-lambda'
import { ZipFile } from 'yazl'
import type { Clients, TestServer } from '#test/support/server.ts'

/** A deployment package of these files; scripts and programs are executable. */
export async function archiveOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, contents] of Object.entries(files)) zip.addBuffer(Buffer.from(contents), name, { mode: isProgram(contents) ? 0o100755 : 0o100644 })
  zip.end()
  return buffer(zip.outputStream as Readable)
}

/** The role that functions of a test run under; made once for each server. */
export async function functionRole(server: TestServer): Promise<string> {
  const known = roles.get(server)
  if (known) return known
  const made = server.role('function', 'lambda.amazonaws.com', [{ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' }])
  roles.set(server, made)
  return made
}

function isProgram(contents: string | Buffer): boolean {
  return /^(#!|\x7fELF)/.test(contents.toString('latin1').slice(0, 4))
}

const roles = new WeakMap<TestServer, Promise<string>>()

type Rest = Partial<Omit<CreateFunctionCommandInput, 'FunctionName' | 'Code'>>

/** Creates a Node function from the text of its `index.mjs`, or from files. */
export async function deployNode(server: TestServer, FunctionName: string, source: string | Record<string, string>, rest: Rest = {}): Promise<FunctionConfiguration> {
  const files = typeof source === 'string' ? { 'index.mjs': source } : source
  return server.lambda.send(new CreateFunctionCommand({
    FunctionName, Runtime: 'nodejs22.x', Handler: 'index.handler', Role: await functionRole(server), Code: { ZipFile: await archiveOf(files) }, ...rest,
  }))
}

/** Creates a Python function from the text of its `lambda_function.py`, or from files. */
export async function deployPython(server: TestServer, FunctionName: string, source: string | Record<string, string>, rest: Rest = {}): Promise<FunctionConfiguration> {
  const files = typeof source === 'string' ? { 'lambda_function.py': source } : source
  return server.lambda.send(new CreateFunctionCommand({
    FunctionName, Runtime: 'python3.11', Handler: 'lambda_function.lambda_handler', Role: await functionRole(server), Code: { ZipFile: await archiveOf(files) }, ...rest,
  }))
}

export interface Invoked {
  status: number | undefined
  functionError: string | undefined
  payload: any
  /** With `LogType: Tail`. */
  log: string
  version: string | undefined
  requestId: string | undefined
}

export async function invoke({ lambda }: Pick<Clients, 'lambda'>, FunctionName: string, event: unknown = {}, rest: Partial<InvokeCommandInput> = {}): Promise<Invoked> {
  const { StatusCode, FunctionError, Payload, LogResult, ExecutedVersion, $metadata } = await lambda.send(new InvokeCommand({
    FunctionName, Payload: JSON.stringify(event), LogType: 'Tail', ...rest,
  }))
  // Nothing at all comes as null.
  const text = !Payload ? '' : Buffer.from(Payload).toString('utf8')
  return {
    status: StatusCode, functionError: FunctionError, payload: text === '' ? undefined : JSON.parse(text),
    log: Buffer.from(LogResult ?? '', 'base64').toString('utf8'), version: ExecutedVersion, requestId: $metadata.requestId,
  }
}

/** The answer of a function that must not fail. */
export async function answerOf(server: Pick<Clients, 'lambda'>, name: string, event: unknown = {}): Promise<any> {
  const { functionError, payload, log } = await invoke(server, name, event)
  assert.equal(functionError, undefined, `${JSON.stringify(payload)}\n${log}`)
  return payload
}
