// The tables of Lambda. Code is kept once per content; a function's row says which.

import type { Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'lambda-001-functions',
    text: `
      create table lambda_functions (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        id {text} not null,
        revision_id {text} not null,
        code_sha256 {text} not null,
        record {text} not null,
        environment {bytes},
        policy {text} not null,
        tags {text} not null,
        primary key (account_id, region, name)
      );
      create index lambda_functions_by_code on lambda_functions (code_sha256);
      create table lambda_code (
        sha256 {text} primary key,
        archive {bytes} not null
      );
    `,
  },
]
