//! Double quotes within and behind words. The parser makes an opening quote of each that it
//! cannot pair.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Tag};

use crate::text::is_written_without_spaces;

/// The double quotes of a text, in its order.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    /// Whether the quote before is an opening one.
    open: bool,
}

impl Quotes {
    /// Notes where a new line of text begins: no quote is open there.
    pub(super) fn follow(&mut self, event: &Event<'_>) {
        let begins =
            matches!(event, Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Item | Tag::TableCell));
        self.open &= !begins;
    }

    /// The piece `text` of the parser's output, whose place in `source` is `range`. A quote
    /// directly behind a letter or a digit opens nothing (12" is a length), so it is a closing
    /// one. Scripts without spaces have opening quotes there too, so theirs take turns.
    pub(super) fn set<'a>(&mut self, text: CowStr<'a>, source: &str, range: &Range<usize>) -> CowStr<'a> {
        if !matches!(&*text, "“" | "”") || source.get(range.clone()) != Some("\"") {
            return text;
        }
        let before = source.get(..range.start).and_then(|before| before.chars().next_back());
        let Some(before) = before.filter(|before| &*text == "“" && before.is_alphanumeric()) else {
            self.open = &*text == "“";
            return text;
        };
        self.open = !self.open && is_written_without_spaces(before);
        if self.open { text } else { "”".into() }
    }
}
