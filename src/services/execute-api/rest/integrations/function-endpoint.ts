// A function as an endpoint: how logs name the call of one, of an integration or of an authorizer.

import type { InvocationResult } from '#services/lambda/index.ts'
import type { EndpointAnswer, EndpointCall, Exchange } from '../exchange.ts'

/**
 * A call of a function that is about to be made, as AWS's logs show it: an Invoke over HTTP. Ours: there is no HTTP in between, and so no
 * `Authorization`, `X-Amz-Security-Token` and `X-Amz-Content-Sha256` among its headers.
 * Source: logs published by users, with functions of 2019 and 2022.
 */
export function functionEndpoint(
  { requestId, traceHeader, atMs, route }: Pick<Exchange, 'requestId' | 'traceHeader' | 'atMs' | 'route'>,
  functionArn: string,
  { body, sourceArn, sentAtMs }: { body: Buffer, sourceArn: string, sentAtMs: number },
): EndpointCall {
  const { apiId = '', region = '' } = route?.deployed.snapshot ?? {}
  const host = `lambda.${functionArn.split(':')[3] || region}.amazonaws.com`
  return {
    uri: `https://${host}/2015-03-31/functions/${functionArn}/invocations`,
    body,
    sentAtMs,
    headers: () => ({
      'X-Amz-Date': new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, ''),
      'x-amzn-apigateway-api-id': apiId,
      Accept: 'application/json',
      'User-Agent': `AmazonAPIGateway_${apiId}`,
      Host: host,
      'X-Amzn-Trace-Id': traceHeader,
      'x-amzn-lambda-integration-tag': requestId,
      'X-Amz-Source-Arn': sourceArn,
    }),
  }
}

/** What a function answered, as an answer over HTTP. */
export function functionAnswer(
  { status, payload, requestId, functionError, executedVersion }: InvocationResult,
  { latencyMs, answeredAtMs, traceHeader }: { latencyMs: number, answeredAtMs: number, traceHeader: string },
): EndpointAnswer {
  return {
    status,
    body: payload,
    latencyMs,
    requestId,
    headers: () => ({
      Date: new Date(answeredAtMs).toUTCString(),
      'Content-Type': 'application/json',
      'Content-Length': String(payload.length),
      Connection: 'keep-alive',
      'x-amzn-RequestId': requestId,
      ...functionError === undefined ? {} : { 'X-Amz-Function-Error': functionError },
      'x-amzn-Remapped-Content-Length': '0',
      'X-Amz-Executed-Version': executedVersion,
      'X-Amzn-Trace-Id': traceHeader,
    }),
  }
}
