//! Converts Markdown to safe HTML (security row X1) and to one line of plain text.
//! The cost is about that of plain text, for any input (security row L9).
//!
//! Pure functions. The time of each step is linear in the length of the text:
//! 1. `marks::prepare` bounds how many containers a line opens, and `dollars::kept_apart`
//!    keeps formulas between tags and links;
//! 2. pulldown-cmark parses;
//! 3. `write` makes HTML of the events, with the site's form of cells, headings and
//!    punctuation, and marks for footnotes and formulas;
//! 4. `balance::balance` nests the elements properly and not deeply, inserts a remark
//!    where something is not shown, and adds ids, links and the table of contents;
//! 5. ammonia removes everything that is not safe;
//! 6. formulas and code in colours, made by `formulas` and `code` of a few elements alone,
//!    take the place of their marks.
//!
//! [`super::rendering`] runs them, on blocking threads.

mod addresses;
mod alerts;
mod as_read;
mod audience;
mod balance;
mod bare_links;
mod code;
mod dollars;
mod elements;
mod excerpt;
mod footnotes;
mod formulas;
mod marks;
mod pictures;
mod quotes;
mod sections;
mod tokens;
#[cfg(test)]
mod worst;
mod written;

pub use audience::Audience;
use std::{borrow::Cow, collections::HashSet, ops::Range, sync::LazyLock};

use ammonia::Builder;
use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html,
};

pub(super) use self::balance::runs_to_left;
use self::{
    alerts::ALERTS,
    code::Codes,
    formulas::Formulas,
    marks::Stand,
    quotes::Quotes,
    tokens::{Token, Tokens},
    written::Written,
};
use crate::{accounts::profile::Punctuation, posts::Content};

/// The version of the renderer, a part of the number that is stored with the HTML
/// ([`renderer`]). It must be raised with every change to the result for any text.
const VERSION: i64 = 8;

/// The most bytes of HTML that are stored beside a post. Longer HTML, which no typed
/// text has, is rendered at request.
const STORED_HTML: usize = 256 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// Safe HTML: without scripts, event handlers and addresses that run code. At most
    /// some forty times as long as the text.
    pub html: String,
    /// The beginning without markup, about 240 characters.
    pub excerpt: String,
    /// All words in one line, without markup and the remarks of the site, such as the table of
    /// contents. A search shows a part of them; behind 256 KiB it looks at none.
    pub words: String,
    /// The [fold](super::fold) of those words that the Markdown does not have in one piece.
    pub read_folded: Option<String>,
    /// How all have the punctuation.
    pub punctuation: Punctuation,
}

impl Rendering {
    /// The HTML, where it is short enough to be stored.
    #[must_use]
    pub fn stored_html(&self) -> Option<&str> {
        (self.html.len() <= STORED_HTML).then_some(self.html.as_str())
    }

    /// The number that is stored with the HTML: see [`renderer`].
    #[must_use]
    pub const fn renderer(&self) -> i64 {
        renderer(self.punctuation)
    }
}

/// How a column may be aligned, other than at the start of its cell.
const COLUMN_SIDES: [&str; 2] = ["right", "center"];

/// The most cells that are added to short rows, for a text of `length` bytes. Beyond
/// that, a row stays short.
const fn most_added_cells(length: usize) -> usize {
    64 + length / 16
}

/// The number of what makes HTML now. Those of earlier versions are lower than all of this
/// one.
#[must_use]
pub const fn renderer(punctuation: Punctuation) -> i64 {
    VERSION * 2 + punctuation.stored()
}

fn options(punctuation: Punctuation) -> Options {
    let typographic = match punctuation {
        Punctuation::Typographic => Options::ENABLE_SMART_PUNCTUATION,
        Punctuation::Plain => Options::empty(),
    };
    typographic
        | Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH
}

/// What links say of themselves: that the site does not speak for where they lead.
const REL: &str = "nofollow ugc noopener";

