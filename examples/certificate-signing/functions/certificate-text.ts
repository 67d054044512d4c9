// A certificate as text, laid out as `openssl x509 -text` (3.0) lays it out.

import { createPublicKey } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension, BasicConstraintsExtension, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension, SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension, type Extension, type Name, type X509Certificate,
} from '@peculiar/x509'

export function certificateText(certificate: X509Certificate): string {
  const { issuerName, subjectName, notBefore, notAfter, signature } = certificate
  const algorithm = signatureName(certificate)
  return [
    'Certificate:',
    '    Data:',
    '        Version: 3 (0x2)',
    '        Serial Number:',
    `            ${hexBytes(Buffer.from(certificate.serialNumber, 'hex')).join(':')}`,
    `        Signature Algorithm: ${algorithm}`,
    `        Issuer: ${nameText(issuerName)}`,
    '        Validity',
    `            Not Before: ${timeText(notBefore)}`,
    `            Not After : ${timeText(notAfter)}`,
    `        Subject: ${nameText(subjectName)}`,
    '        Subject Public Key Info:',
    ...keyLines(certificate).map((line) => `            ${line}`),
    '        X509v3 extensions:',
    ...certificate.extensions.flatMap((extension) => {
      const [title, value] = extensionText(extension)
      return [`            ${title}: ${extension.critical ? 'critical' : ''}`, `                ${value}`]
    }),
    `    Signature Algorithm: ${algorithm}`,
    '    Signature Value:',
    ...byteLines(Buffer.from(signature), 18).map((line) => `        ${line}`),
    '',
  ].join('\n')
}

function signatureName({ signatureAlgorithm }: X509Certificate): string {
  const { name, hash } = signatureAlgorithm as { name: string, hash?: { name: string } }
  const digest = (hash?.name ?? '').replace('-', '')
  if (name === 'RSASSA-PKCS1-v1_5') return `${digest.toLowerCase()}WithRSAEncryption`
  if (name === 'ECDSA') return `ecdsa-with-${digest}`
  return name.toUpperCase()
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function timeText(date: Date): string {
  const two = (part: number, filler = '0') => String(part).padStart(2, filler)
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((part) => two(part)).join(':')
  return `${months[date.getUTCMonth()]} ${two(date.getUTCDate(), ' ')} ${time} ${date.getUTCFullYear()} GMT`
}

/** Where the library's names of attributes differ from OpenSSL's. */
const attributeNames: Readonly<Record<string, string>> = {
  E: 'emailAddress', G: 'GN', I: 'initials', T: 'title', '2.5.4.5': 'serialNumber', '2.5.4.9': 'street', '2.5.4.17': 'postalCode', '0.9.2342.19200300.100.1.1': 'UID',
}

function nameText(name: Name): string {
  return name.toJSON().map((part) => Object.entries(part).flatMap(([type, values]) =>
    values.map((value) => `${attributeNames[type] ?? type} = ${escaped(String(value))}`)).join(' + ')).join(', ')
}

/** Bytes outside ASCII and control characters as `\C3`; quoted where a character would end the value otherwise. */
function escaped(value: string): string {
  const text = Array.from(Buffer.from(value, 'utf8'), (byte) => {
    if (byte < 0x20 || byte > 0x7e) return `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`
    const character = String.fromCharCode(byte)
    return character === '"' || character === '\\' ? `\\${character}` : character
  }).join('')
  return /[,+<>;]|^[ #]| $/.test(value) ? `"${text}"` : text
}

const curves: Readonly<Record<string, { oid: string, bits: number }>> = {
  'P-256': { oid: 'prime256v1', bits: 256 }, 'P-384': { oid: 'secp384r1', bits: 384 }, 'P-521': { oid: 'secp521r1', bits: 521 },
}

function keyLines({ publicKey }: X509Certificate): string[] {
  const { kty, n, e, crv, x, y } = createPublicKey({ key: Buffer.from(publicKey.rawData), format: 'der', type: 'spki' }).export({ format: 'jwk' }) as Record<string, string>
  const bytes = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')
  const indented = (lines: readonly string[]) => lines.map((line) => `        ${line}`)
  if (kty === 'RSA') {
    const modulus = bytes(n)
    const exponent = BigInt(`0x${bytes(e).toString('hex')}`)
    const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24
    return [
      'Public Key Algorithm: rsaEncryption', `    Public-Key: (${bits} bit)`, '    Modulus:', ...indented(byteLines(positive(modulus), 15)),
      `    Exponent: ${exponent} (0x${exponent.toString(16)})`,
    ]
  }
  if (kty === 'EC') {
    const { oid, bits } = curves[crv!]!
    const point = Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)])
    return ['Public Key Algorithm: id-ecPublicKey', `    Public-Key: (${bits} bit)`, '    pub:', ...indented(byteLines(point, 15)), `    ASN1 OID: ${oid}`, `    NIST CURVE: ${crv}`]
  }
  return ['Public Key Algorithm: ED25519', '    ED25519 Public-Key:', '    pub:', ...indented(byteLines(bytes(x), 15))]
}

