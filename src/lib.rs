//! Byline: a place to publish posts that one person can run.
//!
//! # A map of the crate
//!
//! Everything a request touches lies in one line:
//!
//! ```text
//! request → router → credentials (who asks?)
//!             → http::pages (a document)
//!             → http::calls (a form or a script) → posts::api, accounts::api
//!             → graphql, cognito (a program)
//!                 → posts::domain::service, accounts::domain::service
//!                     → policy → store → SQLite or PostgreSQL
//! ```
//!
//! | module | what |
//! | --- | --- |
//! | [`posts`], [`accounts`] | the two features: types both halves share, server functions (`api`), islands; and behind `ssr` their `pages` and `server` rooms |
//! | [`error`] | what a use case can answer instead of a result |
//! | `ui` | view parts that pages share |
//! | `app` | document shell, routes and error pages |
//! | `codegen` | what front ends of AWS Amplify are given |
//! | `cli` | the command line |
//! | [`timestamp`] | a moment, and how it is written |
//! | `credentials` | who is asking, and how that was proven |
//! | `cognito` | sign-up and login for the clients of AWS Amplify |
//! | `graphql` | the API that front ends of AWS Amplify speak |
//! | `server` | configuration, database, router, pages, assets |
//!
//! The crate is built twice: with `ssr` into the binary, with `hydrate` into
//! the WebAssembly that wakes the islands. Whole modules belong to a half.

#![recursion_limit = "256"]

pub mod accounts;
pub mod error;
pub mod posts;
pub mod text;
pub mod timestamp;
pub mod username;

#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod assets;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod clock;
#[cfg(feature = "ssr")]
pub mod codegen;
#[cfg(feature = "ssr")]
pub mod cognito;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod credentials;
#[cfg(feature = "ssr")]
pub mod database;
#[cfg(feature = "ssr")]
pub mod graphql;
#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "hydrate")]
pub mod hydrate;
#[cfg(feature = "ssr")]
pub mod oauth;
#[cfg(feature = "ssr")]
pub mod ops;
#[cfg(feature = "ssr")]
pub mod router;
#[cfg(feature = "ssr")]
pub mod site;
#[cfg(feature = "ssr")]
pub mod start;
#[cfg(feature = "ssr")]
pub mod telemetry;
#[cfg(feature = "ssr")]
pub mod ui;
