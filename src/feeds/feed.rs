//! A feed, before it is written in a format.

use futures::future::try_join_all;
use url::Url;

use super::{absolute::absolute, ids};
use crate::{
    credentials::Actor,
    database::internal,
    error::AppError,
    posts::{
        PostId, Summary,
        address::{self, FeedFormat},
        domain::{rendered::RenderedPost, service},
    },
    site::Site,
    timestamp::Timestamp,
    username::Username,
};

/// Posts of a feed.
const POSTS: usize = 50;
/// Bytes of HTML after which further posts have only their excerpt. No feed of texts that
/// people type is as long; without a limit, fifty of the longest texts would be.
const HTML_BYTES: usize = 1024 * 1024;
/// Posts that are read together.
const STEP: usize = 10;

/// The newest posts of everyone, or of one author.
#[derive(Debug)]
pub struct Feed {
    /// Never changes, even if the site or the author gets another address.
    pub id: String,
    pub title: String,
    /// Whose posts these are, if one author's.
    pub author: Option<Author>,
    /// The page with the same posts.
    pub home: String,
    /// The feed itself.
    pub address: String,
    /// The latest change of a post.
    pub updated_at: Timestamp,
    pub entries: Vec<Entry>,
}

#[derive(Debug)]
pub struct Author {
    pub name: String,
    pub address: String,
}

/// A post of a feed.
#[derive(Debug)]
pub struct Entry {
    pub id: String,
    pub address: String,
    pub author: Author,
    pub post: Summary,
    /// The text, with absolute addresses; absent beyond [`HTML_BYTES`].
    pub html: Option<String>,
}

impl Feed {
    /// Reads the feed that `actor` may see.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such author.
    pub async fn read(
        site: &Site,
        actor: &Actor,
        format: FeedFormat,
        author: Option<Username>,
    ) -> Result<Self, AppError> {
        let username = author.as_ref().map(Username::as_str);
        let (user, posts) = service::newest(site, actor, author.as_ref(), POSTS).await?;
        let id = match &user {
            Some((user, _)) => ids::of_author(user),
            None => ids::of_site(site.secret().await?),
        };
        let entries = entries(site, actor, posts).await?;
        let author = username
            .zip(user)
            .map(|(username, (_, profile))| Author::of(site, username, profile.display_name.or(username)));
        Ok(Self {
            id,
            title: match &author {
                Some(Author { name, .. }) => format!("{name} – {}", site.identity.name),
                None => site.identity.name.to_string(),
            },
            author,
            home: site.link(&username.map_or_else(|| "/".to_owned(), address::of_author)),
            address: site.link(&address::of_feed(format, username)),
            // What is empty was never changed; both formats ask for a time all the same.
            updated_at: entries
                .iter()
                .map(|entry| entry.post.updated_at)
                .max()
                .unwrap_or(Timestamp::from_micros(0)),
            entries,
        })
    }
}

impl Author {
    fn of(site: &Site, username: &str, name: &str) -> Self {
        Self { name: name.to_owned(), address: site.link(&address::of_author(username)) }
    }
}

/// The posts with their texts, as long as there is room for texts.
async fn entries(site: &Site, actor: &Actor, posts: Vec<Summary>) -> Result<Vec<Entry>, AppError> {
    let (mut entries, mut bytes) = (Vec::with_capacity(posts.len()), 0);
    for step in posts.chunks(STEP) {
        if bytes >= HTML_BYTES {
            entries.extend(step.iter().map(|post| Entry::of(site, post.clone())));
            continue;
        }
        let read = try_join_all(step.iter().map(|post| text_of(site, actor, &post.id))).await?;
        for RenderedPost { post, html, .. } in read.into_iter().flatten() {
            let mut entry = Entry::of(site, post);
            let html = absolute(&html, &Url::parse(&entry.address).map_err(internal)?);
            bytes += html.len();
            entry.html = (bytes < HTML_BYTES).then_some(html);
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// A post with its text; `None` if it was deleted since the list was read.
async fn text_of(site: &Site, actor: &Actor, id: &PostId) -> Result<Option<RenderedPost>, AppError> {
    match service::rendered(site, actor, id).await {
        Ok(post) => Ok(Some(post)),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Entry {
    /// Without its text.
    fn of(site: &Site, post: Summary) -> Self {
        Self {
            id: ids::of_post(&post),
            address: site.link(&address::of_post(&post.id)),
            author: Author::of(site, &post.owner, &post.author),
            post,
            html: None,
        }
    }
}
