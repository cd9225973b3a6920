//! Markdown to HTML that is safe to show (security row X1), and to a line of
//! plain text.

use std::{collections::HashSet, sync::LazyLock};

use ammonia::Builder;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::posts::Content;

/// In characters.
const EXCERPT_CHARS: usize = 240;

/// How a column may stand, other than at the start of its cell.
const COLUMN_SIDES: [&str; 2] = ["right", "center"];

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_SMART_PUNCTUATION
}

/// ammonia's defaults, narrowed to http, https and mailto, with `rel` on every
/// link, and with the attributes that reading needs:
/// - blocks set themselves right-to-left or left-to-right by their own text;
/// - what may scroll sideways can be reached by keyboard (WCAG 2.1.1);
/// - pictures load when they come near.
static SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder.url_schemes(HashSet::from(["http", "https", "mailto"])).link_rel(Some("nofollow ugc noopener"));
    for block in ["p", "ul", "ol", "blockquote", "h2", "h3", "h4", "h5", "h6"] {
        builder.set_tag_attribute_value(block, "dir", "auto");
    }
    for scrolls in ["pre", "table"] {
        builder.set_tag_attribute_value(scrolls, "tabindex", "0");
    }
    for cell in ["td", "th"] {
        builder.add_allowed_classes(cell, COLUMN_SIDES);
    }
    builder.set_tag_attribute_value("img", "loading", "lazy");
    builder
});

/// The HTML of a post. Whatever the Markdown says, the result has no script,
/// no event handler and no address that runs code.
#[must_use]
pub fn to_html(content: &Content) -> String {
    let mut outline = Outline::of(content);
    let events = Parser::new_ext(content.as_str(), options()).map(|event| match event {
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: outline.place(level), id, classes, attrs })
        }
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(outline.current)),
        other => other,
    });
    let mut raw = String::with_capacity(content.as_str().len() * 3 / 2);
    html::push_html(&mut raw, events);
    // Columns are aligned by a style, which the page's policy forbids; a class
    // says the same. In text the quotes would be escaped.
    for side in COLUMN_SIDES {
        raw = raw.replace(&format!(" style=\"text-align: {side}\""), &format!(" class=\"{side}\""));
    }
    SANITIZER.clean(&raw).to_string()
}

/// Puts the headings of a post below its title, the page's `h1`: the highest
/// that the author used becomes `h2`, and no level is skipped on the way down
/// (WCAG 1.3.1; screen readers walk a page by its headings).
struct Outline {
    highest: HeadingLevel,
    current: HeadingLevel,
}

impl Outline {
    fn of(content: &Content) -> Self {
        let highest = Parser::new_ext(content.as_str(), options())
            .filter_map(|event| match event {
                Event::Start(Tag::Heading { level, .. }) => Some(level),
                _ => None,
            })
            .min()
            .unwrap_or(HeadingLevel::H1);
        Self { highest, current: HeadingLevel::H1 }
    }

    fn place(&mut self, level: HeadingLevel) -> HeadingLevel {
        let wanted = level as usize - self.highest as usize + 2;
        let deepest = self.current as usize + 1;
        self.current = HeadingLevel::try_from(wanted.min(deepest)).unwrap_or(HeadingLevel::H6);
        self.current
    }
}

/// How the text begins: words without markup, at most 240 characters, cut at
/// a word with an ellipsis.
#[must_use]
pub fn excerpt(content: &Content) -> String {
    let mut text = String::new();
    let mut skipped = false;
    for event in Parser::new_ext(content.as_str(), options()) {
        match event {
            // Code reads badly in a line; a heading runs into the sentence behind it.
            Event::Start(Tag::CodeBlock(_) | Tag::Heading { .. }) => skipped = true,
            Event::End(TagEnd::CodeBlock | TagEnd::Heading(_)) => skipped = false,
            Event::Text(run) | Event::Code(run) if !skipped => text.push_str(&run),
            // The end of an inline mark is no gap: "*so*." keeps its full stop.
            Event::End(
                TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image,
            ) => {}
            Event::SoftBreak | Event::HardBreak | Event::End(_) => text.push(' '),
            _ => {}
        }
        if text.len() > EXCERPT_CHARS * 8 {
            break;
        }
    }
    shorten(&text)
}

