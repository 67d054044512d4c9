// Amazon Resource Names: `arn:partition:service:region:account:resource`.

export interface Arn {
  partition: string
  service: string
  region: string
  accountId: string
  /** Everything after the fifth colon. */
  resource: string
}

/** Where a call acts: resources are partitioned by account and region. */
export interface Scope {
  accountId: string
  region: string
}

/** The parts of an ARN, or undefined when the text is not one. */
export function parseArn(text: string): Arn | undefined {
  const parts = text.split(':')
  if (parts.length < 6 || parts[0] !== 'arn') return undefined
  const [, partition, service, region, accountId] = parts as [string, string, string, string, string]
  return { partition, service, region, accountId, resource: parts.slice(5).join(':') }
}

/** An ARN in the `aws` partition. */
export function formatArn({ service, region, accountId, resource }: Omit<Arn, 'partition'>): string {
  return `arn:aws:${service}:${region}:${accountId}:${resource}`
}
