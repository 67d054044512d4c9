// What the document shows: an unsigned request, one with a wrong secret, a right one; and that the function ran.
//
// usage: node scenario.ts FUNCTION, as deploy.ts prints it

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'

const name = process.argv[2]
if (name === undefined) {
  console.error('usage: node scenario.ts FUNCTION, as deploy.ts prints it')
  process.exit(1)
}
const region = process.env.AWS_REGION ?? 'us-east-1'
const endpoint = process.env.AWS_ENDPOINT_URL ?? `https://lambda.${region}.amazonaws.com`
const startedAt = Date.now()

const unsigned = await fetch(`${endpoint}/2014-11-13/functions/${name}/invoke-async/`, { method: 'POST', body: '{}' })
console.log(`unsigned: ${unsigned.status} ${await unsigned.text()}`)

const wrong = invoke({ AWS_SECRET_KEY: 'this-is-not-the-secret-of-the-key-at-all' })
console.log(`wrong secret: ${/Response code: (\d+)/.exec(wrong)?.[1]} ${/"message":"([^"\\]*)/.exec(wrong)?.[1]}`)

const right = invoke({})
const code = /Response code: \d+/.exec(right)?.[0]
console.log(code ?? right)
const line = await logLine()
console.log(line === undefined ? 'the function has not run' : `the function ran: ${line}`)
if (unsigned.status !== 403 || code !== 'Response code: 202' || line === undefined) process.exit(1)

/** What the client printed. */
function invoke(environment: Record<string, string>): string {
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'invoke_async.ts'), name!], { env: { ...process.env, ...environment }, encoding: 'utf8' }).stdout
}

/** What the function wrote, as soon as it has. */
async function logLine(): Promise<string | undefined> {
  const logs = new CloudWatchLogsClient({ region })
  for (let attempt = 0; attempt < 50; attempt++) {
    const events = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, filterPattern: 'hello', startTime: startedAt }))
      .then((answer) => answer.events, (error: Error) => error.name === 'ResourceNotFoundException' ? [] : Promise.reject(error))
    const line = events?.find(({ message }) => message?.includes('hello from'))?.message
    if (line !== undefined) return /hello from .*/.exec(line)![0]
    await sleep(200)
  }
  return undefined
}
