//! Dollars that begin no formula. The parser of Markdown looks for the end of a formula
//! before it looks for links and tags, so the dollars of two prices or of two variables would
//! make one of all that is between them. Here a dollar gets a backslash where its formula
//! would go across a tag or across a link.
//!
//! Where the tags and links are is found by the parser without formulas. The time is linear
//! in the length of the text.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{
    elements::{element, is_void},
    tokens::{Token, Tokens},
};

/// A dollar in a paragraph, a heading or the like.
#[derive(Clone, Copy, Debug)]
struct Dollar {
    at: usize,
    /// The number of the group in braces around it: a formula ends in the group in which it
    /// begins.
    group: i64,
    /// Whether a formula may begin here. It cannot in code.
    begins: bool,
    /// Whether one may end here.
    ends: bool,
    /// Whether a backslash before it would change nothing else.
    is_free: bool,
}

/// The text with a backslash before each dollar whose formula would go across a tag or a link.
/// `options` are those of the parser.
pub(super) fn kept_apart(text: Cow<'_, str>, options: Options) -> Cow<'_, str> {
    // A formula has two.
    if text.matches('$').nth(1).is_none() {
        return text;
    }
    let mut dollars = Dollars::of(&text);
    let without_formulas = options.difference(Options::ENABLE_MATH);
    for (event, range) in Parser::new_ext(&text, without_formulas).into_offset_iter() {
        dollars.follow(&event, range);
    }
    dollars.end_block();
    let alone = dollars.alone;
    if alone.is_empty() {
        return text;
    }
    let mut apart = String::with_capacity(text.len() + alone.len());
    let mut copied = 0;
    for at in alone {
        apart.push_str(&text[copied..at]);
        apart.push('\\');
        copied = at;
    }
    apart.push_str(&text[copied..]);
    apart.into()
}

/// What a link or a picture is to the formulas around it and in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// No formula goes across its ends.
    Apart,
    /// The same, and its words are its address, in which a backslash is a sign like any other.
    Address,
    /// Its words may be the name of its address, so they stay as typed.
    Named,
    /// It may be a part of a formula: `F[\phi](x)`.
    Open,
}

impl Way {
    fn of(link: LinkType, address: &str) -> Self {
        let has_ending = |(_, ending): (&str, &str)| ending.starts_with(|c: char| c.is_ascii_alphabetic());
        match link {
            LinkType::Autolink | LinkType::Email => Self::Address,
            LinkType::Inline
                if address.starts_with(['/', '#'])
                    || address.starts_with("mailto:")
                    || address.contains("://")
                    || address.rsplit_once('.').is_some_and(has_ending) =>
            {
                Self::Apart
            }
            LinkType::Inline => Self::Open,
            _ => Self::Named,
        }
    }
}

/// Whether no formula goes across a tag. `a<b>c` may be one, and nobody sees a picture cut.
fn is_apart(tag: &str) -> bool {
    Tokens::of(tag).any(|token| match token {
        Token::End(_) => true,
        Token::Start(name, attributes) => element(name).is_some_and(|name| {
            name == "br" || (!is_void(name) && (name.len() > 1 || !attributes.is_empty()))
        }),
        Token::Text(_) | Token::Raw(_) => false,
    })
}

/// Pairs dollars as the parser does, but between tags and links alone.
#[derive(Debug)]
struct Dollars<'a> {
    source: &'a str,
    /// Those behind the last tag or link.
    near: Vec<Dollar>,
    /// The places of those that are alone, in their order.
    alone: Vec<usize>,
    /// The groups in braces that are open, the innermost last; none before the first dollar
    /// of a block.
    groups: Vec<i64>,
    last_group: i64,
    /// Up to where the braces of the block have been counted.
    counted: usize,
    /// How many blocks of code or HTML are open, in which no formula is.
    without: usize,
    /// The links and pictures that are open.
    links: Vec<Way>,
    /// How many of them are [`Way::Named`].
    named: usize,
    /// Whether the block has a bracket that is text. The link may begin there, and what looks
    /// like its beginning be a part of a formula: `[$[0, 1)$](address)`.
    bracket: bool,
}

