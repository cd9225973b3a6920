//! What a front end needs to know about a site.

use crate::config::{ConflictDetection, PublicUrl};

/// What a front end has to know of a site.
#[derive(Clone, Debug)]
pub struct Backend {
    pub public_url: PublicUrl,
    /// The public key. Without it, only people who have signed in can read.
    pub public_key: Option<String>,
    /// Whether changes name the version that they started from.
    pub conflict_detection: ConflictDetection,
    /// Whether people may log in by SRP, as clients do by default.
    pub has_srp: bool,
    /// How calls prove who asks unless they say otherwise.
    pub default_auth: DefaultAuth,
}

/// How a call without a mode proves who asks: `--default-auth`, and
/// `default-auth` in the URL of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DefaultAuth {
    /// The public API key, which reads all posts and changes none
    ApiKey,
    /// The token of whoever has signed in
    #[default]
    UserPools,
}
