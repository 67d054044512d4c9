// What the document does: the function of account A is invoked, and prints what the API of account B answered. Unsigned, the API refuses.
//
// usage: node scenario.ts FUNCTION URL, as deploy.ts prints them

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'

const [name, url] = process.argv.slice(2)
if (name === undefined || url === undefined) {
  console.error('usage: node scenario.ts FUNCTION URL, as deploy.ts prints them')
  process.exit(1)
}

const unsigned = await fetch(`${url}/hello`)
console.log(`unsigned: ${unsigned.status} ${await unsigned.text()}`)

const lambda = new LambdaClient({ region: process.env.AWS_REGION ?? 'us-east-1' })
const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: name }))
const { statusCode, body, errorMessage } = JSON.parse(Buffer.from(Payload!).toString('utf8')) as { statusCode?: number, body?: string, errorMessage?: string }
console.log(`from account A, with a session of account B's role: ${statusCode ?? 'failed'} ${body ?? errorMessage}`)
if (unsigned.status !== 403 || statusCode !== 200) process.exit(1)
