// Asks another server for a JSON document: bounded in size and time, without redirects, over a connection whose other end is known.

import { X509Certificate } from 'node:crypto'
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'

export interface FetchOptions {
  bytesMax: number
  /** For the whole exchange. */
  timeoutMs: number
  /** SHA-1 of certificates, hexadecimal: besides servers that authorities vouch for, one whose chain ends in such a certificate is trusted. */
  thumbprints?: readonly string[]
}

/** No answer, or none that was understood. `isUnreachable`: no answer at all. */
export class FetchFailure extends Error {
  readonly isUnreachable: boolean
  constructor(message: string, isUnreachable: boolean, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FetchFailure'
    this.isUnreachable = isUnreachable
  }
}

/** @throws FetchFailure */
export function fetchJson(url: string, { bytesMax, timeoutMs, thumbprints = [] }: FetchOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', 'user-agent': 'countersign' }
    const signal = AbortSignal.timeout(timeoutMs)
    const isTls = url.startsWith('https:')
    const outgoing: ClientRequest = isTls
      ? httpsRequest(url, { headers, signal, rejectUnauthorized: thumbprints.length === 0, agent: false })
      : httpRequest(url, { headers, signal, agent: false })
    const fail = (message: string) => {
      reject(new FetchFailure(message, false))
      outgoing.destroy()
    }
    outgoing.on('error', (error) => reject(new FetchFailure(`${url} cannot be reached: ${error.message}`, true, { cause: error })))
    outgoing.on('response', (incoming: IncomingMessage) => {
      if (isTls && !isTrusted(incoming.socket as TLSSocket, new URL(url).hostname, thumbprints)) return fail(`${url} shows a certificate that nobody vouches for`)
      if (incoming.statusCode !== 200) return fail(`${url} answered ${incoming.statusCode}`)
      const chunks: Buffer[] = []
      let bytes = 0
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > bytesMax) return fail(`${url} answered more than ${bytesMax} bytes`)
        chunks.push(chunk)
      })
      incoming.on('error', (error) => reject(new FetchFailure(`${url} stopped answering: ${error.message}`, true, { cause: error })))
      incoming.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')))
        } catch {
          fail(`${url} answered no JSON`)
        }
      })
    })
    outgoing.end()
  })
}

/** Whether authorities vouch for the server, or each certificate of its chain for the one before and a thumbprint for the last. */
function isTrusted(socket: TLSSocket, host: string, thumbprints: readonly string[]): boolean {
  if (socket.authorized) return true
  const leaf = socket.getPeerCertificate(true)
  if (checkServerIdentity(host.replace(/^\[|\]$/g, ''), leaf) !== undefined) return false
  const chain = chainOf(leaf)
  const top = chain.at(-1)
  if (top === undefined || !thumbprints.includes(top.fingerprint.replaceAll(':', '').toLowerCase())) return false
  const now = Date.now()
  return chain.every((certificate, index) => {
    const issuer = chain[index + 1]
    const isCurrent = Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo)
    return isCurrent && (issuer === undefined || (issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
  })
}

/** No chain is longer. */
const CERTIFICATES_MAX = 10

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let at: DetailedPeerCertificate | undefined = leaf; at?.raw && chain.length < CERTIFICATES_MAX; at = at.issuerCertificate === at ? undefined : at.issuerCertificate) {
    chain.push(new X509Certificate(at.raw))
  }
  return chain
}
