//! HTML whose elements are nested properly and not deeply.
//!
//! The HTML parsers of browsers and of the sanitizer repair invalid HTML. The repair
//! costs depth times length, and repeats open elements in every following
//! paragraph. So the sanitizer gets HTML that needs no repair: each element is
//! closed in order, and at most [`MAX_DEPTH`] are nested. No text is dropped.

mod stands;

use std::{borrow::Cow, collections::HashMap, fmt::Write};

use super::{
    Audience,
    addresses::{self, Picture},
    alerts::{ALERT_TITLE, alert_title},
    bare_links::bare_link,
    elements::{
        element, finds_its_direction, is_block, is_cell, is_code, is_directed_by_content, is_heading,
        is_row_group, is_table_frame, is_table_part, is_void,
    },
    marks::{self, Stand},
    pictures,
    sections::{Edit, InPage, Sections},
    tokens::{Attribute, Token, Tokens, decoded},
    written::Written,
};

/// The most elements around a text; deeper ones lose their tags.
pub(super) const MAX_DEPTH: usize = 100;

/// The class of Byline's remarks where something is not shown.
pub(super) const NOT_SHOWN: &str = "not-shown";

/// The class of a link whose words are its address.
pub(super) const BARE_LINK: &str = "bare";

/// Balances HTML, inserts remarks for `audience` where something is not shown, and
/// writes what stands at marks.
pub(super) fn balance(written: &Written, audience: Audience) -> String {
    let mut balance = Balance::new(written, audience);
    for token in Tokens::of(&written.html) {
        match token {
            Token::Text(text) => balance.text(text, false),
            Token::Raw(text) => balance.text(text, true),
            Token::Start(name, attributes) => {
                if let Some(name) = element(name) {
                    balance.start(name, attributes);
                }
            }
            Token::End(name) => {
                if let Some(name) = element(name) {
                    balance.end(name);
                }
            }
        }
    }
    balance.finish()
}

/// Characters by their direction, if the character alone determines it.
#[derive(Debug, Default)]
struct Strong {
    to_right: usize,
    to_left: usize,
}

#[derive(Debug)]
struct Open {
    name: &'static str,
    /// Written behind a link whose address is dropped.
    remark: Option<String>,
    /// The number of a heading among the sections.
    section: Option<usize>,
    /// Where in the output its attributes end.
    at: usize,
}

/// A table or an alert whose author gave it no text direction.
#[derive(Debug)]
struct Frame {
    /// Where in the output its attribute goes.
    at: usize,
    /// Whether the first character that says how it runs runs to the left.
    to_left: Option<bool>,
}

#[derive(Debug)]
struct Balance<'a> {
    written: &'a Written,
    out: String,
    audience: Audience,
    open: Vec<Open>,
    /// The number of elements of each name that were not opened inside the innermost
    /// element; their end tags are ignored.
    dropped: HashMap<&'static str, usize>,
    /// How many of the open elements are code.
    code: usize,
    /// How many of the open elements are links.
    links: usize,
    /// How many images were written.
    images: usize,
    frames: Vec<Frame>,
    /// Frames that begin at a place in `open`, by their place in `frames`.
    open_frames: Vec<(usize, usize)>,
    strong: Strong,
    sections: Sections,
    /// The number of the heading that is open.
    section: Option<usize>,
}

impl<'a> Balance<'a> {
    fn new(written: &'a Written, audience: Audience) -> Self {
        let length = written.html.len();
        Self {
            written,
            out: String::with_capacity(length + length / 4),
            audience,
            open: Vec::new(),
            dropped: HashMap::new(),
            code: 0,
            links: 0,
            images: 0,
            frames: Vec::new(),
            open_frames: Vec::new(),
            strong: Strong::default(),
            sections: Sections::default(),
            section: None,
        }
    }

