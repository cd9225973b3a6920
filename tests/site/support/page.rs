//! A page, parsed as a browser does it, so that the tests do not depend on how the HTML
//! is written.

use scraper::{ElementRef, Html, Selector};

/// Attributes whose value a browser goes to or runs.
const ADDRESSES: [&str; 8] =
    ["href", "src", "action", "formaction", "data", "poster", "background", "xlink:href"];

pub struct Page(Html);

impl Page {
    /// As a browser parses it.
    pub fn parse(html: &str) -> Self {
        Self(Html::parse_document(html))
    }

    fn select(&self, selector: &str) -> impl Iterator<Item = ElementRef<'_>> {
        let selector = Selector::parse(selector).unwrap_or_else(|error| panic!("{selector}: {error}"));
        self.0.select(&selector).collect::<Vec<_>>().into_iter()
    }

    /// The texts of all elements that match, trimmed.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.select(selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
    }

    /// The exact text of the one element that matches.
    pub fn text(&self, selector: &str) -> String {
        self.one(selector).text().collect()
    }

    /// How many elements match.
    pub fn count(&self, selector: &str) -> usize {
        self.select(selector).count()
    }

    /// An attribute of the one element that matches.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.one(selector).attr(name).map(str::to_owned)
    }

    /// The value of the control with that name.
    pub fn value(&self, name: &str) -> String {
        self.attribute(&format!("input[name='{name}']"), "value").unwrap_or_default()
    }

    /// The value of the one control that matches.
    pub fn value_of(&self, selector: &str) -> String {
        self.attribute(selector, "value").unwrap_or_default()
    }

    /// An attribute of all elements that match and have it.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        self.select(selector).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
    }

    /// The target of the link with that text.
    pub fn link(&self, text: &str) -> Option<String> {
        self.select("a[href]")
            .find(|link| link.text().collect::<String>().trim() == text)
            .and_then(|link| link.attr("href").map(str::to_owned))
    }

    /// Whether there is a button with that text.
    pub fn has_button(&self, text: &str) -> bool {
        self.texts("button").iter().any(|found| found == text)
    }

    /// The name in the header, if somebody is signed in.
    pub fn signed_in_as(&self) -> Option<String> {
        self.texts("header .account strong").into_iter().next()
    }

    /// The title, without the site's name.
    pub fn title(&self) -> String {
        let title = self.text("head > title");
        title
            .strip_suffix(" – Byline")
            .unwrap_or_else(|| panic!("a title of this site: {title:?}"))
            .to_owned()
    }

    /// Asserts that a form came back with `message` in a summary that has the
    /// focus and links to the field, and with the same words at the field.
    pub fn assert_problem(&self, field: &str, message: &str) {
        let summary = ".error-summary[role=alert][tabindex='-1'][autofocus]";
        assert_eq!(self.texts(&format!("{summary} h2")), ["There is a problem"]);
        let link = format!("{summary} a[href='#{field}']");
        assert!(self.texts(&link).iter().any(|text| text == message), "{:?}", self.texts(summary));
        let control = format!("#{field}[aria-invalid=true]");
        let described_by = self.attribute(&control, "aria-describedby").unwrap_or_default();
        let at_field: Vec<_> =
            described_by.split_whitespace().flat_map(|id| self.texts(&format!("#{id}"))).collect();
        assert!(at_field.iter().any(|text| text == &format!("Error: {message}")), "{at_field:?}");
    }

    /// Asserts that nothing on the page runs but the site's own files.
    pub fn assert_harmless(&self, what: &str) {
        for element in self.select("*") {
            let name = element.value().name();
            let html = || element.html();
            assert!(
                !matches!(name, "style" | "base" | "iframe" | "object" | "embed" | "svg" | "math" | "frame"),
                "{what}: {}",
                html()
            );
            // Data, which no browser runs, but which has to end where it ends.
            let is_data = element.attr("type") == Some("application/ld+json");
            if name == "script" && is_data {
                let text: String = element.text().collect();
                let data = serde_json::from_str::<serde_json::Value>(&text);
                assert!(data.is_ok() && !text.contains('<'), "{what}: {}", html());
            } else if name == "script" {
                let src = element.attr("src").unwrap_or_default();
                let ours = src.starts_with("/assets/") || src.starts_with("/pkg/");
                assert!(ours && element.text().next().is_none(), "{what}: {}", html());
            }
            if name == "form" {
                let action = element.attr("action").unwrap_or_default();
                assert!(action.starts_with('/') && !action.starts_with("//"), "{what}: {}", html());
            }
            if name == "link" {
                let href = element.attr("href").unwrap_or_default();
                // A browser loads neither by itself.
                let is_for_programs = matches!(element.attr("rel"), Some("canonical" | "alternate"));
                let ours = href.starts_with("/assets/") || href.starts_with("/pkg/") || is_for_programs;
                assert!(ours, "{what}: {}", html());
            }
            assert!(name != "meta" || element.attr("http-equiv").is_none(), "{what}: {}", html());
            for (attribute, value) in element.value().attrs() {
                assert!(!attribute.starts_with("on"), "{what}: {}", html());
                assert!(attribute != "srcdoc" && attribute != "style", "{what}: {}", html());
                if ADDRESSES.contains(&attribute) {
                    assert!(is_harmless(value), "{what}: {}", html());
                }
            }
        }
    }
}

impl Page {
    fn one(&self, selector: &str) -> ElementRef<'_> {
        let mut found = self.select(selector);
        let first = found.next().unwrap_or_else(|| panic!("no {selector} in {}", self.0.html()));
        assert!(found.next().is_none(), "more than one {selector}");
        first
    }
}

/// Browsers drop line breaks and tabs from addresses, and spaces around them
/// (WHATWG URL 4.4).
fn is_harmless(address: &str) -> bool {
    let address: String = address.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    match address.split_once(':') {
        Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => {
            ["http", "https", "mailto"].contains(&scheme.to_ascii_lowercase().as_str())
        }
        _ => true,
    }
}
