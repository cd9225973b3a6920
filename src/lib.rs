//! Byline: a place to publish posts that one person can run.
//!
//! # A map of the crate
//!
//! A room uses only what stands below it; a test holds that. From the top:
//!
//! | room | what |
//! | --- | --- |
//! | `cli` | the command line |
//! | `router`, `start` | which path goes where, through which layers: begin to read there; a site put together |
//! | `app` | the document around every page |
//! | `codegen` | what front ends of AWS Amplify are given |
//! | `graphql`, `cognito`, `oauth` | the three wires for programs |
//! | `ops` | what whoever runs the site starts |
//! | [`posts`], [`accounts`] | the features: types that both halves share, server functions (`api`), islands; and behind `ssr` their `pages`, `forms` and `domain` |
//! | `http` | the shell: layers, forms, calls, pages, what is kept ready, limits, TLS |
//! | `credentials` | who is asking, and how that was proven |
//! | `ui` | view parts that pages share |
//! | `site`, `assets`, `config`, `telemetry`, `database` | what requests share; what the binary carries; settings; the log; both engines |
//! | [`error`], [`text`], [`timestamp`], [`username`] | the ground |
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
