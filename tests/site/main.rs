//! Tests of the running site, from outside.
//!
//! Every test starts the real router on a real listener (or the real binary) with a
//! new database, does what a person or a program would do, checks the answer, and
//! then checks with a separate connection what is stored. The database is a file; if
//! `SITE_TEST_POSTGRES` names a server, it is a new one on that; with
//! the address of a pooler in `SITE_TEST_POOLER`, a site in this process and the processes of
//! `Several` reach it through that. Tests about
//! PostgreSQL always use a server. Modules are topics; the name of a test is the
//! sentence that it proves.

mod account;
mod accounts;
mod addresses;
mod admin;
mod admin_lists;
mod api_keys;
mod approval;
mod authorization;
mod authors;
mod avif;
mod backup;
mod codegen;
mod cognito;
mod cognito_mail;
mod command_line;
mod commits;
mod conflicts;
mod copy;
mod corpus;
mod cross_site;
mod doctor;
mod documents;
mod doors;
mod drafts;
mod encrypted_backups;
mod errors;
mod events;
mod export;
mod failover;
mod feeds;
mod filters;
mod floods;
mod get;
mod graphiql;
mod graphql;
mod headers;
mod hostile;
mod idempotency;
mod import;
mod import_folders;
mod kept_answers;
mod kept_pages;
mod kept_texts;
mod killed;
mod limits;
mod logs;
mod look;
mod mail;
mod many_processes;
mod media;
mod metrics;
mod migrations;
mod neighbours;
mod nesting;
mod noise;
mod null_content;
mod objects;
mod operation;
mod other_exports;
mod own_backups;
mod packages;
mod page_images;
mod paging;
mod passkeys;
mod pooler;
mod posts;
mod realtime;
mod recovery;
mod rendered_posts;
mod rendering;
mod replica;
mod restarts;
mod revisions;
mod running_a_site;
mod schema;
mod search;
mod search_page;
mod service;
mod sessions;
mod shared;
mod site_pictures;
mod site_settings;
mod specification;
mod srp;
mod stored_backups;
mod support;
mod throttle;
mod tls;
mod together;
mod tokens;
mod traces;
mod trash;
mod trust;
mod two_factor;
mod verification;
