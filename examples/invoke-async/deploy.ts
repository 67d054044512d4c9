// Deploys the function that the signed request invokes. Run again, it deploys only what has changed.
//
// usage: node deploy.ts [--python]

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { IAMClient } from '@aws-sdk/client-iam'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { archiveOf, ensureFunction, ensureRole, sourceFile } from '@countersign-examples/deployment'

const here = import.meta.dirname
const region = process.env.AWS_REGION ?? 'us-east-1'
const name = 'hello-reinvent'
const { values: options } = parseArgs({ options: { python: { type: 'boolean', default: false } } })

const { Account: account } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}))
const roleArn = await ensureRole(new IAMClient({ region }), {
  name: 'invoke-async', policyName: 'logs',
  statements: [{ Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: `arn:aws:logs:${region}:${account}:*` }],
})
const source = options.python ? join(here, 'python', 'hello.py') : join(here, 'functions', 'hello.ts')
await ensureFunction(new LambdaClient({ region }), {
  name, description: 'Says hello.', archive: await archiveOf([await sourceFile(source)]), handler: 'hello.lambda_handler', runtime: options.python ? 'python3.13' : 'nodejs24.x', roleArn,
})
console.log(`the function is ${name}`)
