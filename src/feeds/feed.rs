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
        address::{self, FeedFormat, FeedOf},
        domain::{markdown::without_colours, rendered::RenderedPost, service},
    },
    site::Site,
    site_settings::pictures::{LARGE_ICON, LARGEST_ICON, icon_address, logo_address},
    timestamp::Timestamp,
};

/// Posts of a feed.
const POSTS: usize = 50;
/// Bytes of HTML after which further posts have only their excerpt. No feed of texts that
/// people type is as long; without a limit, fifty of the longest texts would be.
const HTML_BYTES: usize = 1024 * 1024;
/// Posts that are read together.
const STEP: usize = 10;

/// The newest posts of everyone, of one author, or with a tag.
#[derive(Debug)]
pub struct Feed {
    /// Never changes, even if the site or the author gets another address.
    pub id: String,
    pub title: String,
    /// What it is about; empty if nothing is said.
    pub description: String,
    /// Of the site, as a tag of BCP 47.
    pub language: String,
    /// The address of the site's logo, if it has one.
    pub logo: Option<String>,
    /// The addresses of the site's icon, small and large, if it has one.
    pub icons: Option<[String; 2]>,
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
    /// [`AppError::NotFound`] when there is no such author, and when no post has the tag.
    pub async fn read(site: &Site, actor: &Actor, format: FeedFormat, of: &FeedOf) -> Result<Self, AppError> {
        let settings = site.settings();
        let name = &settings.identity.name;
        let (id, title, author, posts) = match of {
            FeedOf::Everyone => {
                let id = ids::of_site(site.secret().await?);
                (id, name.to_string(), None, service::newest(site, actor, POSTS).await?)
            }
            FeedOf::Author(username) => {
                let (user, profile, posts) = service::newest_of_author(site, actor, username, POSTS).await?;
                let author = Author::of(site, username.as_str(), profile.display_name.or(username.as_str()));
                (ids::of_author(&user), format!("{} – {name}", author.name), Some(author), posts)
            }
            FeedOf::Tag(tag) => {
                let posts = service::newest_of_tag(site, actor, tag, POSTS).await?;
                if posts.is_empty() {
                    return Err(AppError::NotFound);
                }
                (ids::of_tag(site.secret().await?, tag), format!("{tag} – {name}"), None, posts)
            }
        };
        let entries = entries(site, actor, posts).await?;
        Ok(Self {
            id,
            title,
            description: match of {
                FeedOf::Everyone => settings.identity.description.as_str().to_owned(),
                FeedOf::Author(_) | FeedOf::Tag(_) => String::new(),
            },
            language: settings.language.tag().to_owned(),
            logo: settings.logo.as_ref().map(|logo| site.link(&logo_address(logo))),
            icons: settings
                .icon
                .as_ref()
                .map(|icon| [LARGE_ICON, LARGEST_ICON].map(|side| site.link(&icon_address(icon, side)))),
            author,
            home: site.link(&of.page()),
            address: site.link(&of.address(format)),
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
            // A feed has no style sheet of Byline.
            let html = without_colours(&html);
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
            address: site.link(&post.address()),
            author: Author::of(site, &post.owner, &post.author),
            post,
            html: None,
        }
    }
}
