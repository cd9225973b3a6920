//! The joints of a text: places where its [`fold`](super::fold::fold) can be cut. Folded
//! apart, the pieces before and after a joint are the same as folded together.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, compose, decompose_canonical},
};

use super::fold::{NOT_DECOMPOSED, caseless, fold, is_ignored};

/// Behind this, no character is composed of two that a fold has.
const LAST_COMPOSED: u32 = 0x1_E000;

/// Which characters become one with a neighbour, in a text that is folded.
#[derive(Default)]
struct Joining {
    /// With the one that follows.
    first: HashSet<char>,
    /// With the one before.
    second: HashSet<char>,
}

static JOINING: LazyLock<Joining> = LazyLock::new(|| {
    let mut joining = Joining::default();
    for c in (0..LAST_COMPOSED).filter_map(char::from_u32) {
        joining.add_parts_of(c);
    }
    joining
});

impl Joining {
    fn add_parts_of(&mut self, c: char) {
        let mut parts = Vec::new();
        decompose_canonical(c, |part| parts.push(part));
        let Some(second) = parts.pop().filter(|part| !is_ignored(*part)) else { return };
        let first = parts.into_iter().map(Some).reduce(|one, other| compose(one?, other?)).flatten();
        if let Some(first) = first
            && compose(first, second) == Some(c)
        {
            self.first.insert(first);
            self.second.insert(second);
        }
    }
}

/// The characters of a fold, before they are composed.
fn decomposed(c: char) -> impl Iterator<Item = char> {
    let whole = (c == NOT_DECOMPOSED).then_some(c);
    let parts = (c != NOT_DECOMPOSED).then(|| std::iter::once(c).nfkd().flat_map(caseless));
    whole.into_iter().chain(parts.into_iter().flatten()).filter(|c| !is_ignored(*c))
}

/// Whether other marks can move before this one, though its fold stays: they are in the order
/// of their classes before they are folded. The iota below a Greek letter is a mark, and its
/// fold is a letter.
fn is_moved(part: char) -> bool {
    canonical_combining_class(part) != 0 && !caseless(part).all(is_ignored)
}

/// Whether nothing before this character can change its fold, or be changed by it.
fn begins_anew(c: char) -> bool {
    if c.is_ascii() {
        return true;
    }
    let first = decomposed(c).next();
    !is_moved(c) && first.is_some_and(|c| canonical_combining_class(c) == 0 && !JOINING.second.contains(&c))
}

/// Whether nothing behind this character can change its fold.
fn is_complete(c: char) -> bool {
    let is_last = |last: char| !JOINING.first.contains(&last);
    c.is_ascii()
        || !std::iter::once(c).nfkd().any(is_moved)
            && decomposed(c).all(|c| canonical_combining_class(c) == 0)
            && fold(c.encode_utf8(&mut [0; 4])).chars().last().is_some_and(is_last)
}

/// A text in pieces that are cut at its joints.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut chars = rest.char_indices();
        chars.next()?;
        let end = chars.find(|(_, c)| begins_anew(*c)).map_or(rest.len(), |(at, _)| at);
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}

/// The part of a text whose fold is in the fold of every longer text that contains it.
#[must_use]
pub fn kept_part(text: &str) -> &str {
    let Some((start, _)) = text.char_indices().find(|(_, c)| begins_anew(*c)) else { return "" };
    let text = &text[start..];
    let last = pieces(text).last().unwrap_or_default();
    let mut chars = last.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) if is_complete(only) => text,
        _ => &text[..text.len() - last.len()],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_characters_that_join_others_are_known() {
        let mut all = Joining::default();
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            all.add_parts_of(c);
        }
        assert_eq!((all.first.len(), all.second.len()), (JOINING.first.len(), JOINING.second.len()));
        assert!(all.second.contains(&'\u{3099}') && all.first.contains(&'か') && all.first.contains(&'하'));
        assert!(all.first.iter().chain(&all.second).all(|c| !c.is_ascii()));
    }

    #[test]
    fn most_words_are_kept_as_a_whole() {
        for word in ["word", "привет", "οδος", "文字", "한국", "straße", "istanbul", "שלום", "سلام", "🦉"]
        {
            assert_eq!(kept_part(word), word);
        }
        assert_eq!(kept_part("こか"), "こ");
        assert_eq!(kept_part("\u{3099}ab"), "ab");
        assert_eq!(kept_part("\u{3099}"), "");
        // A mark behind it comes between its letter and its iota.
        assert_eq!(kept_part("oᾀ"), "o");
    }

    const ANY: &str = "[a-zäßİı\u{300}-\u{345}\u{3099}\u{483}\u{20D2}\u{93C}か-ごカ-ゴ가-깋ᄀ-나-ᅣᆨ-ᆪकक़ا\u{653}ﷺﬁ🦉文\u{AD}Σς -]{0,8}|\\PC{0,8}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_fold_can_be_cut_at_joints(text in ANY) {
            let apart: String = pieces(&text).map(fold).collect();
            prop_assert_eq!(apart, fold(&text));
            prop_assert_eq!(pieces(&text).collect::<String>(), text);
        }

        #[test]
        fn the_fold_of_what_is_kept_is_in_the_fold_of_the_longer_text(before in ANY, part in ANY, after in ANY) {
            let longer = fold(&format!("{before}{part}{after}"));
            let kept = fold(kept_part(&part));
            prop_assert!(longer.contains(&kept), "{kept:?} in {longer:?}");
        }
    }
}
