//! How much an author may publish (settings under `limits`).

use clap::Args;
use serde::Deserialize;

/// How much an author may publish in an hour; absent for as much as they like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthorLimits {
    /// New posts.
    pub posts: Option<u32>,
    /// Bytes of the texts of new posts, in UTF-8.
    pub bytes: Option<u32>,
}

#[derive(Args, Clone, Copy, Debug, Default)]
pub struct LimitsFlags {
    /// New posts of an author in an hour [default: 0, no limit]
    #[arg(long, global = true, env = "BYLINE_LIMITS_POSTS_PER_HOUR", value_name = "N")]
    pub limits_posts_per_hour: Option<u32>,
    /// Bytes of an author's new posts in an hour [default: 0, no limit]
    #[arg(long, global = true, env = "BYLINE_LIMITS_BYTES_PER_HOUR", value_name = "BYTES")]
    pub limits_bytes_per_hour: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LimitsFile {
    posts_per_hour: Option<u32>,
    bytes_per_hour: Option<u32>,
}

pub(super) fn author_limits(flags: LimitsFlags, file: LimitsFile) -> AuthorLimits {
    let limit = |flag: Option<u32>, file: Option<u32>| flag.or(file).filter(|limit| *limit > 0);
    AuthorLimits {
        posts: limit(flags.limits_posts_per_hour, file.posts_per_hour),
        bytes: limit(flags.limits_bytes_per_hour, file.bytes_per_hour),
    }
}
