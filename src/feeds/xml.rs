//! Writes XML 1.0.

use std::io;

use axum::body::Bytes;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use crate::{database::internal, error::AppError};

pub type Xml = Writer<Vec<u8>>;

/// A document with this root element.
///
/// # Errors
/// None that occurs: memory takes whatever is written to it.
pub fn document(
    root: &str,
    attributes: impl IntoIterator<Item = (&'static str, impl AsRef<str>)>,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> Result<Bytes, AppError> {
    let mut xml = Writer::new(Vec::new());
    let written = xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None))).and_then(|()| {
        let mut element = xml.create_element(root);
        for (name, value) in attributes {
            element = element.with_attribute((name, value.as_ref()));
        }
        element.write_inner_content(content).map(drop)
    });
    written.map_err(internal)?;
    Ok(xml.into_inner().into())
}

/// An element that contains others.
pub fn element(
    xml: &mut Xml,
    name: &str,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).write_inner_content(content).map(drop)
}

/// An element with a text.
pub fn text(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&allowed(text))).map(drop)
}

/// The text without the characters that XML 1.0 does not allow, in no form (2.2, `Char`): a
/// document with one of them is read by nobody.
pub fn allowed(text: &str) -> String {
    let is_allowed = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        c => c >= ' ',
    };
    text.chars().filter(|c| is_allowed(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_does_not_allow_is_removed_and_what_it_reads_as_markup_is_escaped() {
        let made = document("root", [("xmlns", "urn:x")], |xml| {
            text(xml, "a", "\u{1}<b>&\u{FFFE}\u{FFFF}\u{B}\t👩‍🚀 \u{202E}\u{10FFFF}]]>\u{7F}")
        });
        let made = String::from_utf8(made.unwrap().into()).unwrap();
        assert_eq!(
            made,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><root xmlns=\"urn:x\"><a>&lt;b&gt;&amp;\t👩‍🚀 \
             \u{202E}\u{10FFFF}]]&gt;\u{7F}</a></root>"
        );
    }
}
