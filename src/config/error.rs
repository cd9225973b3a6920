//! Why Byline does not start.

use std::{io, net::SocketAddr};

use async_graphql::dynamic::SchemaError;

use super::{argon2::CostError, secret_key::SecretKeyError};
use crate::{database::OpenError, error::AppError};

/// Why Byline does not start: always one sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file of settings, or one that they name, that cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Unreadable { path: String, cause: io::Error },
    /// A file of settings, or one that they name, that is wrong.
    #[error("{path}: {problem}")]
    File {
        path: String,
        /// Where and why, in one line.
        problem: String,
    },
    /// An unknown `BYLINE_…` variable; most likely misspelt.
    #[error("the environment has {name}, which is no setting of Byline{}", did_you_mean(meant.as_deref()))]
    UnknownVariable {
        /// As written in the file or the environment.
        name: String,
        /// The known setting with the most similar name.
        meant: Option<String>,
    },
    #[error("{setting}: {problem}")]
    Value { setting: &'static str, problem: String },
    #[error(transparent)]
    Argon2(#[from] CostError),
    /// The schema and the resolvers do not match: a fault of this binary.
    #[error("the schema of the GraphQL API cannot be put together: {0}")]
    Schema(SchemaError),
    #[error(transparent)]
    SecretKey(#[from] SecretKeyError),
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error("the settings of the site cannot be read: {0}")]
    SiteSettings(AppError),
    /// The port is in use, or the address is not this machine's.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        cause: io::Error,
    },
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"))
}