/// ammonia's defaults, limited to http, https and mailto, with `rel` on every link and
/// some attributes:
/// - `dir`, so that authors can set the direction of a text;
/// - `tabindex`, so that the keyboard reaches what scrolls sideways (WCAG 2.1.1);
/// - `loading`, `decoding`, `srcset` and `sizes` of images, which only Byline writes, as
///   ids, too;
/// - ids and names for the keyboard and screen readers, which only Byline writes:
///   `elements` has none of them, so those of authors do not come here.
static SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .tags(HashSet::from(elements::ELEMENTS))
        .url_schemes(HashSet::from(addresses::LINK_SCHEMES))
        .link_rel(Some(REL))
        .add_generic_attributes(["dir"])
        .add_allowed_classes("span", [balance::NOT_SHOWN, TASK])
        .add_allowed_classes("nav", [sections::CONTENTS])
        .add_allowed_classes("p", [sections::CONTENTS_TITLE, alerts::ALERT_TITLE])
        .add_allowed_classes("div", ["alert"].into_iter().chain(ALERTS.map(|(class, _)| class)))
        .add_allowed_classes("a", [sections::HEADING_LINK, footnotes::NOTE_BACK, balance::BARE_LINK])
        .add_allowed_classes("sup", [footnotes::NOTE_REFERENCE])
        .add_allowed_classes("footer", [footnotes::FOOTNOTES])
        .add_tag_attributes("nav", ["aria-label"])
        .add_tag_attributes("a", ["aria-label", "id"])
        .add_tag_attributes("li", ["id"]);
    for heading in ["h1", "h2", "h3", "h4", "h5", "h6"] {
        builder.add_tag_attributes(heading, ["id"]);
    }
    for scrolls in ["pre", "table"] {
        builder.set_tag_attribute_value(scrolls, "tabindex", "0");
    }
    for cell in ["td", "th"] {
        builder.add_allowed_classes(cell, COLUMN_SIDES);
    }
    builder.add_tag_attributes("img", ["decoding", "loading", "sizes", "srcset"]);
    builder
});

/// Renders a text for its readers.
#[must_use]
pub fn render(content: &Content, punctuation: Punctuation) -> Rendering {
    let html = to_html(content, punctuation, Audience::Reader);
    let words = excerpt::text_of_html(&html);
    let read_folded = as_read::folded_words(content.as_str(), &words);
    Rendering { excerpt: excerpt::of_html(&html), words, read_folded, html, punctuation }
}

#[must_use]
pub fn to_html(content: &Content, punctuation: Punctuation, audience: Audience) -> String {
    let source = dollars::kept_apart(marks::prepare(content.as_str()), options(Punctuation::Plain));
    let written = write(&source, punctuation);
    let safe = SANITIZER.clean(&balance::balance(&written, audience)).to_string();
    let safe = without_rel_of_own(&safe);
    marks::replaced(safe, |stand| match stand {
        Stand::Formula(number) => written.formulas.get(number)?.mathml.as_deref(),
        Stand::Code(number) => written.code.get(number)?.html.as_deref(),
        _ => None,
    })
}

/// Takes [`REL`] from links that stay on the site: to a part of the same page, and to a path. What
/// ammonia writes has no quotes within the value of an attribute, so a tag can be cut at them.
fn without_rel_of_own(html: &str) -> String {
    let mut pieces = html.split("<a ");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    let rel = format!(" rel=\"{REL}\"");
    for piece in pieces {
        whole.push_str("<a ");
        let is_own = piece.split_once("href=\"").is_some_and(|(_, address)| {
            address.starts_with('#') || (address.starts_with('/') && !address[1..].starts_with(['/', '\\']))
        });
        // Up to the next tag: a link without an address has none.
        let tag = piece.find("\">").map_or(0, |end| end + 1);
        match piece[..tag].split_once(rel.as_str()) {
            Some((before, after)) if is_own => {
                whole.push_str(before);
                whole.push_str(after);
                whole.push_str(&piece[tag..]);
            }
            _ => whole.push_str(piece),
        }
    }
    whole
}

