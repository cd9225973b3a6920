//! The grams of a text: its parts of one, two and three neighbouring characters. A text
//! contains a word only if it has all grams of the word, so an index of grams tells where
//! to look.
//!
//! Grams are made of folded texts ([`super::fold`]), and are stored as hashes. A change to
//! this file changes them, and needs a migration that marks every post as not indexed.
//!
//! Grams of one and two characters are for short words. Chinese, Japanese and Korean have
//! so many characters that two of them are as rare as three letters, so no gram of three
//! has one of those.

/// Where scripts of thousands of characters begin, and most emoji lie behind it.
const MANY_CHARACTERS: char = '\u{2E80}';

/// Grams of a word that are looked up at most. The others would tell little more.
const LOOKED_UP: usize = 16;

/// The part of a post that has a gram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The title or the content, as typed or as read.
    Anywhere,
    Title,
}

/// The grams of a post whose texts are folded, sorted. Those of the title are there for
/// both places. `as_read` are the words of the content that were typed in other signs.
#[must_use]
pub fn of_post(title: &str, content: &str, as_read: &str) -> Vec<u32> {
    let mut grams = Vec::with_capacity(title.len() * 6 + content.len() * 3);
    let anywhere = [title, content, as_read].map(|text| (text, Place::Anywhere));
    for (text, place) in [(title, Place::Title)].into_iter().chain(anywhere) {
        for run in runs(text) {
            let mut before = [None, None];
            for c in run.chars() {
                let [first, second] = before;
                grams.push(hash(place, [Some(c), None, None]));
                if let Some(second) = second {
                    grams.push(hash(place, [Some(second), Some(c), None]));
                }
                if let (Some(first), Some(second)) = (first, second)
                    && [first, second, c].iter().all(|c| *c < MANY_CHARACTERS)
                {
                    grams.push(hash(place, [Some(first), Some(second), Some(c)]));
                }
                before = [second, Some(c)];
            }
        }
    }
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// Grams that a post has if the folded word occurs in that place; none if there is nothing
/// to look up.
#[must_use]
pub fn of_word(word: &str, place: Place) -> Vec<u32> {
    let mut grams = Vec::new();
    for run in runs(word) {
        let chars: Vec<char> = run.chars().take(LOOKED_UP + 2).collect();
        match chars[..] {
            [] => {}
            [one] => grams.push(hash(place, [Some(one), None, None])),
            [one, two] => grams.push(hash(place, [Some(one), Some(two), None])),
            _ => {
                let is_many = |c: &char| *c >= MANY_CHARACTERS;
                let threes = chars.windows(3).filter(|three| !three.iter().any(is_many));
                let twos = chars.windows(2).filter(|two| two.iter().any(is_many));
                grams.extend(threes.map(|three| hash(place, [three[0], three[1], three[2]].map(Some))));
                grams.extend(twos.map(|two| hash(place, [Some(two[0]), Some(two[1]), None])));
            }
        }
        if grams.len() >= LOOKED_UP {
            break;
        }
    }
    grams.truncate(LOOKED_UP);
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The parts of a text between spaces and punctuation of ASCII. Which other characters
/// belong to words changes with versions of Unicode, so they all count.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty())
}

/// The finalizer of SplitMix64, over a number that is another for each gram.
fn hash(place: Place, gram: [Option<char>; 3]) -> u32 {
    let number = gram.iter().fold(u64::from(place == Place::Title), |number, c| {
        (number << 21) | c.map_or(0, |c| u64::from(u32::from(c)))
    });
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::posts::domain::fold::fold;

    proptest! {
        #[test]
        fn a_post_has_the_grams_of_every_part_of_its_texts(
            before in "[a-d 字文か한🦉.]{0,6}", word in "[a-d 字文か한🦉.]{0,20}", after in "[a-d 字文か한🦉.]{0,6}",
        ) {
            let text = format!("{before}{word}{after}");
            let (in_title, in_content) = (of_post(&text, "", ""), of_post("", &text, ""));
            prop_assert_eq!(&in_content, &of_post("", "", &text));
            for gram in of_word(&word, Place::Anywhere) {
                prop_assert!(in_title.contains(&gram) && in_content.contains(&gram));
            }
            for gram in of_word(&word, Place::Title) {
                prop_assert!(in_title.contains(&gram) && !in_content.contains(&gram));
            }
        }
    }

    #[test]
    fn words_of_one_and_two_characters_have_grams_in_every_script() {
        for word in ["a", "ab", "字", "文字", "か", "한국", "🦉", "ש", "ab字"] {
            let grams = of_word(&fold(word), Place::Anywhere);
            assert!(!grams.is_empty(), "{word}");
            assert!(grams.iter().all(|gram| of_post("", &fold(word), "").contains(gram)), "{word}");
        }
        assert!(of_word("+ -", Place::Anywhere).is_empty());
        assert!(of_word(&"x".repeat(1000), Place::Anywhere).len() <= LOOKED_UP);
    }

    #[test]
    fn the_hashes_stay_as_they_are_stored() {
        assert_eq!(of_word("abc", Place::Anywhere), [0x9F2B_0E30]);
        assert_eq!(of_word("abc", Place::Title), [0x7C0D_3FC4]);
        assert_eq!(of_word("文字", Place::Anywhere), [0x2808_83AD]);
    }
}
