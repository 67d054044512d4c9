// The function behind `POST /sign`: signs the pasted request and answers the certificate as text and as PEM.

import 'reflect-metadata'
import { openAuthority, type Authority } from './authority.ts'
import { certificateText } from './certificate-text.ts'
import { readRequest } from './request.ts'

export interface SigningEvent {
  /** The request in PEM, under the name that the form gives it. */
  description?: unknown
}

export interface SigningAnswer {
  crt_text: string
  crt_pem: string
}

/** Opened by the first event, kept for those that follow. */
let authority: Promise<Authority> | undefined

/** @throws Refusal `Request refused: …` */
export async function lambda_handler(event: SigningEvent | null): Promise<SigningAnswer> {
  const request = await readRequest(event?.description)
  authority ??= openAuthority(import.meta.dirname, process.env.CA_PASSPHRASE ?? '')
  const certificate = await (await authority).sign(request)
  return { crt_text: certificateText(certificate), crt_pem: `${certificate.toString('pem')}\n` }
}
