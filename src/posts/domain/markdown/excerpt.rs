//! The beginning of a post, in one line of plain text.

use unicode_segmentation::UnicodeSegmentation;

use super::{
    alerts::ALERT_TITLE,
    balance::NOT_SHOWN,
    code::without_colours,
    elements::{element, is_block, is_heading, is_table_part, is_void},
    footnotes::{FOOTNOTES, NOTE_REFERENCE},
    formulas::{MATH, TYPED},
    sections::CONTENTS,
    tokens::{Token, Tokens, decoded},
};

/// The longest excerpt in grapheme clusters (UAX 29).
pub(super) const MAX_GRAPHEMES: usize = 240;

/// How far back a cut may move to be between two words.
const WORD_GRAPHEMES: usize = 40;

/// Bytes of prose with which the end of a paragraph ends the excerpt too: what follows it
/// begins another thought.
const BEGINNING: usize = 80;

/// Limits the bytes too, because one grapheme cluster can have ten thousand marks.
const MAX_BYTES: usize = 8192;

/// Bytes of text that are collected: several times the excerpt, because white space
/// is reduced to one space.
const GATHERED: usize = 4 * MAX_BYTES;

/// Classes of what belongs to a page and not to the words of a post.
const NO_PROSE: [&str; 5] = [NOT_SHOWN, CONTENTS, ALERT_TITLE, NOTE_REFERENCE, FOOTNOTES];

/// Bytes of text that a search looks at.
const SEARCHED: usize = 256 * 1024;

/// The kinds of text in a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Prose,
    Code,
    Heading,
    /// No words: a paragraph ends here.
    EndOfParagraph,
}

/// The beginning of a post as plain text: of its prose, without prose of its code,
/// else of its headings.
pub(super) fn of_html(html: &str) -> String {
    let (mut prose, mut code, mut headings) = (String::new(), String::new(), String::new());
    read(html, |kind, text| {
        let into = match kind {
            Kind::Code => &mut code,
            Kind::Heading => &mut headings,
            Kind::Prose => &mut prose,
            Kind::EndOfParagraph => return prose.len() < BEGINNING,
        };
        if into.len() < GATHERED {
            into.push_str(text);
        }
        prose.len() < GATHERED
    });
    let found = [prose, code, headings].into_iter().find(|text| !text.trim().is_empty());
    shorten(&decoded(&found.unwrap_or_default()))
}

