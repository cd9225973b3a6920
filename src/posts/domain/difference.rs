//! What differs between two versions of a text, for people.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// After this the search for a short difference ends with one that is longer.
const DEADLINE: Duration = Duration::from_millis(500);
/// Lines that are shown around a change.
const CONTEXT: usize = 2;

/// The lines that differ, with a few around them.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// Each a place of the text.
    pub hunks: Vec<Vec<Line>>,
    /// Whether the time was too short for the shortest difference.
    pub is_coarse: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub kind: LineKind,
    /// Its text, in parts; each with whether it differs from the line that it replaces, or
    /// is replaced by.
    pub parts: Vec<(bool, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    Same,
    Removed,
    Added,
}

impl Difference {
    /// Compares line by line, and within lines word by word. Takes up to a second of
    /// computing for the longest texts.
    #[must_use]
    pub fn between(before: &str, after: &str) -> Self {
        let started = std::time::Instant::now();
        let diff = TextDiff::configure().timeout(DEADLINE).diff_lines(before, after);
        let is_coarse = started.elapsed() >= DEADLINE;
        let hunks = diff
            .grouped_ops(CONTEXT)
            .iter()
            .map(|group| {
                let changes = group.iter().flat_map(|op| diff.iter_inline_changes(op));
                changes
                    .map(|change| Line {
                        kind: match change.tag() {
                            ChangeTag::Equal => LineKind::Same,
                            ChangeTag::Delete => LineKind::Removed,
                            ChangeTag::Insert => LineKind::Added,
                        },
                        parts: change
                            .iter_strings_lossy()
                            .map(|(is_changed, text)| (is_changed, text.trim_end_matches('\n').to_owned()))
                            .collect(),
                    })
                    .collect()
            })
            .collect();
        Self { hunks, is_coarse }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_words_that_changed_are_marked_within_their_line() {
        let before = "One.\n\nThe quick brown fox jumps.\n\nEnd.\n";
        let difference = Difference::between(before, &before.replace("brown", "red"));
        let marked: Vec<(LineKind, String)> = difference.hunks[0]
            .iter()
            .flat_map(|line| {
                line.parts
                    .iter()
                    .filter(|(is_changed, _)| *is_changed)
                    .map(|(_, text)| (line.kind, text.clone()))
            })
            .collect();
        assert_eq!(marked, [(LineKind::Removed, "brown".to_owned()), (LineKind::Added, "red".to_owned())]);
        assert_eq!(Difference::between(before, before).hunks, Vec::<Vec<Line>>::new());
    }

    #[test]
    fn the_longest_texts_end_in_time() {
        let text =
            |step: usize| (0..50_000).map(|n| if n % step == 0 { "a\n" } else { "b\n" }).collect::<String>();
        let difference = Difference::between(&text(2), &text(3));
        assert!(!difference.hunks.is_empty());
    }

    proptest! {
        #[test]
        fn both_texts_are_in_their_difference(before in "([ab é]{0,6}\n){0,8}", after in "([ab é]{0,6}\n){0,8}") {
            let difference = Difference::between(&before, &after);
            let side = |kind: LineKind| -> Vec<String> {
                let lines = difference.hunks.iter().flatten().filter(|line| line.kind == LineKind::Same || line.kind == kind);
                lines.map(|line| line.parts.iter().map(|(_, text)| text.as_str()).collect()).collect()
            };
            let has = |text: &str, lines: Vec<String>| lines.iter().all(|line| text.split('\n').any(|one| one == line));
            prop_assert!(has(&before, side(LineKind::Removed)));
            prop_assert!(has(&after, side(LineKind::Added)));
            prop_assert_eq!(difference.hunks.is_empty(), before == after);
        }
    }
}
