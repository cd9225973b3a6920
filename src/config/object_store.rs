//! Object stores: S3, or servers that are spoken to in the same way. A setting names a place
//! there, and variables that other programs read too say how it is reached.

use std::{fmt, str::FromStr};

use secrecy::SecretString;

/// What an address of an object store begins with.
pub const S3: &str = "s3://";

/// A place in an object store (settings `media.url` and `backup.to`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreUrl {
    bucket: String,
    /// Without a slash at either end; empty for the whole bucket.
    prefix: String,
}

impl StoreUrl {
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Empty for the whole bucket.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the address of every object there begins with.
    #[must_use]
    pub fn start(&self) -> String {
        format!("{self}/")
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "{S3}{}{slash}{}", self.bucket, self.prefix)
    }
}

/// Why a text names no object store. It never shows the text, in which somebody may have
/// written a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreUrlError {
    #[error("this is no place in an object store; write s3://bucket or s3://bucket/prefix")]
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

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(raw: &str) -> Result<Self, StoreUrlError> {
        /// What a key may have before the name of a file.
        const MAX_PREFIX: usize = 200;

        let place = raw.strip_prefix(S3).ok_or(StoreUrlError::Scheme)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let is_bucket = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|b| is_plain(b) || matches!(b, b'.' | b'-'))
            && [bucket.bytes().next(), bucket.bytes().last()].iter().flatten().all(|b| is_plain(*b))
            && !bucket.contains("..");
        if !is_bucket {
            return Err(StoreUrlError::Bucket);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_part = |part: &str| {
            let is_named = !matches!(part, "" | "." | "..");
            is_named && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        if !prefix.is_empty() && (prefix.len() > MAX_PREFIX || !prefix.split('/').all(is_part)) {
            return Err(StoreUrlError::Prefix);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_bucket_and_perhaps_a_prefix() {
        for (raw, bucket, start) in [
            ("s3://pictures", "pictures", "s3://pictures/"),
            ("s3://pictures/", "pictures", "s3://pictures/"),
            ("s3://my.pictures-1/Of_the/blog.2/", "my.pictures-1", "s3://my.pictures-1/Of_the/blog.2/"),
        ] {
            let url: StoreUrl = raw.parse().unwrap();
            assert_eq!((url.bucket(), url.start().as_str()), (bucket, start), "{raw}");
            assert_eq!(url.to_string().parse(), Ok(url), "{raw}");
        }
    }

    #[test]
    fn what_is_no_bucket_or_leaves_it_is_refused_and_never_shown() {
        use StoreUrlError::{Bucket, Prefix, Scheme};
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
            assert_eq!(raw.parse::<StoreUrl>(), Err(error), "{raw}");
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_secret_key_is_never_printed() {
        let variables = AwsVariables(vec![("AWS_SECRET_ACCESS_KEY".to_owned(), "canary".into())]);
        assert!(!format!("{variables:?}").contains("canary"));
    }
}
