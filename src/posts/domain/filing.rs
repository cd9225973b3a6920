//! What is filed with the text of a post: its slug, its tags and its language.

use unicode_normalization::UnicodeNormalization;

use super::slugs;
use crate::{
    database::{Db, execute},
    error::{AppError, Field, FieldErrors},
    posts::{Language, Post, PostId, Slug, Tag, Tags},
    timestamp::Timestamp,
};

/// What is filed with the text of a post.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filing {
    /// The slug that its author chose; without one it is made from the title.
    pub slug: Option<Slug>,
    pub tags: Tags,
    /// The language that its author chose; without one it is found from the text.
    pub language: Option<Language>,
}

/// How an edit changes it; absent parts are unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilingChange {
    pub slug: Option<Slug>,
    pub tags: Option<Tags>,
    /// `Some(None)`: to be found from the text.
    pub language: Option<Option<Language>>,
}

impl From<Filing> for FilingChange {
    fn from(Filing { slug, tags, language }: Filing) -> Self {
        Self { slug, tags: Some(tags), language: Some(language) }
    }
}

impl FilingChange {
    /// The fields of a form: an absent one changes nothing.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn parse(
        address: Option<&str>,
        tags: Option<&str>,
        language: Option<&str>,
    ) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let slug = address.filter(|address| !address.trim().is_empty());
        let slug = slug.map(|address| errors.take(Field::Address, slugs::typed(address)));
        let tags = tags.map(|tags| errors.take(Field::Tags, parse_tags(tags)));
        let language = language.map(|language| match language.trim() {
            "" => Some(None),
            language => errors.take(Field::Language, Language::parse(language)).map(Some),
        });
        match (slug, tags, language) {
            (Some(None), ..) | (_, Some(None), _) | (.., Some(None)) => Err(errors),
            (slug, tags, language) => {
                Ok(Self { slug: slug.flatten(), tags: tags.flatten(), language: language.flatten() })
            }
        }
    }

    /// Whether a post has all of it already.
    #[must_use]
    pub fn is_of(&self, post: &Post) -> bool {
        self.slug.as_ref().is_none_or(|slug| post.slug.as_ref() == Some(slug))
            && self.tags.as_ref().is_none_or(|tags| post.tags == *tags)
            && self.language.is_none_or(|language| post.language == language)
    }

    /// What a new post has.
    #[must_use]
    pub fn into_new(self) -> Filing {
        Filing { slug: self.slug, tags: self.tags.unwrap_or_default(), language: self.language.flatten() }
    }
}

/// Tags as an author types them: with commas of any script or line ends between them, in any
/// case, perhaps with a `#` before each. Spaces within a tag become hyphens.
///
/// # Errors
/// The first rule that is broken.
pub fn parse_tags(raw: &str) -> Result<Tags, crate::posts::TagError> {
    let tags: Result<Vec<Tag>, _> = raw
        .split([',', '\n', '、', '，', '،'])
        .map(|typed| typed.trim_start_matches(|c: char| c == '#' || c.is_whitespace()).trim_end())
        .filter(|typed| !typed.is_empty())
        .map(|typed| {
            let words: Vec<&str> = typed.split_whitespace().collect();
            Tag::try_from(words.join("-").to_lowercase().nfc().collect::<String>())
        })
        .collect();
    Tags::try_from(tags?)
}

/// Stores the tags of a post in the transaction that changes them.
pub(super) async fn keep_tags(
    db: &mut Db,
    id: &PostId,
    created_at: Timestamp,
    tags: &Tags,
) -> Result<(), AppError> {
    for tag in tags.iter() {
        execute!(db => sqlx::query("INSERT INTO post_tags (post_id, tag, created_at) VALUES ($1, $2, $3)")
            .bind(id.as_str())
            .bind(tag.as_str())
            .bind(created_at.micros()))?;
    }
    Ok(())
}

/// Replaces them.
pub(super) async fn replace_tags(
    db: &mut Db,
    id: &PostId,
    created_at: Timestamp,
    tags: &Tags,
) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM post_tags WHERE post_id = $1").bind(id.as_str()))?;
    keep_tags(db, id, created_at, tags).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(raw: &str) -> Vec<String> {
        parse_tags(raw).expect("tags").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tags_are_typed_with_commas_in_any_case_and_kept_once() {
        assert_eq!(
            tags("Rust, web development,#rust , C++,, .NET"),
            ["rust", "web-development", "c++", ".net"]
        );
        assert_eq!(tags("Ελλάδα، 日本語、हिन्दी"), ["ελλάδα", "日本語", "हिन्दी"]);
        assert_eq!(tags("前端，后端, web"), ["前端", "后端", "web"]);
        assert_eq!(tags("cafe\u{301}"), ["café"]);
        assert_eq!(tags(" , "), [] as [&str; 0]);
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for bad in ["a/b", "a?b", "<b>", "..", "-", "a\u{202E}b", &"x".repeat(41), "a,b,c,d,e,f,g,h,i,j,k"] {
            assert!(parse_tags(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn tags_that_are_stored_are_read_back_and_typed_again_are_the_same(raw in "[a-zÀ-ž#+ ,.]{0,60}|\\PC{0,40}") {
            if let Ok(tags) = parse_tags(&raw) {
                prop_assert_eq!(Tags::from_stored(&tags.stored()), Ok(tags.clone()));
                prop_assert_eq!(parse_tags(&tags.typed()), Ok(tags));
            }
        }
    }
}