    fn top(&self) -> Option<&'static str> {
        self.open.last().map(|open| open.name)
    }

    /// The position of the nearest open element that `wanted` accepts. The search ends
    /// at an element that `barrier` accepts.
    fn nearest(
        &self,
        wanted: impl Fn(&'static str) -> bool,
        barrier: impl Fn(&'static str) -> bool,
    ) -> Option<usize> {
        for (at, open) in self.open.iter().enumerate().rev() {
            if wanted(open.name) {
                return Some(at);
            }
            if barrier(open.name) {
                return None;
            }
        }
        None
    }

    /// Closes the element at `at` and all within it.
    fn close_to(&mut self, at: usize) {
        while self.open.len() > at {
            let Some(Open { name, remark, section, .. }) = self.open.pop() else { return };
            self.dropped.clear();
            self.code -= usize::from(is_code(name));
            self.links -= usize::from(name == "a");
            if self.open_frames.last().is_some_and(|(open, _)| *open == self.open.len()) {
                self.open_frames.pop();
            }
            if let Some(section) = section {
                self.sections.section(section).end = self.out.len();
                self.section = None;
            }
            let _ = write!(self.out, "</{name}>");
            if let Some(remark) = remark {
                self.remark(&remark);
            }
        }
    }

    fn close_nearest(
        &mut self,
        wanted: impl Fn(&'static str) -> bool,
        barrier: impl Fn(&'static str) -> bool,
    ) {
        if let Some(at) = self.nearest(wanted, barrier) {
            self.close_to(at);
        }
    }

    /// Opens a cell where a table has text outside of one.
    fn enter_cell(&mut self) {
        match self.top() {
            Some("colgroup") => {
                self.close_to(self.open.len() - 1);
                self.enter_cell();
            }
            Some("tr") => self.push("td", &[]),
            Some(name) if is_table_frame(name) => {
                self.push("tr", &[]);
                self.push("td", &[]);
            }
            _ => {}
        }
    }

    /// Closes elements that cannot contain `name` (HTML 13.1.2.4 and 13.2.6.4.7).
    /// Returns `false` if `name` is not allowed here.
    fn make_room(&mut self, name: &'static str) -> bool {
        let frame = |name| is_cell(name) || is_table_frame(name);
        if is_table_part(name) {
            if self.dropped.contains_key("table") {
                return false;
            }
            let Some(table) = self.nearest(|open| open == "table", |_| false) else { return false };
            let home = match name {
                "tr" => self.nearest(is_row_group, |open| open == "table"),
                "td" | "th" => {
                    self.nearest(|open| open == "tr" || is_row_group(open), |open| open == "table")
                }
                "col" => self.nearest(|open| open == "colgroup", |open| open == "table"),
                _ => None,
            };
            self.close_to(home.unwrap_or(table) + 1);
            if matches!(name, "td" | "th") && self.top() != Some("tr") {
                self.push("tr", &[]);
            }
            return true;
        }
        self.enter_cell();
        if is_block(name) {
            self.close_nearest(|open| open == "p", frame);
        }
        match name {
            "li" => self.close_nearest(
                |open| open == "li",
                |open| frame(open) || (is_block(open) && !matches!(open, "div" | "p")),
            ),
            "dd" | "dt" => self.close_nearest(
                |open| matches!(open, "dd" | "dt"),
                |open| frame(open) || (is_block(open) && !matches!(open, "div" | "p")),
            ),
            "a" => self.close_nearest(|open| open == "a", frame),
            "rt" | "rp" | "rtc" => {
                self.close_nearest(|open| matches!(open, "rt" | "rp"), |open| open == "ruby");
                // In a ruby, the parser also closes these (HTML 13.2.6.3, implied end tags).
                if self.nearest(|open| open == "ruby", frame).is_some() {
                    while self.top().is_some_and(|open| matches!(open, "p" | "li" | "dd" | "dt")) {
                        self.close_to(self.open.len() - 1);
                    }
                }
            }
            _ if is_heading(name) && self.top().is_some_and(is_heading) => self.close_to(self.open.len() - 1),
            _ => {}
        }
        true
    }

    fn start(&mut self, name: &'static str, attributes: Vec<Attribute<'_>>) {
        if !self.make_room(name) {
            return;
        }
        let attributes: Vec<(&'static str, Cow<'_, str>)> =
            attributes.into_iter().map(|(name, value)| (name, decoded(value))).collect();
        match name {
            "img" => self.picture(attributes),
            _ if is_void(name) => self.tag(name, &attributes),
            _ => self.push(name, &attributes),
        }
    }

    fn push(&mut self, name: &'static str, attributes: &[(&'static str, Cow<'_, str>)]) {
        // A table is opened only where its cells can be.
        let needed = match name {
            "table" => 4,
            name if is_row_group(name) => 3,
            "tr" => 2,
            _ => 1,
        };
        if self.open.len() + needed > MAX_DEPTH {
            *self.dropped.entry(name).or_default() += 1;
            return;
        }
        let href = attributes.iter().find(|(attribute, _)| name == "a" && *attribute == "href");
        let remark = href
            .filter(|_| self.audience == Audience::Author)
            .and_then(|(_, address)| addresses::refused_link(address))
            .map(|reason| format!(" (No link: addresses begin with http:, https: or mailto:; {reason}.)"));
        self.tag(name, attributes);
        let at = self.out.len() - 1;
        let alert = attributes.iter().find(|(attribute, _)| *attribute == "class");
        let alert = alert.and_then(|(_, class)| alert_title(class)).filter(|_| name == "div");
        let directed = attributes.iter().any(|(attribute, _)| *attribute == "dir");
        if !directed && (is_directed_by_content(name) || alert.is_some()) {
            self.open_frames.push((self.open.len(), self.frames.len()));
            self.frames.push(Frame { at, to_left: None });
        }
        if let Some(title) = alert {
            let _ = write!(self.out, "<p class=\"{ALERT_TITLE}\">{title}</p>");
        }
        // A heading in a heading's cell is none of its own.
        let mut section = None;
        if is_heading(name) && self.section.is_none() {
            let level = usize::from(name.as_bytes()[1] - b'0');
            section = self.sections.begin(level, at, self.links > 0);
            self.section = section;
        }
        self.code += usize::from(is_code(name));
        self.links += usize::from(name == "a");
        self.open.push(Open { name, remark, section, at });
    }

    fn tag(&mut self, name: &'static str, attributes: &[(&'static str, Cow<'_, str>)]) {
        let mut direction = finds_its_direction(name).then_some("auto");
        let _ = write!(self.out, "<{name}");
        for (attribute, value) in attributes {
            if *attribute == "dir" {
                direction = ["ltr", "rtl", "auto"]
                    .into_iter()
                    .find(|known| value.trim_ascii().eq_ignore_ascii_case(known))
                    .or(direction);
                continue;
            }
            let _ = write!(self.out, " {attribute}=\"");
            let start = self.out.len();
            self.escaped(value);
            if name == "a"
                && *attribute == "href"
                && let Some(fragment) = value.strip_prefix('#')
            {
                let fragment =
                    percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned();
                self.sections.in_page.push(InPage { place: start + 1..self.out.len(), fragment });
            }
            self.out.push('"');
        }
        if let Some(direction) = direction {
            let _ = write!(self.out, " dir=\"{direction}\"");
        }
        self.out.push('>');
    }

    /// Writes the value of an attribute.
    fn escaped(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '"' => self.out.push_str("&quot;"),
                c if marks::is_mark(c) => self.out.extend(marks::typographic(c).map(|(shown, _)| shown)),
                c => self.out.push(marks::escaped(c).unwrap_or(c)),
            }
        }
    }

    fn end(&mut self, name: &'static str) {
        if is_table_part(name) && self.dropped.contains_key("table") {
            return;
        }
        if let Some(count) = self.dropped.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.dropped.remove(name);
            }
            return;
        }
        if name == "br" {
            self.start(name, Vec::new());
        } else if is_heading(name) {
            self.close_nearest(is_heading, |open| is_cell(open) || is_table_frame(open));
        } else if name == "table" || is_table_part(name) {
            self.close_nearest(|open| open == name, |open| open == "table" && name != "table");
        } else {
            self.close_nearest(|open| open == name, |open| is_cell(open) || is_table_frame(open));
        }
    }

    fn picture(&mut self, mut attributes: Vec<(&'static str, Cow<'_, str>)>) {
        let at = attributes.iter().position(|(name, _)| *name == "src");
        let Some(at) = at else { return self.image(attributes) };
        let (reason, linked) = match addresses::picture(&attributes[at].1) {
            Picture::Shown(address) => {
                attributes[at].1 = address.into();
                return self.image(pictures::with_forms(attributes, at, self.images == 0));
            }
            Picture::Linked(reason) => (reason, true),
            Picture::Dropped(reason) => (reason, false),
        };
        let source = attributes.swap_remove(at).1;
        let alt = attributes.iter().find(|(name, alt)| *name == "alt" && !alt.trim().is_empty());
        let alt = alt.map(|(_, alt)| alt.as_ref());
        // A link inside a link is dropped.
        let linked = linked && self.nearest(|open| open == "a", is_cell).is_none();
        self.remark(if alt.is_some() || linked { "Picture not shown: " } else { "Picture not shown." });
        if linked {
            self.out.push_str("<a href=\"");
            self.escaped(&source);
            self.out.push_str("\">");
        }
        let words = alt.unwrap_or(if linked { "its address" } else { "" });
        self.text(&html_escape::encode_text(words), false);
        if linked {
            self.out.push_str("</a>");
        }
        if self.audience == Audience::Author {
            self.remark(&format!(" (Addresses of pictures begin with https:; {reason}.)"));
        }
    }

    fn image(&mut self, attributes: Vec<(&'static str, Cow<'_, str>)>) {
        self.images += 1;
        self.tag("img", &attributes);
    }

    /// Writes a remark of Byline's own.
    fn remark(&mut self, words: &str) {
        let _ = write!(self.out, "<span class=\"{NOT_SHOWN}\">{}</span>", html_escape::encode_text(words));
    }

    /// `raw`: an `&` in it begins no character reference.
    fn text(&mut self, text: &str, raw: bool) {
        if self.top().is_some_and(is_table_frame) {
            // White space between cells is no content.
            if text.trim_ascii().is_empty() {
                self.out.push_str(text);
                return;
            }
            self.enter_cell();
        }
        let mut in_reference = false;
        let mut before = None;
        // An address, from "://" to the next space, gets no typography, because people copy it.
        let mut address = Address::default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some((stand, length)) = marks::standing(rest) {
                rest = &rest[length..];
                self.stand(stand);
                before = None;
                continue;
            }
            if !raw
                && !in_reference
                && self.code == 0
                && self.links == 0
                && let Some(link) = bare_link(rest, before)
            {
                before = link.typed.chars().next_back();
                rest = &rest[link.length..];
                let attributes = [("href", Cow::from(link.href)), ("class", Cow::from(BARE_LINK))];
                self.push("a", &attributes);
                for c in link.typed.chars() {
                    self.character(c);
                }
                self.end("a");
                continue;
            }
            before = Some(c);
            address.follow(c);
            let (mut written, mut length) = (marks::escaped(c).unwrap_or(c), c.len_utf8());
            in_reference &= c.is_ascii_alphanumeric() || c == '#';
            if c == '&' && !raw {
                if let Some((mark, whole)) = marks::reference(rest) {
                    (written, length) = (mark, whole);
                } else if let Some(length_of_mark) = marks::reference_to_a_mark(rest) {
                    (written, length) = ('\u{FFFD}', length_of_mark);
                } else if rest[1..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '#') {
                    (written, in_reference) = (c, true);
                }
            }
            rest = &rest[length..];
            if marks::is_mark(c) {
                let Some((shown, typed)) = marks::typographic(c) else { continue };
                let as_typed = self.code > 0 || (address.inside && matches!(shown, '–' | '—' | '…'));
                if as_typed {
                    typed.chars().for_each(|c| self.put(c));
                } else {
                    self.put(shown);
                }
                continue;
            }
            self.put(written);
            if !in_reference && self.code == 0 && c.is_alphabetic() {
                self.notice(runs_to_left(c));
            }
        }
    }

    /// Writes a character that has no meaning in HTML.
    fn character(&mut self, c: char) {
        self.put(marks::escaped(c).unwrap_or(c));
        if self.code == 0 && c.is_alphabetic() {
            self.notice(runs_to_left(c));
        }
    }

    /// Writes a character to the text, and to the name of the heading around it.
    fn put(&mut self, c: char) {
        self.out.push(c);
        if let Some(section) = self.section {
            self.sections.section(section).label.push(c);
        }
    }

    /// Notes a character that has a text direction.
    fn notice(&mut self, to_left: bool) {
        *if to_left { &mut self.strong.to_left } else { &mut self.strong.to_right } += 1;
        for (_, frame) in self.open_frames.iter().rev() {
            let frame = &mut self.frames[*frame];
            // The frames around it have a direction already.
            if frame.to_left.is_some() {
                break;
            }
            frame.to_left = Some(to_left);
        }
    }

    /// Closes all open elements, sets the direction of tables, lists, quotes and alerts
    /// (right to left if the text of the post runs so, or if they begin so), and writes what
    /// belongs to headings.
    fn finish(mut self) -> String {
        self.close_to(0);
        let post_to_left = self.strong.to_left > self.strong.to_right;
        let to_left = |frame: &&Frame| post_to_left || frame.to_left == Some(true);
        let frames =
            self.frames.iter().filter(to_left).map(|frame| (frame.at..frame.at, " dir=\"rtl\"".to_owned()));
        let mut edits: Vec<Edit> = frames.collect();
        let (more, mut whole) = self.sections.finish(|label| plain(label, self.written), post_to_left);
        if edits.is_empty() && more.is_empty() {
            return self.out;
        }
        edits.extend(more);
        edits.sort_by_key(|(place, _)| place.start);
        whole.reserve(self.out.len() + edits.iter().map(|(_, text)| text.len()).sum::<usize>());
        let mut copied = 0;
        for (place, text) in edits {
            whole.push_str(&self.out[copied..place.start]);
            whole.push_str(&text);
            copied = place.end;
        }
        whole.push_str(&self.out[copied..]);
        whole
    }
}

/// The text of a heading's label.
fn plain(label: &str, written: &Written) -> String {
    let mut text = String::with_capacity(label.len());
    let mut rest = label;
    while let Some(c) = rest.chars().next() {
        if let Some((stand, length)) = marks::standing(rest) {
            if let Stand::Formula(number) = stand {
                text.push_str(written.formulas.get(number).map_or("", |formula| &formula.tex));
            }
            rest = &rest[length..];
            continue;
        }
        text.push(marks::unescaped(c).unwrap_or(c));
        rest = &rest[c.len_utf8()..];
    }
    decoded(&text).into_owned()
}

/// Whether the text is within an address that is written out.
#[derive(Debug, Default)]
struct Address {
    inside: bool,
    before: [char; 2],
}

impl Address {
    fn follow(&mut self, c: char) {
        self.inside = !c.is_whitespace() && (self.inside || (self.before == [':', '/'] && c == '/'));
        self.before = [self.before[1], c];
    }
}

/// Letters of scripts that run from right to left: the ranges whose default
/// is R or AL in Unicode's DerivedBidiClass.txt.
pub const fn runs_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}
