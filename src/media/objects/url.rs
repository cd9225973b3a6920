//! Where an object is: `s3://bucket/key`.

use std::fmt;

use object_store::path::Path;

use crate::{
    config::{MediaUrl, S3},
    database::internal,
    error::AppError,
    media::address::{self, Hash},
};

/// Where an object is. No two uploads have the same: so what one process removes, another
/// cannot have uploaded again meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectUrl {
    bucket: String,
    key: Path,
}

impl ObjectUrl {
    /// For a new object: a file of that name, of the picture with that hash.
    ///
    /// # Errors
    /// [`AppError::Internal`] for a name that is none of a file.
    pub fn new(place: &MediaUrl, hash: &Hash, name: &str) -> Result<Self, AppError> {
        if address::media_type(name).is_none() {
            return Err(internal("an object gets no other name than that of a file"));
        }
        let upload = uuid::Uuid::now_v7().simple();
        Self::from_stored(&format!("{}{}/{upload}/{name}", place.start(), hash.as_str()))
    }

    /// As a row has it.
    ///
    /// # Errors
    /// [`AppError::Internal`] where a row was changed by somebody else.
    pub fn from_stored(stored: &str) -> Result<Self, AppError> {
        let wrong = || internal("a stored address of an object breaks the rules");
        let (bucket, key) =
            stored.strip_prefix(S3).and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
        // Refuses empty parts, and those that lead elsewhere.
        let key = Path::parse(key).map_err(|_| wrong())?;
        if key.as_ref().is_empty() { Err(wrong()) } else { Ok(Self { bucket: bucket.to_owned(), key }) }
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
    fn an_object_is_below_the_prefix_and_no_two_uploads_have_the_same() {
        let place: MediaUrl = "s3://pictures/of/blog".parse().unwrap();
        let hash = Hash::of(b"a picture");
        let name = format!("{}-1x1.png", hash.as_str());
        let new = || ObjectUrl::new(&place, &hash, &name).unwrap();
        let (one, other) = (new(), new());
        assert_ne!(one, other);
        assert_eq!(one.bucket(), "pictures");
        let start = format!("s3://pictures/of/blog/{}/", hash.as_str());
        assert!(
            one.to_string().starts_with(&start) && one.to_string().ends_with(&format!("/{name}")),
            "{one}"
        );
        assert_eq!(ObjectUrl::from_stored(&one.to_string()), Ok(one));
    }

    #[test]
    fn nothing_leads_out_of_the_prefix() {
        let place: MediaUrl = "s3://pictures/of/blog".parse().unwrap();
        for name in ["../../x", "..", ".", "", "a/../../b", "/x", "a//b"] {
            assert!(ObjectUrl::new(&place, &Hash::of(b""), name).is_err(), "{name}");
        }
        for stored in
            ["", "pictures/x", "s3://pictures", "s3://pictures/", "s3://pictures/../x", "file:///etc/passwd"]
        {
            assert!(ObjectUrl::from_stored(stored).is_err(), "{stored}");
        }
    }
}
