// The authority that signs: its certificate and its encrypted key, as they lie in the function's archive.

import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AuthorityKeyIdentifierExtension, BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension,
  SubjectKeyIdentifierExtension, X509Certificate, X509CertificateGenerator, type Pkcs10CertificateRequest,
} from '@peculiar/x509'
import { alternativeNames } from './request.ts'

export interface Authority {
  certificate: X509Certificate
  sign(request: Pkcs10CertificateRequest): Promise<X509Certificate>
}

const VALID_DAYS = 365
const DAY_MS = 24 * 60 * 60_000
/** Clocks differ: a certificate that was made now is valid everywhere now. */
const BACKDATED_MS = 5 * 60_000
const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

/** Opens the key with the passphrase. Fails when it is the wrong one. */
export async function openAuthority(directory: string, passphrase: string): Promise<Authority> {
  const certificate = new X509Certificate(await readFile(join(directory, 'signing-ca.crt'), 'utf8'))
  const key = createPrivateKey({ key: await readFile(join(directory, 'signing-ca.key')), passphrase })
  const signingKey = await webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign'])
  return {
    certificate,
    async sign(request) {
      const now = Date.now()
      const names = alternativeNames(request)
      return X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject: request.subjectName,
        issuer: certificate.subjectName,
        notBefore: new Date(now - BACKDATED_MS),
        notAfter: new Date(Math.min(now + VALID_DAYS * DAY_MS, certificate.notAfter.getTime())),
        publicKey: request.publicKey,
        signingKey,
        signingAlgorithm: algorithm,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(keyUsage(request), true),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
          await SubjectKeyIdentifierExtension.create(request.publicKey),
          await AuthorityKeyIdentifierExtension.create(certificate.publicKey),
          ...(names ? [names] : []),
        ],
      })
    },
  }
}

/** Source: RFC 5280, 4.1.2.2: positive, at most 20 bytes. The first byte is never zero, so that nothing drops it. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** Only an RSA key can take another key's encryption. */
function keyUsage({ publicKey }: Pkcs10CertificateRequest): KeyUsageFlags {
  const isRsa = publicKey.algorithm.name.startsWith('RSA')
  return isRsa ? KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment : KeyUsageFlags.digitalSignature
}
