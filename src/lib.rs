//! Byline: a place to publish posts that one person can run.
//!
//! # A map of the crate
//!
//! A module uses only what is below it; a test checks that. From the top:
//!
//! | module | what |
//! | --- | --- |
//! | `cli` | the command line |
//! | `router`, `start`, `metrics` | which path goes where, through which layers (start reading there); puts a site together; numbers for Prometheus |
//! | `app` | the document around every page |
//! | `codegen` | files for front ends of AWS Amplify |
//! | `graphql`, `cognito`, `oauth` | the three protocols for programs |
//! | `ops` | backups, copy, demo data, housekeeping |
//! | `feeds` | feeds of posts, the map of the site, the rules for crawlers |
//! | [`posts`], [`accounts`] | the features: types that both builds share, server functions (`api`), islands; and with `ssr` their `pages`, `forms` and `domain` |
//! | [`media`] | pictures that authors upload; beside `accounts`, below `posts` |
//! | `site_settings` | what the site calls itself and whom it takes, while it runs |
//! | `http` | the web layer: layers, forms, calls, pages, caches, limits, TLS |
//! | `mail` | what is written to people: letters, the outbox, mail servers |
//! | `credentials` | who is asking, and the proof |
//! | `ui` | view parts that pages share |
//! | `site`, `assets`, `drawing`, `objects` | shared state; embedded files; images of words; object stores |
//! | `config`, `telemetry`, `database` | settings; the log; both engines |
//! | [`error`], [`text`], [`timestamp`], [`username`] | the base, which everything may use |
//!
//! The crate is built twice: with `ssr` as the binary, with `hydrate` as the
//! WebAssembly of the islands. A feature turns whole modules on or off.

#![recursion_limit = "256"]

pub mod accounts;
pub mod error;
pub mod media;
pub mod posts;
pub mod text;
pub mod timestamp;
pub mod username;

cfg_if::cfg_if! {
    if #[cfg(feature = "ssr")] {
        pub mod admin;
        pub mod app;
        pub mod assets;
        pub mod cli;
        pub mod clock;
        pub mod codegen;
        pub mod cognito;
        pub mod config;
        pub mod credentials;
        pub mod database;
        pub mod drawing;
        pub mod feeds;
        pub mod graphql;
        pub mod http;
        pub mod mail;
        pub mod metrics;
        pub mod oauth;
        pub mod objects;
        pub mod ops;
        pub mod router;
        pub mod site;
        pub mod site_settings;
        pub mod start;
        pub mod telemetry;
        pub mod ui;
    }
}
#[cfg(feature = "hydrate")]
pub mod hydrate;
