//! How long a text takes to read.

use super::markdown::each_word_of_html;
use crate::text::is_written_without_spaces;

/// Words that people read in a minute (Brysbaert 2019, silent reading of prose: 238).
const WORDS: usize = 238;
/// Characters in a minute, of scripts that have no spaces between words.
const CHARACTERS: usize = 450;

/// The minutes that the rendered text of a post takes, one at least.
#[must_use]
pub fn minutes(html: &str) -> usize {
    let (mut words, mut characters) = (0_usize, 0_usize);
    each_word_of_html(html, |word| {
        let without_spaces = word.chars().filter(|c| is_written_without_spaces(*c)).count();
        characters += without_spaces;
        words += usize::from(without_spaces == 0);
    });
    (words * CHARACTERS + characters * WORDS).div_ceil(WORDS * CHARACTERS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_a_minute_for_238_words_and_one_at_least() {
        assert_eq!(minutes(""), 1);
        assert_eq!(minutes(&format!("<p>{}</p>", "word ".repeat(238))), 1);
        assert_eq!(minutes(&format!("<p>{}</p>", "word ".repeat(239))), 2);
        assert_eq!(minutes(&format!("<p title=\"{}\">a</p>", "word ".repeat(500))), 1);
    }

    #[test]
    fn a_script_without_spaces_is_counted_by_characters() {
        assert_eq!(minutes(&format!("<p>{}</p>", "文".repeat(450))), 1);
        assert_eq!(minutes(&format!("<p>{}</p>", "文".repeat(1000))), 3);
    }
}
