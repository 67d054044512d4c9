// The caller of the document: JSON under the content type of a form, slashes escaped as PHP's `json_encode` does, and one header of its own.

export interface Parameters {
  callback: string
  clientid: string
  clientsecret: string
}

export interface Answer {
  status: number
  text: string
}

const TIMEOUT_MS = 10_000

/** Fails with the network's own error when nothing answers in time. */
export async function askForSignature(url: string, key: string | undefined, parameters: Parameters): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...(key === undefined ? {} : { 'x-api-key': key }) },
    body: JSON.stringify(parameters).replaceAll('/', '\\/'),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  return { status: response.status, text: await response.text() }
}
