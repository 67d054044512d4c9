// What a function's address answers instead of the function.

import { AwsError } from '#aws/errors.ts'
import type { HttpResponse } from '#lib/http.ts'

/** Thrown by a step. */
export class UrlRefusal extends Error {
  readonly response: HttpResponse
  /** For the trace. */
  readonly reason: string
  readonly errorType: string

  constructor({ status, errorType, body }: { status: number, errorType: string, body: string }, reason: string) {
    super(reason)
    this.reason = reason
    this.errorType = errorType
    this.response = { status, headers: { 'Content-Type': 'application/json', 'x-amzn-ErrorType': errorType }, body }
  }
}

const message = (text: string | null): string => JSON.stringify({ Message: text })

/** Observed: AWS, recorded by localstack's test_lambda_url_non_existing_url (validated against AWS). */
export const noSuchUrl = (): UrlRefusal => new UrlRefusal({ status: 403, errorType: 'AccessDeniedException', body: message(null) }, 'no function has this address')

/** Source: answers that users publish since 2025 (awsdocs/aws-lambda-developer-guide issue 494). */
const FORBIDDEN = 'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html'
export const forbidden = (reason: string): UrlRefusal => new UrlRefusal({ status: 403, errorType: 'AccessDeniedException', body: message(FORBIDDEN) }, reason)

/** A refusal in the words that Lambda's API has for it: signatures, throttles, sizes. */
export function refusedAs(error: AwsError): UrlRefusal {
  return new UrlRefusal({ status: error.status, errorType: error.code, body: JSON.stringify({ message: error.message }) }, `${error.code}: ${error.message.split('\n')[0]}`)
}

/** Observed: AWS, recorded by localstack's test_lambda_url_invocation_exception: plain text. */
export function functionFailed(reason: string): UrlRefusal {
  const refusal = new UrlRefusal({ status: 502, errorType: 'InternalServerErrorException', body: 'Internal Server Error' }, reason)
  refusal.response.headers['Content-Type'] = 'text/plain'
  return refusal
}
