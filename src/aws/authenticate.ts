// Who signed a request: judged in two steps, so that a body is read only for a caller whose key, date and scope are good.

import type { Clock } from '#lib/clock.ts'
import type { HttpRequest } from '#lib/http.ts'
import type { Caller } from './caller.ts'
import type { CredentialRefusal, Identity } from './identity.ts'
import { hashOfBody } from './sigv4/canonical.ts'
import { judgeSignature } from './sigv4/judge.ts'
import { readSignature } from './sigv4/read.ts'
import { SignatureRefusal, type SignatureFault } from './sigv4/refusal.ts'
import { serviceRules } from './sigv4/service-rules.ts'
import { createSigningKeyCache } from './sigv4/signing-key-cache.ts'
import { verifySignature } from './sigv4/verify.ts'

export { SignatureRefusal, type SignatureFault } from './sigv4/refusal.ts'

export interface Authenticator {
  /**
   * Judges everything about a signature that the body does not enter: its form, date, scope and key. Looks at the
   * `Authorization` header or the `X-Amz-…` query parameters.
   *
   * @param services the names that the credential scope may carry (`['execute-api']`, `['lambda']`).
   * @param region where what is called lives, if it lives in one: no other is accepted then.
   * @throws SignatureRefusal
   */
  begin(request: HttpRequest, expected: { services: readonly string[], region?: string }): Promise<SignatureClaim>
}

export interface SignatureClaim {
  caller: Caller
  /** From the credential scope. */
  region: string
  service: string
  /**
   * Judges the signature, in constant time, over the body as it was read.
   * @throws SignatureRefusal
   */
  finish(body: Buffer): void
}

export interface AuthenticatorOptions {
  identity: Pick<Identity, 'findCredential'>
  clock: Pick<Clock, 'now'>
}

/** Source: IAM API reference, AccessKey: at most 128 characters. Anything else is not looked up, and so not remembered either. */
const ACCESS_KEY_ID = /^\w{1,128}$/

/** A piece of a text keeps all of it in memory: identities remember keys, unknown ones too, and a header may be long. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** One key signs for a day in one region and service; this many are kept. */
const SIGNING_KEYS_MAX = 1000

/**
 * Judges in AWS's order: form, date, scope, key, and at last the signature itself. Every region that a scope names is
 * accepted unless one is expected; wording and clock window are those of the first of the expected services.
 */
export function createAuthenticator({ identity, clock }: AuthenticatorOptions): Authenticator {
  const signingKeys = createSigningKeyCache(SIGNING_KEYS_MAX)
  return {
    async begin(request, { services, region }) {
      const rules = serviceRules(services[0] ?? '')
      const fields = judgeSignature(readSignature(request, rules), { rules, services, region, nowMs: clock.now() })
      if (!ACCESS_KEY_ID.test(fields.accessKeyId)) throw refusalOf({ refused: 'unknown key' })
      const credential = await identity.findCredential(ownCopy(fields.accessKeyId), fields.sessionToken)
      if ('refused' in credential) throw refusalOf(credential)
      return {
        caller: credential.caller,
        region: fields.region,
        service: fields.service,
        finish(body) {
          const payloadHash = hashOfBody(body)
          const signingKey = signingKeys.get(fields.credential, credential.secretAccessKey, fields)
          const verdict = verifySignature(request, fields, { signingKey, payloadHash })
          if (!verdict.isValid || declaresAnotherPayload(request, payloadHash)) throw mismatch(verdict)
        },
      }
    },
  }
}

const REFUSALS: { readonly [Reason in CredentialRefusal['refused']]: readonly [SignatureFault, string] } = {
  'unknown key': ['unknown-key', 'The security token included in the request is invalid.'],
  'inactive key': ['unknown-key', 'The security token included in the request is invalid.'],
  'principal deleted': ['unknown-key', 'The security token included in the request is invalid.'],
  'token missing': ['invalid-token', 'The security token included in the request is invalid.'],
  // Without the full stop. Observed: AWS, written down in dynalite's index.js for a wrong X-Amz-Security-Token.
  'token invalid': ['invalid-token', 'The security token included in the request is invalid'],
  'token expired': ['expired-token', 'The security token included in the request is expired'],
}

function refusalOf({ refused }: CredentialRefusal): SignatureRefusal {
  const [fault, message] = REFUSALS[refused]
  return new SignatureRefusal(fault, message)
}

/**
 * The services here always hash the body themselves: `UNSIGNED-PAYLOAD` is S3's alone.
 * Source: CloudFront developer guide, "Restrict access to an AWS Lambda function URL origin": Lambda does not support
 * unsigned payloads; for other services, apache/opendal-reqsign issue 346.
 *
 * Ours: a hash that is stated and wrong is a mismatch even where the header itself is not signed.
 */
function declaresAnotherPayload({ headers }: HttpRequest, payloadHash: string): boolean {
  const declared = headers.get('x-amz-content-sha256')
  return declared !== undefined && /^[0-9a-f]{64}$/i.test(declared) && declared.toLowerCase() !== payloadHash
}

/** Source: IAM user guide, "Troubleshoot signed requests"; the layout is that of the answers of execute-api, Lambda, DynamoDB and SQS. */
function mismatch({ canonicalRequest, stringToSign }: { canonicalRequest: string, stringToSign: string }): SignatureRefusal {
  const sentence = 'The request signature we calculated does not match the signature you provided. '
    + 'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'
  return new SignatureRefusal('mismatch', `${sentence}\n\n`
    + `The Canonical String for this request should have been\n'${readable(canonicalRequest)}'\n\n`
    + `The String-to-Sign should have been\n'${stringToSign}'\n`, sentence)
}

/** Headers are read one character a byte; most clients meant UTF-8. */
function readable(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}
