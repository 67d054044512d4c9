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
  {
    id: 'apigateway-002-keys-and-plans',
    text: `
      create table apigateway_keys (
        account_id {text} not null,
        region {text} not null,
        id {text} not null,
        fingerprint {text} not null,
        sealed_value {text} not null,
        created_at_ms {integer} not null,
        revision {integer} not null,
        record {text} not null,
        primary key (account_id, region, id),
        unique (account_id, region, fingerprint)
      );
      create table apigateway_plans (
        id {text} primary key,
        account_id {text} not null,
        region {text} not null,
        revision {integer} not null,
        record {text} not null
      );
      create index apigateway_plans_by_scope on apigateway_plans (account_id, region, id);
      create table apigateway_plan_stages (
        plan_id {text} not null,
        api_id {text} not null,
        stage {text} not null,
        primary key (plan_id, api_id, stage)
      );
      create index apigateway_plan_stages_by_stage on apigateway_plan_stages (api_id, stage);
      create table apigateway_plan_keys (
        plan_id {text} not null,
        key_id {text} not null,
        account_id {text} not null,
        region {text} not null,
        primary key (plan_id, key_id)
      );
      create index apigateway_plan_keys_by_key on apigateway_plan_keys (account_id, region, key_id);
      create table apigateway_usage (
        plan_id {text} not null,
        key_id {text} not null,
        day {integer} not null,
        used {integer} not null,
        primary key (plan_id, key_id, day)
      );
      create table apigateway_extensions (
        plan_id {text} not null,
        key_id {text} not null,
        period_start {integer} not null,
        extra {integer} not null,
        primary key (plan_id, key_id)
      );
      create table apigateway_buckets (
        owner {text} not null,
        name {text} not null,
        state {text} not null,
        primary key (owner, name)
      );
    `,
  },
  {
    id: 'apigateway-003-accounts',
    text: `
      create table apigateway_accounts (
        account_id {text} not null,
        region {text} not null,
        record {text} not null,
        primary key (account_id, region)
      );
    `,
  },
]
