//! Posts by number: a number is the same post in every run.

use std::iter;

use byline::{
    accounts::profile::Punctuation,
    posts::{
        Content,
        domain::markdown::{self, Audience},
    },
};

/// The text of a post, in bytes.
const CONTENT_BYTES: usize = 1000;
/// The beginning of it that stands in lists, in bytes.
const EXCERPT_BYTES: usize = 240;
/// How every title begins.
pub(crate) const TITLE: &str = "Post number ";
/// Authors that take turns.
pub(crate) const AUTHORS: u64 = 100;

/// Like ids of Byline's own, they
/// rise with time and stand before all that are made today.
pub(crate) fn id(number: u64) -> String {
    format!("00000000-0000-7000-8000-{number:012x}")
}

/// Where it is read: its slug is its id.
pub(crate) fn path(number: u64) -> String {
    format!("/@{}/{}", owner(number), id(number))
}

/// The statements after which posts are at [`path`].
pub(crate) const ADDRESSES: [&str; 2] = [
    "UPDATE posts SET slug = id",
    "INSERT INTO post_addresses (owner_id, slug, post_id, created_at) SELECT owner_id, id, id, created_at FROM posts",
];

/// The id for programs in Lua.
pub(crate) fn id_format() -> String {
    let id = id(0);
    format!("{}%012x", &id[..id.len() - 12])
}

/// The id of the account that wrote a post.
pub(crate) fn owner_id(number: u64) -> String {
    format!("00000000-0000-7000-9000-{:012x}", number % AUTHORS)
}

/// Their username.
pub(crate) fn owner(number: u64) -> String {
    format!("author{}", number % AUTHORS)
}

/// The number of a post among `count`, chosen as if at random for each round
/// and the same in every run.
pub(crate) fn scattered(round: u64, count: u64) -> u64 {
    // SplitMix64.
    let mut bits = round.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (bits ^ (bits >> 31)) % count
}

/// Microseconds since 1970: one post a second since the start of 2026.
pub(crate) fn created_at(number: u64) -> i64 {
    1_767_225_600_000_000 + number as i64 * 1_000_000
}

pub(crate) fn title(number: u64) -> String {
    format!("{TITLE}{number}")
}

/// The end of a post's text: an answer that contains it has the whole text.
pub(crate) fn ending(number: u64) -> String {
    format!("here ends post {number}.")
}

/// Paragraphs of [`CONTENT_BYTES`] ASCII letters, spaces and full stops in
/// all. The words differ from post to post, so that compression has about as
/// much to do as with prose.
pub(crate) fn content(number: u64) -> String {
    const PARAGRAPH: u64 = 40;
    let ending = ending(number);
    let mut text = String::with_capacity(CONTENT_BYTES);
    let mut words = 0;
    // The longest word, and what may stand behind it.
    while text.len() + ending.len() + 12 < CONTENT_BYTES {
        let word = scattered(number * 1000 + words, WORDS.len() as u64);
        text.push_str(WORDS[word as usize]);
        words += 1;
        text.push_str(if words % PARAGRAPH == 0 { ".\n\n" } else { " " });
    }
    let filler = CONTENT_BYTES - text.len() - ending.len() - 1;
    text.extend(iter::repeat_n('a', filler));
    text.push(' ');
    text.push_str(&ending);
    text
}

const WORDS: [&str; 96] = [
    "about", "after", "again", "along", "and", "answer", "because", "before", "began", "behind", "between",
    "bread", "bridge", "bring", "carry", "children", "city", "close", "common", "country", "cross", "door",
    "during", "early", "earth", "enough", "every", "family", "father", "feet", "field", "final", "follow",
    "for", "from", "garden", "great", "ground", "harbour", "have", "her", "high", "house", "hundred", "in",
    "island", "just", "keep", "lamp", "language", "later", "letter", "light", "listen", "morning",
    "mountain", "mother", "never", "night", "notice", "of", "often", "on", "open", "paper", "people",
    "plain", "question", "quiet", "river", "room", "sentence", "several", "should", "slow", "small", "sound",
    "story", "table", "that", "the", "their", "thought", "through", "to", "town", "under", "until", "voice",
    "walk", "water", "when", "window", "winter", "with", "write",
];

/// How a list shows the text. There is no markup in it, so that is how it begins.
pub(crate) fn excerpt(content: &str) -> &str {
    &content[..EXCERPT_BYTES]
}

/// What the text becomes for readers.
pub(crate) fn html(number: u64) -> String {
    let content = Content::try_from(content(number)).unwrap_or_else(|_| Content::or_empty(None).clone());
    markdown::to_html(&content, Punctuation::default(), Audience::Reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_has_the_promised_size_and_ending() {
        for number in [0, 7, 99_999, 12_345_678] {
            let content = content(number);
            assert_eq!(content.len(), CONTENT_BYTES);
            assert!(content.ends_with(&format!(" {}", ending(number))), "{content}");
        }
    }
}
