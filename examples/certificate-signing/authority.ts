// Makes the authority at deployment: a key, encrypted at once, and its own certificate.

import 'reflect-metadata'
import { generateKeyPair, randomBytes, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, SubjectKeyIdentifierExtension, X509CertificateGenerator } from '@peculiar/x509'

export interface AuthorityFiles {
  /** PEM. */
  certificate: string
  /** PEM of PKCS #8, encrypted with the passphrase. */
  encryptedKey: string
}

const YEARS_VALID = 10
const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

/** The clear key never leaves this function. */
export async function createAuthority(commonName: string, passphrase: string): Promise<AuthorityFiles> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 })
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', publicKey.export({ type: 'spki', format: 'der' }), algorithm, true, ['verify']),
  }
  const notAfter = new Date()
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + YEARS_VALID)
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x3f) | 0x40
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toString('hex'),
    name: [{ CN: [commonName] }],
    notBefore: new Date(Date.now() - 5 * 60_000),
    notAfter,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return {
    certificate: `${certificate.toString('pem')}\n`,
    encryptedKey: privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }) as string,
  }
}
