// The tables of concurrency: what is reserved for functions, and what is kept ready for versions and aliases.

import type { Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'lambda-concurrency-001',
    text: `
      create table lambda_reserved_concurrency (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        executions {integer} not null,
        primary key (account_id, region, name)
      );
      create table lambda_provisioned_concurrency (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        qualifier {text} not null,
        executions {integer} not null,
        last_modified_ms {integer} not null,
        primary key (account_id, region, name, qualifier)
      );
    `,
  },
]
