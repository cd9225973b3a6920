//! Renders Markdown on blocking threads (security row L9): a few texts at a time,
//! and each text once for all readers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use moka::future::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::markdown::{self, Audience, Rendering};
use crate::{
    accounts::{domain::account, profile::Punctuation},
    config::PageMemory,
    credentials::UserId,
    database::internal,
    error::AppError,
    posts::Content,
    site::Site,
};

/// Texts of posts that may wait for their turn.
const QUEUE: usize = 64;
/// Previews that may be rendered or wait, of all authors.
const PREVIEWS: usize = 32;
/// Previews of one author that may be rendered or wait. Each of the author's tabs
/// requests one when the author stops typing.
const PREVIEWS_OF_ONE: usize = 8;
/// Longest wait for a turn.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// The longest time for one text; no known text takes nearly as long.
const BUDGET: Duration = Duration::from_secs(5);

/// The hash of a text and how its punctuation is set. So a cached rendering is never shown
/// for another text or version.
type Key = [u8; 32];

/// The queue for rendering, and what was rendered.
#[derive(Debug)]
pub struct Renderer {
    running: Arc<Semaphore>,
    queued: Arc<Semaphore>,
    previews: Arc<Semaphore>,
    previewing: Arc<Semaphore>,
    previews_by_author: Arc<Mutex<HashMap<UserId, usize>>>,
    kept: Cache<Key, Arc<Rendering>>,
}

impl Renderer {
    /// Half of the cores render at a time, at least one. Half of these may render
    /// previews, at least one.
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let weight = |_: &Key, rendering: &Arc<Rendering>| {
            let Rendering { html, excerpt, words, read_folded, punctuation: _ } = &**rendering;
            let texts = [html, excerpt, words].map(String::len).iter().sum::<usize>();
            let bytes = size_of::<Key>() + texts + read_folded.as_ref().map_or(0, String::len);
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self {
            running: Arc::new(Semaphore::new((cores / 2).max(1))),
            previewing: Arc::new(Semaphore::new((cores / 4).max(1))),
            queued: Arc::new(Semaphore::new(QUEUE)),
            previews: Arc::new(Semaphore::new(PREVIEWS)),
            previews_by_author: Arc::default(),
            kept: Cache::builder().max_capacity(memory.renderings()).weigher(weight).build(),
        }
    }
}

impl Site {
    #[must_use]
    pub fn renderer(&self) -> &Renderer {
        self.part()
    }
}

impl Renderer {
    /// The text of an author for readers, with the punctuation that they chose.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub async fn render_for(
        site: &Site,
        author: &UserId,
        content: &Content,
    ) -> Result<Arc<Rendering>, AppError> {
        let punctuation = account::punctuation(&mut site.database.read().await?, author).await?;
        site.renderer().render(content, punctuation).await
    }

    /// The rendered text for readers, from the cache or rendered now. Requests for
    /// the same text at the same time share one rendering.
    ///
    /// # Errors
    /// [`AppError::Busy`] if the queue is full, or the wait or the rendering takes
    /// too long.
    pub async fn render(
        &self,
        content: &Content,
        punctuation: Punctuation,
    ) -> Result<Arc<Rendering>, AppError> {
        let hash = Sha256::new().chain_update(punctuation.name()).chain_update(content.as_str());
        let key = hash.finalize().into();
        if let Some(kept) = self.kept.get(&key).await {
            return Ok(kept);
        }
        let content = content.clone();
        let rendering = self.kept.try_get_with(key, async {
            let place = place(&self.queued)?;
            self.run(place, move || markdown::render(&content, punctuation)).await.map(Arc::new)
        });
        rendering.await.map_err(|error: Arc<AppError>| AppError::clone(&error))
    }

    /// The preview of a text for `author`. Previews wait for each other first, so
    /// that readers do not wait behind many of them.
    ///
    /// # Errors
    ///
    /// As [`Renderer::render`]; [`AppError::Busy`] also for an author with eight
    /// unfinished previews.
    pub async fn preview(
        &self,
        author: &UserId,
        content: Content,
        punctuation: Punctuation,
    ) -> Result<String, AppError> {
        let held = (PreviewOf::author(&self.previews_by_author, author)?, place(&self.previews)?);
        let turn = turn(&self.previewing).await?;
        self.run((held, turn), move || markdown::to_html(&content, punctuation, Audience::Author)).await
    }

    /// A text for housekeeping. It waits with the previews, without a time limit.
    ///
    /// # Errors
    /// [`AppError::Busy`] if the rendering takes too long.
    pub async fn store(&self, content: Content, punctuation: Punctuation) -> Result<Rendering, AppError> {
        let turn = Arc::clone(&self.previewing).acquire_owned().await.map_err(internal)?;
        self.run(turn, move || markdown::render(&content, punctuation)).await
    }

    /// Runs `work` on a blocking thread. `place` and the turn move into the closure,
    /// so a rendering that timed out keeps both until it has really ended.
    async fn run<T: Send + 'static>(
        &self,
        place: impl Send + 'static,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let turn = turn(&self.running).await?;
        let rendering = tokio::task::spawn_blocking(move || {
            let _held = (turn, place);
            work()
        });
        tokio::time::timeout(BUDGET, rendering).await.map_err(|_| busy())?.map_err(internal)
    }
}

