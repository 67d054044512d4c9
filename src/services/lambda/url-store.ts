// SQL of function URLs.

import { defineTransactions, sql, type Reader, type Row } from '#storage/database.ts'
import { findAlias } from './alias-store.ts'
import type { UrlRecord } from './model.ts'
import { changed, conflict, lockFunction, type FunctionKey } from './function-rows.ts'

/** Of a function as a whole (`$LATEST`), or of an alias. */
export async function findUrl(db: Reader, { accountId, region, name }: FunctionKey, alias: string | undefined): Promise<UrlRecord | undefined> {
  const [row] = await db.query(sql`
    select * from lambda_urls where account_id = ${accountId} and region = ${region} and name = ${name} and qualifier = ${alias ?? ''}`)
  return row && urlOf(row)
}

export async function findUrlById(db: Reader, urlId: string): Promise<UrlRecord | undefined> {
  const [row] = await db.query(sql`select * from lambda_urls where url_id = ${urlId}`)
  return row && urlOf(row)
}

/** A page of a function's addresses, that of `$LATEST` first, then by alias, after `after`. */
export async function listUrls(
  db: Reader, { accountId, region, name, after, limit }: FunctionKey & { after: string | undefined, limit: number },
): Promise<UrlRecord[]> {
  const afterwards = after === undefined ? sql`` : sql`and qualifier > ${after}`
  const rows = await db.query(sql`
    select * from lambda_urls where account_id = ${accountId} and region = ${region} and name = ${name} ${afterwards} order by qualifier limit ${limit}`)
  return rows.map(urlOf)
}

export const urlTransactions = defineTransactions('lambda', {
  /** Conflicts: `missing`, `alias missing`, `url exists`. */
  async insertUrl(tx, { url }: { url: UrlRecord }): Promise<void> {
    await lockFunction(tx, { key: url, revisionId: undefined })
    if (url.alias !== undefined && !await findAlias(tx, url, url.alias)) throw conflict('alias missing')
    const inserted = await tx.run(sql`
      insert into lambda_urls (account_id, region, name, qualifier, url_id, record)
      values (${url.accountId}, ${url.region}, ${url.name}, ${url.alias ?? ''}, ${url.urlId}, ${plainOf(url)})
      on conflict do nothing`)
    if (inserted === 0) throw conflict('url exists')
    await changed(tx, url)
  },

  /** Conflicts: `url missing`. */
  async updateUrl(tx, { key, alias, change }: {
    key: FunctionKey, alias: string | undefined, change: Partial<Pick<UrlRecord, 'authType' | 'cors' | 'invokeMode'>> & Pick<UrlRecord, 'lastModifiedMs'>
  }): Promise<UrlRecord> {
    const url = await findUrl(tx, key, alias)
    if (!url) throw conflict('url missing')
    const next = { ...url, ...change }
    await tx.run(sql`
      update lambda_urls set record = ${plainOf(next)}
      where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and qualifier = ${alias ?? ''}`)
    await changed(tx, key)
    return next
  },

  /** Conflicts: `url missing`. */
  async deleteUrl(tx, { key, alias }: { key: FunctionKey, alias: string | undefined }): Promise<void> {
    const deleted = await tx.run(sql`
      delete from lambda_urls where account_id = ${key.accountId} and region = ${key.region} and name = ${key.name} and qualifier = ${alias ?? ''}`)
    if (deleted === 0) throw conflict('url missing')
    await changed(tx, key)
  },
})

function plainOf({ authType, cors, invokeMode, createdMs, lastModifiedMs }: UrlRecord): string {
  return JSON.stringify({ authType, cors, invokeMode, createdMs, lastModifiedMs })
}

function urlOf(row: Row): UrlRecord {
  return {
    ...JSON.parse(row['record'] as string) as Pick<UrlRecord, 'authType' | 'cors' | 'invokeMode' | 'createdMs' | 'lastModifiedMs'>,
    accountId: row['account_id'] as string,
    region: row['region'] as string,
    name: row['name'] as string,
    alias: row['qualifier'] === '' ? undefined : row['qualifier'] as string,
    urlId: row['url_id'] as string,
  }
}
