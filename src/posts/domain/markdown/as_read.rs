//! The words that readers see and that are not in the Markdown in one piece, so that a
//! search finds a post by what its page shows: "Müller" of `M&uuml;ller`, "H2O" of
//! `H<sub>2</sub>O`, "unbelievable" of `un*believ*able`.

use std::collections::HashSet;

use crate::posts::domain::fold::fold;

/// Bytes in which the next word is looked for first. Words mostly are in the order in
/// which they were typed.
const NEAR: usize = 512;

/// Bytes that are looked through for words that are not near, for each byte of the text.
/// Words behind that count as words that the text does not have.
const FAR: usize = 64;

/// The fold of those words, with one space between them; `None` if there are none. `words` is
/// what a page shows of the Markdown `source`. The time is linear in the length of both.
#[must_use]
pub fn folded_words(source: &str, words: &str) -> Option<String> {
    let (source, words) = (fold(source), fold(words));
    let (mut at, mut left, mut looked_for) = (0, source.len().saturating_mul(FAR), HashSet::new());
    let mut as_read = Vec::new();
    for word in words.split_whitespace() {
        let near = &source[at..source.floor_char_boundary(at + NEAR.max(word.len()))];
        if let Some(place) = near.find(word) {
            at += place + word.len();
            continue;
        }
        if !looked_for.insert(word) {
            continue;
        }
        let place = if left > 0 { source.find(word) } else { None };
        left = left.saturating_sub(place.unwrap_or(source.len()));
        match place {
            // Notes stand at the end of a page, wherever they were typed.
            Some(place) => at = place + word.len(),
            None => as_read.push(word),
        }
    }
    (!as_read.is_empty()).then(|| as_read.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_that_were_typed_in_other_signs_are_kept_as_they_are_read() {
        for (source, words, as_read) in [
            ("plain words", "plain words", None),
            ("Of M&uuml;ller", "Of Müller", Some("muller")),
            (
                "`snake`\\_case, and snake\\_case",
                "snake_case, and snake_case",
                Some("snake_case, snake_case"),
            ),
            ("un*believ*able", "unbelievable", Some("unbelievable")),
            ("a[^1] b\n\n[^1]: c", "a1 b 1. c", Some("a1 1.")),
            ("CAFÉ", "café", None),
        ] {
            assert_eq!(folded_words(source, words).as_deref(), as_read, "{source:?}");
        }
    }

    #[test]
    fn words_far_apart_and_in_another_order_are_found() {
        let source = format!("[^1]: note\n\n{}\n\nbefore the end", "<!-- not shown -->\n".repeat(200));
        assert_eq!(folded_words(&source, "before the end note"), None);
    }

    #[test]
    fn a_word_longer_than_a_look_is_found() {
        let long = "ä".repeat(4 * NEAR);
        assert_eq!(folded_words(&format!("a {long} b"), &format!("a {long} b")), None);
    }

    proptest! {
        #[test]
        fn every_word_is_in_the_text_or_among_those_that_are_read(
            source in "[ab *&;é]{0,40}", words in "[abé ]{0,40}",
        ) {
            let (as_read, source) = (folded_words(&source, &words), fold(&source));
            for word in fold(&words).split_whitespace() {
                let kept = as_read.iter().flat_map(|words| words.split(' ')).any(|kept| kept == word);
                prop_assert!(source.contains(word) || kept, "{word}");
            }
        }
    }
}
