//! The headings of a post: the id of each, the link to it, and the table of contents.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
    ops::Range,
};

use unicode_normalization::char::is_combining_mark;

/// Before each id of a heading. The ids of pages and forms do not begin so.
const HEADING: &str = "h-";

/// Before the id of a footnote, and of a reference to one.
const NOTE: &str = "fn-";
const REFERENCE: &str = "fnref-";

/// The most headings of a post that get an id. Each costs much more HTML than it has
/// letters, and nobody reads more entries in a table of contents.
const MAX_SECTIONS: usize = 256;

/// The fewest headings for a table of contents.
const FEWEST_FOR_CONTENTS: usize = 3;

/// The longest part of an id that is made of words, in characters.
const LONGEST_SLUG: usize = 80;

/// The class of the table of contents.
pub(super) const CONTENTS: &str = "contents";
/// The class of the words above it.
pub(super) const CONTENTS_TITLE: &str = "contents-title";
/// The class of the link at a heading, which style sheets fill: words in it would
/// become a part of the heading.
pub(super) const HEADING_LINK: &str = "heading-link";

/// The id of a footnote.
pub(super) fn note_id(number: usize) -> String {
    format!("{NOTE}{}", number + 1)
}

/// The id of the reference to a footnote; a note may have several.
pub(super) fn reference_id(number: usize, nth: usize) -> String {
    match nth {
        1 => format!("{REFERENCE}{}", number + 1),
        _ => format!("{REFERENCE}{}-{nth}", number + 1),
    }
}

/// A heading in the output.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) level: usize,
    /// Where its attributes end.
    pub(super) at: usize,
    /// Where its content ends.
    pub(super) end: usize,
    /// Its words, as they are written.
    pub(super) label: String,
    /// Whether it is in a link, in which no other may be.
    pub(super) in_link: bool,
}

/// A link to a place of the same page: the place of its address in the output, after
/// the `#`, and the address.
#[derive(Debug)]
pub(super) struct InPage {
    pub(super) place: Range<usize>,
    pub(super) fragment: String,
}

/// A piece of the output that is replaced.
pub(super) type Edit = (Range<usize>, String);

/// The headings of a text and the links to them.
#[derive(Debug, Default)]
pub(super) struct Sections {
    sections: Vec<Section>,
    pub(super) in_page: Vec<InPage>,
}

impl Sections {
    /// Begins a heading; its number, if it gets an id.
    pub(super) fn begin(&mut self, level: usize, at: usize, in_link: bool) -> Option<usize> {
        if self.sections.len() == MAX_SECTIONS {
            return None;
        }
        self.sections.push(Section { level, at, end: at, label: String::new(), in_link });
        Some(self.sections.len() - 1)
    }

    pub(super) fn section(&mut self, number: usize) -> &mut Section {
        &mut self.sections[number]
    }

    /// Ids, links at headings, and links to headings; and the table of contents.
    /// `plain` makes the text of a label.
    pub(super) fn finish(mut self, plain: impl Fn(&str) -> String, to_left: bool) -> (Vec<Edit>, String) {
        // A heading without words has no name by which a link could be found.
        let mut names = Vec::new();
        self.sections.retain(|section| {
            let name = plain(&section.label);
            let is_named = !name.trim().is_empty();
            if is_named {
                names.push(slug(&name));
            }
            is_named
        });
        let slugs = unique(names.into_iter());
        let mut edits = Vec::new();
        for (section, slug) in self.sections.iter().zip(&slugs) {
            edits.push((section.at..section.at, format!(" id=\"{HEADING}{slug}\"")));
            if !section.in_link {
                let link = format!(
                    "<a class=\"{HEADING_LINK}\" href=\"#{HEADING}{slug}\" aria-label=\"Link to this section\"></a>"
                );
                edits.push((section.end..section.end, link));
            }
        }
        let known: HashSet<&str> = slugs.iter().map(String::as_str).collect();
        for link in self.in_page {
            let wanted = link.fragment.to_lowercase();
            if known.contains(wanted.as_str()) {
                edits.push((link.place, format!("{HEADING}{wanted}")));
            }
        }
        (edits, contents(&self.sections, &slugs, to_left))
    }
}

/// The table of contents, if the text has headings enough.
fn contents(sections: &[Section], slugs: &[String], to_left: bool) -> String {
    let mut html = String::new();
    if sections.len() < FEWEST_FOR_CONTENTS {
        return html;
    }
    let direction = if to_left { " dir=\"rtl\"" } else { "" };
    let _ = write!(
        html,
        "<nav class=\"{CONTENTS}\" aria-label=\"Contents\"{direction}><p class=\"{CONTENTS_TITLE}\">Contents</p>"
    );
    let mut open: Vec<usize> = Vec::new();
    for (section, slug) in sections.iter().zip(slugs) {
        while open.len() > 1 && open.last().is_some_and(|level| *level > section.level) {
            open.pop();
            html.push_str("</li></ul>");
        }
        match open.last_mut() {
            // No list may be above the first, whatever its heading.
            Some(level) if *level >= section.level => {
                *level = section.level;
                html.push_str("</li>");
            }
            _ => {
                open.push(section.level);
                html.push_str("<ul>");
            }
        }
        let _ = write!(html, "<li><a href=\"#{HEADING}{slug}\" dir=\"auto\">{}</a>", section.label.trim());
    }
    for _ in open {
        html.push_str("</li></ul>");
    }
    html.push_str("</nav>\n");
    html
}

/// The part of an id that is made of words, as on GitHub: letters, digits and `_` in
/// lower case, with `-` for each space.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.trim().chars().flat_map(char::to_lowercase).take(LONGEST_SLUG) {
        if c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '-' | '_') {
            slug.push(c);
        } else if c.is_whitespace() {
            slug.push('-');
        }
    }
    if slug.is_empty() { "section".to_owned() } else { slug }
}

/// Makes equal slugs different: the second gets `-1`, the third `-2`.
fn unique(slugs: impl Iterator<Item = String>) -> Vec<String> {
    let mut used = HashSet::new();
    let mut next: HashMap<String, usize> = HashMap::new();
    slugs
        .map(|slug| {
            let mut free = slug.clone();
            while !used.insert(free.clone()) {
                let count = next.entry(slug.clone()).or_default();
                *count += 1;
                free = format!("{slug}-{count}");
            }
            free
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_has_an_id_of_its_words_as_on_github() {
        for (text, expected) in [
            ("How it works", "how-it-works"),
            ("What's new in 2.0?", "whats-new-in-20"),
            ("snake_case & kebab-case", "snake_case--kebab-case"),
            ("Größe", "größe"),
            ("हिन्दी", "हिन्दी"),
            ("标题", "标题"),
            ("\"><script>", "script"),
            ("!?", "section"),
        ] {
            assert_eq!(slug(text), expected);
        }
        assert_eq!(slug(&"x".repeat(500)).len(), LONGEST_SLUG);
    }

    #[test]
    fn no_two_headings_have_the_same_id() {
        let of = |slugs: &[&str]| unique(slugs.iter().map(|slug| (*slug).to_owned()));
        assert_eq!(of(&["a", "a", "a-1", "a", "a-1"]), ["a", "a-1", "a-1-1", "a-2", "a-1-2"]);
    }
}
