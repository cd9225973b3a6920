//! The settings of pictures.

use clap::Args;
use serde::Deserialize;

use super::{database_url::UrlSetting, error::StartError, object_store::StoreUrl};

const URL: UrlSetting = UrlSetting { name: "media.url", of_file: "" };

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

#[derive(Args, Clone, Debug, Default)]
pub struct MediaFlags {
    /// Memory for the pictures of an author, in MiB; 0 for no pictures [default: 500]
    #[arg(long, global = true, env = "BYLINE_MEDIA_QUOTA", value_name = "MIB")]
    pub media_quota: Option<u32>,
    /// Object store for the files of new pictures, like s3://bucket/prefix; AWS_ENDPOINT_URL, AWS_REGION and AWS_ACCESS_KEY_ID say the rest [default: none, they are in the database]
    #[arg(long, global = true, env = "BYLINE_MEDIA_URL", value_name = "URL")]
    pub media_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MediaFile {
    quota: Option<u32>,
    url: Option<String>,
}

/// The quota, and where new pictures are stored, if not in the database.
pub(super) fn settings(
    flags: MediaFlags,
    file: MediaFile,
) -> Result<(MediaQuota, Option<StoreUrl>), StartError> {
    let quota = MediaQuota::of_mib(flags.media_quota.or(file.quota).unwrap_or(MediaQuota::DEFAULT));
    let url = flags.media_url.or(file.url).map(|raw| URL.value(&raw, str::parse::<StoreUrl>));
    Ok((quota, url.transpose()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_wrong_is_named_by_its_setting_and_never_shown() {
        let media_url = Some("s3://canary:canary@pictures".to_owned());
        let flags = MediaFlags { media_url, ..MediaFlags::default() };
        let said = settings(flags, MediaFile::default()).unwrap_err().to_string();
        assert!(said.starts_with("media.url: ") && !said.contains("canary"), "{said}");
    }
}
