//! Marks the words of a search in a plain text, as [`super::fold`] compares them.

use unicode_segmentation::UnicodeSegmentation;

use super::{fold::fold, joints};
use crate::posts::found::Piece;

/// Characters of an excerpt (grapheme clusters), of which some stand before the first mark.
const MOST: usize = 240;
const BEFORE: usize = 60;

/// Bytes of an excerpt at most, because one character can have many marks; and of what
/// stands before the first mark.
const MOST_BYTES: usize = 4096;
const BEFORE_BYTES: usize = 1024;

/// Places where words were found that are looked at, to choose an excerpt.
const PLACES: usize = 1000;

/// Where a word stands in a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    start: usize,
    end: usize,
    /// Which of the words.
    word: usize,
}

/// The whole text in pieces. The words are folded.
#[must_use]
pub fn whole(text: &str, words: &[String]) -> Vec<Piece> {
    pieces(text, 0, text.len(), &places(text, words))
}

/// The part of a text that shows most of the words, in pieces; `None` if none of them
/// is there. The words are folded.
#[must_use]
pub fn excerpt(text: &str, words: &[String]) -> Option<Vec<Piece>> {
    let places = places(text, words);
    let best = best(text, &places, words.len())?;
    let (from, to) = (begin(text, best.start), end(text, best));
    let mut shown = pieces(text, from, to, &places);
    let cut = || Piece { text: "…".to_owned(), marked: false };
    if from > 0 {
        shown.insert(0, cut());
    }
    if to < text.len() {
        shown.push(cut());
    }
    Some(shown)
}

/// A piece of a text whose fold does not depend on what is around it.
struct Folded {
    /// Where its fold begins in that of the whole text, and where it begins in the text.
    start: usize,
    at: usize,
    /// Whether its fold has one byte for each of its own.
    is_ascii: bool,
}

/// The fold of a text, and its pieces.
fn folded(text: &str) -> (String, Vec<Folded>) {
    let (mut folded, mut pieces, mut at) = (String::with_capacity(text.len()), Vec::new(), 0);
    while at < text.len() {
        let rest = &text[at..];
        let ascii = rest.bytes().position(|byte| !byte.is_ascii());
        // The last character of ASCII may have a mark behind it.
        let plain = ascii.map_or(rest.len(), |ascii| ascii.saturating_sub(1));
        let is_ascii = plain > 0;
        pieces.push(Folded { start: folded.len(), at, is_ascii });
        let piece = if is_ascii { &rest[..plain] } else { joints::pieces(rest).next().unwrap_or(rest) };
        folded.push_str(&fold(piece));
        at += piece.len();
    }
    (folded, pieces)
}

/// Where the words stand, in order.
fn places(text: &str, words: &[String]) -> Vec<Place> {
    let (folded, pieces) = folded(text);
    let in_text = |start: usize, end: usize| {
        // The last piece that begins there or before, as some pieces have no fold.
        let first = &pieces[pieces.partition_point(|piece| piece.start <= start).saturating_sub(1)];
        let behind = pieces.partition_point(|piece| piece.start < end);
        let last = &pieces[behind.saturating_sub(1)];
        (
            first.at + if first.is_ascii { start - first.start } else { 0 },
            match last.is_ascii {
                true => last.at + end - last.start,
                false => pieces.get(behind).map_or(text.len(), |piece| piece.at),
            },
        )
    };
    let mut places: Vec<_> = words
        .iter()
        .enumerate()
        .filter(|(_, folded_word)| !folded_word.is_empty())
        .flat_map(|(word, folded_word)| {
            let found = folded.match_indices(folded_word.as_str()).take(PLACES);
            found.map(move |(start, _)| (word, start, start + folded_word.len()))
        })
        .map(|(word, start, end)| {
            let (start, end) = in_text(start, end);
            Place { start, end, word }
        })
        .collect();
    places.sort_unstable();
    places
}

/// The place from which an excerpt shows most of the words; a beginning of a word rather
/// than its middle, and an earlier place rather than a later one.
fn best(text: &str, places: &[Place], words: usize) -> Option<Place> {
    let mut counts = vec![0_usize; words];
    let (mut end, mut shown) = (0, 0);
    let mut best: Option<(usize, bool, Place)> = None;
    for place in places {
        // As bytes, because this only compares.
        while end < places.len() && places[end].end <= place.start + MOST - BEFORE {
            let count = &mut counts[places[end].word];
            shown += usize::from(*count == 0);
            *count += 1;
            end += 1;
        }
        let is_beginning = !text[..place.start].ends_with(char::is_alphanumeric);
        let candidate = (shown.max(1), is_beginning);
        if best.is_none_or(|(shown, is_beginning, _)| candidate > (shown, is_beginning)) {
            best = Some((candidate.0, candidate.1, *place));
        }
        // Longer than an excerpt, a word was never counted.
        if let Some(count) = counts.get_mut(place.word).filter(|count| **count > 0) {
            *count -= 1;
            shown -= usize::from(*count == 0);
        }
    }
    best.map(|(_, _, place)| place)
}

