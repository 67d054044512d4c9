// What an HTTP API answers itself: a status and one sentence. The reason is for the trace and the access log.

export class HttpRefusal extends Error {
  readonly status: number
  /** Why, for whoever runs the API. */
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, reason: string, headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' }) {
    super(message)
    this.name = 'HttpRefusal'
    this.status = status
    this.reason = reason
    this.headers = headers
  }
}

/** Source: API Gateway developer guide, HTTP APIs, troubleshooting pages; what users publish of such answers (the spelling of each sentence). */
export const forbidden = (reason: string): HttpRefusal => new HttpRefusal(403, 'Forbidden', reason)
export const notFound = (reason: string): HttpRefusal => new HttpRefusal(404, 'Not Found', reason)
export const unauthorized = (reason: string): HttpRefusal => new HttpRefusal(401, 'Unauthorized', reason)
/** It has no content type. Source: as above, "Troubleshooting issues with HTTP API JWT authorizers"; an answer that a user published, of 22-10-2020. */
export const challenge = (reason: string, challenged: string): HttpRefusal => new HttpRefusal(401, 'Unauthorized', reason, { 'www-authenticate': challenged })
export const internalServerError = (reason: string): HttpRefusal => new HttpRefusal(500, 'Internal Server Error', reason)
export const serviceUnavailable = (reason: string): HttpRefusal => new HttpRefusal(503, 'Service Unavailable', reason)
export const tooManyRequests = (reason: string): HttpRefusal => new HttpRefusal(429, 'Too Many Requests', reason)
export const tooLarge = (reason: string): HttpRefusal => new HttpRefusal(413, 'Request Entity Too Large', reason)
/** Ours: AWS serves it. */
export const notServed = (what: string): HttpRefusal => new HttpRefusal(501, `execute-api: ${what} are not served by Countersign yet.`, what)
