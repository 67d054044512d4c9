// An issuer of web identities on loopback: discovery, keys that can be replaced, and tokens signed with them.

import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'

export interface Issuer {
  url: string
  /** How often the keys were asked for. */
  asked(): number
  /** From now on, tokens are signed with a new key, and only that one is published. */
  rotate(): Promise<void>
  /** What discovery answers, where it is not the truth; `undefined` for 500. */
  answer: { configuration: object | undefined | 'truth' }
  /** A token for these claims, which win over the good ones; `undefined` leaves one out. */
  token(claims?: Record<string, unknown>, options?: { nowMs?: number }): Promise<string>
  close(): void
}

/** Starts one; with a key and a certificate (PEM) it speaks HTTPS. */
export async function startIssuer(tls?: { key: Buffer, cert: Buffer }): Promise<Issuer> {
  let asked = 0
  let serial = 0
  let key: { kid: string, privateKey: CryptoKey, jwk: object }
  const rotate = async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const kid = `key-${++serial}`
    key = { kid, privateKey, jwk: { ...await exportJWK(publicKey), kid, alg: 'RS256', use: 'sig' } }
  }
  await rotate()
  const answer: Issuer['answer'] = { configuration: 'truth' }
  const listener: RequestListener = (request, response) => {
    const configuration = answer.configuration === 'truth' ? { issuer: url, jwks_uri: `${url}/keys` } : answer.configuration
    if (request.url === '/keys') asked++
    const document = request.url === '/keys' ? { keys: [key.jwk] } : request.url === '/.well-known/openid-configuration' ? configuration : undefined
    response.writeHead(document ? 200 : 500, { 'content-type': 'application/json' }).end(JSON.stringify(document ?? {}))
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url, rotate, answer,
    asked: () => asked,
    async token(claims = {}, { nowMs = Date.now() } = {}) {
      const now = Math.floor(nowMs / 1000)
      const all = { iss: url, sub: 'service-7', aud: 'countersign-tests', iat: now, exp: now + 600, ...claims }
      const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as JWTPayload
      return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(key.privateKey)
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
