//! The elements of HTML in an export, as a tree.

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

/// Elements inside each other at most; what is deeper is taken as if it were not inside.
const DEEPEST: usize = 64;

/// Elements with nothing to read.
const LEFT_OUT: [&str; 8] = ["script", "style", "form", "input", "button", "select", "template", "svg"];
/// Parts of a table, which are no text of it.
const PARTS: [&str; 8] = ["caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"];
/// Elements without an end.
const VOID: [&str; 9] = ["area", "br", "col", "embed", "hr", "img", "input", "source", "wbr"];
/// Elements that end a paragraph.
const BLOCKS: [&str; 31] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "div",
    "dl",
    "dd",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
    "summary",
];
/// What stands in an element.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Element(Element),
    /// Refers to the footnote of that number.
    Reference(usize),
    /// The footnote of that number.
    Note(usize, Vec<Node>),
}

#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Node>,
}

impl Element {
    fn new(tag: &Tag) -> Self {
        let attributes =
            tag.attrs.iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect();
        Self { name: tag.name.to_string(), attributes, children: Vec::new() }
    }

    /// Its value; empty where it has none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// Whether it has nothing to read.
    pub(super) fn is_left_out(&self) -> bool {
        LEFT_OUT.contains(&self.name.as_str())
    }

    /// Whether it is a part of a table, such as a row or a cell.
    pub(super) fn is_part_of_table(&self) -> bool {
        PARTS.contains(&self.name.as_str())
    }

    /// Whether it ends a paragraph.
    pub(super) fn is_block(&self) -> bool {
        BLOCKS.contains(&self.name.as_str())
    }
}

/// Builds the tree, as far as it matters here.
struct Builder(RefCell<Vec<Element>>);

impl Builder {
    fn close(open: &mut Vec<Element>) {
        if open.len() > 1
            && let Some(done) = open.pop()
            && let Some(parent) = open.last_mut()
        {
            parent.children.push(Node::Element(done));
        }
    }

    /// Closes an element of that name, if one is open within `fence`.
    fn close_named(open: &mut Vec<Element>, names: &[&str], fence: &[&str]) {
        let at = open
            .iter()
            .rposition(|one| names.contains(&one.name.as_str()) || fence.contains(&one.name.as_str()));
        if let Some(at) = at.filter(|at| *at > 0 && names.contains(&open[*at].name.as_str())) {
            while open.len() > at {
                Self::close(open);
            }
        }
    }

    fn open(open: &mut Vec<Element>, tag: &Tag) {
        let element = Element::new(tag);
        if element.is_block() {
            Self::close_named(open, &["p"], &["blockquote", "td", "th", "li", "div"]);
        }
        match element.name.as_str() {
            "li" => Self::close_named(open, &["li"], &["ul", "ol"]),
            "dt" | "dd" => Self::close_named(open, &["dt", "dd"], &["dl"]),
            "tr" => Self::close_named(open, &["tr"], &["table"]),
            "td" | "th" => Self::close_named(open, &["td", "th"], &["tr"]),
            _ => {}
        }
        let has_end = !VOID.contains(&element.name.as_str()) && !tag.self_closing;
        if has_end && open.len() < DEEPEST {
            open.push(element);
        } else if !has_end && let Some(parent) = open.last_mut() {
            parent.children.push(Node::Element(element));
        }
    }
}

impl TokenSink for Builder {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let open = &mut *self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => {
                if let Some(parent) = open.last_mut() {
                    if let Some(Node::Text(last)) = parent.children.last_mut() {
                        last.push_str(&text);
                    } else {
                        parent.children.push(Node::Text(text.to_string()));
                    }
                }
            }
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => Self::open(open, &tag),
            Token::TagToken(tag) => Self::close_named(open, &[&tag.name], &[]),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Reads any HTML, however broken.
pub(super) fn tree(html: &str) -> Vec<Node> {
    let root = Element { name: String::new(), attributes: Vec::new(), children: Vec::new() };
    let tokenizer = Tokenizer::new(Builder(RefCell::new(vec![root])), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut open = tokenizer.sink.0.take();
    while open.len() > 1 {
        Builder::close(&mut open);
    }
    open.pop().map(|root| root.children).unwrap_or_default()
}
