//! The setting `page-memory`: bytes that the site may fill with what it keeps
//! ready for the next who asks for the same.

/// Memory for cached answers. Each kind has its own share, so that kinds which
/// strangers can invent take no room from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageMemory {
    mib: usize,
}

impl PageMemory {
    /// In MiB, unless set otherwise.
    pub const DEFAULT: usize = 64;
    /// In MiB: more than any machine has.
    pub const MOST: usize = 1024 * 1024;
    const PARTS: u64 = 64;

    /// So many MiB.
    #[must_use]
    pub const fn of_mib(mib: usize) -> Self {
        Self { mib }
    }

    /// The first page of the list, and pages of posts.
    #[must_use]
    pub const fn entrances(self) -> u64 {
        self.parts(40)
    }

    /// Lists that begin at a cursor.
    #[must_use]
    pub const fn further_lists(self) -> u64 {
        self.parts(8)
    }

    /// Answers of the API to keys.
    #[must_use]
    pub const fn api_answers(self) -> u64 {
        self.parts(12)
    }

    /// What is known of the requests that were answered so.
    #[must_use]
    pub const fn api_requests(self) -> u64 {
        self.parts(2)
    }

    /// What texts have become: of those that were just saved, and of those that are too long
    /// to be stored so.
    #[must_use]
    pub const fn renderings(self) -> u64 {
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
    fn the_shares_are_what_was_set_together() {
        for mib in [1, 64, PageMemory::MOST] {
            let memory = PageMemory::of_mib(mib);
            let shares = [
                memory.entrances(),
                memory.further_lists(),
                memory.api_answers(),
                memory.api_requests(),
                memory.renderings(),
            ];
            assert_eq!(shares.iter().sum::<u64>(), mib as u64 * 1024 * 1024);
        }
    }
}
