// `countersign env`: what a shell must export so that AWS's own tools talk to this server, and a warning where they are too old to listen.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { readCredentials } from '#lib/credentials-file.ts'
import { CommandRefusal, findEndpoint, type SessionOptions } from './session.ts'

/** Lines for `eval`. @throws CommandRefusal when the data directory holds no credentials. */
export function environmentLines({ environment, dataDir, region }: SessionOptions): string[] {
  const credentials = readCredentials(dataDir)
  if (!credentials) throw new CommandRefusal(`There are no credentials in ${join(dataDir, 'credentials')}; start a server first, or name its directory with --data-dir.`)
  // The server's own word for its address wins here: the shell's may be left over from another server.
  const endpoint = findEndpoint({ environment: {}, dataDir })
  return [
    `export AWS_ENDPOINT_URL=${quote(endpoint)}`,
    `export AWS_ACCESS_KEY_ID=${quote(credentials.accessKeyId)}`,
    `export AWS_SECRET_ACCESS_KEY=${quote(credentials.secretAccessKey)}`,
    `export AWS_REGION=${quote(environment.AWS_REGION || region)}`,
    `export AWS_DEFAULT_REGION=${quote(environment.AWS_REGION || region)}`,
    'unset AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE',
  ]
}

/** One sentence for each AWS tool on this machine that would silently talk to AWS instead. */
export function oldToolWarnings(): string[] {
  const warnings: string[] = []
  const cli = versionOf('aws', ['--version'], /aws-cli\/(\d+)\.(\d+)/)
  if (cli && readsNoEndpoint(cli)) {
    warnings.push(`aws ${cli.join('.')} does not read AWS_ENDPOINT_URL (1.29 and 2.13 are the first that do): add --endpoint-url "$AWS_ENDPOINT_URL" to every call, or it goes to AWS.`)
  }
  const boto3 = versionOf('python3', ['-c', 'import boto3; print(boto3.__version__)'], /(\d+)\.(\d+)/)
  if (boto3 && (boto3[0] < 1 || (boto3[0] === 1 && boto3[1] < 28))) {
    warnings.push(`boto3 ${boto3.join('.')} does not read AWS_ENDPOINT_URL (1.28 is the first that does): pass endpoint_url to every client, or it goes to AWS.`)
  }
  return warnings
}

/**
 * Source: AWS SDKs and Tools reference guide, "Service-specific endpoints", support table: CLI v1 from 1.29.0, v2 from 2.13.0,
 * boto3 from 1.28.0.
 */
function readsNoEndpoint([major, minor]: [number, number]): boolean {
  return major === 1 ? minor < 29 : major === 2 && minor < 13
}

function versionOf(command: string, args: string[], pattern: RegExp): [number, number] | undefined {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 })
  const match = status === 0 ? pattern.exec(stdout + stderr) : null
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`
}
