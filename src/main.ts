// The entry: the `countersign` command and everything it can be told.

import { Command, Option } from 'commander'
import { readFileSync } from 'node:fs'
import { systemClock } from '#lib/clock.ts'
import { createLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { ConfigRefusal, flagOf, readSettings, settings, type Settings } from './config.ts'
import { createAccount, exportLines, listAccounts } from './cli/account.ts'
import { curl, renderAnswer, type CurlOptions } from './cli/curl.ts'
import { environmentLines, oldToolWarnings } from './cli/env.ts'
import { listEvents, renderEvent, renderEvents, retryEvent, showEvent } from './cli/events.ts'
import { resetServer } from './cli/reset.ts'
import { CommandRefusal, openSession } from './cli/session.ts'
import { findTrace, renderTrace } from './cli/trace.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('countersign')
  .description('AWS-compatible serverless APIs on your own machines, every request really authenticated and authorized.')
  .version(version, '--version')
  .showHelpAfterError()

withSettings(program.command('serve').description('Run the server in the foreground until SIGTERM or SIGINT.'))
  .action(async (flags) => {
    const all = settingsFrom(flags)
    // Only serving needs the services; every other command starts without loading them.
    const { serveUntilSignal } = await import('./serve.ts')
    await serveUntilSignal({ settings: all, clock: systemClock, random: systemRandom, log: createLog(all.logLevel), version })
  })

withSettings(program.command('env').description('Print exports for a shell: eval "$(countersign env)".'), ['dataDir', 'region'])
  .action((flags) => {
    const all = settingsFrom(flags)
    console.log(environmentLines({ environment: process.env, ...all }).join('\n'))
    for (const warning of oldToolWarnings()) console.error(warning)
  })

withSettings(program.command('curl').description('Send one signed request and print the answer.'), ['dataDir', 'region'])
  .argument('<url>', 'a URL, or a path of the endpoint')
  .option('-X, --request <method>', 'method (GET, or POST with data)')
  .option('-H, --header <line>', 'a header "Name: value"; repeat it for more', (line: string, all: string[]) => [...all, line], [] as string[])
  .option('-d, --data <body>', 'body; @FILE reads a file, @- standard input')
  .option('-s, --service <name>', 'service of the credential scope; found from the URL where it can be')
  .option('-i, --include', 'print status and headers too')
  .action(async (url: string, flags: CurlOptions & Record<string, string>) => {
    const answer = await curl(openSession({ environment: process.env, ...settingsFrom(flags) }), url, flags, systemClock.now())
    process.stdout.write(renderAnswer(answer, flags))
    if (process.stdout.isTTY) process.stdout.write('\n')
    if (answer.status >= 400) process.exitCode = 22
  })

withSettings(program.command('trace').description('Print what a request went through, by its request id.'), ['dataDir', 'region'])
  .argument('<request-id>', 'the x-amzn-RequestId of its answer')
  .option('--json', 'print the trace as JSON')
  .action(async (requestId: string, flags) => {
    const trace = await findTrace(openSession({ environment: process.env, ...settingsFrom(flags) }), requestId, systemClock.now())
    console.log(flags.json ? JSON.stringify(trace, null, 2) : renderTrace(trace))
  })

const events = program.command('events').description('Asynchronous invocations: those that wait or run, and those that were given up, for 14 days.')

withSettings(events.command('list').description('List the latest events of the account.'), ['dataDir', 'region'])
  .option('--limit <count>', 'of each kind, up to 100', '20')
  .option('--json', 'print JSON')
  .action(async (flags) => {
    const found = await listEvents(openSession({ environment: process.env, ...settingsFrom(flags) }), Number(flags.limit), systemClock.now())
    console.log(flags.json ? JSON.stringify(found, null, 2) : renderEvents(found))
  })

withSettings(events.command('show').description('Print one event with its payload.'), ['dataDir', 'region'])
  .argument('<request-id>', 'the x-amzn-RequestId of the answer that accepted it')
  .option('--json', 'print JSON')
  .action(async (requestId: string, flags) => {
    const event = await showEvent(openSession({ environment: process.env, ...settingsFrom(flags) }), requestId, systemClock.now())
    console.log(flags.json ? JSON.stringify(event, null, 2) : renderEvent(event))
  })

withSettings(events.command('retry').description('Run an event that was given up again, with all its attempts.'), ['dataDir', 'region'])
  .argument('<request-id>', 'as the list shows it')
  .action(async (requestId: string, flags) => {
    console.log(renderEvent(await retryEvent(openSession({ environment: process.env, ...settingsFrom(flags) }), requestId, systemClock.now())))
  })

withSettings(program.command('reset').description('Take a running server back to its first-start state (needs COUNTERSIGN_ALLOW_RESET=1 there).'), ['dataDir', 'region'])
  .action(async (flags) => {
    await resetServer(openSession({ environment: process.env, ...settingsFrom(flags) }), systemClock.now())
  })

const account = program.command('account').description('Further accounts of a running server, each with a root of its own.')

withSettings(account.command('create').description('Make an account and print its root key, which is shown this once.'), ['dataDir', 'region'])
  .argument('[account-id]', 'twelve digits; drawn when left out')
  .option('--json', 'print JSON')
  .action(async (accountId: string | undefined, flags) => {
    const created = await createAccount(openSession({ environment: process.env, ...settingsFrom(flags) }), accountId, systemClock.now())
    console.log(flags.json ? JSON.stringify(created, null, 2) : exportLines(created).join('\n'))
  })

withSettings(account.command('list').description('List the accounts.'), ['dataDir', 'region'])
  .option('--json', 'print JSON')
  .action(async (flags) => {
    const found = await listAccounts(openSession({ environment: process.env, ...settingsFrom(flags) }), systemClock.now())
    console.log(flags.json ? JSON.stringify(found, null, 2) : found.map(({ accountId, createdAt }) => `${accountId}  ${createdAt}`).join('\n'))
  })

withSettings(program.command('backup').description('Write a consistent copy of the whole store to one file; the server may be running. The master key is not in it.'), ['dataDir', 'databaseUrl'])
  .argument('<file>', 'file to write; must not exist')
  .action(async (file: string, flags) => {
    const { backupTo } = await import('./maintenance.ts')
    await backupTo(file, settingsFrom(flags))
  })

withSettings(program.command('restore').description('Fill an empty store from a backup. The master key of the backed-up server must be in place.'), ['dataDir', 'databaseUrl', 'masterKeyFile'])
  .argument('<file>', 'file that `countersign backup` wrote')
  .action(async (file: string, flags) => {
    const { restoreFrom } = await import('./maintenance.ts')
    await restoreFrom(file, settingsFrom(flags))
  })

withSettings(program.command('doctor').description('Say what this machine gives: runtimes, isolation, database, AWS tools.'), ['dataDir', 'minIsolation', 'databaseUrl'])
  .action(async (flags) => {
    const { examine } = await import('./doctor.ts')
    for (const line of await examine(settingsFrom(flags))) console.log(line)
    for (const warning of oldToolWarnings()) console.log(warning)
  })

program.command('version').description('Print the version.').action(() => { console.log(version) })

try {
  await program.parseAsync()
} catch (error) {
  if (!isSentence(error)) throw error
  console.error(error.message)
  process.exitCode = 1
}

/** Errors whose message is written for the person at the keyboard; their stack would only hide it. */
function isSentence(error: unknown): error is Error {
  return error instanceof ConfigRefusal || error instanceof CommandRefusal || (error instanceof Error && ['StorageRefusal', 'StartRefusal', 'MasterKeyRefusal', 'IsolationRefusal'].includes(error.name))
    || (error instanceof Error && 'syscall' in error && ['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET'].includes(String((error as NodeJS.ErrnoException).code)))
}

function withSettings(command: Command, names: readonly (keyof Settings)[] = Object.keys(settings) as (keyof Settings)[]): Command {
  for (const name of names) {
    const { name: written, about, default: standard } = settings[name]
    command.addOption(new Option(`${flagOf(written)} <value>`, `${about} [COUNTERSIGN_${written}${standard === '' ? '' : `, ${standard}`}]`))
  }
  return command
}

function settingsFrom(flags: Record<string, unknown>): Settings {
  return readSettings(process.env, flags as Record<string, string | undefined>)
}