/** A number whose first bit is set gets a zero byte before it, as DER writes it. */
function positive(number: Buffer): Buffer {
  return number[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), number]) : number
}

const keyUsages: readonly [KeyUsageFlags, string][] = [
  [KeyUsageFlags.digitalSignature, 'Digital Signature'], [KeyUsageFlags.nonRepudiation, 'Non Repudiation'], [KeyUsageFlags.keyEncipherment, 'Key Encipherment'],
  [KeyUsageFlags.dataEncipherment, 'Data Encipherment'], [KeyUsageFlags.keyAgreement, 'Key Agreement'], [KeyUsageFlags.keyCertSign, 'Certificate Sign'], [KeyUsageFlags.cRLSign, 'CRL Sign'],
]
const extendedKeyUsages: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'TLS Web Server Authentication', '1.3.6.1.5.5.7.3.2': 'TLS Web Client Authentication',
}

/** Every extension that the authority puts into a certificate. */
function extensionText(extension: Extension): [title: string, value: string] {
  if (extension instanceof BasicConstraintsExtension) {
    const length = extension.pathLength === undefined ? '' : `, pathlen:${extension.pathLength}`
    return ['X509v3 Basic Constraints', `CA:${extension.ca ? 'TRUE' : 'FALSE'}${length}`]
  }
  if (extension instanceof KeyUsagesExtension) return ['X509v3 Key Usage', keyUsages.filter(([flag]) => (extension.usages & flag) !== 0).map(([, text]) => text).join(', ')]
  if (extension instanceof ExtendedKeyUsageExtension) return ['X509v3 Extended Key Usage', extension.usages.map((usage) => extendedKeyUsages[String(usage)] ?? String(usage)).join(', ')]
  if (extension instanceof SubjectKeyIdentifierExtension) return ['X509v3 Subject Key Identifier', upperHex(extension.keyId)]
  if (extension instanceof AuthorityKeyIdentifierExtension) return ['X509v3 Authority Key Identifier', upperHex(extension.keyId ?? '')]
  if (extension instanceof SubjectAlternativeNameExtension) {
    return ['X509v3 Subject Alternative Name', extension.names.toJSON().map(({ type, value }) =>
      type === 'ip' ? `IP Address:${addressText(String(value))}` : `${type === 'dns' ? 'DNS' : type}:${String(value)}`).join(', ')]
  }
  return [extension.type, Buffer.from(extension.value).toString('hex')]
}

/** Eight groups in capitals without zeros in front, none left out; an IPv4 address as it is. */
function addressText(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => part === '' ? [] : part.split(':')
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].map((group) => parseInt(group, 16).toString(16).toUpperCase()).join(':')
}

function upperHex(hex: string): string {
  return hexBytes(Buffer.from(hex, 'hex')).join(':').toUpperCase()
}

function hexBytes(bytes: Buffer): string[] {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
}

function byteLines(bytes: Buffer, perLine: number): string[] {
  const all = hexBytes(bytes)
  const lines: string[] = []
  for (let at = 0; at < all.length; at += perLine) lines.push(all.slice(at, at + perLine).join(':') + (at + perLine < all.length ? ':' : ''))
  return lines
}
