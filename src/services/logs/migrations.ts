// The tables of the logs store.

import type { Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'logs-001-groups-streams-events',
    text: `
      create table log_groups (
        id {serial},
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        created_at_ms {integer} not null,
        class {text} not null,
        retention_days {integer},
        deletion_protected {integer} not null,
        tags {text} not null,
        event_bytes {integer} not null
      );
      create unique index log_groups_by_name on log_groups (account_id, region, name);

      create table log_streams (
        id {serial},
        group_id {integer} not null,
        name {text} not null,
        created_at_ms {integer} not null,
        first_event_at_ms {integer},
        last_event_at_ms {integer},
        last_ingested_at_ms {integer}
      );
      create unique index log_streams_by_name on log_streams (group_id, name);
      create index log_streams_by_time on log_streams (group_id, last_event_at_ms);

      create table log_events (
        id {serial},
        group_id {integer} not null,
        stream_id {integer} not null,
        at_ms {integer} not null,
        ingested_at_ms {integer} not null,
        bytes {integer} not null,
        message {text} not null
      );
      create index log_events_by_stream on log_events (stream_id, at_ms, id);
      create index log_events_by_group on log_events (group_id, at_ms, id);

      create table log_purges (
        id {serial},
        group_id {integer},
        stream_id {integer}
      );

      create table log_usage (
        id {integer} primary key,
        event_bytes {integer} not null
      )
    `,
  },
  {
    id: 'logs-002-traces',
    text: `
      create table traces (
        id {serial},
        request_id {text} not null,
        account_id {text} not null,
        at_ms {integer} not null,
        bytes {integer} not null,
        record {text} not null
      );
      create index traces_by_request on traces (request_id);
      create index traces_by_account on traces (account_id, id)
    `,
  },
]
