// Content codings: request bodies are decoded, answers are encoded where the API and the client allow it.

import { promisify } from 'node:util'
import { deflate, gunzip, gzip, inflate, inflateRaw } from 'node:zlib'
import type { HttpHeaders, HttpResponse } from '#lib/http.ts'
import { GatewayRefusal } from '../gateway-responses.ts'

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate) }
const encoders = { gzip: promisify(gzip), deflate: promisify(deflate) }
const decodeRaw = promisify(inflateRaw)

type Coding = keyof typeof decoders

const isCoding = (name: string): name is Coding => Object.hasOwn(decoders, name)

/**
 * A request's body without its content coding: gzip, deflate or identity.
 *
 * Source: developer guide, "Call an API method with a compressed payload": another coding, or a body that is not what it says, is a 415.
 * @throws GatewayRefusal 415, or 413 for a body that unfolds to more than `bytesMax`.
 */
export async function decodedBody(body: Buffer, headers: HttpHeaders, bytesMax: number): Promise<Buffer> {
  const coding = headers.get('content-encoding')?.trim().toLowerCase()
  if (coding === undefined || coding === '' || coding === 'identity' || body.length === 0) return body
  if (!isCoding(coding)) throw unsupported()
  try {
    return await decoders[coding](body, { maxOutputLength: bytesMax })
  } catch (error) {
    const isTooLarge = (failure: unknown) => (failure as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    if (isTooLarge(error)) throw tooLarge()
    if (coding !== 'deflate') throw unsupported()
    // Some clients leave out zlib's frame.
    return decodeRaw(body, { maxOutputLength: bytesMax }).catch((failure: unknown) => { throw isTooLarge(failure) ? tooLarge() : unsupported() })
  }
}

const unsupported = () => new GatewayRefusal('UNSUPPORTED_MEDIA_TYPE', 'Unsupported Media Type')
const tooLarge = () => new GatewayRefusal('REQUEST_TOO_LARGE', 'Request Too Long')

/**
 * An integration's answer, encoded where the API has a `minimumCompressionSize` (bytes) that it reaches, the client prefers a coding that is
 * known here, and the answer has none yet.
 *
 * Source: developer guide, "Receive an API response with a compressed payload".
 */
export async function encodedResponse(response: HttpResponse, acceptEncoding: string | undefined, minimumBytes: number | undefined): Promise<HttpResponse> {
  const { headers, body } = response
  if (minimumBytes === undefined || body === undefined || !(typeof body === 'string' || Buffer.isBuffer(body))) return response
  const isEncoded = Object.keys(headers).some((name) => name.toLowerCase() === 'content-encoding')
  const coding = preferredCoding(acceptEncoding)
  if (isEncoded || coding === undefined || Buffer.byteLength(body) < minimumBytes) return response
  return { ...response, headers: { ...headers, 'Content-Encoding': coding }, body: await encoders[coding](body) }
}

/** Source: the same guide, "Enable payload compression for an API": the coding of the highest priority must be one that is supported. */
function preferredCoding(acceptEncoding: string | undefined): Coding | undefined {
  const offers = (acceptEncoding ?? '').split(',').map((offer) => {
    const [name = '', ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    return { name, weight: weight === undefined ? 1 : Number(weight) || 0 }
  })
  const [first] = offers.filter(({ name, weight }) => name !== '' && weight > 0).toSorted((one, other) => other.weight - one.weight)
  return first && isCoding(first.name) ? first.name : undefined
}