/// Where an excerpt begins that shows what begins at `start`: at a word, if possible.
fn begin(text: &str, start: usize) -> usize {
    let from = text[..start].floor_char_boundary(start.saturating_sub(BEFORE_BYTES));
    let before = &text[from..start];
    let Some((at, _)) = before.grapheme_indices(true).rev().take(BEFORE).last() else { return start };
    if from + at == 0 {
        return 0;
    }
    // The first word there may be cut.
    before[at..].find(' ').map_or(from + at, |space| from + at + space + 1)
}

/// Where it ends.
fn end(text: &str, shown: Place) -> usize {
    let rest = &text[shown.start..];
    let mut between_words = None;
    for (count, (at, grapheme)) in rest.grapheme_indices(true).enumerate() {
        if count >= MOST - BEFORE || at + grapheme.len() > MOST_BYTES {
            return shown.start + between_words.unwrap_or(at);
        }
        if grapheme == " " && shown.start + at >= shown.end {
            between_words = Some(at);
        }
    }
    text.len()
}

/// A part of the text in pieces.
fn pieces(text: &str, from: usize, to: usize, places: &[Place]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut add = |text: &str, marked: bool| match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.marked == marked => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), marked }),
    };
    let mut at = from;
    for place in places.iter().filter(|place| place.end > from && place.start < to) {
        let (start, end) = (place.start.max(at), place.end.min(to));
        if start < end {
            add(&text[at..start], false);
            add(&text[start..end], true);
            at = end;
        }
    }
    add(&text[at..to], false);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| fold(word)).collect()
    }

    /// With brackets around what is marked.
    fn shown(pieces: &[Piece]) -> String {
        let shown = |piece: &Piece| match piece.marked {
            true => format!("[{}]", piece.text),
            false => piece.text.clone(),
        };
        pieces.iter().map(shown).collect()
    }

    #[test]
    fn words_are_marked_however_they_were_typed() {
        for (text, words, marked) in [
            ("Un CAFÉ crème", &["cafe"][..], "Un [CAFÉ] crème"),
            ("Cafe\u{301}s", &["café"], "[Cafe\u{301}]s"),
            ("Lange Straße", &["STRASS"], "Lange [Straß]e"),
            ("ΟΔΟΣ Αθήνα", &["οδοσ", "αθηνα"], "[ΟΔΟΣ] [Αθήνα]"),
            ("我喜欢文字", &["文", "字"], "我喜欢[文字]"),
            ("İstanbul", &["ist"], "[İst]anbul"),
            ("eﬃcient", &["fic"], "e[ﬃc]ient"),
            ("Donau\u{AD}dampf", &["naud"], "Do[nau\u{AD}d]ampf"),
            ("🦉 שלום مرحبا", &["🦉", "לום", "مرح"], "[🦉] ש[לום] [مرح]با"),
            ("nothing", &["else"], "nothing"),
            ("", &["x"], ""),
        ] {
            assert_eq!(shown(&whole(text, &folded(words))), marked);
        }
    }

    #[test]
    fn an_excerpt_shows_the_place_with_most_words_and_whole_words_around_it() {
        let text =
            format!("start {}one {}one two three {}", "x ".repeat(300), "y ".repeat(300), "z ".repeat(300));
        let found = shown(&excerpt(&text, &folded(&["one", "two"])).expect("words"));
        assert!(found.contains("y [one] [two] three z"), "{found}");
        assert!(found.starts_with("…y ") && found.ends_with(" z…"), "{found}");
        assert_eq!(found.chars().filter(|c| *c == '[').count(), 2);
        assert_eq!(excerpt(&text, &folded(&["four"])), None);
        let beginning = shown(&excerpt("startle art artist", &folded(&["art"])).expect("a word"));
        assert_eq!(beginning, "st[art]le [art] [art]ist");
    }

    proptest! {
        #[test]
        fn no_text_is_lost_and_every_mark_is_a_word(
            text in "[a-cäßİ字か\u{3099}\u{301}ﬁ 🦉\u{AD}]{0,400}", words in prop::collection::vec("[a-cß字か🦉f]{1,3}", 1..4),
        ) {
            let words: Vec<String> = words.iter().map(|word| fold(word)).collect();
            let all = whole(&text, &words);
            prop_assert_eq!(all.iter().map(|piece| piece.text.as_str()).collect::<String>(), text.as_str());
            prop_assert_eq!(
                all.iter().any(|piece| piece.marked),
                words.iter().any(|word| fold(&text).contains(word.as_str()))
            );
            for piece in all.iter().filter(|piece| piece.marked) {
                prop_assert!(words.iter().any(|word| fold(&piece.text).contains(word.as_str())));
            }
            if let Some(part) = excerpt(&text, &words) {
                let part: String = part.iter().map(|piece| piece.text.as_str()).collect();
                prop_assert!(text.contains(part.trim_start_matches('…').trim_end_matches('…')));
            }
        }
    }
}
