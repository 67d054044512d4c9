// A request for a certificate, read from PEM and judged: what it asks for, and that whoever asks holds the key.

import { PemConverter, Pkcs10CertificateRequest, SubjectAlternativeNameExtension, type JsonName } from '@peculiar/x509'
import { Refusal } from './refusal.ts'

/** Characters. A request with an RSA key of 8,192 bits and a hundred names has about 8,000. */
const PEM_CHARACTERS_MAX = 16_384
const RSA_BITS_MIN = 2048
const RSA_BITS_MAX = 8192
const SUBJECT_CHARACTERS_MAX = 500
/** Source: RFC 5280, appendix A, ub-common-name, ub-organization-name and ub-organizational-unit-name: 64; the country has two letters. */
const ATTRIBUTE_CHARACTERS_MAX: Readonly<Record<string, number>> = { CN: 64, O: 64, OU: 64, C: 2, L: 128, ST: 128 }
const NAMES_MAX = 100
const CURVES = ['P-256', 'P-384', 'P-521']

const pemForm = /^-----BEGIN (NEW )?CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END (NEW )?CERTIFICATE REQUEST-----$/

/** @throws Refusal for anything that is no request, and for one that is not to be signed. */
export async function readRequest(text: unknown): Promise<Pkcs10CertificateRequest> {
  const request = parse(text)
  judgeKey(request)
  // Only now: a signature of a key that is refused anyway is not worth the work.
  if (!await request.verify().catch(() => false)) throw new Refusal('its signature does not fit its public key; it was changed after it was made.')
  judgeSubject(request)
  judgeNames(request)
  return request
}

function parse(text: unknown): Pkcs10CertificateRequest {
  if (typeof text !== 'string' || text.trim() === '') throw new Refusal('paste a certificate signing request in PEM form.')
  const pem = text.trim()
  if (pem.length > PEM_CHARACTERS_MAX) throw new Refusal(`it is longer than ${PEM_CHARACTERS_MAX.toLocaleString('en-US')} characters.`)
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw new Refusal('this holds a private key. Never send it to anybody; paste the request alone.')
  if (!pemForm.test(pem)) throw new Refusal('this is no PEM of a certificate signing request: it begins with -----BEGIN CERTIFICATE REQUEST----- and ends with -----END CERTIFICATE REQUEST-----.')
  try {
    return new Pkcs10CertificateRequest(PemConverter.decodeFirst(pem))
  } catch {
    throw new Refusal('between its first and last line there is no certificate signing request (PKCS #10).')
  }
}

function judgeKey({ publicKey }: Pkcs10CertificateRequest): void {
  const { name, modulusLength, namedCurve } = publicKey.algorithm as { name: string, modulusLength?: number, namedCurve?: string }
  if (name.startsWith('RSA')) {
    if (modulusLength! < RSA_BITS_MIN) throw new Refusal(`its RSA key is too weak: it has ${modulusLength} bits, at least ${RSA_BITS_MIN} are needed.`)
    if (modulusLength! > RSA_BITS_MAX) throw new Refusal(`its RSA key is too long: it has ${modulusLength} bits, at most ${RSA_BITS_MAX} are taken.`)
    return
  }
  if (name === 'Ed25519' || (name.startsWith('EC') && CURVES.includes(namedCurve ?? ''))) return
  throw new Refusal(`keys of the kind ${[name, namedCurve].filter(Boolean).join(' ')} are not signed here, only RSA, ${CURVES.join(', ')} and Ed25519.`)
}

function judgeSubject({ subjectName, subject }: Pkcs10CertificateRequest): void {
  const attributes: JsonName = subjectName.toJSON()
  if (attributes.length === 0) throw new Refusal('its subject is empty: it names nobody whom the certificate could be for.')
  if (subject.length > SUBJECT_CHARACTERS_MAX) throw new Refusal(`its subject is too long: it has ${subject.length} characters, at most ${SUBJECT_CHARACTERS_MAX} are taken.`)
  for (const [type, values] of attributes.flatMap((part) => Object.entries(part))) {
    const max = ATTRIBUTE_CHARACTERS_MAX[type]
    for (const value of values.map((one) => typeof one === 'string' ? one : Object.values(one).join(''))) {
      if (value.trim() === '') throw new Refusal(`the ${type} of its subject is empty.`)
      if (max !== undefined && value.length > max) throw new Refusal(`the ${type} of its subject is too long: it has ${value.length} characters, at most ${max} are taken.`)
    }
  }
}

function judgeNames(request: Pkcs10CertificateRequest): void {
  const names = alternativeNames(request)?.names.toJSON() ?? []
  if (names.length > NAMES_MAX) throw new Refusal(`it asks for ${names.length} alternative names, at most ${NAMES_MAX} are taken.`)
  const other = names.find(({ type }) => !['dns', 'ip', 'email'].includes(type))
  if (other) throw new Refusal(`alternative names of the kind ${other.type} are not signed here.`)
}

/** The names beside the subject that a request asks for. */
export function alternativeNames(request: Pkcs10CertificateRequest): SubjectAlternativeNameExtension | undefined {
  return request.extensions.find((extension) => extension instanceof SubjectAlternativeNameExtension)
}
