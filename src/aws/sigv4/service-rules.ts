// What differs between AWS services when they look at a signature: clock, wording, and what counts as a signature at all.

export interface ServiceRules {
  /** How far a request's date may lie from the server's, minutes. */
  clockWindowMinutes: number
  /** Whether `X-Amz-Expires` decides how long a presigned request lives; otherwise it lives as long as the clock window. */
  honoursExpires: boolean
  /** The sentence for a request without a signature. */
  missing: string
  /** Whether an `Authorization` header that does not begin with `AWS4-` counts as none at all. */
  wantsAws4Prefix: boolean
  /** Whether refusals repeat the `Authorization` header as it came, or only its hash. */
  quotesAuthorization: 'as sent' | 'hashed'
}

/**
 * Source, five minutes: IAM user guide, "AWS Signature Version 4 for API requests", protection against replay; observed by
 * many for Lambda, execute-api, Logs and DynamoDB (`(20171218T081147Z - 5 min.)`).
 * Source, hashed: what API Gateway answers since 2023 (`(hashed with SHA-256 and encoded with Base64): '…'`), in many public
 * bug reports.
 */
const usual: ServiceRules = {
  clockWindowMinutes: 5,
  honoursExpires: true,
  missing: 'Missing Authentication Token',
  wantsAws4Prefix: false,
  quotesAuthorization: 'hashed',
}

const byService: { readonly [service: string]: ServiceRules } = {
  iam: { ...usual, missing: 'Request is missing Authentication Token' },
  /**
   * Observed: STS, 2016 to 2024, in public bug reports: `(20240704T222803Z - 15 min.)`; presigned requests live 15 minutes
   * whatever `X-Amz-Expires` says: aws/aws-sdk-go issue 2167.
   */
  sts: { ...usual, missing: 'Request is missing Authentication Token', clockWindowMinutes: 15, honoursExpires: false },
  /** Observed: AWS, recorded by dynalite's connection tests. */
  dynamodb: { ...usual, missing: 'Request is missing Authentication Token', wantsAws4Prefix: true, quotesAuthorization: 'as sent' },
}

/** The rules of a service by its name in credential scopes. */
export function serviceRules(service: string): ServiceRules {
  return Object.hasOwn(byService, service) ? byService[service]! : usual
}
