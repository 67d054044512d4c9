// What a refusal looks like to an official client.

import assert from 'node:assert/strict'

interface ClientError extends Error {
  $metadata?: { httpStatusCode?: number, requestId?: string }
}

/** Asserts that the call fails with this status, code and message, and with a request id. Answers the error. */
export async function refuses(call: Promise<unknown>, status: number, code: string, message: string | RegExp): Promise<ClientError> {
  let error: ClientError
  try {
    await call
  } catch (caught) {
    error = caught as ClientError
    assert.equal(error.name, code, `${error.name}: ${error.message}`)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    assert.equal(error.$metadata?.httpStatusCode, status)
    assert.ok(error.$metadata.requestId, 'the answer carries a request id')
    return error
  }
  throw new assert.AssertionError({ message: `expected ${status} ${code}, but the call succeeded` })
}
