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
  {
    id: 'lambda-002-versions-aliases-urls-layers',
    text: `
      alter table lambda_functions add column next_version {integer} not null default 1;
      create table lambda_versions (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        version {integer} not null,
        revision_id {text} not null,
        code_sha256 {text} not null,
        record {text} not null,
        environment {bytes},
        policy {text} not null,
        primary key (account_id, region, name, version)
      );
      create index lambda_versions_by_code on lambda_versions (code_sha256);
      create table lambda_aliases (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        alias {text} not null,
        revision_id {text} not null,
        function_version {text} not null,
        record {text} not null,
        policy {text} not null,
        primary key (account_id, region, name, alias)
      );
      create table lambda_urls (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        qualifier {text} not null,
        url_id {text} not null unique,
        record {text} not null,
        primary key (account_id, region, name, qualifier)
      );
      create table lambda_layers (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        next_version {integer} not null,
        primary key (account_id, region, name)
      );
      create table lambda_layer_versions (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        version {integer} not null,
        code_sha256 {text} not null,
        record {text} not null,
        policy {text} not null,
        policy_revision_id {text} not null,
        primary key (account_id, region, name, version)
      );
      create index lambda_layer_versions_by_code on lambda_layer_versions (code_sha256);
      create table lambda_layer_uses (
        account_id {text} not null,
        region {text} not null,
        name {text} not null,
        version {text} not null,
        code_sha256 {text} not null,
        primary key (account_id, region, name, version, code_sha256)
      );
      create index lambda_layer_uses_by_code on lambda_layer_uses (code_sha256);
    `,
  },
]
