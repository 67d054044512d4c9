// How many decisions a second one core makes for compiled policies of ten statements: `node bench/policy.ts`.

import { compilePolicy } from '#aws/policy/compile.ts'
import type { PolicyStatement } from '#aws/policy/document.ts'
import { evaluate } from '#aws/policy/evaluate.ts'

const account = '111111111111'
const statements: PolicyStatement[] = [
  { Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:PutItem'], Resource: `arn:aws:dynamodb:*:${account}:table/orders-*` },
  { Effect: 'Allow', Action: 'lambda:Invoke*', Resource: `arn:aws:lambda:us-east-1:${account}:function:catalog` },
  { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `arn:aws:execute-api:us-east-1:${account}:abc123/*/GET/*` },
  { Effect: 'Deny', Action: '*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
  { Effect: 'Deny', NotAction: 'iam:*', Resource: '*', Condition: { StringNotEquals: { 'aws:RequestedRegion': ['us-east-1', 'eu-west-1'] } } },
  { Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::bucket/${aws:username}/*' },
  { Effect: 'Allow', Action: 'logs:*', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.168.0.0/16'] } } },
  { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: `arn:aws:iam::${account}:role/deploy-*`, Condition: { StringLike: { 'aws:PrincipalTag/team': 'red*' } } },
  { Effect: 'Allow', Action: 'iam:Get*', Resource: '*' },
  { Effect: 'Deny', Action: 'dynamodb:DeleteTable', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-01-01T00:00:00Z' } } },
]
const policies = { identity: [compilePolicy({ Version: '2012-10-17', Statement: statements }, 'bench')] }
const keys: Readonly<Record<string, string>> = { 'aws:securetransport': 'true', 'aws:requestedregion': 'us-east-1', 'aws:username': 'alice', 'aws:sourceip': '10.1.2.3' }
const lookup = (key: string) => keys[key]
const principal = { is: 'user' as const, accountId: account, arn: `arn:aws:iam::${account}:user/alice` }
const questions = [
  ['dynamodb:GetItem', `arn:aws:dynamodb:us-east-1:${account}:table/orders-2026`],
  ['lambda:InvokeFunction', `arn:aws:lambda:us-east-1:${account}:function:catalog`],
  ['execute-api:Invoke', `arn:aws:execute-api:us-east-1:${account}:abc123/dev/GET/items`],
  ['iam:GetUser', `arn:aws:iam::${account}:user/alice`],
].map(([action, resource]) => ({ principal, action: action!, resource: resource!, resourceAccountId: account, lookup }))

const ROUNDS = 5
const DECISIONS = 1_000_000
let best = 0
for (let round = 0; round < ROUNDS; round++) {
  const startedAt = performance.now()
  let allowed = 0
  for (let index = 0; index < DECISIONS; index++) if (evaluate(questions[index % questions.length]!, policies).outcome === 'allowed') allowed++
  if (allowed !== DECISIONS) throw new Error(`${DECISIONS - allowed} decisions were refused`)
  best = Math.max(best, DECISIONS / (performance.now() - startedAt) * 1000)
}
console.log(`${(best / 1e6).toFixed(2)} M decisions a second, ten statements, best of ${ROUNDS} rounds`)
