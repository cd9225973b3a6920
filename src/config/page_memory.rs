//! The setting `page-memory`: the memory for cached answers.

/// Memory for cached answers. Each kind has its own share, so that kinds which
/// strangers can invent take no room from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageMemory {
    mib: usize,
}

impl PageMemory {
    /// In MiB, unless set otherwise.
    pub const DEFAULT: usize = 64;
    /// In MiB; more than any machine has.
    pub const MAX: usize = 1024 * 1024;
    const PARTS: u64 = 64;

    /// So many MiB.
    #[must_use]
    pub const fn of_mib(mib: usize) -> Self {
        Self { mib }
    }

    /// The first page of the list, and pages of posts.
    #[must_use]
    pub const fn main_pages(self) -> u64 {
        self.parts(26)
    }

    /// Lists that begin at a cursor, and pieces of the map of the site.
    #[must_use]
    pub const fn cursor_lists(self) -> u64 {
        self.parts(8)
    }

    /// Feeds and the index of the map of the site.
    #[must_use]
    pub const fn feeds(self) -> u64 {
        self.parts(4)
    }

    /// Answers of the API to keys.
    #[must_use]
    pub const fn api_answers(self) -> u64 {
        self.parts(12)
    }

    /// The requests whose answers are cached.
    #[must_use]
    pub const fn api_requests(self) -> u64 {
        self.parts(2)
    }

    /// Rendered texts: of posts that were just saved, and those that are too long
    /// to be stored.
    #[must_use]
    pub const fn renderings(self) -> u64 {
        self.parts(2)
    }

    /// Posts with their texts.
    #[must_use]
    pub const fn posts(self) -> u64 {
        self.parts(2)
    }

    /// Files of pictures.
    #[must_use]
    pub const fn pictures(self) -> u64 {
        self.parts(6)
    }

    /// Images by which other sites show a page.
    #[must_use]
    pub const fn page_images(self) -> u64 {
        self.parts(2)
    }

    const fn parts(self, parts: u64) -> u64 {
        self.mib as u64 * 1024 * 1024 / Self::PARTS * parts
    }
}

impl Default for PageMemory {
    fn default() -> Self {
        Self::of_mib(Self::DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_add_up_to_the_setting() {
        for mib in [1, 64, PageMemory::MAX] {
            let memory = PageMemory::of_mib(mib);
            let shares = [
                memory.main_pages(),
                memory.cursor_lists(),
                memory.feeds(),
                memory.api_answers(),
                memory.api_requests(),
                memory.renderings(),
                memory.posts(),
                memory.pictures(),
                memory.page_images(),
            ];
            assert_eq!(shares.iter().sum::<u64>(), mib as u64 * 1024 * 1024);
        }
    }
}
