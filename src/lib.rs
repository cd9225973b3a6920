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

cfg_if::cfg_if! {
    if #[cfg(feature = "ssr")] {
        pub mod app;
        pub mod assets;
        pub mod cli;
        pub mod clock;
        pub mod codegen;
        pub mod cognito;
        pub mod config;
        pub mod credentials;
        pub mod database;
        pub mod graphql;
        pub mod http;
        pub mod oauth;
        pub mod ops;
        pub mod router;
        pub mod site;
        pub mod start;
        pub mod telemetry;
        pub mod ui;
    }
}
#[cfg(feature = "hydrate")]
pub mod hydrate;