/// Rendered HTML without the colours of code, for readers without Byline's style sheet.
#[must_use]
pub fn without_colours(html: &str) -> Cow<'_, str> {
    code::without_colours(html)
}

/// Calls `of` with each word of HTML, as spaces separate them, and with what tags separate.
/// The colours of code separate nothing.
pub(super) fn each_word_of_html(html: &str, mut of: impl FnMut(&str)) {
    for token in Tokens::of(&without_colours(html)) {
        if let Token::Text(text) | Token::Raw(text) = token {
            text.split_whitespace().for_each(&mut of);
        }
    }
}

/// The class of the box of a task, and its two looks: characters, which print and are
/// read out as what they are.
const TASK: &str = "task";
const BOXES: [char; 2] = ['\u{2610}', '\u{2611}'];

fn alert(kind: BlockQuoteKind) -> CowStr<'static> {
    let (class, _) = ALERTS[match kind {
        BlockQuoteKind::Note => 0,
        BlockQuoteKind::Tip => 1,
        BlockQuoteKind::Important => 2,
        BlockQuoteKind::Warning => 3,
        BlockQuoteKind::Caution => 4,
    }];
    format!("<div class=\"alert {class}\">\n").into()
}

/// Writes the HTML of Markdown.
fn write(source: &str, punctuation: Punctuation) -> Written {
    let events: Vec<_> = Parser::new_ext(source, options(punctuation)).into_offset_iter().collect();
    let (events, footnotes) = footnotes::moved_behind(events, source);
    let mut outline = Outline::of(&events);
    let mut cells = Cells::for_text(source);
    let (mut formulas, mut codes) = (Formulas::default(), Codes::default());
    let mut quotes = Quotes::default();
    let mut pictures = 0_usize;
    let events = events.into_iter().filter_map(|(event, range)| {
        quotes.follow(&event);
        Some(match event {
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                Event::Start(Tag::Heading { level: outline.place(level), id, classes, attrs })
            }
            Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(outline.current)),
            Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell)
            | Event::End(TagEnd::Table | TagEnd::TableHead | TagEnd::TableRow | TagEnd::TableCell) => {
                Event::InlineHtml(cells.tag(event, range)?.into())
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                codes.begin(&info);
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info)))
            }
            Event::End(TagEnd::CodeBlock) => {
                codes.end();
                Event::End(TagEnd::CodeBlock)
            }
            Event::Start(Tag::BlockQuote(Some(kind))) => Event::Html(alert(kind)),
            Event::End(TagEnd::BlockQuote(Some(_))) => Event::Html("</div>\n".into()),
            Event::TaskListMarker(done) => Event::InlineHtml(
                format!("<span class=\"{TASK}\">{}</span> ", BOXES[usize::from(done)]).into(),
            ),
            Event::InlineMath(ref tex) | Event::DisplayMath(ref tex) => {
                let display = matches!(event, Event::DisplayMath(_));
                let typed = source.get(range.clone()).unwrap_or_default();
                // The words for a picture are text alone, and "a$5 to b$6" are prices.
                let in_a_word = source[..range.start].ends_with(char::is_alphanumeric)
                    || source[range.end..].starts_with(char::is_alphanumeric);
                let is_text = pictures > 0 || (in_a_word && !display);
                Event::Text(if is_text {
                    typed.to_owned().into()
                } else {
                    formulas.mark(tex, typed, display).into()
                })
            }
            Event::Text(text) if codes.is_open() => {
                let number = codes.take(&text.replace(marks::STOP, ""))?;
                Event::Text(marks::stand(Stand::Code(number)).into())
            }
            Event::Text(text) => {
                let text = quotes.set(text, source, &range);
                // A mark that a reference (`&#xFDD0;`) has made is no mark.
                let referred = source.get(range.clone()).is_some_and(|typed| typed.starts_with('&'));
                Event::Text(match referred && text.contains(marks::is_mark) {
                    true => "\u{FFFD}".into(),
                    false => replaced(text, |text| marks::marked(text, source, range.clone())),
                })
            }
            other => {
                pictures += usize::from(matches!(other, Event::Start(Tag::Image { .. })));
                pictures -= usize::from(matches!(other, Event::End(TagEnd::Image)));
                other
            }
        })
    });
    let mut html = String::with_capacity(source.len() * 3 / 2);
    html::push_html(&mut html, events);
    Written { html, footnotes, formulas: formulas.written(), code: codes.written() }
}

