//! What a front end needs to know about a site.

use crate::config::{ConflictDetection, PublicUrl};

/// What a front end has to know of a site.
#[derive(Clone, Debug)]
pub struct Backend {
    pub public_url: PublicUrl,
    /// The key that everyone may have. Without one, nobody reads who has not signed in.
    pub public_key: Option<String>,
    /// Whether changes name the version that they started from.
    pub conflict_detection: ConflictDetection,
    /// How calls prove who asks unless they say otherwise.
    pub default_auth: DefaultAuth,
}

/// By what a front end asks where a call names no mode: `--default-auth`, and
/// `default-auth` in the address of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DefaultAuth {
    /// The public API key, which reads all posts and changes none
    ApiKey,
    /// The token of whoever has signed in
    #[default]
    UserPools,
}
