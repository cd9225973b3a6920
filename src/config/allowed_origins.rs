//! The setting `cors-origins`: origins in the form that browsers use in `Origin`
//! (RFC 6454, 6.2).

use axum::http::HeaderValue;
use url::Url;

/// The origins whose scripts may read the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    Any,
    Listed(Vec<OriginPattern>),
}

/// An origin of the list, or all those below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPattern {
    /// One, in lower case, without a port where it is the scheme's own.
    Origin(String),
    /// The origins of every subdomain, at any depth: the text before and after
    /// its name, such as `https://` and `.example.org:8443`.
    Subdomains {
        /// Scheme and `://`.
        before: String,
        /// The domain from its dot on, and the port if there is one.
        behind: String,
    },
}

/// The text names no origin. Each says which, why, and what would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginsError {
    /// It does not have the form of an origin.
    #[error("\"{0}\" is no origin like https://app.example or capacitor://localhost; a single * allows all")]
    Form(String),
    /// Something follows the host, which no origin has.
    #[error("\"{0}\" has more than scheme, host and port, so no browser's Origin equals it; write {1}")]
    Longer(String, String),
    /// A star anywhere but before a domain.
    #[error("\"{0}\": a * stands for all subdomains, as in https://*.example.org, and nowhere else")]
    Star(String),
    /// `null`, or an origin that browsers send as `null`.
    #[error(
        "\"{0}\": browsers send the origin null for every file and sandboxed frame, so it identifies nobody"
    )]
    Null(String),
}

impl Origins {
    /// `*`, or origins: scheme, host and port.
    ///
    /// # Errors
    ///
    /// [`OriginsError`] names the first that is no origin.
    pub fn parse(raw: &[String]) -> Result<Self, OriginsError> {
        match raw {
            [one] if one.trim() == "*" => Ok(Self::Any),
            several => several
                .iter()
                .map(|raw| OriginPattern::parse(raw.trim()))
                .collect::<Result<_, _>>()
                .map(Self::Listed),
        }
    }
}

impl OriginPattern {
    fn parse(raw: &str) -> Result<Self, OriginsError> {
        let form = || OriginsError::Form(raw.to_owned());
        if raw.eq_ignore_ascii_case("null") {
            return Err(OriginsError::Null(raw.to_owned()));
        }
        // The parser of URLs would ignore white space and correct slashes.
        let (scheme, rest) = raw.split_once("://").ok_or_else(form)?;
        if raw.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(form());
        }
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Self::of_the_web(raw),
            "file" | "data" | "blob" | "about" | "javascript" => Err(OriginsError::Null(raw.to_owned())),
            // None of a page, ever.
            "ws" | "wss" | "ftp" => Err(form()),
            scheme => Self::of_an_app(raw, scheme, rest),
        }
    }

    fn of_the_web(raw: &str) -> Result<Self, OriginsError> {
        let form = || OriginsError::Form(raw.to_owned());
        let url = Url::parse(raw).map_err(|_| form())?;
        let origin = url.origin().ascii_serialization();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(form());
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginsError::Longer(raw.to_owned(), origin));
        }
        if !origin.contains('*') {
            return Ok(Self::Origin(origin));
        }
        match origin.split_once("://*") {
            Some((scheme, behind)) if behind.starts_with('.') && !behind.contains('*') => {
                Ok(Self::Subdomains { before: format!("{scheme}://"), behind: behind.to_owned() })
            }
            _ => Err(OriginsError::Star(raw.to_owned())),
        }
    }

    /// The scheme of an app around a web page, or of a browser extension. A
    /// name follows that the app has chosen; some have none.
    fn of_an_app(raw: &str, scheme: &str, rest: &str) -> Result<Self, OriginsError> {
        let mut letters = scheme.chars();
        let is_scheme = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let name = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('*') {
            return Err(OriginsError::Star(raw.to_owned()));
        }
        if !is_scheme || name.contains('@') || !name.chars().all(|c| c.is_ascii_graphic()) {
            return Err(OriginsError::Form(raw.to_owned()));
        }
        if let Some(end) = name.find(['/', '?', '#']) {
            return Err(OriginsError::Longer(raw.to_owned(), format!("{scheme}://{}", &name[..end])));
        }
        Ok(Self::Origin(format!("{scheme}://{}", name.to_ascii_lowercase())))
    }

    /// Whether that value of `Origin` is meant. Schemes and hosts have no case
    /// (RFC 3986, 6.2.2.1); some browsers write the names of extensions in capitals.
    #[must_use]
    pub fn matches(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else { return false };
        match self {
            Self::Origin(listed) => *listed == origin,
            Self::Subdomains { before, behind } => origin
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(behind))
                .is_some_and(|names| names.split('.').all(is_label)),
        }
    }
}

