//! The running site, tried from outside.
//!
//! Every test starts the real router on a real listener (or the real binary)
//! over a fresh database, does what a person or a program would do, looks at
//! the answer, and then asks the database, by a connection of its own, what is
//! stored. The database is a file, or where `SITE_TEST_POSTGRES` names a
//! server, one of its own on that; tests about PostgreSQL always have one.
//! Modules are topics; a test's name is the sentence that it proves.

mod accounts;
mod api_keys;
mod authorization;
mod codegen;
mod cognito;
mod command_line;
mod commits;
mod conflicts;
mod copy;
mod cross_site;
mod documents;
mod doors;
mod errors;
mod events;
mod filters;
mod floods;
mod get;
mod graphiql;
mod graphql;
mod headers;
mod hostile;
mod idempotency;
mod kept_answers;
mod kept_pages;
mod kept_texts;
mod killed;
mod limits;
mod logs;
mod many_processes;
mod migrations;
mod neighbours;
mod nesting;
mod noise;
mod null_content;
mod operation;
mod paging;
mod posts;
mod realtime;
mod rendered_posts;
mod rendering;
mod replica;
mod restarts;
mod schema;
mod search;
mod sessions;
mod shared;
mod support;
mod tls;
mod together;
mod tokens;
mod trust;
