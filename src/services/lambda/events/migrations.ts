// The tables of asynchronous invocation: events that wait or run, events that were given up, and what each function's callers configured.

import type { Migration } from '#storage/database.ts'

/** `queue` is account, region and name of a function, with slashes between; `lease` names the process that runs the event, until `due_at_ms`. */
export const migrations: Migration[] = [
  {
    id: 'lambda-events-001',
    text: `
      create table lambda_events (
        id {text} primary key,
        queue {text} not null,
        due_at_ms {integer} not null,
        lease {text} not null,
        accepted_at_ms {integer} not null,
        record {text} not null,
        payload {bytes} not null
      );
      create index lambda_events_by_queue on lambda_events (queue, due_at_ms);
      create table lambda_given_up_events (
        id {text} primary key,
        account_id {text} not null,
        given_up_at_ms {integer} not null,
        record {text} not null,
        payload {bytes} not null
      );
      create index lambda_given_up_events_by_account on lambda_given_up_events (account_id, given_up_at_ms);
      create index lambda_given_up_events_by_age on lambda_given_up_events (given_up_at_ms);
      create table lambda_event_invoke_configs (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        qualifier {text} not null,
        record {text} not null,
        primary key (account_id, region, name, qualifier)
      );
    `,
  },
]
