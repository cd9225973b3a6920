//! A document that is rendered once, with placeholders, for all pages that differ
//! only there.

/// A document, cut at its placeholders.
#[derive(Debug)]
pub struct Frame<P> {
    /// The text before each place, and the place.
    pieces: Vec<(String, P, Place)>,
    end: String,
}

/// How a value is escaped, by the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    /// Between double quotes, as Leptos writes them.
    Attribute,
}

/// A value for a placeholder.
#[derive(Clone, Copy, Debug)]
pub enum Filling<'a> {
    /// Escaped as Leptos escapes it there.
    Text(&'a str),
    /// Unchanged, because it is known to be safe.
    Html(&'a str),
}

impl<P: Copy + PartialEq> Frame<P> {
    /// Cuts a document at its placeholders; `None` if one of them does not
    /// occur. Inserted values are not searched, so they may contain anything.
    #[must_use]
    pub fn cut(document: &str, placeholders: &[(String, P)]) -> Option<Self> {
        let (mut pieces, mut rest) = (Vec::<(String, P, Place)>::new(), document);
        let next = |rest: &str| {
            let found =
                placeholders.iter().filter_map(|(name, part)| Some((rest.find(name)?, name.len(), *part)));
            found.min_by_key(|(at, ..)| *at)
        };
        while let Some((at, length, part)) = next(rest) {
            let read = &document[..document.len() - rest.len() + at];
            let is_in_tag = read.rfind('<') > read.rfind('>');
            let place = if is_in_tag { Place::Attribute } else { Place::Text };
            pieces.push((rest[..at].to_owned(), part, place));
            rest = &rest[at + length..];
        }
        let has_all = placeholders.iter().all(|(_, part)| pieces.iter().any(|(_, found, _)| found == part));
        has_all.then(|| Self { pieces, end: rest.to_owned() })
    }

    /// The document with these values.
    #[must_use]
    pub fn fill<'a>(&self, value: impl Fn(P) -> Filling<'a>) -> String {
        let length = |filling| match filling {
            Filling::Text(text) | Filling::Html(text) => str::len(text),
        };
        let bytes: usize =
            self.pieces.iter().map(|(before, part, _)| before.len() + length(value(*part))).sum();
        // A few characters may be escaped.
        let mut document = String::with_capacity(bytes + self.end.len() + 64);
        for (before, part, place) in &self.pieces {
            document.push_str(before);
            match (value(*part), place) {
                (Filling::Html(html), _) => document.push_str(html),
                (Filling::Text(text), Place::Text) => {
                    html_escape::encode_text_to_string(text, &mut document);
                }
                (Filling::Text(text), Place::Attribute) => {
                    html_escape::encode_double_quoted_attribute_to_string(text, &mut document);
                }
            }
        }
        document.push_str(&self.end);
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_escaped_by_where_it_stands_and_never_taken_for_a_placeholder() {
        let placeholders = [("one".to_owned(), 1), ("two".to_owned(), 2)];
        let frame = Frame::cut("<p title=\"one\">one<b>two</b></p>", &placeholders).unwrap();
        let filled = frame.fill(|part| match part {
            1 => Filling::Text("two \"&<"),
            _ => Filling::Html("<i>one</i>"),
        });
        assert_eq!(filled, "<p title=\"two &quot;&amp;&lt;\">two \"&amp;&lt;<b><i>one</i></b></p>");
        assert!(Frame::cut("<p>one</p>", &placeholders).is_none(), "a place is missing");
    }
}