/// All words of a post in one line of plain text, as far as a search looks at them.
pub(super) fn text_of_html(html: &str) -> String {
    let mut whole = String::new();
    // In a post with code, most elements are colours.
    read(&without_colours(html), |_, text| {
        whole.push_str(text);
        whole.len() < SEARCHED
    });
    decoded(&whole).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads the words of a post in their order, until `take` says that it has enough.
fn read(html: &str, mut take: impl FnMut(Kind, &str) -> bool) {
    let (mut in_code, mut in_heading, mut in_formula) = (0_usize, 0_usize, false);
    // The HTML is nested properly: how deep it is, and where what is left out began.
    let (mut depth, mut left_out) = (0_usize, None);
    for token in Tokens::of(html) {
        let kind = match (in_code, in_heading) {
            (1.., _) => Kind::Code,
            (_, 1..) => Kind::Heading,
            _ => Kind::Prose,
        };
        let mut wants_more = true;
        match token {
            Token::Text(text) | Token::Raw(text) => {
                if left_out.is_none() && !in_formula {
                    wants_more = take(kind, text);
                }
            }
            Token::Start(name, attributes) => {
                let value =
                    |wanted| attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
                if name == MATH {
                    in_formula = true;
                    if left_out.is_none() {
                        wants_more = take(kind, value(TYPED).unwrap_or_default());
                    }
                }
                let Some(name) = element(name) else { continue };
                if !is_void(name) {
                    depth += 1;
                    let class = value("class").unwrap_or_default();
                    if left_out.is_none() && NO_PROSE.contains(&class) {
                        left_out = Some(depth);
                    }
                }
                if is_gap(name) {
                    wants_more = take(kind, " ");
                }
                match name {
                    "pre" => in_code += 1,
                    _ if is_heading(name) => in_heading += 1,
                    "img" if left_out.is_none() => {
                        wants_more = take(kind, value("alt").unwrap_or_default());
                    }
                    _ => {}
                }
            }
            Token::End(name) => {
                in_formula &= name != MATH;
                let Some(name) = element(name) else { continue };
                if left_out == Some(depth) {
                    left_out = None;
                }
                depth = depth.saturating_sub(1);
                // The end of an inline mark is no gap: "*so*." keeps its full stop.
                if is_gap(name) {
                    wants_more = take(kind, " ");
                }
                match name {
                    "p" => wants_more = wants_more && take(Kind::EndOfParagraph, ""),
                    "pre" => in_code = in_code.saturating_sub(1),
                    _ if is_heading(name) => in_heading = in_heading.saturating_sub(1),
                    _ => {}
                }
            }
        }
        if !wants_more {
            break;
        }
    }
}

fn is_gap(name: &str) -> bool {
    is_block(name) || is_table_part(name) || name == "br"
}

/// The text in one line. If it is too long, it is cut between two words if possible,
/// else between two characters.
fn shorten(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let mut between_words = None;
    for (count, (at, grapheme)) in line.grapheme_indices(true).enumerate() {
        if grapheme == " " && count + WORD_GRAPHEMES >= MAX_GRAPHEMES {
            between_words = Some(at);
        }
        if count == MAX_GRAPHEMES || at + grapheme.len() > MAX_BYTES {
            return format!("{}…", &line[..between_words.unwrap_or(at)]);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posts::Content;

    fn excerpt(markdown: &str) -> String {
        super::super::render(&Content::parse(markdown).unwrap(), Default::default()).excerpt
    }

    fn graphemes(text: &str) -> usize {
        text.graphemes(true).count()
    }

    #[test]
    fn an_excerpt_is_plain_words_cut_at_a_word() {
        assert_eq!(excerpt("# Hi\n\nSome *bold*, `code`\n\n```\nskip\n```\n"), "Some bold, code");
        assert_eq!(excerpt(""), "");
        assert_eq!(excerpt("- a\n- b *c*.\n\n| d | e |\n|---|---|\n| f | g |"), "a b c. d e f g");
        let long = excerpt(&"word ".repeat(100));
        assert!(long.ends_with("word…") && graphemes(&long) <= MAX_GRAPHEMES + 1, "{long}");
        assert_eq!(graphemes(&excerpt(&"x".repeat(500))), MAX_GRAPHEMES + 1);
    }

    #[test]
    fn a_script_without_spaces_and_a_long_address_fill_the_excerpt() {
        for filling in ["文字", "ภาษาไทย", "https://example.org/a/", "🧑‍🧑‍🧒", "🇩🇪", "e\u{301}", "क्षि"]
        {
            let short = excerpt(&format!("Rust {}", filling.repeat(400)));
            assert_eq!(graphemes(&short), MAX_GRAPHEMES + 1, "{short}");
            let whole = format!("Rust {}", filling.repeat(400));
            let begun = short.strip_suffix('…').unwrap();
            assert!(
                whole.grapheme_indices(true).any(|(at, _)| at == begun.len()),
                "{short} is cut in a character"
            );
        }
        let marked = excerpt(&format!("a{}", "\u{301}".repeat(50_000)));
        assert!(marked.len() <= MAX_BYTES + 3, "{} bytes", marked.len());
    }

    #[test]
    fn raw_html_code_headings_and_pictures_have_an_excerpt() {
        assert_eq!(excerpt("<p>text</p>"), "text");
        assert_eq!(excerpt("<div>\n<p>one &amp; two</p><p>three<br>four</p></div>"), "one & two three four");
        assert_eq!(excerpt("<script>no()</script>\n\n<p>yes</p>"), "yes");
        assert_eq!(excerpt("```\nfn main() {}\n```"), "fn main() {}");
        assert_eq!(excerpt("# One\n\n## Two"), "One Two");
        assert_eq!(excerpt("![A cat](https://example.org/cat.png)"), "A cat");
        assert_eq!(excerpt("![A cat](data:image/png;base64,AA) sleeps"), "A cat sleeps");
    }
}
