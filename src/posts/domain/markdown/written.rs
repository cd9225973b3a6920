//! What a text is between the parser and the sanitizer.

use super::{code::Code, footnotes::Footnotes, formulas::Formula};

/// The HTML of Markdown, as its author wrote it: not yet safe. In place of footnotes,
/// formulas and code in colours it has marks.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) html: String,
    pub(super) footnotes: Footnotes,
    pub(super) formulas: Vec<Formula>,
    pub(super) code: Vec<Code>,
}