impl<'a> Dollars<'a> {
    const fn of(source: &'a str) -> Self {
        Self {
            source,
            near: Vec::new(),
            alone: Vec::new(),
            groups: Vec::new(),
            last_group: 0,
            counted: 0,
            without: 0,
            links: Vec::new(),
            named: 0,
            bracket: false,
        }
    }

    fn follow(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Text(_) if self.without == 0 => self.text(range),
            Event::Code(_) => self.code(range),
            Event::InlineHtml(tag) if is_apart(tag) => self.end_part(),
            Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) => {
                let way = Way::of(*link_type, dest_url);
                self.links.push(way);
                self.named += usize::from(way == Way::Named);
                if matches!(way, Way::Apart | Way::Address) && !self.bracket {
                    self.end_part();
                }
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                let way = self.links.pop();
                self.named -= usize::from(way == Some(Way::Named));
                if matches!(way, Some(Way::Apart | Way::Address)) {
                    self.end_part();
                }
            }
            // Stars and lines below are parts of formulas.
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {}
            Event::Start(tag) => {
                self.end_block();
                self.without += usize::from(matches!(tag, Tag::CodeBlock(_) | Tag::HtmlBlock));
            }
            Event::End(tag) => {
                self.end_block();
                self.without -= usize::from(matches!(tag, TagEnd::CodeBlock | TagEnd::HtmlBlock));
            }
            _ => {}
        }
    }

    fn text(&mut self, range: Range<usize>) {
        self.bracket |= self.source.get(range.clone()).is_some_and(|text| text.contains('['));
        for at in places(self.source, range) {
            self.add(at, true);
        }
    }

    /// A formula may end where the parser without formulas finds code: in TeX, quotes begin
    /// with the sign of code. A dollar at the beginning of code ends none.
    fn code(&mut self, range: Range<usize>) {
        for at in places(self.source, range) {
            if !self.source[..at].ends_with('`') {
                self.add(at, false);
            }
        }
    }

    fn add(&mut self, at: usize, in_text: bool) {
        self.count_braces(at);
        let bytes = self.source.as_bytes();
        let is_space = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
        self.near.push(Dollar {
            at,
            group: self.groups.last().copied().unwrap_or_default(),
            begins: in_text && !is_space(bytes.get(at + 1)),
            ends: !is_space(bytes[..at].last()),
            is_free: in_text && self.named == 0 && self.links.last() != Some(&Way::Address),
        });
    }

    fn new_group(&mut self) -> i64 {
        self.last_group += 1;
        self.last_group
    }

    /// Follows the groups up to a dollar. A brace that closes nothing ends the outermost
    /// group, and another begins.
    fn count_braces(&mut self, upto: usize) {
        if self.groups.is_empty() {
            let outermost = self.new_group();
            self.groups.push(outermost);
            self.counted = upto;
        }
        let mut bytes = self.source.as_bytes().get(self.counted..upto).unwrap_or_default().iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => {
                    bytes.next();
                }
                b'{' => {
                    let inner = self.new_group();
                    self.groups.push(inner);
                }
                b'}' => {
                    self.groups.pop();
                    if self.groups.is_empty() {
                        let outermost = self.new_group();
                        self.groups.push(outermost);
                    }
                }
                _ => {}
            }
        }
        self.counted = upto;
    }

    fn end_block(&mut self) {
        self.end_part();
        self.groups.clear();
        self.bracket = false;
    }

    /// Ends what a formula may not go beyond: what begins one and finds no end is alone.
    fn end_part(&mut self) {
        let near = std::mem::take(&mut self.near);
        // The next dollar of the same group, for each.
        let mut next = vec![None; near.len()];
        let mut nearest = HashMap::new();
        for (nth, dollar) in near.iter().enumerate().rev() {
            next[nth] = nearest.insert(dollar.group, nth);
        }
        let is_double = |nth: usize| near.get(nth + 1).is_some_and(|second| second.at == near[nth].at + 1);
        let mut nth = 0;
        while let Some(dollar) = near.get(nth) {
            let double = is_double(nth);
            nth = match next[nth + usize::from(double)] {
                Some(end) if dollar.begins && double && is_double(end) => end + 2,
                Some(end) if dollar.begins && !double && near[end].ends => end + 1,
                Some(_) => nth + 1,
                None => {
                    if dollar.begins && dollar.is_free {
                        self.alone.push(dollar.at);
                    }
                    nth + 1
                }
            };
        }
    }
}

