//! Where an object is: `s3://bucket/key`.

use std::fmt;

use object_store::path::Path;

use crate::{
    config::{S3, StoreUrl},
    database::internal,
    error::AppError,
};

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectUrl {
    bucket: String,
    key: Path,
}

impl ObjectUrl {
    /// Of the object that has this name: the prefix of the place is its whole key. `None` for
    /// a place that is a whole bucket.
    #[must_use]
    pub fn named(place: &StoreUrl) -> Option<Self> {
        let key = Path::parse(place.prefix()).ok().filter(|key| !key.as_ref().is_empty())?;
        Some(Self { bucket: place.bucket().to_owned(), key })
    }

    /// Of an object below a place. `None` for a name that leads out of it.
    #[must_use]
    pub fn below(place: &StoreUrl, name: &str) -> Option<Self> {
        let address = format!("{}{name}", place.start());
        // A name that is empty, or ends with a slash, would be another object.
        Self::parse(&address).filter(|url| url.to_string() == address)
    }

    /// As a row has it.
    ///
    /// # Errors
    /// [`AppError::Internal`] where a row was changed by somebody else.
    pub fn from_stored(stored: &str) -> Result<Self, AppError> {
        Self::parse(stored).ok_or_else(|| internal("a stored address of an object breaks the rules"))
    }

    fn parse(address: &str) -> Option<Self> {
        let (bucket, key) = address.strip_prefix(S3)?.split_once('/')?;
        // Refuses empty parts, and those that lead elsewhere.
        let key = Path::parse(key).ok().filter(|key| !key.as_ref().is_empty())?;
        Some(Self { bucket: bucket.to_owned(), key })
    }

    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    #[must_use]
    pub fn key(&self) -> &Path {
        &self.key
    }
}

impl fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{S3}{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_prefix() {
        let place: StoreUrl = "s3://pictures/of/blog".parse().unwrap();
        for name in ["../../x", "..", ".", "", "a/../../b", "/x", "a//b"] {
            assert!(ObjectUrl::below(&place, name).is_none(), "{name}");
        }
        let below = ObjectUrl::below(&place, "a/b.png").unwrap();
        assert_eq!(below.to_string(), "s3://pictures/of/blog/a/b.png");
        assert_eq!(ObjectUrl::from_stored(&below.to_string()), Ok(below));
        assert_eq!(ObjectUrl::named(&place).unwrap().to_string(), "s3://pictures/of/blog");
        assert_eq!(ObjectUrl::named(&"s3://pictures".parse().unwrap()), None);
        for stored in
            ["", "pictures/x", "s3://pictures", "s3://pictures/", "s3://pictures/../x", "file:///etc/passwd"]
        {
            assert!(ObjectUrl::from_stored(stored).is_err(), "{stored}");
        }
    }
}
