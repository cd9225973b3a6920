//! Addresses in a text that are links without any markup, as in GitHub's Markdown
//! (GFM 6.9).

use super::marks;

/// The longest host of an address, as in the DNS. It also limits how much is read in
/// vain where a word only looks like an address.
const LONGEST_HOST: usize = 253;

/// The longest name before the `@` of a mail address (RFC 5321).
const LONGEST_LOCAL_PART: usize = 64;

/// An address at the beginning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BareLink {
    /// Where it leads.
    pub(super) href: String,
    /// As it was typed.
    pub(super) typed: String,
    /// Its length in the HTML.
    pub(super) length: usize,
}

/// The address that begins `html`, a text with references and marks, of which
/// `before` is the character before it.
pub(super) fn bare_link(html: &str, before: Option<char>) -> Option<BareLink> {
    if !html.starts_with(|c: char| c.is_ascii_alphanumeric()) || before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let in_a_word = |c: char| matches!(c, '/' | ':' | '@' | '.' | '-' | '_' | '+' | '=' | '\\');
    let begins = |prefix: &str| html.get(..prefix.len()).is_some_and(|b| b.eq_ignore_ascii_case(prefix));
    // `_` is here what makes emphasis, as in the standard.
    let after_a_word = before.is_some_and(|c| in_a_word(c) && c != '_');
    for (prefix, scheme) in [("https://", ""), ("http://", ""), ("www.", "http://")] {
        if !after_a_word && begins(prefix) {
            host(&html[prefix.len()..])?;
            let (typed, length) = address(html);
            return Some(BareLink { href: format!("{scheme}{typed}"), typed, length });
        }
    }
    if before.is_some_and(in_a_word) {
        return None;
    }
    let length = mail(html)?;
    let typed = html[..length].to_owned();
    Some(BareLink { href: format!("mailto:{typed}"), typed, length })
}

/// Whether a host is at the beginning.
fn host(text: &str) -> Option<()> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let length = text.chars().take(LONGEST_HOST + 1).take_while(|c| is_part(*c)).count();
    let fits = (1..=LONGEST_HOST).contains(&length);
    (fits && text.starts_with(char::is_alphanumeric)).then_some(())
}

/// The length of a mail address at the beginning. Its last part has letters alone, so
/// that `package@1.2.3` is none.
fn mail(html: &str) -> Option<usize> {
    let bytes = html.as_bytes();
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-".contains(byte);
    let local = bytes.iter().take(LONGEST_LOCAL_PART + 1).take_while(|byte| is_local(byte)).count();
    if local > LONGEST_LOCAL_PART || bytes.get(local) != Some(&b'@') {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.".contains(byte);
    let after = &bytes[local + 1..];
    let length = after.iter().take(LONGEST_HOST + 1).take_while(|byte| is_part(byte)).count();
    let mut domain = after.get(..length).filter(|domain| domain.len() <= LONGEST_HOST)?;
    while let [rest @ .., b'.'] = domain {
        domain = rest;
    }
    let mut parts = domain.split(|byte| *byte == b'.').rev();
    let last = parts.next()?;
    let is_domain = last.len() >= 2 && last.iter().all(u8::is_ascii_alphabetic);
    let mut others = parts.peekable();
    let named = others.peek().is_some() && others.all(|part| !part.is_empty() && !part.starts_with(b"-"));
    (is_domain && named).then_some(local + 1 + domain.len())
}

/// The address up to white space or a quote, without the punctuation behind it: as it
/// was typed, and its length in the HTML.
fn address(html: &str) -> (String, usize) {
    let mut typed = String::new();
    // How long the HTML and the typed text are up to and with each character.
    let mut ends: Vec<(char, usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(c) = html[at..].chars().next() {
        let (piece, length) = if c == '&' {
            match marks::reference(&html[at..]) {
                Some((mark, length)) if marks::unescaped(mark) == Some('&') => ("&", length),
                _ => break,
            }
        } else if let Some((_, as_typed)) = marks::typographic(c) {
            (as_typed, c.len_utf8())
        } else if marks::is_mark(c) || c.is_whitespace() || c == '<' {
            break;
        } else {
            (&html[at..at + c.len_utf8()], c.len_utf8())
        };
        if piece == "\"" {
            break;
        }
        at += length;
        for c in piece.chars() {
            typed.push(c);
            ends.push((c, at, typed.len()));
        }
    }
    // A bracket behind it belongs to it if it was opened in it.
    let count = |wanted: char| ends.iter().filter(|(c, ..)| *c == wanted).count();
    let (opened, mut closed) = (count('('), count(')'));
    while let Some((c, ..)) = ends.last() {
        match c {
            '?' | '!' | '.' | ',' | ':' | ';' | '*' | '_' | '~' | '\'' | ']' | '}' => {}
            ')' if closed > opened => closed -= 1,
            // Full stops and commas of other scripts.
            '。' | '、' | '，' | '؟' | '،' | '’' | '”' | '»' | '…' => {}
            _ => break,
        }
        ends.pop();
    }
    let (at, length) = ends.last().map_or((0, 0), |(_, at, length)| (*at, *length));
    typed.truncate(length);
    (typed, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Option<String> {
        bare_link(text, None).map(|link| link.typed)
    }

    #[test]
    fn an_address_ends_before_the_punctuation_behind_it() {
        for (text, expected) in [
            ("https://example.org/a?b=c, and", "https://example.org/a?b=c"),
            ("https://example.org.", "https://example.org"),
            ("https://example.org/a_(b) so", "https://example.org/a_(b)"),
            ("https://example.org/a)) so", "https://example.org/a"),
            ("https://example.org/?a=1&amp;b=2 so", "https://example.org/?a=1&b=2"),
            ("https://example.org/&lt;b", "https://example.org/"),
            ("HTTP://localhost:3000/a", "HTTP://localhost:3000/a"),
            ("www.example.org!", "www.example.org"),
            ("https://مثال.إختبار/صفحة، ثم", "https://مثال.إختبار/صفحة"),
            ("ada.b+c@example.org.", "ada.b+c@example.org"),
        ] {
            assert_eq!(typed(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(bare_link("www.example.org", None).unwrap().href, "http://www.example.org");
        assert_eq!(bare_link("a@example.org", None).unwrap().href, "mailto:a@example.org");
    }

    #[test]
    fn what_only_looks_like_an_address_is_none() {
        for text in [
            "https://",
            "https:///a",
            "www.",
            "http://.a",
            "a@b",
            "package@1.2.3",
            "a@.org",
            "@a.org",
            "a@b..org",
            "javascript://a.b",
            "ftp://a.b",
        ] {
            assert_eq!(typed(text), None, "{text}");
        }
        for before in ['a', '/', '文'] {
            assert_eq!(bare_link("https://example.org", Some(before)), None, "{before}");
        }
        assert_eq!(bare_link("b@example.org", Some('.')), None);
    }
}
