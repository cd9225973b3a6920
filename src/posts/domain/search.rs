//! The search of everyone: `/search`.

use std::{collections::HashSet, sync::Arc};

use futures::future::join_all;

use super::{
    filter::Filter,
    fold::fold,
    highlight,
    rendered::{WithWords, Words},
    select::{self, Listing, Selection},
};
use crate::{
    credentials::Actor,
    database::{Db, internal},
    error::{AppError, Field, Parsed},
    http::turns::{Client, ReadCost},
    posts::{
        Cursor, Post, PostId, Summary,
        found::{Found, Piece, SearchPage, SearchPlace},
    },
    site::Site,
};

/// What somebody searches for: words, of which a post has to have all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWords(String);

/// Why a text cannot be searched for. The words are those that people see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchWordsError {
    /// It has nothing that is visible.
    #[error("Enter a word to search for")]
    Empty,
    #[error("Search for at most {} characters. Leave out some words", SearchWords::MAX_CHARS)]
    TooLong,
}

impl From<SearchWordsError> for AppError {
    fn from(error: SearchWordsError) -> Self {
        Self::invalid(Field::Search, error)
    }
}

impl SearchWords {
    pub const MAX_CHARS: usize = 100;

    pub fn parse(raw: &str) -> Result<Self, SearchWordsError> {
        if raw.chars().count() > Self::MAX_CHARS {
            return Err(SearchWordsError::TooLong);
        }
        // Words of invisible characters are in every text.
        let words: Vec<_> = raw.split_whitespace().filter(|word| !fold(word).is_empty()).collect();
        if words.is_empty() { Err(SearchWordsError::Empty) } else { Ok(Self(words.join(" "))) }
    }

    /// With one space between them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> Vec<String> {
        let words: HashSet<_> = self.0.split(' ').map(fold).collect();
        words.into_iter().collect()
    }
}

/// One page of the posts that have all these words. Everyone may.
///
/// # Errors
/// [`AppError::Invalid`] without a word or with too many; [`AppError::BadRequest`] for a
/// text that is no place; [`AppError::Busy`].
pub async fn search(
    site: &Site,
    actor: &Actor,
    client: &Client,
    words: Parsed<SearchWords>,
    after: Parsed<Option<SearchPlace>>,
) -> Result<SearchPage, AppError> {
    let (words, after) = (words?, after?);
    let (posts, more) = {
        let mut turn = site.turn_for(actor, client, ReadCost::Many).await?;
        find(&mut turn.db, words.as_str(), after).await?
    };
    // Without the connection, because a text may have to be rendered.
    let found = join_all(posts.iter().map(|post| with_words(site, actor, &post.id))).await;
    let mut shown = Vec::with_capacity(posts.len());
    for post in found {
        match post {
            Ok(post) => shown.push(post),
            // Deleted a moment ago.
            Err(AppError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(SearchPage { posts: all_marked(shown, words.folded()).await?, more })
}

/// One post without its text, and its [words](super::markdown::Rendering::words).
async fn with_words(site: &Site, actor: &Actor, id: &PostId) -> Result<(Summary, String), AppError> {
    let found = site.posts().with_words.read(site, actor, id).await?.ok_or(AppError::NotFound)?;
    let WithWords { post, words } = Arc::unwrap_or_clone(found);
    let words = match words {
        Words::Stored(words) => words,
        Words::Unrendered(content, punctuation) => {
            site.renderer().render(&content, punctuation).await?.words.clone()
        }
    };
    Ok((post, words))
}

/// Marks the words in the posts, on two threads: texts may be long.
async fn all_marked(mut posts: Vec<(Summary, String)>, words: Vec<String>) -> Result<Vec<Found>, AppError> {
    let words = Arc::new(words);
    let rest = posts.split_off(posts.len().div_ceil(2));
    let marking = |posts: Vec<(Summary, String)>| {
        let words = Arc::clone(&words);
        tokio::task::spawn_blocking(move || {
            posts.into_iter().map(|(post, text)| marked(post, &text, &words)).collect::<Vec<_>>()
        })
    };
    let both = tokio::try_join!(marking(posts), marking(rest));
    let (mut found, rest) =
        both.map_err(|error| internal(format_args!("words could not be marked: {error}")))?;
    found.extend(rest);
    Ok(found)
}

/// Posts with the words in the title, and then those with them in title or text; both
/// newest first.
async fn find(
    db: &mut Db,
    words: &str,
    after: Option<SearchPlace>,
) -> Result<(Vec<Post>, Option<SearchPlace>), AppError> {
    let mut posts = Vec::new();
    let after = match after {
        Some(SearchPlace::Texts(after)) => after,
        after => {
            let after = after.and_then(|place| match place {
                SearchPlace::Titles(cursor) => Some(cursor),
                SearchPlace::Texts(_) => None,
            });
            let titles = select(db, Filter::search_titles(words), after, SearchPage::SIZE).await?;
            posts = titles.posts;
            if let Some(next) = titles.next {
                return Ok((posts, Some(SearchPlace::Titles(next))));
            }
            None
        }
    };
    let not_in_title = Filter::Not(Box::new(Filter::search_titles(words)));
    let filter = Filter::All(vec![Filter::search(words), not_in_title]);
    let room = SearchPage::SIZE - posts.len();
    if room == 0 {
        let is_more = !select(db, filter, after, 1).await?.posts.is_empty();
        return Ok((posts, is_more.then_some(SearchPlace::Texts(None))));
    }
    let texts = select(db, filter, after, room).await?;
    posts.extend(texts.posts);
    Ok((posts, texts.next.map(|next| SearchPlace::Texts(Some(next)))))
}

async fn select(
    db: &mut Db,
    filter: Filter,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Listing<Post>, AppError> {
    select::select(
        db,
        &Selection { owner: None, tag: None, slug: None, filter, after, limit, content: false },
    )
    .await
}

fn marked(post: Summary, text: &str, words: &[String]) -> Found {
    // A word may stand where readers do not see it, such as in an address.
    let beginning = || vec![Piece { text: post.excerpt.clone(), marked: false }];
    Found {
        marked_title: highlight::whole(post.title.as_str(), words),
        marked_excerpt: highlight::excerpt(text, words).unwrap_or_else(beginning),
        post,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_needs_a_word_that_can_be_seen() {
        for empty in ["", "  ", "\u{200B} \u{AD}"] {
            assert_eq!(SearchWords::parse(empty), Err(SearchWordsError::Empty), "{empty:?}");
        }
        assert_eq!(SearchWords::parse(" a\u{3000}b \u{200B}").expect("words").as_str(), "a b");
        assert!(SearchWords::parse(&"字".repeat(SearchWords::MAX_CHARS)).is_ok());
        let longer = "字".repeat(SearchWords::MAX_CHARS + 1);
        assert_eq!(SearchWords::parse(&longer), Err(SearchWordsError::TooLong));
    }
}
