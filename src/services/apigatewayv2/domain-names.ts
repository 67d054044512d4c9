// Custom domain names: names of one's own in front of APIs.

import type * as sdk from '@aws-sdk/client-apigatewayv2'
import { formatArn, parseArn } from '#aws/arn.ts'
import { alphabets } from '#lib/random.ts'
import { findDomain, listDomains } from './domain-store.ts'
import { withRetries, type Caller, type Input } from './edit.ts'
import { errors, missing } from './errors.ts'
import type { ApiGatewayV2 } from './index.ts'
import { DOMAINS_PER_REGION_MAX } from './limits.ts'
import type { DomainRecord } from './model.ts'
import { pageOf } from './pages.ts'
import { transactions } from './store.ts'
import { checkTags } from './tags.ts'

/** Characters. Source: API Gateway v2 API reference, CreateDomainName, `domainName`. */
const NAME_CHARACTERS_MAX = 512
/** Every regional endpoint of a region has one. Ours: it is us-east-1's in every region, for nothing here is looked up in Route 53. */
const HOSTED_ZONE_ID = 'Z1UJRXOUMOOFQ8'

export async function createDomainName(
  request: Input<sdk.CreateDomainNameRequest>, { scope }: Caller, { database, random }: ApiGatewayV2,
): Promise<sdk.CreateDomainNameResponse> {
  refuseUnserved(request)
  const domain: DomainRecord = {
    domainName: nameOf(request.DomainName),
    ...scope,
    endpointId: `d-${random.text(10, alphabets.lowerAlphanumeric)}`,
    securityPolicy: 'TLS_1_2',
    ipAddressType: 'ipv4',
    tags: checkTags(request.Tags ?? {}),
  }
  configure(domain, oneConfiguration(request.DomainNameConfigurations))
  await withRetries(() => database.transact(transactions.insertDomain, { domain, domainsMax: DOMAINS_PER_REGION_MAX }))
  return describeDomain(domain)
}

export async function getDomainName({ DomainName }: Input<sdk.GetDomainNameRequest>, call: Caller, gateway: ApiGatewayV2): Promise<sdk.GetDomainNameResponse> {
  return describeDomain(await readDomain(gateway, call, DomainName))
}

export async function getDomainNames(page: Input<sdk.GetDomainNamesRequest>, { scope }: Caller, { database }: ApiGatewayV2): Promise<sdk.GetDomainNamesResponse> {
  const { Items, NextToken } = pageOf(await listDomains(database, scope), ({ domainName }) => domainName, page)
  return { Items: Items.map(describeDomain), NextToken }
}

export async function updateDomainName(
  { DomainName, ...request }: Input<sdk.UpdateDomainNameRequest>, call: Caller, gateway: ApiGatewayV2,
): Promise<sdk.UpdateDomainNameResponse> {
  refuseUnserved(request)
  const { DomainNameConfigurations: configurations } = request
  const configuration = configurations && oneConfiguration(configurations)
  return describeDomain(await editDomain(gateway, call, DomainName, (domain) => { if (configuration) configure(domain, configuration) }))
}

/** The mappings go with the domain. */
export async function deleteDomainName({ DomainName }: Input<sdk.DeleteDomainNameRequest>, { scope }: Caller, { database }: ApiGatewayV2): Promise<void> {
  const deleted = await withRetries(() => database.transact(transactions.deleteDomain, { ...scope, domainName: DomainName.toLowerCase() }))
  if (!deleted) throw missing.domain()
}

/** @throws NotFoundException when the caller has no such domain. */
export async function readDomain({ database }: Pick<ApiGatewayV2, 'database'>, { scope }: Caller, domainName: string): Promise<DomainRecord> {
  const stored = await findDomain(database, scope, domainName.toLowerCase())
  if (!stored) throw missing.domain()
  return stored.domain
}

export function editDomain(
  { database }: Pick<ApiGatewayV2, 'database'>, { scope }: Caller, domainName: string, change: (domain: DomainRecord) => void,
): Promise<DomainRecord> {
  return withRetries(async () => {
    const stored = await findDomain(database, scope, domainName.toLowerCase())
    if (!stored) throw missing.domain()
    change(stored.domain)
    await database.transact(transactions.updateDomain, stored)
    return stored.domain
  })
}

/** Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-domain-name-charset (the underscore). Ours: the words of the rest. */
function nameOf(domainName: string): string {
  if (domainName.includes('_')) throw errors.BadRequestException('Domain names cannot contain an underscore character')
  const isName = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(domainName)
  if (!isName || domainName.length > NAME_CHARACTERS_MAX) throw errors.BadRequestException(`Invalid domain name specified: ${domainName}`)
  return domainName
}

/** Seen in reports: hashicorp/terraform-provider-awscc issue 1667, floci-io/floci pull request 2390 (the whole sentence). */
function oneConfiguration(configurations: sdk.DomainNameConfiguration[] | undefined): sdk.DomainNameConfiguration {
  const [configuration, ...others] = configurations ?? []
  if (!configuration || others.length > 0) throw errors.BadRequestException('Invalid input. Expected one domain name configuration')
  return configuration
}

/**
 * Certificates are named, and nothing is known of them.
 * Observed: AWS, 08-09-2026, recorded by cdk-preflight's pf-apigwv2-domain-endpoint-type-regional and pf-apigwv2-domain-certificate-region.
 */
function configure(domain: DomainRecord, configuration: sdk.DomainNameConfiguration): void {
  const { EndpointType, CertificateArn, CertificateName, OwnershipVerificationCertificateArn, SecurityPolicy, IpAddressType } = configuration
  if (EndpointType === 'EDGE') throw errors.BadRequestException('EDGE endpoint type is not supported for APIGatewayV2 domainName')
  if (CertificateArn) {
    const arn = parseArn(CertificateArn)
    if (arn?.service !== 'acm') throw errors.BadRequestException(`Invalid certificate ARN: ${CertificateArn}.`)
    if (arn.region !== domain.region) throw errors.BadRequestException(`Invalid certificate ARN: ${CertificateArn}. Certificate must be in '${domain.region}'.`)
  }
  domain.certificateArn = CertificateArn ?? domain.certificateArn
  domain.certificateName = CertificateName ?? domain.certificateName
  domain.ownershipVerificationCertificateArn = OwnershipVerificationCertificateArn ?? domain.ownershipVerificationCertificateArn
  domain.securityPolicy = SecurityPolicy ?? domain.securityPolicy
  domain.ipAddressType = IpAddressType ?? domain.ipAddressType
}

/** Ours: what the data plane would not honour is refused, not stored. */
function refuseUnserved({ MutualTlsAuthentication, RoutingMode }: Partial<sdk.CreateDomainNameRequest>): void {
  if (MutualTlsAuthentication?.TruststoreUri) throw errors.NotImplemented('MutualTlsAuthentication is not served.')
  if (RoutingMode !== undefined && RoutingMode !== 'API_MAPPING_ONLY') throw errors.NotImplemented('Routing rules are not served: RoutingMode can only be API_MAPPING_ONLY.')
}

/**
 * As AWS shows a domain. Source: AWS CLI reference, examples of `create-domain-name` and `get-domain-name`.
 * Ours: the endpoint's name ends in `localhost`; what reaches this server with the domain in its Host header is served.
 */
function describeDomain(domain: DomainRecord): sdk.DomainName {
  const { domainName, region } = domain
  return {
    ApiMappingSelectionExpression: '$request.basepath',
    DomainName: domainName,
    DomainNameArn: formatArn({ service: 'apigateway', region, accountId: '', resource: `/domainnames/${domainName}` }),
    DomainNameConfigurations: [{
      ApiGatewayDomainName: `${domain.endpointId}.execute-api.${region}.localhost`,
      CertificateArn: domain.certificateArn,
      CertificateName: domain.certificateName,
      DomainNameStatus: 'AVAILABLE',
      EndpointType: 'REGIONAL',
      HostedZoneId: HOSTED_ZONE_ID,
      IpAddressType: domain.ipAddressType,
      OwnershipVerificationCertificateArn: domain.ownershipVerificationCertificateArn,
      SecurityPolicy: domain.securityPolicy as sdk.SecurityPolicy,
    }],
    RoutingMode: 'API_MAPPING_ONLY',
    Tags: domain.tags,
  }
}
