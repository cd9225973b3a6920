//! Drawn images: one is drawn at a time, and what was drawn is kept in memory.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use moka::future::Cache;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::{config::PageMemory, database::internal, drawing::Card, error::AppError, site::Site};

/// Images that may wait until another is drawn.
const WAITING: usize = 16;

/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(8);

/// Bytes of an entry besides the image.
const ENTRY_BYTES: usize = 256;

const BUSY: AppError = AppError::Busy { retry_after: 5 };

/// Images that were drawn, by the hashes of what is seen on them, and the lane in which they
/// are drawn.
#[derive(Debug)]
pub struct DrawnImages {
    kept: Cache<String, Bytes>,
    drawing: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl DrawnImages {
    #[must_use]
    pub fn new(memory: PageMemory) -> Self {
        let weight = |_: &String, image: &Bytes| u32::try_from(ENTRY_BYTES + image.len()).unwrap_or(u32::MAX);
        Self {
            kept: Cache::builder().max_capacity(memory.page_images()).weigher(weight).build(),
            drawing: Arc::new(Semaphore::new(1)),
            places: Arc::new(Semaphore::new(1 + WAITING)),
        }
    }

    /// The image, as a PNG. Requests for the same share one drawing.
    ///
    /// # Errors
    /// [`AppError::Busy`] while too many others wait.
    pub async fn image(&self, card: Card) -> Result<Bytes, AppError> {
        let drawn = self.kept.try_get_with(card.hash(), self.draw(card));
        drawn.await.map_err(|error: Arc<AppError>| AppError::clone(&error))
    }

    async fn draw(&self, card: Card) -> Result<Bytes, AppError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| BUSY)?;
        let turn = Arc::clone(&self.drawing).acquire_owned();
        let turn = timeout(MAX_WAIT, turn).await.map_err(|_| BUSY)?.map_err(internal)?;
        // Both move into the closure: a request that was given up leaves the work, and nobody
        // else begins before it has ended.
        let work = spawn_blocking(move || {
            let _held = (place, turn);
            card.draw()
        });
        work.await.map_err(internal)?.map(Bytes::from).map_err(internal)
    }
}

impl Site {
    /// Drawn images.
    #[must_use]
    pub fn drawn_images(&self) -> &DrawnImages {
        self.part()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{FutureExt, future::join_all};

    use super::*;
    use crate::config::Colour;

    fn card(number: usize) -> Card {
        let title = number.to_string();
        Card { title, below: Vec::new(), site: String::new(), accent: Colour::ACCENT }
    }

    #[tokio::test]
    async fn so_many_images_wait_for_a_drawing_and_the_next_is_refused_at_once() {
        let images = DrawnImages::new(PageMemory::default());
        let turn = Arc::clone(&images.drawing).acquire_owned().await.expect("a turn");
        let mut waiting = pin!(join_all((0..=WAITING).map(|number| images.image(card(number)))));
        assert!((&mut waiting).now_or_never().is_none(), "they wait for the turn");
        let same = images.image(card(0)).now_or_never();
        assert!(same.is_none(), "what somebody waits for already takes no other place");
        let refused = images.image(card(WAITING + 1)).now_or_never().expect("an answer at once");
        assert_eq!(refused, Err(BUSY));
        drop(turn);
        assert!(waiting.await.iter().all(Result::is_ok));
        let later = images.image(card(WAITING + 1)).await.expect("an image");
        let kept = images.image(card(WAITING + 1)).now_or_never().expect("from memory");
        assert_eq!(kept, Ok(later));
    }
}