fn shorten(text: &str) -> String {
    let mut short = String::new();
    let mut chars = 0;
    for word in text.split_whitespace() {
        let word_chars = word.chars().count();
        if chars + word_chars + 1 > EXCERPT_CHARS {
            if short.is_empty() {
                short.extend(word.chars().take(EXCERPT_CHARS));
            }
            short.push('…');
            break;
        }
        if !short.is_empty() {
            short.push(' ');
            chars += 1;
        }
        short.push_str(word);
        chars += word_chars;
    }
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn render(markdown: &str) -> String {
        to_html(&Content::parse(markdown).unwrap())
    }

    /// Payloads of the OWASP XSS cheat sheet and of Markdown renderers' past.
    pub(crate) const PAYLOADS: &[&str] = &[
        "<script>alert(1)</script>",
        "</textarea><script>alert(1)</script>",
        "</title><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#x6A;avascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
        "[x](vbscript:msgbox(1))",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=x onclick=alert(1)>x</a>",
        "<iframe src=javascript:alert(1)></iframe>",
        "<form action=javascript:alert(1)><button>x</button></form>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<style>@import 'javascript:alert(1)'</style>",
        "<base href=//evil.example>",
        "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
        "\"><img src=x onerror=alert(1)>",
        "`</code><script>alert(1)</script>`",
        "[x]: javascript:alert(1)\n\n[x]",
        "[^1]\n\n[^1]: <img src=x onerror=alert(1)>",
        "| <script>a</script> |\n|---|\n| <img src=x onerror=a> |",
    ];

    /// Reads the HTML as a browser does and looks at every element.
    fn assert_harmless(html: &str) {
        const SAFE_SCHEMES: [&str; 3] = ["http", "https", "mailto"];
        let parsed = scraper::Html::parse_fragment(html);
        for element in parsed.tree.values().filter_map(scraper::Node::as_element) {
            let name = element.name();
            for bad in [
                "script", "style", "iframe", "form", "base", "meta", "svg", "math", "object", "embed",
                "link", "input", "textarea", "noscript", "template",
            ] {
                assert_ne!(name, bad, "{html}");
            }
            for (attribute, value) in element.attrs() {
                assert!(!attribute.starts_with("on") && attribute != "style", "{attribute} in {html}");
                if matches!(attribute, "href" | "src" | "cite" | "action") {
                    // What a browser would load: it drops tabs and line breaks first.
                    let scheme = url::Url::parse(value).map(|url| url.scheme().to_owned());
                    assert!(scheme.is_err() || SAFE_SCHEMES.contains(&scheme.unwrap().as_str()), "{html}");
                }
            }
        }
    }

    #[test]
    fn known_payloads_become_harmless() {
        for payload in PAYLOADS {
            assert_harmless(&render(payload));
        }
    }

    #[test]
    fn markdown_reads_as_written() {
        assert_eq!(render("Hello *world*"), "<p dir=\"auto\">Hello <em>world</em></p>\n");
        assert_eq!(
            render("## One\n#### Two\n# Three\n###### Four"),
            "<h2 dir=\"auto\">One</h2>\n<h3 dir=\"auto\">Two</h3>\n\
             <h2 dir=\"auto\">Three</h2>\n<h3 dir=\"auto\">Four</h3>\n"
        );
        assert!(render("| a | b |\n|---|--:|\n| c | d |").contains("<td>c</td><td class=\"right\">d</td>"));
        assert!(render("[x](https://example.org)").contains(r#"rel="nofollow ugc noopener""#));
        assert_eq!(render("```\n<b>\n```"), "<pre tabindex=\"0\"><code>&lt;b&gt;\n</code></pre>\n");
    }

    #[test]
    fn an_excerpt_is_plain_words_cut_at_a_word() {
        let content = |raw: &str| Content::parse(raw).unwrap();
        assert_eq!(excerpt(&content("# Hi\n\nSome *bold*, `code`\n\n```\nskip\n```\n")), "Some bold, code");
        assert_eq!(excerpt(&content("")), "");
        let long = excerpt(&content(&"word ".repeat(100)));
        assert!(long.ends_with("word…") && long.chars().count() <= EXCERPT_CHARS + 1, "{long}");
        assert_eq!(excerpt(&content(&"x".repeat(500))).chars().count(), EXCERPT_CHARS + 1);
    }

    proptest! {
        #[test]
        fn any_text_becomes_harmless(
            parts in proptest::collection::vec(
                prop_oneof![
                    proptest::sample::select(PAYLOADS).prop_map(str::to_owned),
                    "[<>\"'`\\[\\](){}*_#!|\\\\/ \n\ta-z:=&;]{0,20}",
                    ".{0,10}".prop_map(|s: String| s.replace('\0', "")),
                ],
                0..8,
            )
        ) {
            let raw = parts.concat();
            if let Ok(content) = Content::parse(&raw) {
                assert_harmless(&to_html(&content));
                prop_assert!(excerpt(&content).chars().count() <= EXCERPT_CHARS + 1);
            }
        }
    }
}
