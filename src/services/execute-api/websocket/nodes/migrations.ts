// The tables of processes that share a store: who is there, what they ask each other, and what they answered. All rows are short-lived.

import type { Migration } from '#storage/database.ts'

/** A request is deleted by the process that takes it; the answer to `asking_tag` and `number` is deleted by the one that asked. */
export const migrations: Migration[] = [
  {
    id: 'execute-api-nodes-001',
    text: `
      create table execute_api_nodes (
        tag {text} primary key,
        alive_until_ms {integer} not null
      );
      create table execute_api_node_requests (
        seq {serial},
        asking_tag {text} not null,
        number {integer} not null,
        owner_tag {text} not null,
        deadline_ms {integer} not null,
        record {text} not null,
        message {bytes}
      );
      create unique index execute_api_node_requests_by_asking on execute_api_node_requests (asking_tag, number);
      create index execute_api_node_requests_by_owner on execute_api_node_requests (owner_tag, seq);
      create index execute_api_node_requests_by_deadline on execute_api_node_requests (deadline_ms);
      create table execute_api_node_answers (
        asking_tag {text} not null,
        number {integer} not null,
        deadline_ms {integer} not null,
        answer {text} not null,
        primary key (asking_tag, number)
      );
      create index execute_api_node_answers_by_deadline on execute_api_node_answers (deadline_ms);
    `,
  },
]
