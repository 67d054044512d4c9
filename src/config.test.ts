// Settings: who wins, and what is refused in which words.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigRefusal, readSettings } from './config.ts'

describe('readSettings()', () => {
  const refuses = (environment: Record<string, string>, sentence: RegExp) => assert.throws(() => readSettings(environment), (error) => error instanceof ConfigRefusal && sentence.test(error.message))

  test('refuses values that make no sense, naming the variable', () => {
    refuses({ COUNTERSIGN_PORT: 'abc' }, /COUNTERSIGN_PORT must be a whole number from 0 to 65535, not "abc"/)
    refuses({ COUNTERSIGN_PORT: '65536' }, /COUNTERSIGN_PORT/)
    refuses({ COUNTERSIGN_ACCOUNT_ID: '123' }, /twelve digits/)
    refuses({ COUNTERSIGN_REGION: 'mars' }, /COUNTERSIGN_REGION/)
    refuses({ COUNTERSIGN_MIN_ISOLATION: 'D' }, /one of A, B, C/)
    refuses({ COUNTERSIGN_DATABASE_URL: 'mysql://x' }, /postgres:\/\//)
    refuses({ COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.0/8, somewhere' }, /not "somewhere"/)
  })

  test('takes user pools with their issuers, over HTTPS or from loopback', () => {
    const pool = 'arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_A'
    const { userPoolIssuers } = readSettings({ COUNTERSIGN_USER_POOL_ISSUERS: `${pool}=https://id.example/realms/a?b=c, ${pool}b=http://127.0.0.1:8080` })
    assert.deepEqual([...userPoolIssuers], [[pool, 'https://id.example/realms/a?b=c'], [`${pool}b`, 'http://127.0.0.1:8080']])
    refuses({ COUNTERSIGN_USER_POOL_ISSUERS: 'us-east-1_A=https://id.example' }, /^COUNTERSIGN_USER_POOL_ISSUERS must be pairs such as/)
    refuses({ COUNTERSIGN_USER_POOL_ISSUERS: `${pool}=http://id.example` }, /http:\/\/id\.example must be an https URL, or http on loopback/)
  })

  test('refuses what does not go together', () => {
    refuses({ COUNTERSIGN_TLS_CERT: 'x.pem' }, /belong together/)
    refuses({ COUNTERSIGN_ROOT_ACCESS_KEY_ID: 'AKIAEXAMPLEEXAMPLE12' }, /belong together/)
    refuses({ COUNTERSIGN_ROOT_ACCESS_KEY_ID: 'AKIAEXAMPLEEXAMPLE12', COUNTERSIGN_ROOT_SECRET_ACCESS_KEY: 'short' }, /at least 16 characters/)
    refuses({ COUNTERSIGN_HOST: '0.0.0.0' }, /without TLS/)
    refuses({ COUNTERSIGN_HOST: '0.0.0.0', COUNTERSIGN_ALLOW_PLAINTEXT: '1', COUNTERSIGN_ALLOW_RESET: '1' }, /ALLOW_RESET=1 is for test suites/)
  })

  test('takes a flag before the environment before the default', () => {
    assert.equal(readSettings({}).port, 4566)
    assert.equal(readSettings({ COUNTERSIGN_PORT: '5000' }).port, 5000)
    assert.equal(readSettings({ COUNTERSIGN_PORT: '5000' }, { port: '6000' }).port, 6000)
    assert.deepEqual(readSettings({}).host, ['127.0.0.1', '::1'])
  })
})
