// The tables of API Gateway v2. An API's configuration is one document, because it is edited, frozen and imported as a whole.

import type { Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'apigatewayv2-001-apis',
    text: `
      create table apigatewayv2_apis (
        id {text} primary key,
        account_id {text} not null,
        region {text} not null,
        created_at_ms {integer} not null,
        revision {integer} not null,
        settings {text} not null,
        design {text} not null
      );
      create index apigatewayv2_apis_by_scope on apigatewayv2_apis (account_id, region, created_at_ms, id);
      create table apigatewayv2_deployments (
        api_id {text} not null,
        id {text} not null,
        created_at_ms {integer} not null,
        description {text},
        auto_deployed {integer} not null,
        snapshot {text} not null,
        primary key (api_id, id)
      );
      create table apigatewayv2_stages (
        api_id {text} not null,
        name {text} not null,
        deployment_id {text},
        auto_deploy {integer} not null,
        revision {integer} not null,
        record {text} not null,
        primary key (api_id, name)
      );
      create table apigatewayv2_domains (
        name {text} primary key,
        account_id {text} not null,
        region {text} not null,
        revision {integer} not null,
        record {text} not null
      );
      create index apigatewayv2_domains_by_scope on apigatewayv2_domains (account_id, region, name);
      create table apigatewayv2_mappings (
        domain_name {text} not null,
        id {text} not null,
        mapping_key {text} not null,
        api_id {text} not null,
        stage {text} not null,
        primary key (domain_name, id),
        unique (domain_name, mapping_key)
      );
      create index apigatewayv2_mappings_by_api on apigatewayv2_mappings (api_id, stage);
    `,
  },
]
