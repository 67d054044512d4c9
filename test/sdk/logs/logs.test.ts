// CloudWatch Logs through the official clients: SDK v3, boto3, and the AWS CLI with `logs tail`.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import {
  CreateLogGroupCommand, CreateLogStreamCommand, DeleteLogGroupCommand, DescribeLogGroupsCommand, DescribeLogStreamsCommand, FilterLogEventsCommand, GetLogEventsCommand,
  ListTagsForResourceCommand, paginateFilterLogEvents, PutLogEventsCommand, PutMetricFilterCommand, PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import { absent, awsRaw, awsVersion2, python } from '#test/support/programs.ts'
import { refuses } from '#test/support/refuses.ts'
import { startServer, type TestServer } from '#test/support/server.ts'

const logGroupName = '/test/group'

/** Version 1 of the AWS CLI cannot tail. */
const aws2 = awsVersion2()
const tailIsAbsent = aws2 === undefined && 'absent: version 2 of the AWS CLI'
const logStreamName = 'a/stream'

describe('CloudWatch Logs', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
    await server.logs.send(new CreateLogGroupCommand({ logGroupName, tags: { env: 'test' } }))
    await server.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }))
  })
  after(() => server.close())

  const put = (...messages: string[]) => server.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: messages.map((message) => ({ timestamp: Date.now(), message })) }))

  describe('refuses', () => {
    test('what exists, what does not, and what makes no sense', async () => {
      const { logs } = server
      await refuses(logs.send(new CreateLogGroupCommand({ logGroupName })), 400, 'ResourceAlreadyExistsException', 'The specified log group already exists')
      await refuses(logs.send(new CreateLogGroupCommand({ logGroupName: 'a b' })), 400, 'InvalidParameterException', /Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern/)
      await refuses(logs.send(new CreateLogGroupCommand({ logGroupName: 'a'.repeat(513) })), 400, 'InvalidParameterException', 'Invalid LogGroup or LogStream, both must have length less than or equal to 512.')
      await refuses(logs.send(new GetLogEventsCommand({ logGroupName, logStreamName: 'none' })), 400, 'ResourceNotFoundException', 'The specified log stream does not exist.')
      await refuses(logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, limit: 10_001 })), 400, 'InvalidParameterException',
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000")
      await refuses(logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: '"' })), 400, 'InvalidParameterException', /Invalid character\(s\) in term/)
      await refuses(logs.send(new PutMetricFilterCommand({ logGroupName, filterName: 'x', filterPattern: '', metricTransformations: [{ metricName: 'm', metricNamespace: 'n', metricValue: '1' }] })), 501, 'NotImplemented', /PutMetricFilter/)
    })

    test('a writer that may write to one stream only, everywhere else', async () => {
      const stream = `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}:log-stream:${logStreamName}`
      const { logs } = server.clients(await server.user('writer', [{ Effect: 'Allow', Action: 'logs:PutLogEvents', Resource: stream }]))
      const event = [{ timestamp: Date.now(), message: 'from the writer' }]
      await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: event }))
      await refuses(logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: 'other', logEvents: event })), 400, 'AccessDeniedException',
        `User: arn:aws:iam::000000000000:user/writer is not authorized to perform: logs:PutLogEvents on resource: arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}:log-stream:other because no identity-based policy allows the logs:PutLogEvents action`)
      await refuses(logs.send(new DescribeLogGroupsCommand({})), 400, 'AccessDeniedException', /on resource: arn:aws:logs:us-east-1:000000000000:log-group::log-stream: because/)
    })

    test('a policy on the bare group; one that ends with :* allows its operations', async () => {
      const arn = `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}`
      const bare = server.clients(await server.user('bare', [{ Effect: 'Allow', Action: 'logs:*', Resource: arn }]))
      await refuses(bare.logs.send(new FilterLogEventsCommand({ logGroupName })), 400, 'AccessDeniedException', /logs:FilterLogEvents/)
      assert.deepEqual((await bare.logs.send(new ListTagsForResourceCommand({ resourceArn: arn }))).tags, { env: 'test' })
      const star = server.clients(await server.user('star', [{ Effect: 'Allow', Action: 'logs:*', Resource: `${arn}:*` }]))
      await star.logs.send(new FilterLogEventsCommand({ logGroupName }))
    })
  })

  describe('does', () => {
    test('events in, and out by stream and by pattern', async () => {
      await put('START', '{"level":"ERROR","ms":1200}', '日本語 🙀', 'END')
      const { events } = await server.logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }))
      assert.ok(events!.some(({ message }) => message === '日本語 🙀'))
      const found = await server.logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: '{ $.level = "ERROR" && $.ms > 1e3 }' }))
      assert.deepEqual(found.events!.map(({ message }) => message), ['{"level":"ERROR","ms":1200}'])
      let pages = 0
      const all = []
      for await (const page of paginateFilterLogEvents({ client: server.logs, pageSize: 2 }, { logGroupName })) {
        pages++
        all.push(...page.events!)
      }
      assert.ok(pages > 1)
      assert.equal(all.length, new Set(all.map(({ eventId }) => eventId)).size)
    })

    test('groups with retention and size, and streams with their times', async () => {
      await server.logs.send(new CreateLogGroupCommand({ logGroupName: 'kept' }))
      await server.logs.send(new PutRetentionPolicyCommand({ logGroupName: 'kept', retentionInDays: 7 }))
      const { logGroups } = await server.logs.send(new DescribeLogGroupsCommand({ logGroupNamePattern: 'ep' }))
      assert.partialDeepStrictEqual(logGroups, [{ logGroupName: 'kept', retentionInDays: 7, storedBytes: 0 }])
      await put('x')
      const { logStreams } = await server.logs.send(new DescribeLogStreamsCommand({ logGroupName, orderBy: 'LastEventTime', descending: true }))
      assert.equal(logStreams![0]!.logStreamName, logStreamName)
      assert.ok(logStreams![0]!.lastEventTimestamp! > Date.now() - 60_000)
      await server.logs.send(new DeleteLogGroupCommand({ logGroupName: 'kept' }))
    })

    test('what boto3 asks', { skip: absent('boto3') }, async () => {
      await put('for boto3')
      const answer = await python(server.environment(), `
logs = client("logs")
pages = logs.get_paginator("filter_log_events").paginate(logGroupName="${logGroupName}", filterPattern="boto3")
messages = [event["message"] for page in pages for event in page["events"]]
logs.tag_log_group(logGroupName="${logGroupName}", tags={"by": "boto3"})
print(json.dumps({"messages": messages, "tags": logs.list_tags_log_group(logGroupName="${logGroupName}")["tags"]}))
`)
      assert.deepEqual(answer, { messages: ['for boto3'], tags: { env: 'test', by: 'boto3' } })
    })

    test('aws logs tail', { skip: tailIsAbsent }, async () => {
      await put('for the tail')
      const { code, stdout, stderr } = await awsRaw(server.environment(), ['logs', 'tail', logGroupName, '--since', '10m', '--filter-pattern', 'tail'], aws2)
      assert.equal(code, 0, stderr)
      assert.match(stdout, /a\/stream for the tail/)
    })

    test('aws logs tail --follow shows what comes later, once', { skip: tailIsAbsent }, async () => {
      await put('before following')
      const child = spawn(aws2!, ['--endpoint-url', server.endpoint, 'logs', 'tail', logGroupName, '--since', '10m', '--follow', '--filter-pattern', 'following'], { env: server.environment() })
      try {
        let stdout = ''
        const saw = (text: string) => new Promise<void>((resolve, reject) => {
          const look = () => { if (stdout.includes(text)) resolve() }
          child.stdout.on('data', look)
          child.on('close', () => reject(new Error(`aws ended: ${stdout}`)))
          look()
        })
        child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
        await saw('before following')
        await put('after following')
        await saw('after following')
        assert.equal(stdout.split('before following').length, 2)
      } finally {
        child.kill('SIGKILL')
      }
    })
  })
})