/// Whether it is one of the names between the dots of a host. Browsers write
/// those of other scripts in ASCII.
fn is_label(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &[&str]) -> Result<Origins, OriginsError> {
        Origins::parse(&raw.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    /// Whether a list of that one origin means the other.
    fn means(listed: &str, origin: &str) -> bool {
        let Ok(Origins::Listed(listed)) = parse(&[listed]) else { panic!("{listed} is refused") };
        listed[0].matches(&HeaderValue::from_str(origin).unwrap())
    }

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        for (listed, origin) in [
            ("https://App.example:443/", "https://app.example"),
            ("HTTP://app.example:80", "http://app.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[0:0::1]:3000", "http://[::1]:3000"),
        ] {
            assert!(means(listed, origin), "{listed}");
        }
        for other in [
            "http://app.example",
            "https://app.example:444",
            "https://evil.example",
            "null",
            "https://a.app.example",
        ] {
            assert!(!means("https://app.example", other), "{other}");
        }
        assert_eq!(parse(&["*"]), Ok(Origins::Any));
        assert_eq!(parse(&[]), Ok(Origins::Listed(Vec::new())));
    }

    #[test]
    fn a_star_stands_for_subdomains_of_any_depth_and_for_nothing_else() {
        let listed = "https://*.Example.org";
        for origin in
            ["https://app.example.org", "https://a.b-c.example.org", "https://xn--bcher-kva.example.org"]
        {
            assert!(means(listed, origin), "{origin}");
        }
        for other in [
            "https://example.org",
            "https://evilexample.org",
            "https://.example.org",
            "https://a..example.org",
            "http://app.example.org",
            "https://app.example.org:8443",
            "https://app.example.org.evil.example",
            "https://evil.example/.example.org",
            "https://evil.example?.example.org",
            "https://evil.example:1@.example.org",
            "https://evil.example#a.example.org",
            "null",
        ] {
            assert!(!means(listed, other), "{other}");
        }
        assert!(means("http://*.localhost:3000", "http://blog.localhost:3000"));
        assert!(!means("http://*.localhost:3000", "http://blog.localhost"));
        for wrong in [
            "https://*",
            "https://*example.org",
            "https://app.*.org",
            "https://*.*.org",
            "https://example.*",
            "capacitor://*",
            "chrome-extension://*",
        ] {
            assert_eq!(parse(&[wrong]), Err(OriginsError::Star(wrong.to_owned())));
        }
    }

    #[test]
    fn shells_of_apps_and_extensions_of_browsers_have_origins_of_their_own() {
        for origin in [
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "app://bundle",
            "app://-",
            "app://",
            "vscode-webview://1a2b3c",
            "http://tauri.localhost",
            "https://localhost",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://6a2f7d4e-5c1b-4f3a-9d8e-0b1c2d3e4f5a",
            "safari-web-extension://6A2F7D4E-5C1B-4F3A-9D8E-0B1C2D3E4F5A",
        ] {
            assert!(means(origin, origin), "{origin}");
            assert!(!means(origin, "https://evil.example"), "{origin}");
            assert!(!means(origin, &format!("{origin}x")), "{origin}");
        }
        assert!(means("Capacitor://localhost/", "capacitor://localhost"));
    }

    #[test]
    fn what_never_equals_an_origin_is_refused_by_name() {
        for wrong in [
            "",
            "app.example",
            "localhost:3000",
            "https:app.example",
            "https:/app.example",
            "https:\\\\app.example",
            "https://",
            "https://a@b.example",
            "https://a.exa mple",
            "https://a.\texample",
            "https://app.example:99999",
            "https://*.1.2.3.4",
            "ftp://a.example",
            "wss://a.example",
            "://a.example",
            "1app://localhost",
            "app://a@b",
        ] {
            assert_eq!(parse(&[wrong]), Err(OriginsError::Form(wrong.to_owned())));
        }
        for (wrong, right) in [
            ("https://app.example/path", "https://app.example"),
            ("https://App.example//", "https://app.example"),
            ("https://app.example/?", "https://app.example"),
            ("https://app.example#", "https://app.example"),
            ("https://*.example.org/*", "https://*.example.org"),
            ("capacitor://localhost/index.html", "capacitor://localhost"),
            ("tauri://localhost?x", "tauri://localhost"),
        ] {
            assert_eq!(parse(&[wrong]), Err(OriginsError::Longer(wrong.to_owned(), right.to_owned())));
        }
        for wrong in ["null", "NULL", "file://", "file:///index.html", "data://x"] {
            assert_eq!(parse(&[wrong]), Err(OriginsError::Null(wrong.to_owned())));
        }
        assert_eq!(parse(&["https://a.example", "*"]), Err(OriginsError::Form("*".to_owned())));
    }
}
