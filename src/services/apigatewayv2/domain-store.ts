// SQL of custom domain names and API mappings.

import { Conflict, defineTransactions, sql, type Reader, type Row } from '#storage/database.ts'
import type { Scope } from '#aws/arn.ts'
import type { DomainRecord, MappingRecord } from './model.ts'

export interface StoredDomain { domain: DomainRecord, revision: number }

export async function findDomain(db: Reader, { accountId, region }: Scope, domainName: string): Promise<StoredDomain | undefined> {
  const [row] = await db.query(sql`
    select * from apigatewayv2_domains where name = ${domainName} and account_id = ${accountId} and region = ${region}`)
  return row && { domain: domainOf(row), revision: row['revision'] as number }
}

/** An account's domains by name; never more than DOMAINS_PER_REGION_MAX. */
export async function listDomains(db: Reader, { accountId, region }: Scope): Promise<DomainRecord[]> {
  const rows = await db.query(sql`select record from apigatewayv2_domains where account_id = ${accountId} and region = ${region} order by name`)
  return rows.map(domainOf)
}

/** A domain's mappings, whoever asks; never more than MAPPINGS_PER_DOMAIN_MAX. */
export async function listMappings(db: Reader, domainName: string): Promise<MappingRecord[]> {
  const rows = await db.query(sql`select * from apigatewayv2_mappings where domain_name = ${domainName} order by id`)
  return rows.map(mappingOf)
}

/** Where a domain leads, whoever asks; undefined when there is no such domain. */
export async function findMappings(db: Reader, domainName: string): Promise<MappingRecord[] | undefined> {
  const [domain] = await db.query(sql`select name from apigatewayv2_domains where name = ${domainName}`)
  return domain && listMappings(db, domainName)
}

export type DomainConflict = 'revision' | 'limit' | 'domain exists' | 'domain missing' | 'mapping exists' | 'mapping missing'

export const domainTransactions = defineTransactions('apigatewayv2', {
  /** Conflicts: `domain exists` (of whatever account), `limit`. */
  async insertDomain(tx, { domain, domainsMax }: { domain: DomainRecord, domainsMax: number }): Promise<void> {
    const { domainName, accountId, region } = domain
    if ((await tx.query(sql`select name from apigatewayv2_domains where name = ${domainName}`)).length > 0) throw conflict('domain exists')
    const [row] = await tx.query(sql`select count(*) as n from apigatewayv2_domains where account_id = ${accountId} and region = ${region}`)
    if (Number(row!['n']) >= domainsMax) throw conflict('limit')
    await tx.run(sql`insert into apigatewayv2_domains (name, account_id, region, revision, record)
      values (${domainName}, ${accountId}, ${region}, 1, ${JSON.stringify(domain)})`)
    await tx.changed('apigatewayv2.domain', domainName)
  },

  /** Conflicts: `revision`. */
  async updateDomain(tx, { domain, revision }: StoredDomain): Promise<void> {
    const changed = await tx.run(sql`
      update apigatewayv2_domains set record = ${JSON.stringify(domain)}, revision = revision + 1 where name = ${domain.domainName} and revision = ${revision}`)
    if (changed === 0) throw conflict('revision')
  },

  /** Deletes the domain with its mappings; says whether there was one. */
  async deleteDomain(tx, { domainName, accountId, region }: Scope & { domainName: string }): Promise<boolean> {
    const deleted = await tx.run(sql`delete from apigatewayv2_domains where name = ${domainName} and account_id = ${accountId} and region = ${region}`)
    if (deleted === 0) return false
    await tx.run(sql`delete from apigatewayv2_mappings where domain_name = ${domainName}`)
    await tx.changed('apigatewayv2.domain', domainName)
    return true
  },

  /** Conflicts: `domain missing`, `mapping exists` when the key is taken, `limit`. */
  async insertMapping(tx, { mapping, mappingsMax }: { mapping: MappingRecord, mappingsMax: number }): Promise<void> {
    const { apiMappingId, domainName, mappingKey, apiId, stage } = mapping
    if ((await tx.query(sql`select name from apigatewayv2_domains where name = ${domainName}`)).length === 0) throw conflict('domain missing')
    const rows = await tx.query(sql`select mapping_key from apigatewayv2_mappings where domain_name = ${domainName}`)
    if (rows.some((row) => row['mapping_key'] === mappingKey)) throw conflict('mapping exists')
    if (rows.length >= mappingsMax) throw conflict('limit')
    await tx.run(sql`insert into apigatewayv2_mappings (domain_name, id, mapping_key, api_id, stage)
      values (${domainName}, ${apiMappingId}, ${mappingKey}, ${apiId}, ${stage})`)
    await tx.changed('apigatewayv2.domain', domainName)
  },

  /** Conflicts: `mapping missing`, `mapping exists` when the key is another's. */
  async updateMapping(tx, { apiMappingId, domainName, mappingKey, apiId, stage }: MappingRecord): Promise<void> {
    const rows = await tx.query(sql`select id, mapping_key from apigatewayv2_mappings where domain_name = ${domainName}`)
    if (!rows.some((row) => row['id'] === apiMappingId)) throw conflict('mapping missing')
    if (rows.some((row) => row['mapping_key'] === mappingKey && row['id'] !== apiMappingId)) throw conflict('mapping exists')
    await tx.run(sql`
      update apigatewayv2_mappings set mapping_key = ${mappingKey}, api_id = ${apiId}, stage = ${stage}
      where domain_name = ${domainName} and id = ${apiMappingId}`)
    await tx.changed('apigatewayv2.domain', domainName)
  },

  /** Says whether there was one. */
  async deleteMapping(tx, { domainName, apiMappingId }: { domainName: string, apiMappingId: string }): Promise<boolean> {
    const deleted = await tx.run(sql`delete from apigatewayv2_mappings where domain_name = ${domainName} and id = ${apiMappingId}`)
    await tx.changed('apigatewayv2.domain', domainName)
    return deleted > 0
  },
})

const conflict = (reason: DomainConflict) => new Conflict(reason)

const domainOf = (row: Row): DomainRecord => JSON.parse(row['record'] as string) as DomainRecord

const mappingOf = (row: Row): MappingRecord => ({
  apiMappingId: row['id'] as string,
  domainName: row['domain_name'] as string,
  mappingKey: row['mapping_key'] as string,
  apiId: row['api_id'] as string,
  stage: row['stage'] as string,
})
