//! Names of feeds and of their entries that never change (RFC 4287, 4.2.6), although a site
//! may move, an author may be renamed and a post may get another address: UUIDs as URIs
//! (RFC 9562, 4).

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::{
    credentials::{Secret, UserId},
    posts::{Summary, Tag},
};

/// A post's own id, where that is a UUID. An id that a program chose may exist on other
/// sites too; together with the time of the post it does not.
#[must_use]
pub fn of_post(post: &Summary) -> String {
    let id = post.id.as_str();
    match Uuid::try_parse(id) {
        // As a UUID the same id in capitals would be the same.
        Ok(uuid) if uuid.hyphenated().to_string() == id => urn(uuid),
        _ => derived("post", &[id.as_bytes(), &post.created_at.micros().to_be_bytes()]),
    }
}

/// Not the id of the account itself, which no page shows.
#[must_use]
pub fn of_author(author: &UserId) -> String {
    derived("author", &[author.as_str().as_bytes()])
}

/// Every process of a site has the same secret, and a copy of the site keeps it.
#[must_use]
pub fn of_site(secret: &Secret) -> String {
    derived("site", &[&secret.seal("feed", &[])])
}

/// Of the posts of one site that have a tag.
#[must_use]
pub fn of_tag(secret: &Secret, tag: &Tag) -> String {
    derived("tag", &[&secret.seal("feed", &[]), tag.as_str().as_bytes()])
}

/// A UUID of our own kind (version 8) from a hash, in which no part runs into another.
fn derived(kind: &str, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in [kind.as_bytes()].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    urn(Builder::from_custom_bytes(bytes).into_uuid())
}

fn urn(uuid: Uuid) -> String {
    uuid.urn().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        posts::{PostId, Title},
        timestamp::Timestamp,
    };

    fn post(id: &str, created_at: i64) -> String {
        of_post(&Summary {
            slug: None,
            tags: Default::default(),
            language: None,
            id: PostId::parse(id).unwrap(),
            title: Title::parse("Title").unwrap(),
            excerpt: String::new(),
            owner: "ada".to_owned(),
            author: "ada".to_owned(),
            version: 1,
            created_at: Timestamp::from_micros(created_at),
            updated_at: Timestamp::from_micros(created_at),
        })
    }

    #[test]
    fn every_post_has_a_name_of_its_own() {
        let id = "01936f00-5b1c-7c3e-8f7a-2f9d6f1f0a11";
        assert_eq!(post(id, 1), format!("urn:uuid:{id}"));
        assert_eq!(post(id, 2), post(id, 1));
        let other = post(&id.to_uppercase(), 1);
        assert!(other.starts_with("urn:uuid:") && !other.eq_ignore_ascii_case(&post(id, 1)));
        assert_eq!(post("first", 1), post("first", 1));
        assert_ne!(post("first", 1), post("first", 2));
        assert_ne!(post("first", 1), post("second", 1));
        assert!(Uuid::try_parse(post("first", 1).strip_prefix("urn:uuid:").unwrap()).is_ok());
    }

    #[test]
    fn an_author_is_named_after_nothing_that_changes_and_a_site_after_its_secret() {
        let author = |id: &str| of_author(&UserId::from_stored(id.to_owned()));
        assert_eq!(author("a"), author("a"));
        assert_ne!(author("a"), author("b"));
        assert_ne!(of_site(&Secret::for_test(1)), of_site(&Secret::for_test(2)));
    }
}
