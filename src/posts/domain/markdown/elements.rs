//! The elements and attributes that a post may have, and how the HTML standard nests
//! them.

/// Every element that is kept; of others only the text stays.
#[rustfmt::skip]
pub(super) const ELEMENTS: [&str; 75] = [
    "a", "abbr", "acronym", "area", "article", "aside", "b", "bdi", "bdo", "blockquote", "br",
    "caption", "center", "cite", "code", "col", "colgroup", "data", "dd", "del", "details", "dfn",
    "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hgroup", "hr", "i", "img", "ins", "kbd", "li", "map", "mark", "nav", "ol", "p",
    "pre", "q", "rp", "rt", "rtc", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
    "summary", "sup", "table", "tbody", "td", "th", "thead", "time", "tr", "tt", "u", "ul", "var",
    "wbr",
];

/// The attributes that any element may keep; the sanitizer knows which.
#[rustfmt::skip]
const ATTRIBUTES: [&str; 26] = [
    "align", "alt", "alttext", "char", "charoff", "cite", "class", "colspan", "datetime", "dir", "headers", "height",
    "href", "hreflang", "lang", "rowspan", "scope", "size", "span", "src", "start", "summary", "title",
    "type", "value", "width",
];

/// What is made of elements that a post does not have.
const OTHERS: [(&str, &str); 2] = [
    // The standard's own alias (13.2.6.4.7).
    ("image", "img"),
    // The first level of a page is its title. Markdown's headings have their levels already.
    ("h1", "h2"),
];

/// The element of that name, in lower case.
pub(super) fn element(name: &str) -> Option<&'static str> {
    let other = OTHERS.into_iter().find(|(typed, _)| typed.eq_ignore_ascii_case(name));
    let name = other.map_or(name, |(_, made)| made);
    ELEMENTS.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// The attribute of that name, in lower case.
pub(super) fn attribute(name: &str) -> Option<&'static str> {
    ATTRIBUTES.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// An element whose content is not parsed as HTML.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawText {
    pub(super) name: &'static str,
    pub(super) content: Inner,
}

/// The kind of content of a raw text element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inner {
    /// It is not shown.
    Nothing,
    /// Text with character references.
    Text,
    /// Text without character references.
    Raw,
}

impl RawText {
    /// Whether readers see its content.
    pub(super) fn is_shown(self) -> bool {
        self.content != Inner::Nothing
    }
}

/// Elements whose content is no HTML (HTML 13.1.2).
pub(super) fn raw_text(name: &str) -> Option<RawText> {
    const ALL: [(&str, Inner); 8] = [
        ("script", Inner::Nothing),
        ("style", Inner::Nothing),
        ("title", Inner::Text),
        ("textarea", Inner::Text),
        ("xmp", Inner::Raw),
        ("iframe", Inner::Raw),
        ("noembed", Inner::Raw),
        ("noframes", Inner::Raw),
    ];
    let (name, content) = ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(RawText { name, content })
}

/// Has no content and no end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(name, "area" | "br" | "col" | "hr" | "img" | "wbr")
}

/// Whether the content is shown as it was typed.
pub(super) fn is_code(name: &str) -> bool {
    matches!(name, "code" | "kbd" | "pre" | "samp" | "tt" | "var")
}

pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// A cell, or an element like it: its content is independent of the elements around
/// the table.
pub(super) fn is_cell(name: &str) -> bool {
    matches!(name, "td" | "th" | "caption")
}

/// Whether the element is allowed only in a table.
pub(super) fn is_table_part(name: &str) -> bool {
    is_cell(name) || is_row_group(name) || matches!(name, "tr" | "colgroup" | "col")
}

pub(super) fn is_row_group(name: &str) -> bool {
    matches!(name, "thead" | "tbody" | "tfoot")
}

/// It holds parts of a table and nothing else.
pub(super) fn is_table_frame(name: &str) -> bool {
    is_row_group(name) || matches!(name, "table" | "tr" | "colgroup")
}

/// It ends an open paragraph.
pub(super) fn is_block(name: &str) -> bool {
    is_heading(name)
        || matches!(
            name,
            "article"
                | "aside"
                | "blockquote"
                | "center"
                | "dd"
                | "details"
                | "div"
                | "dl"
                | "dt"
                | "figcaption"
                | "figure"
                | "footer"
                | "header"
                | "hgroup"
                | "hr"
                | "li"
                | "nav"
                | "ol"
                | "p"
                | "pre"
                | "summary"
                | "table"
                | "ul"
        )
}

/// Sets itself from right to left or from left to right by its own text.
pub(super) fn finds_its_direction(name: &str) -> bool {
    matches!(name, "p" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Contains what finds its own direction. A browser does not look into that (`dir="auto"`), so
/// its own is found here.
pub(super) fn is_directed_by_content(name: &str) -> bool {
    matches!(name, "ul" | "ol" | "blockquote" | "table")
}
