//! Makes the addresses in the HTML of a post absolute, because a feed is read elsewhere.

use url::{ParseError, Url};

/// The attributes of a post that have an address, as the sanitizer writes them.
const ADDRESSES: [&str; 3] = [" href=", " src=", " cite="];

/// The HTML of a post with absolute addresses: those that are relative are resolved from
/// `base` (RFC 3986, 5), all others stay as they are. The sanitizer has written the HTML,
/// and what writes formulas escapes as it does, so every `<` begins a tag, and every value stands between double quotes.
#[must_use]
pub fn absolute(html: &str, base: &Url) -> String {
    let mut out = String::with_capacity(html.len() + 256);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        out.push_str(text);
        let (tag, after) = tag.split_at(end_of(tag));
        write_tag(tag, base, &mut out);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where a tag ends: behind the first `>` that stands in no value.
fn end_of(tag: &str) -> usize {
    let mut in_value = false;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => in_value = !in_value,
            b'>' if !in_value => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

fn write_tag(tag: &str, base: &Url, out: &mut String) {
    let mut pieces = tag.split('"');
    let mut before = pieces.next().unwrap_or_default();
    out.push_str(before);
    while let Some(value) = pieces.next() {
        out.push('"');
        if before.ends_with(" srcset=") {
            write_forms(value, base, out);
        } else {
            write_value(resolved(before, value, base), value, out);
        }
        if let Some(next) = pieces.next() {
            out.push('"');
            out.push_str(next);
            before = next;
        }
    }
}

fn write_value(resolved: Option<Url>, value: &str, out: &mut String) {
    match resolved {
        Some(address) => {
            html_escape::encode_double_quoted_attribute_to_string(address.as_str(), out);
        }
        None => out.push_str(value),
    }
}

/// The forms of a picture: addresses with a width each, as Byline alone writes them.
fn write_forms(value: &str, base: &Url, out: &mut String) {
    for (at, form) in value.split(", ").enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        let (address, width) = form.split_once(' ').unwrap_or((form, ""));
        write_value(relative(address, base), address, out);
        out.push(' ');
        out.push_str(width);
    }
}

/// The absolute form of a value, if it is a relative address.
fn resolved(before: &str, value: &str, base: &Url) -> Option<Url> {
    if !ADDRESSES.iter().any(|name| before.ends_with(name)) {
        return None;
    }
    relative(value, base)
}

fn relative(value: &str, base: &Url) -> Option<Url> {
    let address = html_escape::decode_html_entities(value);
    match Url::parse(&address) {
        Err(ParseError::RelativeUrlWithoutBase) => base.join(&address).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_addresses_are_resolved_and_all_else_stays() {
        let base = Url::parse("https://byline.example/posts/one").unwrap();
        for (html, made) in [
            ("<a href=\"/posts/two\">x</a>", "<a href=\"https://byline.example/posts/two\">x</a>"),
            ("<a title=\"a\" href=\"two\">", "<a title=\"a\" href=\"https://byline.example/posts/two\">"),
            ("<a href=\"#end\">", "<a href=\"https://byline.example/posts/one#end\">"),
            ("<a href=\"?a=1&amp;b=2\">", "<a href=\"https://byline.example/posts/one?a=1&amp;b=2\">"),
            ("<img src=\"//a.example/x.png\" alt=\"\">", "<img src=\"https://a.example/x.png\" alt=\"\">"),
            ("<a href=\"HTTPS://A.example\">", "<a href=\"HTTPS://A.example\">"),
            ("<a href=\"mailto:a@b.example\">", "<a href=\"mailto:a@b.example\">"),
            (
                "<img src=\"/a.jpg\" srcset=\"/a-1w.webp 1w, /a-2w.webp 2w\">",
                "<img src=\"https://byline.example/a.jpg\" srcset=\"https://byline.example/a-1w.webp 1w, \
                 https://byline.example/a-2w.webp 2w\">",
            ),
            ("<b title=\"> href=\">/x</b>", "<b title=\"> href=\">/x</b>"),
            ("<code>href=\"/x\"</code>", "<code>href=\"/x\"</code>"),
            ("a &lt;a href=\"/x\"&gt;", "a &lt;a href=\"/x\"&gt;"),
            ("<a href=\"/x", "<a href=\"https://byline.example/x"),
            ("<", "<"),
            ("", ""),
        ] {
            assert_eq!(absolute(html, &base), made, "{html}");
        }
    }
}
