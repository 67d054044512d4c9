// The tables of the core store that DynamoDB's tables live in.

import type { Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'dynamodb-001-tables-items',
    text: `
      create table dynamodb_tables (
        id {serial},
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        table_id {text} not null,
        created_at_ms {integer} not null,
        settings {text} not null
      );
      create unique index dynamodb_tables_by_name on dynamodb_tables (account_id, region, name);

      create table dynamodb_items (
        table_id {integer} not null,
        partition_key {bytes} not null,
        sort_key {bytes} not null,
        bytes {integer} not null,
        item {text} not null,
        primary key (table_id, partition_key, sort_key)
      );

      create table dynamodb_purges (
        table_id {integer} primary key
      )
    `,
  },
]
