// A request as Node's HTTP server hands it over, as an `HttpRequest`: its target, its headers, who sent it, and its body when it is asked for.

import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { BodyTooLarge, ClientGone, headersFromRaw, normalizedPath, type HttpRequest } from './http.ts'

/** `proxies` are those whose forwarded headers count; `askForBody` is called before a body is read whose client waits to be asked for it. */
export function requestFrom(incoming: IncomingMessage, askForBody: () => void, proxies: BlockList | undefined): HttpRequest {
  const target = originForm(incoming.url ?? '/')
  const question = target.indexOf('?')
  const peer = plainAddress(incoming.socket.remoteAddress ?? '')
  const forwarded = proxies?.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4') ? forwardedBy(incoming, proxies) : undefined
  let reading: Promise<Buffer> | undefined
  return {
    method: incoming.method ?? 'GET',
    path: resolved(question === -1 ? target : target.slice(0, question)),
    rawQuery: question === -1 ? '' : target.slice(question + 1),
    headers: headersFromRaw(forwarded?.host === undefined ? incoming.rawHeaders : withHost(incoming.rawHeaders, forwarded.host)),
    remoteAddress: forwarded?.address ?? peer,
    isSecure: forwarded?.isSecure ?? 'encrypted' in incoming.socket,
    body: (bytesMax) => (reading ??= readBody(incoming, askForBody, bytesMax)),
  }
}

async function readBody(incoming: IncomingMessage, askForBody: () => void, bytesMax: number): Promise<Buffer> {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  if (announced > bytesMax) throw new BodyTooLarge(bytesMax)
  if (announced === 0 && incoming.headers['transfer-encoding'] === undefined) return Buffer.alloc(0)
  if (incoming.headers.expect !== undefined) askForBody()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) {
        incoming.pause()
        incoming.removeAllListeners('data')
        reject(new BodyTooLarge(bytesMax))
      } else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    incoming.on('error', (error) => reject(new ClientGone(error)))
  })
}

/** Source: RFC 9112, 3.2: whoever sends two is refused, because the next in line may go by the other one. */
export function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

/** Addresses and CIDR ranges as something that can be asked for one. */
export function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, prefix] = range.split('/') as [string, string | undefined]
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

/** The origin form of a request target: a proxy-style `http://host/path` loses its first part. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)
  const rest = match ? match[1]! : target
  return rest.startsWith('/') ? rest : `/${rest}`
}

/**
 * A path with `.` or `..` segments as its sender's signature means it; any other exactly as it was sent.
 * Source: RFC 3986, 6.2.2.3; IAM user guide, "Create a signed AWS API request", canonical URI.
 */
function resolved(path: string): string {
  return path.includes('/.') && /\/\.\.?(?:\/|$)/.test(path) ? normalizedPath(path) : path
}

interface Forwarded {
  address?: string
  isSecure?: boolean
  host?: string
}

function forwardedBy(incoming: IncomingMessage, proxies: BlockList): Forwarded {
  const forwarded: Forwarded = {}
  // The last address that is not a trusted proxy's own is the client's; everything before it can be made up.
  const hops = String(incoming.headers['x-forwarded-for'] ?? '').split(',').map((hop) => plainAddress(hop.trim())).filter((hop) => isIP(hop) !== 0)
  const client = hops.findLast((hop) => !proxies.check(hop, isIP(hop) === 6 ? 'ipv6' : 'ipv4')) ?? hops[0]
  if (client !== undefined) forwarded.address = client
  const protocol = incoming.headers['x-forwarded-proto']
  if (protocol !== undefined) forwarded.isSecure = String(protocol).trim().toLowerCase() === 'https'
  const host = incoming.headers['x-forwarded-host']
  if (host !== undefined) forwarded.host = String(host).split(',')[0]!.trim()
  return forwarded
}

function withHost(rawHeaders: readonly string[], host: string): string[] {
  const changed: string[] = ['Host', host]
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() !== 'host') changed.push(rawHeaders[index]!, rawHeaders[index + 1]!)
  }
  return changed
}

/** An IPv4 address that came over an IPv6 socket, in its own form. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}