fn replaced<'a>(text: CowStr<'a>, by: impl FnOnce(&str) -> Cow<'_, str>) -> CowStr<'a> {
    match by(&text) {
        Cow::Owned(other) => other.into(),
        Cow::Borrowed(_) => text,
    }
}

/// Writes the tags of tables. The parser's own writer aligns columns with a style
/// attribute, which the site's policy forbids (security row X2).
#[derive(Debug)]
struct Cells {
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
    added: usize,
    most_added: usize,
    /// Whether the current cell is left out.
    skipped: bool,
}

impl Cells {
    const fn for_text(source: &str) -> Self {
        Self {
            alignments: Vec::new(),
            column: 0,
            in_head: false,
            added: 0,
            most_added: most_added_cells(source.len()),
            skipped: false,
        }
    }

    fn tag(&mut self, event: Event<'_>, range: Range<usize>) -> Option<&'static str> {
        Some(match event {
            Event::Start(Tag::Table(alignments)) => {
                self.alignments = alignments;
                "<table>"
            }
            Event::End(TagEnd::Table) => "</tbody></table>\n",
            Event::Start(Tag::TableHead) => {
                (self.in_head, self.column) = (true, 0);
                "<thead><tr>"
            }
            Event::End(TagEnd::TableHead) => {
                self.in_head = false;
                "</tr></thead><tbody>\n"
            }
            Event::Start(Tag::TableRow) => {
                self.column = 0;
                "<tr>"
            }
            Event::End(TagEnd::TableRow) => "</tr>\n",
            Event::Start(Tag::TableCell) => {
                let alignment = self.alignments.get(self.column).copied().unwrap_or(Alignment::None);
                self.column += 1;
                self.added += usize::from(range.is_empty());
                self.skipped = range.is_empty() && self.added > self.most_added;
                if self.skipped {
                    return None;
                }
                match (self.in_head, alignment) {
                    (true, Alignment::Right) => "<th class=\"right\">",
                    (true, Alignment::Center) => "<th class=\"center\">",
                    (true, _) => "<th>",
                    (false, Alignment::Right) => "<td class=\"right\">",
                    (false, Alignment::Center) => "<td class=\"center\">",
                    (false, _) => "<td>",
                }
            }
            Event::End(TagEnd::TableCell) if self.skipped => return None,
            Event::End(TagEnd::TableCell) => {
                if self.in_head {
                    "</th>"
                } else {
                    "</td>"
                }
            }
            _ => return None,
        })
    }
}

/// Adjusts heading levels to the page, whose `h1` is the title: the author's highest
/// level becomes `h2`, and no level is skipped (WCAG 1.3.1; people navigate by
/// headings with screen readers).
struct Outline {
    highest: HeadingLevel,
    current: HeadingLevel,
}

impl Outline {
    fn of(events: &[(Event<'_>, Range<usize>)]) -> Self {
        let highest = events
            .iter()
            .filter_map(|(event, _)| match event {
                Event::Start(Tag::Heading { level, .. }) => Some(*level),
                _ => None,
            })
            .min()
            .unwrap_or(HeadingLevel::H1);
        Self { highest, current: HeadingLevel::H1 }
    }

    fn place(&mut self, level: HeadingLevel) -> HeadingLevel {
        let wanted = level as usize - self.highest as usize + 2;
        let deepest = self.current as usize + 1;
        self.current = HeadingLevel::try_from(wanted.min(deepest)).unwrap_or(HeadingLevel::H6);
        self.current
    }
}

#[cfg(test)]
mod tests;
