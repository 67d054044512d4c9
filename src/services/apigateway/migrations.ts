// The tables of API Gateway. An API's configuration is one document, because it is edited, frozen and imported as a whole.

import type { Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'apigateway-001-apis',
    text: `
      create table apigateway_apis (
        id {text} primary key,
        account_id {text} not null,
        region {text} not null,
        created_at_ms {integer} not null,
        revision {integer} not null,
        settings {text} not null,
        design {text} not null
      );
      create index apigateway_apis_by_scope on apigateway_apis (account_id, region, created_at_ms, id);
      create table apigateway_deployments (
        api_id {text} not null,
        id {text} not null,
        created_at_ms {integer} not null,
        description {text},
        snapshot {text} not null,
        primary key (api_id, id)
      );
      create table apigateway_stages (
        api_id {text} not null,
        name {text} not null,
        deployment_id {text} not null,
        revision {integer} not null,
        record {text} not null,
        primary key (api_id, name)
      );
    `,
  },
]
