//! The settings of pictures.

use std::{fmt, str::FromStr};

use clap::Args;
use secrecy::SecretString;
use serde::Deserialize;

use super::{database_url::UrlSetting, error::StartError};

/// What an address of an object store begins with.
pub const S3: &str = "s3://";

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

/// The object store that takes the files of pictures (setting `media.url`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaUrl {
    bucket: String,
    /// Without a slash at either end; empty for the whole bucket.
    prefix: String,
}

impl MediaUrl {
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What the address of every object there begins with.
    #[must_use]
    pub fn start(&self) -> String {
        format!("{self}/")
    }
}

impl fmt::Display for MediaUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "{S3}{}{slash}{}", self.bucket, self.prefix)
    }
}

/// Why a text names no object store. It never shows the text, in which somebody may have
/// written a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaUrlError {
    #[error("this is no place for pictures; write s3://bucket or s3://bucket/prefix")]
    Scheme,
    #[error(
        "the name of a bucket has 3 to 63 small letters, digits, dots and hyphens; the address of the server goes into AWS_ENDPOINT_URL, and its keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )]
    Bucket,
    #[error(
        "a prefix is made of letters, digits, dots, hyphens and underscores, with one slash between its parts, of 200 bytes at most"
    )]
    Prefix,
}

impl FromStr for MediaUrl {
    type Err = MediaUrlError;

    fn from_str(raw: &str) -> Result<Self, MediaUrlError> {
        /// What a key may have before the name of a file.
        const MAX_PREFIX: usize = 200;

        let place = raw.strip_prefix(S3).ok_or(MediaUrlError::Scheme)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let is_bucket = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|b| is_plain(b) || matches!(b, b'.' | b'-'))
            && [bucket.bytes().next(), bucket.bytes().last()].iter().flatten().all(|b| is_plain(*b))
            && !bucket.contains("..");
        if !is_bucket {
            return Err(MediaUrlError::Bucket);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_part = |part: &str| {
            let is_named = !matches!(part, "" | "." | "..");
            is_named && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        if !prefix.is_empty() && (prefix.len() > MAX_PREFIX || !prefix.split('/').all(is_part)) {
            return Err(MediaUrlError::Prefix);
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// The variables `AWS_…`: where an object store is reached, and by which key. They are no
/// settings of Byline, because other programs read them in the same way.
#[derive(Clone, Debug, Default)]
pub struct AwsVariables(pub Vec<(String, SecretString)>);

impl AwsVariables {
    /// Those of this process.
    #[must_use]
    pub fn of_environment() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?.into())));
        Self(variables.filter(|(name, _)| name.starts_with("AWS_")).collect())
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
) -> Result<(MediaQuota, Option<MediaUrl>), StartError> {
    let quota = MediaQuota::of_mib(flags.media_quota.or(file.quota).unwrap_or(MediaQuota::DEFAULT));
    let url = flags.media_url.or(file.url).map(|raw| URL.value(&raw, str::parse::<MediaUrl>));
    Ok((quota, url.transpose()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_for_pictures_is_a_bucket_and_perhaps_a_prefix() {
        for (raw, bucket, start) in [
            ("s3://pictures", "pictures", "s3://pictures/"),
            ("s3://pictures/", "pictures", "s3://pictures/"),
            ("s3://my.pictures-1/Of_the/blog.2/", "my.pictures-1", "s3://my.pictures-1/Of_the/blog.2/"),
        ] {
            let url: MediaUrl = raw.parse().unwrap();
            assert_eq!((url.bucket(), url.start().as_str()), (bucket, start), "{raw}");
            assert_eq!(url.to_string().parse(), Ok(url), "{raw}");
        }
    }

    #[test]
    fn what_is_no_bucket_or_leaves_it_is_refused_and_never_shown() {
        use MediaUrlError::{Bucket, Prefix, Scheme};
        for (raw, error) in [
            ("", Scheme),
            ("pictures", Scheme),
            ("S3://pictures", Scheme),
            ("https://s3.example.org/pictures", Scheme),
            ("gs://pictures", Scheme),
            ("s3://", Bucket),
            ("s3://ab", Bucket),
            ("s3://canary:canary@pictures", Bucket),
            ("s3://s3.example.org:9000/pictures", Bucket),
            ("s3://Pictures", Bucket),
            ("s3://-pictures", Bucket),
            ("s3://pic..tures", Bucket),
            ("s3:///pictures", Bucket),
            ("s3://pictures/../others", Prefix),
            ("s3://pictures/a/./b", Prefix),
            ("s3://pictures//a", Prefix),
            ("s3://pictures/a//", Prefix),
            ("s3://pictures/a%2f..", Prefix),
            ("s3://pictures/a?region=canary", Prefix),
            ("s3://pictures/a b", Prefix),
        ] {
            assert_eq!(raw.parse::<MediaUrl>(), Err(error), "{raw}");
            let flags = MediaFlags { media_url: Some(raw.to_owned()), ..MediaFlags::default() };
            let said = settings(flags, MediaFile::default()).unwrap_err().to_string();
            assert!(said.starts_with("media.url: ") && !said.contains("canary"), "{said}");
        }
    }

    #[test]
    fn a_secret_key_is_never_printed() {
        let variables = AwsVariables(vec![("AWS_SECRET_ACCESS_KEY".to_owned(), "canary".into())]);
        assert!(!format!("{variables:?}").contains("canary"));
    }
}
