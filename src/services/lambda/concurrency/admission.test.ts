// Who is let in: of what is reserved, provisioned, or left to all.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createAdmission } from './admission.ts'
import type { FunctionLimits } from './limits.ts'

const target = (name: string, version = '$LATEST') => ({ accountId: '000000000000', region: 'us-east-1', name, version })
const limits = (changes: Partial<FunctionLimits> = {}): FunctionLimits => ({ reserved: undefined, provisioned: 0, provisionedOfFunction: 0, unreserved: 2, ...changes })
const refused = (admit: () => unknown, Reason: string) => assert.throws(admit, { code: 'TooManyRequestsException', status: 429, message: 'Rate Exceeded.', members: { Type: 'User', Reason, ...(Reason.startsWith('Reserved') ? {} : { retryAfterSeconds: '1' }) } })

describe('an invocation', () => {
  test('of a function without a reservation shares what is left with all others', () => {
    const admission = createAdmission()
    const leave = admission.admit(target('f'), limits())
    admission.admit(target('g'), limits())
    refused(() => admission.admit(target('f'), limits()), 'ConcurrentInvocationLimitExceeded')
    refused(() => admission.admit(target('h'), limits()), 'ConcurrentInvocationLimitExceeded')
    admission.admit({ ...target('f'), region: 'eu-west-1' }, limits())
    admission.admit(target('reserved'), limits({ reserved: 1 }))
    leave()
    assert.equal(admission.room(target('h'), limits()), 1)
    admission.admit(target('h'), limits())
  })

  test('of a function with a reservation has that and no more, over all versions', () => {
    const admission = createAdmission()
    const leaves = [admission.admit(target('f'), limits({ reserved: 2 })), admission.admit(target('f', '1'), limits({ reserved: 2 }))]
    refused(() => admission.admit(target('f'), limits({ reserved: 2 })), 'ReservedFunctionConcurrentInvocationLimitExceeded')
    refused(() => admission.admit(target('none'), limits({ reserved: 0 })), 'ReservedFunctionConcurrentInvocationLimitExceeded')
    for (const leave of leaves) leave()
    assert.equal(admission.room(target('f'), limits({ reserved: 2 })), 2)
  })

  test('takes what is provisioned for its version first, and what is not when that is full', () => {
    const admission = createAdmission()
    const of = (version: string, provisioned: number) => [target('f', version), limits({ reserved: 3, provisioned, provisionedOfFunction: 2 })] as const
    const leave = admission.admit(...of('1', 2))
    admission.admit(...of('1', 2))
    admission.admit(...of('1', 2))
    refused(() => admission.admit(...of('1', 2)), 'ReservedFunctionConcurrentInvocationLimitExceeded')
    refused(() => admission.admit(...of('$LATEST', 0)), 'ReservedFunctionConcurrentInvocationLimitExceeded')
    leave()
    refused(() => admission.admit(...of('$LATEST', 0)), 'ReservedFunctionConcurrentInvocationLimitExceeded')
    admission.admit(...of('1', 2))
  })
})
