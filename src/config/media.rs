//! The settings of pictures.

use clap::Args;
use serde::Deserialize;

/// How much an author's pictures may take (setting `media.quota`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaQuota {
    mib: u32,
}

impl MediaQuota {
    /// In MiB, unless set otherwise.
    pub const DEFAULT: u32 = 500;

    /// So many MiB; 0 for a site that takes no pictures.
    #[must_use]
    pub const fn of_mib(mib: u32) -> Self {
        Self { mib }
    }

    /// Whether pictures are taken at all.
    #[must_use]
    pub const fn takes_pictures(self) -> bool {
        self.mib > 0
    }

    #[must_use]
    pub fn bytes(self) -> i64 {
        i64::from(self.mib) * 1024 * 1024
    }
}

#[derive(Args, Clone, Copy, Debug, Default)]
pub struct MediaFlags {
    /// Memory for the pictures of an author in the database, in MiB; 0 for no pictures [default: 500]
    #[arg(long, global = true, env = "BYLINE_MEDIA_QUOTA", value_name = "MIB")]
    pub media_quota: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MediaFile {
    quota: Option<u32>,
}

pub(super) fn quota(flags: MediaFlags, file: MediaFile) -> MediaQuota {
    MediaQuota::of_mib(flags.media_quota.or(file.quota).unwrap_or(MediaQuota::DEFAULT))
}
