// SQL of archives: code is kept once per content, as long as a function, a version, a layer version or a use of one refers to it.

import { sql, type Reader, type Transaction } from '#storage/database.ts'

export async function findArchive(db: Reader, sha256: string): Promise<Buffer | undefined> {
  const [row] = await db.query(sql`select archive from lambda_code where sha256 = ${sha256}`)
  if (!row) return undefined
  const bytes = row['archive'] as Uint8Array
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export async function saveArchive(tx: Transaction, sha256: string, archive: Uint8Array): Promise<void> {
  await tx.run(sql`insert into lambda_code (sha256, archive) values (${sha256}, ${archive}) on conflict do nothing`)
}

export async function deleteUnusedArchive(tx: Transaction, sha256: string): Promise<void> {
  await tx.run(sql`
    delete from lambda_code where sha256 = ${sha256}
      and not exists (select 1 from lambda_functions where code_sha256 = ${sha256})
      and not exists (select 1 from lambda_versions where code_sha256 = ${sha256})
      and not exists (select 1 from lambda_layer_versions where code_sha256 = ${sha256})
      and not exists (select 1 from lambda_layer_uses where code_sha256 = ${sha256})`)
}