fn busy() -> AppError {
    AppError::Busy { retry_after: 2 }
}

/// Waits for a turn, for [`MAX_WAIT`] at most.
async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, AppError> {
    let turn = tokio::time::timeout(MAX_WAIT, Arc::clone(turns).acquire_owned()).await;
    turn.map_err(|_| busy())?.map_err(internal)
}

/// A place in a queue, or [`AppError::Busy`].
fn place(queue: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, AppError> {
    Arc::clone(queue).try_acquire_owned().map_err(|error| match error {
        TryAcquireError::NoPermits => busy(),
        TryAcquireError::Closed => internal(error),
    })
}

/// One of an author's places for previews, until this is dropped.
struct PreviewOf {
    author: UserId,
    places: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl PreviewOf {
    fn author(places: &Arc<Mutex<HashMap<UserId, usize>>>, author: &UserId) -> Result<Self, AppError> {
        let mut taken = places.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.entry(author.clone()).or_default();
        if *own >= PREVIEWS_OF_ONE {
            return Err(busy());
        }
        *own += 1;
        Ok(Self { author: author.clone(), places: Arc::clone(places) })
    }
}

impl Drop for PreviewOf {
    fn drop(&mut self) {
        let mut taken = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.author) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.author);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Content {
        Content::parse(text).unwrap()
    }

    /// Takes every turn, as long renderings do.
    async fn all_turns(renderer: &Renderer) -> OwnedSemaphorePermit {
        let all = u32::try_from(renderer.running.available_permits()).unwrap();
        Arc::clone(&renderer.running).acquire_many_owned(all).await.unwrap()
    }

    #[tokio::test]
    async fn a_text_is_rendered_once_and_never_shown_for_another() {
        let renderer = Renderer::new(PageMemory::default());
        let (a, b) = (content("*a*"), content("*b*"));
        let (first, second) = tokio::join!(
            renderer.render(&a, Punctuation::Typographic),
            renderer.render(&a, Punctuation::Typographic)
        );
        assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
        assert!(renderer.render(&b, Punctuation::Typographic).await.unwrap().html.contains("<em>b</em>"));
        let straight = content("\"a\"");
        for (punctuation, shown) in [(Punctuation::Typographic, "“a”"), (Punctuation::Plain, "\"a\"")] {
            assert!(renderer.render(&straight, punctuation).await.unwrap().html.contains(shown));
        }
        // A cached rendering needs no turn.
        let _turns = all_turns(&renderer).await;
        assert!(renderer.render(&a, Punctuation::Typographic).await.unwrap().html.contains("<em>a</em>"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_author_with_too_many_previews_gets_busy_and_takes_no_place_of_readers() {
        let renderer = Arc::new(Renderer::new(PageMemory::default()));
        let turns = all_turns(&renderer).await;
        let author = |name: &str| UserId::from_stored(name.to_owned());
        let preview = |name: &str| {
            let (renderer, author) = (Arc::clone(&renderer), author(name));
            async move { renderer.preview(&author, content("*a*"), Punctuation::Typographic).await }
        };
        let crowd: Vec<_> = (0..PREVIEWS)
            .map(|number| tokio::spawn(preview(&format!("author {}", number / PREVIEWS_OF_ONE))))
            .collect();
        tokio::task::yield_now().await;
        assert!(
            matches!(preview("author 0").await, Err(AppError::Busy { .. })),
            "eight of hers are under way"
        );
        assert!(
            matches!(preview("other").await, Err(AppError::Busy { .. })),
            "all places of previews are taken"
        );
        assert_eq!(renderer.queued.available_permits(), QUEUE, "none of a reader's");
        // Of the previews one is before the reader, or as many as render at once.
        let reader = tokio::spawn({
            let renderer = Arc::clone(&renderer);
            async move {
                renderer
                    .render(&content("*b*"), Punctuation::Typographic)
                    .await
                    .map(|_| renderer.previews.available_permits())
            }
        });
        tokio::task::yield_now().await;
        drop(turns);
        let free = reader.await.unwrap().unwrap();
        assert!(free <= PREVIEWS / 2, "{free} previews were rendered before the reader's text");
        for preview in crowd {
            assert!(preview.await.unwrap().is_ok());
        }
        assert!(preview("author 0").await.is_ok());
        assert!(renderer.previews_by_author.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_turn_in_time_the_answer_is_busy() {
        let renderer = Renderer::new(PageMemory::default());
        let _turns = all_turns(&renderer).await;
        assert!(matches!(
            renderer.render(&content("a"), Punctuation::Typographic).await,
            Err(AppError::Busy { .. })
        ));
        assert_eq!(renderer.queued.available_permits(), QUEUE, "the place was given back");
    }
}
