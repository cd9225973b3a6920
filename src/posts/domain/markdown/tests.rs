//! Tests of rendering Markdown.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::*;

mod extensions;

fn render(markdown: &str) -> String {
    to_html(&Content::parse(markdown).unwrap(), Punctuation::Typographic, Audience::Reader)
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
    "$\\text{<img src=x onerror=alert(1)>}$",
    "$$</math><script>alert(1)</script>$$",
    "# x\" onclick=alert(1) id=\"main",
    "# main\n\n# main\n\n<h2 id=main>main</h2>\n",
    "http://a.b/\"onmouseover=alert(1)",
    "> [!NOTE]\n> <img src=x onerror=alert(1)>",
    "&#xFDDB;&#xFDE0;&#xFDE0;&#xFDE0;&#xFDE0;",
    "| <script>a</script> |\n|---|\n| <img src=x onerror=a> |",
];

/// Reads the HTML as a browser does and looks at every element.
fn assert_harmless(html: &str) {
    const SAFE_SCHEMES: [&str; 3] = ["http", "https", "mailto"];
    let parsed = scraper::Html::parse_fragment(html);
    let mut ids = std::collections::HashSet::new();
    for element in parsed.tree.values().filter_map(scraper::Node::as_element) {
        let name = element.name();
        assert!(name != "math" || element.attr("alttext").is_some(), "not of the renderer: {html}");
        if let Some(id) = element.attr("id") {
            assert!(ids.insert(id), "{id} is there twice: {html}");
            assert!(["h-", "fn-", "fnref-"].iter().any(|prefix| id.starts_with(prefix)), "{id}: {html}");
        }
        for bad in [
            "script", "style", "iframe", "form", "base", "meta", "svg", "object", "embed", "link", "input",
            "textarea", "noscript", "template",
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
    let html = render("## One\n#### Two\n# Three\n###### Four");
    assert_eq!(
        (texts(&html, "h2"), texts(&html, "h3")),
        (vec!["One".into(), "Three".into()], vec!["Two".into(), "Four".into()])
    );
    assert!(render("| a | b |\n|---|--:|\n| c | d |").contains("<td>c</td><td class=\"right\">d</td>"));
    assert!(render("[x](https://example.org)").contains(r#"rel="nofollow ugc noopener""#));
    for elsewhere in [
        "[x](//example.org)",
        "[x](p.html)",
        "<a href='/\\\\example.org'>x</a>",
        "[x](https://example.org \"<a href=#\")",
    ] {
        assert!(render(elsewhere).contains("nofollow"), "{elsewhere}");
    }
    for own in ["[x](/posts/y)", "[x](#z)", "[x](/posts/y \"a > b\")"] {
        assert!(!render(own).contains("nofollow"), "{own}: {}", render(own));
    }
    assert_eq!(render("```\n<b>\n```"), "<pre tabindex=\"0\"><code>&lt;b&gt;\n</code></pre>\n");
}

fn render_for_author(markdown: &str) -> String {
    to_html(&Content::parse(markdown).unwrap(), Punctuation::Typographic, Audience::Author)
}

/// The text of the elements that `selector` names.
fn texts(html: &str, selector: &str) -> Vec<String> {
    let selector = scraper::Selector::parse(selector).unwrap();
    scraper::Html::parse_fragment(html).select(&selector).map(|element| element.text().collect()).collect()
}

fn attributes(html: &str, selector: &str, name: &str) -> Vec<String> {
    let selector = scraper::Selector::parse(selector).unwrap();
    scraper::Html::parse_fragment(html)
        .select(&selector)
        .map(|element| element.attr(name).unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn code_is_shown_as_it_was_typed() {
    for code in [
        "<td style=\"text-align: right\">",
        "<th style=\"text-align: center\"> class=\"right\"",
        "| a | b |\n|---|--:|",
        "--help ... \"it's\" ---",
        "&quot; &amp;lt;",
        "\u{201c}–…",
        &"> ".repeat(100),
        &"- ".repeat(100),
        &format!("{}a", "1. ".repeat(100)),
        "</code><b>",
    ] {
        let fence = render(&format!("a\n\n```html\n{code}\n```\n"));
        assert_eq!(texts(&fence, "pre code"), [format!("{code}\n")]);
        let in_a_list = render(&format!("- a\n\n  ~~~\n  {code}\n  ~~~\n"));
        assert!(texts(&in_a_list, "pre code")[0].starts_with(code.lines().next().unwrap()), "{in_a_list}");
        let indented = render(&format!("a\n\n    {}\n", code.replace('\n', "\n    ")));
        assert_eq!(texts(&indented, "pre code")[0].trim_end(), code.trim_end());
        let span = code.replace('\n', " ");
        let shown = texts(&render(&format!("a `` {span} `` b")), "code");
        assert_eq!((shown.len(), shown[0].trim_end()), (1, span.trim_end()));
    }
    let styled = "<span title='style=\"text-align: right\"'>a</span>";
    assert_eq!(attributes(&render(styled), "span", "title"), ["style=\"text-align: right\""]);
    assert_eq!(texts(&render("text style=\"text-align: right\""), "p"), ["text style=“text-align: right”"]);
}

#[test]
fn a_column_is_aligned_by_a_class_in_head_and_body() {
    let html = render("| a | b | c | d |\n|---|--:|:-:|:--|\n| e | f | g | h |\n| i |");
    assert_eq!(attributes(&html, "th", "class"), ["", "right", "center", ""]);
    assert_eq!(attributes(&html, "td", "class"), ["", "right", "center", "", "", "right", "center", ""]);
    assert!(!html.contains("style"), "{html}");
}

#[test]
fn punctuation_is_set_in_prose_and_left_alone_in_code() {
    for name in ["code", "kbd", "samp", "pre", "var", "tt"] {
        let html = render(&format!("\"a\" -- <{name}>--help *\"it's\"* <b>a...</b> ---</{name}> -- 'b'..."));
        assert_eq!(texts(&html, name), ["--help \"it's\" a... ---"], "{html}");
        assert!(html.contains("“a” –") && html.contains("– ‘b’…"), "{html}");
        let nested = render(&format!("<{name}>a <span>-- <em>--</em></span> --</{name}>"));
        assert_eq!(texts(&nested, name), ["a -- -- --"], "{nested}");
        let block = render(&format!("<div><{name}>\n\n--a *--b*\n\n</{name}></div>"));
        assert!(!block.contains('–') && block.contains("--b"), "{block}");
    }
    let unclosed = render("<kbd>--a\n\n--b");
    assert!(unclosed.contains("--a") && unclosed.contains("–b"), "{unclosed}");
    assert_eq!(texts(&render("<https://example.org/a--b...c>"), "a"), ["https://example.org/a--b...c"]);
    let link = render("[it's](https://example.org/a--b 'so--')");
    assert_eq!(attributes(&link, "a", "href"), ["https://example.org/a--b"]);
    assert_eq!(
        texts(&render("see https://example.org/a--b, -- \"so\""), "p"),
        ["see https://example.org/a--b, – “so”"]
    );
    assert_eq!(texts(&render("a -- b &ndash; – -----"), "p"), ["a – b – – —–"]);
    assert_eq!(attributes(&render("![it's -- so](https://a.example/b)"), "img", "alt"), ["it’s – so"]);
}

#[test]
fn a_double_quote_behind_a_letter_or_a_digit_opens_nothing() {
    for (typed, shown) in [
        ("The 12\" record, 5'10\" tall", "The 12” record, 5’10” tall"),
        ("a\"b", "a”b"),
        ("\"a\" and (\"b\") and \"*c*\"", "“a” and (“b”) and “c”"),
        ("日本\"語\"です", "日本“語”です"),
        ("\"日本\"と\"中国\"です", "“日本”と“中国”です"),
        ("中\"abc\"文\"12\"", "中“abc”文“12”"),
        ("`12\"` and <kbd>12\"</kbd>", "12\" and 12\""),
    ] {
        assert_eq!(texts(&render(typed), "p"), [shown], "{typed}");
    }
    assert_eq!(texts(&render("中\"文\n\n中\"文"), "p"), ["中“文", "中“文"]);
}

#[test]
fn a_byte_order_mark_hides_nothing() {
    for text in
        ["\u{FEFF}# Heading", "\u{FEFF}\u{FEFF}# Heading", "\u{FEFF}\r\n# Heading", "\u{FEFF}\r# Heading"]
    {
        assert_eq!(texts(&render(text), "h2"), ["Heading"], "{text:?}");
    }
    assert_eq!(texts(&render("a\n\n\u{FEFF}# Heading"), "h2"), ["Heading"]);
    assert_eq!(texts(&render("# One\r\r## Two\r\n\r\nthree"), "h2"), ["One"]);
    assert_eq!(texts(&render("a\u{2028}# b"), "p"), ["a\u{2028}# b"]);
}

#[test]
fn a_picture_that_is_not_shown_leaves_words() {
    let http = render("![A *cat*](http://example.org/cat.png)");
    assert_eq!(texts(&http, "p"), ["Picture not shown: A cat"]);
    assert_eq!(attributes(&http, "a", "href"), ["http://example.org/cat.png"]);
    assert_eq!(texts(&render("![A cat](data:image/png;base64,AAAA)"), "p"), ["Picture not shown: A cat"]);
    assert_eq!(texts(&render("![](ftp://example.org/a.png)"), "p"), ["Picture not shown."]);
    assert_eq!(texts(&render("<img src='http://example.org/a.png' alt='A cat'>"), "a"), ["A cat"]);
    assert_eq!(
        texts(&render("[![A cat](http://a.example/b)](https://c.example)"), "a"),
        ["Picture not shown: A cat"]
    );
    for shown in
        ["https://a.example/b.png", "/b.png", "b.png", "//a.example/b.png", "HTTPS://a.example/b.png"]
    {
        let html = render(&format!("![A cat]({shown})"));
        let source = attributes(&html, "img", "src").pop().unwrap();
        assert!(source.ends_with(shown) && !html.contains("not shown"), "{html}");
    }
    assert_eq!(attributes(&render("![a](//a.example/b.png)"), "img", "src"), ["https://a.example/b.png"]);
}

#[test]
fn an_author_is_told_why_something_is_not_shown() {
    for (text, why) in [
        ("![A cat](http://example.org/cat.png)", "begins with http:"),
        ("![A cat](data:image/png;base64,AAAA)", "begins with data:"),
        ("<img alt='A cat' src='ftp://a.example/b'>", "begins with ftp:"),
        ("![A cat](https://)", "malformed"),
        ("[A cat](ftp://example.org)", "begins with ftp:"),
        ("[A cat](tel:1)", "begins with tel:"),
        ("<a href='javascript:a()'>A cat</a>", "begins with javascript:"),
    ] {
        let html = render_for_author(text);
        assert!(html.contains("A cat") && html.contains(why), "{html}");
        assert!(render(text).contains("A cat") && !render(text).contains(why), "{text}");
    }
    for text in [
        "[A](https://a.example)",
        "[A](mailto:a@b.example)",
        "[A](#a)",
        "[A](/a?b)",
        "![A](https://a.example/b)",
    ] {
        assert!(!render_for_author(text).contains("begin with"), "{text}");
    }
}

#[test]
fn a_table_runs_as_the_text_does() {
    let table = |a: &str, b: &str| format!("| {a} | {b} |\n|---|---|\n| 1 | 2 |\n");
    let direction = |markdown: &str| attributes(&render(markdown), "table", "dir");
    assert_eq!(direction(&table("الاسم", "السعر")), ["rtl"]);
    assert_eq!(direction(&table("שם", "Price")), ["rtl"]);
    assert_eq!(direction(&table("Name", "Price")), [""]);
    assert_eq!(direction(&table("1", "`code`")), [""]);
    assert_eq!(
        direction(&format!("هذا نص طويل بالعربية يصف الأسعار كلها\n\n{}", table("API", "JSON"))),
        ["rtl"]
    );
    assert_eq!(
        direction(&format!("An English text about many things\n\n{}", table("الاسم", "السعر"))),
        ["rtl"]
    );
    assert_eq!(direction("<table dir=ltr><tr><td>الاسم</td></tr></table>"), ["ltr"]);
    assert_eq!(
        direction("<table><tr><td>الاسم<table><tr><td>a</td></tr></table></td></tr></table>"),
        ["rtl", "rtl"]
    );
}

#[test]
fn an_authors_own_direction_and_language_stay() {
    for name in ["p", "div", "span", "ul", "blockquote", "h2", "td", "bdo", "table", "pre"] {
        let inner = format!("<{name} dir=\"RTL\" lang=\"ar\">a</{name}>");
        let html = render(&if name == "td" { format!("<table><tr>{inner}</tr></table>") } else { inner });
        assert_eq!(attributes(&html, name, "dir"), ["rtl"], "{html}");
        assert_eq!(attributes(&html, name, "lang"), ["ar"], "{html}");
    }
    assert_eq!(attributes(&render("<p dir=\"sideways\">a</p>"), "p", "dir"), ["auto"]);
    assert_eq!(attributes(&render("<div dir=\"sideways\">a</div>"), "div", "dir"), [""]);
}

#[test]
fn what_is_nested_too_deeply_keeps_its_words() {
    let html = render(&format!("{}a *b*", "> ".repeat(1000)));
    assert_eq!(html.matches("<blockquote").count(), marks::MAX_MARKERS);
    assert!(html.contains("&gt; &gt; a <em>b</em>"), "{html}");
    let html = render(&format!("{}a{} z", "<b>".repeat(1000), "</b>".repeat(1000)));
    assert_eq!(html.matches("<b>").count(), balance::MAX_DEPTH - 1);
    assert!(html.contains(">a</b>") && html.ends_with("</b> z</p>\n"), "{html}");
    let words: String = (0..1000).map(|n| format!("{}- w{n}x\n", "  ".repeat(n % 80))).collect();
    let html = render(&words);
    for n in 0..1000 {
        assert!(html.contains(&format!("w{n}x")), "w{n}x");
    }
}

#[test]
fn what_is_begun_and_never_ended_is_text() {
    for begun in ["<!-- ", "<script>", "<style>", "<a href=\"", "<div class='", "<?php ", "<p"] {
        let html = render(&format!("<div>\n{begun} the rest\n\nof the post\n\n"));
        assert!(html.contains("of the post"), "{begun}: {html}");
    }
}

#[test]
fn html_that_is_nested_wrongly_keeps_its_words_and_repeats_nothing() {
    for (html, shown) in [
        ("<b>a<i>b</b>c</i>", "<p dir=\"auto\"><b>a<i>b</i></b>c</p>\n"),
        ("<div><p>a<div>b</div></div>", "<div><p dir=\"auto\">a</p><div>b</div></div>"),
        (
            "<div><p><b title=x>a<p>b",
            "<div><p dir=\"auto\"><b title=\"x\">a</b></p><p dir=\"auto\">b</p></div>",
        ),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        (
            "<table>a<tr><td>b</table>",
            "<table tabindex=\"0\"><tbody><tr><td>a</td></tr><tr><td>b</td></tr></tbody></table>",
        ),
        ("<tr><td>a</td></tr>", "a"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
    ] {
        assert_eq!(render(html).trim_end(), shown.trim_end(), "{html}");
    }
}

/// Time on a core, which others that run do not lengthen. In nanoseconds.
fn thread_time() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Runs with an eighth of the stack of tokio's threads, to show that nothing recurses.
/// Twice the length takes about twice the time; differences below 3 ms do not count.
#[test]
fn no_text_costs_more_than_its_length() {
    const LENGTH: usize = 6_000;
    const SLACK: i64 = 3_000_000;
    let measured = |markdown: &str| {
        let content = Content::parse(markdown).unwrap();
        let start = thread_time();
        let rendering = super::render(&content, Punctuation::default());
        let time = thread_time() - start;
        assert!(rendering.html.len() <= 40 * content.as_str().len() + 1000, "{} bytes", rendering.html.len());
        time
    };
    let run = move || {
        let mut slow = Vec::new();
        for ((name, once), (_, twice)) in worst::worst(LENGTH).into_iter().zip(worst::worst(2 * LENGTH)) {
            let (mut first, mut second) = (measured(&once), measured(&twice));
            for _ in 0..3 {
                if second > 3 * first + SLACK {
                    (first, second) = (first.max(measured(&once)), second.min(measured(&twice)));
                }
            }
            if second > 3 * first + SLACK {
                slow.push(format!("{name}: {first} ns, then {second} ns"));
            }
        }
        assert!(slow.is_empty(), "{slow:#?}");
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap();
    thread.join().unwrap();
}

#[test]
fn what_is_balanced_is_nested_properly_and_not_deeply() {
    for (name, text) in worst::worst(2_000) {
        assert_balanced(
            &balance::balance(&write(&marks::prepare(&text), Punctuation::default()), Audience::Author),
            &name,
        );
    }
}

#[test]
fn a_paragraph_in_a_ruby_ends_before_its_annotation() {
    for open in ["p", "li", "dd", "dt"] {
        for annotation in ["rt", "rp", "rtc"] {
            let html = format!("<ruby>a<{open}>b<{annotation}>c");
            assert_balanced(&balanced(&html), &html);
        }
    }
}

fn balanced(html: &str) -> String {
    balance::balance(&Written { html: html.to_owned(), ..Written::default() }, Audience::Reader)
}

/// A browser finds nothing to repair: no element moves, none is copied.
fn assert_balanced(html: &str, name: &str) {
    let mut open = Vec::new();
    for token in tokens::Tokens::of(html) {
        match token {
            tokens::Token::Start(element, _) if !elements::is_void(element) => open.push(element),
            tokens::Token::End(element) => assert_eq!(open.pop(), Some(element), "{name}: {html}"),
            _ => {}
        }
        assert!(open.len() <= balance::MAX_DEPTH, "{name}");
    }
    assert!(open.is_empty(), "{name}");
    let parsed = scraper::Html::parse_fragment(html);
    let count = |wanted: &str| {
        parsed
            .tree
            .values()
            .filter_map(scraper::Node::as_element)
            .filter(|found| found.name() == wanted)
            .count()
    };
    for element in elements::ELEMENTS.into_iter().filter(|name| !elements::is_table_part(name)) {
        let written =
            html.matches(&format!("<{element}>")).count() + html.matches(&format!("<{element} ")).count();
        assert_eq!(count(element), written, "{element} in {name}: {html}");
    }
}

proptest! {
    #[test]
    fn any_html_is_nested_properly(
        parts in proptest::collection::vec(
            prop_oneof![
                (proptest::sample::select(&elements::ELEMENTS[..]), any::<bool>())
                    .prop_map(|(name, end)| if end { format!("</{name}>") } else { format!("<{name} title=a>") }),
                "[a-z ]{0,5}",
            ],
            0..40,
        )
    ) {
        assert_balanced(&balanced(&parts.concat()), "any HTML");
    }

    #[test]
    fn any_text_becomes_harmless(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(PAYLOADS).prop_map(str::to_owned),
                "[<>\"'`\\[\\](){}*_#!|\\\\/ \n\ta-z:=&;$^@.1]{0,20}",
                ".{0,10}".prop_map(|s: String| s.replace('\0', "")),
            ],
            0..8,
        )
    ) {
        let raw = parts.concat();
        if let Ok(content) = Content::parse(&raw) {
            for (audience, punctuation) in [Audience::Reader, Audience::Author].into_iter().zip(Punctuation::ALL) {
                assert_harmless(&to_html(&content, punctuation, audience));
            }
            let rendering = super::render(&content, Punctuation::default());
            prop_assert!(rendering.excerpt.graphemes(true).count() <= excerpt::MAX_GRAPHEMES + 1);
        }
    }
}
