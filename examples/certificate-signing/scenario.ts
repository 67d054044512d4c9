// What a person does with the page, without the page: send a request without a key, make a proper one, have it signed.
//
// usage: node scenario.ts URL KEY, as deploy.ts prints them

import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator, X509Certificate } from '@peculiar/x509'

const [url, key] = process.argv.slice(2)
if (url === undefined || key === undefined) {
  console.error('usage: node scenario.ts URL KEY, as deploy.ts prints them')
  process.exit(1)
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const keys = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
const request = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=orders.example', keys, signingAlgorithm: algorithm })

async function send(headers: Record<string, string>): Promise<{ status: number, body: { message?: string, crt_pem?: string } }> {
  const response = await fetch(url!, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ description: request.toString('pem') }) })
  return { status: response.status, body: await response.json() as { message?: string, crt_pem?: string } }
}

const refused = await send({})
console.log(`without a key: ${refused.status} ${refused.body.message}`)
const answered = await send({ 'x-api-key': key })
if (answered.status !== 200) {
  console.error(`with the key: ${answered.status} ${answered.body.message}`)
  process.exit(1)
}
const certificate = new X509Certificate(answered.body.crt_pem!)
const authority = new X509Certificate(await (await fetch(url.replace(/\/sign$/, '/ca'))).text())
const isSigned = await certificate.verify({ publicKey: authority.publicKey })
console.log(`with the key: a certificate for ${certificate.subject}, signed by ${certificate.issuer}: ${isSigned ? 'the signature is right' : 'the signature is wrong'}`)
if (refused.status !== 403 || !isSigned) process.exit(1)
