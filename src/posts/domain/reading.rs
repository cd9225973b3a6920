//! The readers of posts by id.

use std::sync::Arc;

use moka::future::Cache;

use super::{
    by_id::ById,
    rendered::{Stored, WithWords},
};
use crate::{
    config::PageMemory,
    credentials::Actor,
    database::Engine,
    error::AppError,
    posts::{Post, PostId},
    site::Site,
};

/// What a post takes in memory beside its texts, in bytes.
const ENTRY_BYTES: usize = 512;

/// The readers of posts by id.
#[derive(Debug)]
pub struct PostReaders {
    /// With their texts, as programs and editors read them.
    pub(super) posts: ById<Post>,
    /// Posts that were read, under the counter of their changes
    /// ([`Changes::post`](crate::posts::events::changes::Changes::post)) that was
    /// read before. So what is found is never stale, and nothing has to be removed.
    kept: Cache<(u64, PostId), Arc<Post>>,
    /// With their HTML, for pages, which are kept themselves.
    pub rendered: ById<Stored>,
    /// With their words, for searches.
    pub(super) with_words: ById<WithWords>,
}

impl PostReaders {
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let weight = |_: &(u64, PostId), post: &Arc<Post>| {
            let texts =
                post.title.as_str().len() + post.content.as_ref().map_or(0, |text| text.as_str().len());
            u32::try_from(ENTRY_BYTES + texts).unwrap_or(u32::MAX)
        };
        Self {
            posts: ById::default(),
            kept: Cache::builder().max_capacity(memory.posts()).weigher(weight).build(),
            rendered: ById::default(),
            with_words: ById::default(),
        }
    }

    /// The post with this id, as `actor` may see it. It is at least as new as every
    /// earlier answer.
    ///
    /// A site of several processes hears of a change a moment after its commit. An
    /// author who changed a post by another process must not miss that, so there
    /// authors are not answered from memory.
    pub async fn post(&self, site: &Site, actor: &Actor, id: &PostId) -> Result<Option<Arc<Post>>, AppError> {
        let may_be_kept = site.database.engine() == Engine::Sqlite || !matches!(actor, Actor::User(_));
        let counter = if may_be_kept { site.bus().changes.post(id) } else { None };
        let Some(counter) = counter else { return self.posts.read(site, actor, id).await };
        let key = (counter, id.clone());
        if let Some(kept) = self.kept.get(&key).await {
            return Ok(Some(kept));
        }
        let post = self.posts.read(site, actor, id).await?;
        if let Some(post) = &post {
            self.kept.insert(key, Arc::clone(post)).await;
        }
        Ok(post)
    }
}

impl Site {
    /// Reads posts by their ids, together for all who ask.
    #[must_use]
    pub fn posts(&self) -> &PostReaders {
        self.part()
    }
}