/// The places of the dollars in a part of the text, but for those behind a backslash.
fn places(source: &str, range: Range<usize>) -> impl Iterator<Item = usize> {
    let start = range.start;
    let found = source.get(range).unwrap_or_default().match_indices('$').map(move |(at, _)| start + at);
    found.filter(|at| {
        let before = source.as_bytes()[..*at].iter().rev();
        before.take_while(|byte| **byte == b'\\').count() % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_alone_between_tags_and_links_begins_no_formula() {
        for (typed, apart) in [
            ("<code>$A</code>/b and <code>$B</code>", r"<code>\$A</code>/b and <code>\$B</code>"),
            ("Set <kbd>$A</kbd> or `$B`", r"Set <kbd>\$A</kbd> or `$B`"),
            ("[$5](https://a.org) or [6$](https://b.org)", r"[\$5](https://a.org) or [6\$](https://b.org)"),
            ("$5 [or 6$](https://a.org)", r"\$5 [or 6\$](https://a.org)"),
            ("$5 [a](https://b.org/$c)", r"\$5 [a](https://b.org/$c)"),
            ("<b>$5</b> <i>$x$</i> <i>$y$</i>", r"<b>\$5</b> <i>$x$</i> <i>$y$</i>"),
            ("<i>$x$ $5</i> <i>$y$</i>", r"<i>$x$ \$5</i> <i>$y$</i>"),
            ("$$a<br>b$$", r"\$\$a<br>b\$$"),
            ("- $5 <em>a</em>6$\n- $x$", "- \\$5 <em>a</em>6$\n- $x$"),
        ] {
            assert_eq!(
                kept_apart(typed.into(), Options::ENABLE_GFM | Options::ENABLE_TABLES | Options::ENABLE_MATH),
                apart
            );
        }
    }

    #[test]
    fn formulas_and_code_stay_as_they_were_typed() {
        for typed in [
            "$a < b$",
            r"$x \in [0,1)$",
            "$a<b>c$ and $a<b and c>d$",
            r"[$x \in [0,1)$](https://a.org)",
            r"$F[\phi](x)$ and $n![k](x)$",
            r"$\text{a $5$}$ <em>b</em> $$y$$",
            r"$\text{``a'' and ``b''}$ <em>c</em>",
            "<b>$x$</b> and [$y$](https://a.org)",
            "$a$b$ c",
            "`$A` <em>b</em> `$C`",
            "```\n<b>$5</b> <b>$6</b>\n```\n\n    $a <b>$5</b>\n",
            "<div>\n<b>$5</b> <b>$6</b>\n</div>\n",
            "[$5] <em>a</em> 6\\$ $ 7\n\n[$5]: /b",
            r"\$5 <em>a</em> \$6",
            "<https://a.org/P?$top=5> and <https://b.org/Q?$skip=1>",
        ] {
            assert_eq!(
                kept_apart(typed.into(), Options::ENABLE_GFM | Options::ENABLE_TABLES | Options::ENABLE_MATH),
                typed
            );
        }
    }
}
