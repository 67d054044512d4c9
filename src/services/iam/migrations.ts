// The tables of IAM. What belongs to a user, role or group refers to its id, so that it survives a rename and ends with the principal.

import type { Migration } from '#storage/database.ts'

export const migrations: Migration[] = [
  {
    id: 'iam-001-principals',
    text: `
      create table iam_accounts (
        account_id {text} primary key,
        created_at_ms {integer} not null
      );
      create table iam_entities (
        account_id {text} not null,
        kind {text} not null,
        name_key {text} not null,
        name {text} not null,
        path {text} not null,
        entity_id {text} not null unique,
        created_at_ms {integer} not null,
        description {text},
        trust_policy {text},
        max_session_seconds {integer},
        boundary_arn {text},
        tags {text} not null,
        primary key (account_id, kind, name_key)
      );
      create table iam_memberships (
        group_id {text} not null,
        user_id {text} not null,
        primary key (group_id, user_id)
      );
      create index iam_memberships_by_user on iam_memberships (user_id);
      create table iam_access_keys (
        access_key_id {text} primary key,
        account_id {text} not null,
        owner_id {text} not null,
        status {text} not null,
        sealed_secret {text} not null,
        from_settings {integer} not null,
        created_at_ms {integer} not null
      );
      create index iam_access_keys_by_owner on iam_access_keys (owner_id)`,
  },
  {
    id: 'iam-002-policies',
    text: `
      create table iam_inline_policies (
        owner_id {text} not null,
        policy_name {text} not null,
        document {text} not null,
        primary key (owner_id, policy_name)
      );
      create table iam_policies (
        arn {text} primary key,
        account_id {text} not null,
        name_key {text} not null,
        name {text} not null,
        path {text} not null,
        policy_id {text} not null unique,
        description {text},
        default_version {integer} not null,
        last_version {integer} not null,
        created_at_ms {integer} not null,
        updated_at_ms {integer} not null,
        tags {text} not null,
        unique (account_id, name_key)
      );
      create table iam_policy_versions (
        policy_arn {text} not null,
        version {integer} not null,
        document {text} not null,
        created_at_ms {integer} not null,
        primary key (policy_arn, version)
      );
      create table iam_attachments (
        account_id {text} not null,
        owner_id {text} not null,
        policy_arn {text} not null,
        primary key (owner_id, policy_arn)
      );
      create index iam_attachments_by_policy on iam_attachments (policy_arn, account_id)`,
  },
  {
    id: 'iam-003-oidc-providers',
    text: `
      create table iam_oidc_providers (
        arn {text} primary key,
        account_id {text} not null,
        url {text} not null,
        client_ids {text} not null,
        thumbprints {text} not null,
        tags {text} not null,
        created_at_ms {integer} not null
      );
      create index iam_oidc_providers_by_account on iam_oidc_providers (account_id)`,
  },
]
