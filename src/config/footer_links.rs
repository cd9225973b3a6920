//! The links at the foot of every page (setting `site.footer-links`).

use std::str::FromStr;

use url::Url;

/// A text and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FooterLink {
    pub text: String,
    pub address: String,
}

impl FooterLink {
    /// Whether it leads to a page that is not of this site.
    #[must_use]
    pub fn leads_elsewhere(&self) -> bool {
        self.address.starts_with("http")
    }
}

/// One link a line: its text, a space and its address. Ten at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FooterLinks(Vec<FooterLink>);

/// Why a text is no list of links. The words are for the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FooterLinksError {
    #[error("there can be {max} links at most, one a line", max = FooterLinks::MOST)]
    TooMany,
    #[error(
        "line {line} is no link: write a text of 60 characters at most, a space, and an address that begins with https://, http://, mailto: or /"
    )]
    NoLink { line: usize },
}

impl FooterLinks {
    pub const MOST: usize = 10;
    const MAX_TEXT: usize = 60;
    const MAX_ADDRESS: usize = 2000;

    pub fn iter(&self) -> impl Iterator<Item = &FooterLink> {
        self.0.iter()
    }
}

impl FromStr for FooterLinks {
    type Err = FooterLinksError;

    fn from_str(raw: &str) -> Result<Self, FooterLinksError> {
        let mut links = Vec::new();
        for (at, line) in raw.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            if links.len() == Self::MOST {
                return Err(FooterLinksError::TooMany);
            }
            links.push(link(line.trim()).ok_or(FooterLinksError::NoLink { line: at + 1 })?);
        }
        Ok(Self(links))
    }
}

fn link(line: &str) -> Option<FooterLink> {
    let (text, address) = line.rsplit_once(char::is_whitespace)?;
    let text = text.trim();
    let fits = text.chars().count() <= FooterLinks::MAX_TEXT
        && address.len() <= FooterLinks::MAX_ADDRESS
        && !line.chars().any(char::is_control)
        && !crate::text::is_blank(text);
    let text = text.to_owned();
    let address = checked(address).filter(|_| fits)?;
    Some(FooterLink { text, address })
}

/// An address as a link has it, if it is one of those that are allowed.
fn checked(address: &str) -> Option<String> {
    // Browsers read `//` and `/\` as the beginning of another host.
    if address.starts_with('/') && !address[1..].starts_with(['/', '\\']) {
        return Some(address.to_owned());
    }
    let url = Url::parse(address).ok()?;
    let fits = match url.scheme() {
        "http" | "https" => url.has_host() && url.username().is_empty() && url.password().is_none(),
        "mailto" => {
            url.path().split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        }
        _ => false,
    };
    fits.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_text_and_an_address() {
        let links: FooterLinks =
            "Our  code https://example.org/code\n\n Write to us mailto:us@example.org\nRules /about#rules"
                .parse()
                .expect("links");
        let links: Vec<_> = links.iter().map(|link| (link.text.as_str(), link.address.as_str())).collect();
        assert_eq!(
            links,
            [
                ("Our  code", "https://example.org/code"),
                ("Write to us", "mailto:us@example.org"),
                ("Rules", "/about#rules")
            ]
        );
        assert_eq!("".parse(), Ok(FooterLinks::default()));
    }

    #[test]
    fn what_is_no_link_is_refused_with_its_line() {
        for none in [
            "https://example.org",
            "Text",
            "Text javascript:alert(1)",
            "Text JaVaScRiPt://x/%0aalert(1)",
            "Text data:text/html,x",
            "Text //evil.example",
            "Text /\\evil.example",
            "Text ftp://example.org",
            "Text https://user:secret@example.org",
            "Text mailto:nobody",
            "Text about.html",
            "\u{200B} https://example.org",
            &format!("{} https://example.org", "x".repeat(61)),
            &format!("Text https://example.org/{}", "x".repeat(2000)),
        ] {
            let raw = format!("Fine /about\n{none}");
            assert_eq!(raw.parse::<FooterLinks>(), Err(FooterLinksError::NoLink { line: 2 }), "{none}");
        }
        assert_eq!("A /a\n".repeat(11).parse::<FooterLinks>(), Err(FooterLinksError::TooMany));
    }
}
