//! Tests of what GitHub's Markdown has beyond CommonMark, and of headings.

use super::{attributes, render, render_for_author, texts};
use crate::{
    accounts::profile::Punctuation,
    posts::{Content, domain::markdown},
};

fn excerpt(markdown: &str) -> String {
    markdown::render(&Content::parse(markdown).unwrap(), Punctuation::default()).excerpt
}

/// Every id of the HTML.
fn ids(html: &str) -> Vec<String> {
    attributes(html, "[id]", "id")
}

#[test]
fn a_reader_links_to_a_heading() {
    let html = render("# How it *works* & why\n\n## Größe: `a_b`\n\n<h2>Typed</h2>");
    assert_eq!(ids(&html), ["h-how-it-works--why", "h-größe-a_b", "h-typed"]);
    let links = attributes(&html, "a.heading-link", "href");
    assert_eq!(links, ["#h-how-it-works--why", "#h-größe-a_b", "#h-typed"]);
    assert_eq!(attributes(&html, "h2 > a.heading-link", "aria-label")[0], "Link to this section");
    assert_eq!(texts(&html, "h2")[0], "How it works & why", "the link adds no word to the heading");
    let linked = render("# [a](https://b.example)\n\n<div><a href=/c><h2>d</h2></a></div>");
    assert_eq!(attributes(&linked, "a", "href"), ["https://b.example", "#h-a", "/c"], "no link is in a link");
    for nameless in ["#\n", "# ![](https://a.example/b)", "<h2></h2>"] {
        assert_eq!(ids(&render(nameless)), [""; 0], "{nameless}");
    }
}

#[test]
fn a_heading_in_html_leaves_the_first_level_to_the_title() {
    for text in ["<h1>Raw</h1>", "<H1 lang=\"de\">Raw</H1>", "# Words\n\n<h1>Raw</h1>\n\nend", "<h1>Raw"] {
        let html = render(text);
        assert_eq!(texts(&html, "h1"), [""; 0], "{html}");
        assert_eq!(texts(&html, "h2").pop().as_deref().map(str::trim), Some("Raw"), "{html}");
    }
    assert_eq!(texts(&render("```\n<h1>a</h1>\n```"), "code"), ["<h1>a</h1>\n"]);
}

#[test]
fn equal_headings_have_different_ids_which_stay_when_the_text_grows() {
    let html = render("# A\n\n# A\n\n# A 1\n\n# A");
    assert_eq!(ids(&html), ["h-a", "h-a-1", "h-a-1-1", "h-a-2"]);
    assert_eq!(ids(&render("more\n\n# A\n\nmore\n\n# B")), ["h-a", "h-b"]);
    let many = render(&"# a\n\n".repeat(1000));
    assert!(ids(&many).len() < 300 && texts(&many, "h2").len() == 1000, "{}", ids(&many).len());
}

#[test]
fn no_author_sets_an_id_or_a_name() {
    let html = render(
        "<h2 id=main>a</h2>\n<p id=h-a>b</p>\n<a id=fn-1 aria-label=c href=/d>e</a>\n\n<nav aria-label=f id=g>h</nav>\n",
    );
    assert_eq!(ids(&html), ["h-a"]);
    assert_eq!(attributes(&html, "a[aria-label]", "aria-label"), ["Link to this section"]);
    assert!(!html.contains("aria-label=\"f\""), "{html}");
}

#[test]
fn an_author_links_to_a_heading_by_its_words() {
    let text = "[a](#how-it-works) [b](#How-It-Works) [c](#gr%C3%B6%C3%9Fe) [d](#größe) [e](#nowhere) [f](#)\n\n# How it works\n\n# Größe";
    let links = attributes(&render(text), "p a", "href");
    assert_eq!(links, ["#h-how-it-works", "#h-how-it-works", "#h-größe", "#h-größe", "#nowhere", "#"]);
}

#[test]
fn a_post_of_three_headings_has_a_table_of_contents() {
    assert!(!render("# One\n\n## Two").contains("<nav"));
    let html = render("Words first.\n\n# One & two\n\n## Two\n\n### `Three`\n\n# Four\n\n# One & two");
    assert!(html.starts_with("<nav class=\"contents\" aria-label=\"Contents\">"), "{html}");
    assert_eq!(texts(&html, "nav a"), ["One & two", "Two", "Three", "Four", "One & two"]);
    let links = attributes(&html, "nav a", "href");
    assert_eq!(links, ["#h-one--two", "#h-two", "#h-three", "#h-four", "#h-one--two-1"]);
    assert_eq!(texts(&html, "nav > ul > li > ul > li > ul > li").len(), 1);
    assert_eq!(texts(&html, "nav > ul > li").len(), 3);
    let upwards = render("<h4>a</h4><h3>b</h3><h2>c</h2>");
    assert_eq!(texts(&upwards, "nav > ul > li").len(), 3, "{upwards}");
    let arabic = render("# العنوان\n\n# العنوان الثاني\n\n# Third\n\nهذا نص");
    assert_eq!(attributes(&arabic, "nav", "dir"), ["rtl"]);
}

#[test]
fn a_footnote_is_behind_the_text_and_leads_back() {
    let html =
        render("One[^a] two[^B] three[^a].\n\n[^b]: Second *note*.\n[^a]: First.\n\n    More.\n\nlast");
    assert_eq!(texts(&html, "p")[0], "One1 two2 three1.");
    assert_eq!(attributes(&html, "sup > a", "href"), ["#fn-1", "#fn-2", "#fn-1"]);
    assert_eq!(attributes(&html, "sup > a", "id"), ["fnref-1", "fnref-2", "fnref-1-2"]);
    assert_eq!(attributes(&html, "footer.footnotes > ol > li", "id"), ["fn-1", "fn-2"]);
    assert_eq!(
        attributes(&html, "footer li p:last-child > a", "href"),
        ["#fnref-1", "#fnref-1-2", "#fnref-2"]
    );
    assert!(texts(&html, "footer li")[1].trim().starts_with("Second note."), "{html}");
    assert!(html.find("last").unwrap() < html.find("<footer").unwrap(), "{html}");
}

#[test]
fn no_footnote_is_lost_and_none_is_made_up() {
    let html = render("a\n\n[^1]: never meant\n\n[^1]: twice\n");
    assert_eq!(texts(&html, "footer li").len(), 2, "{html}");
    assert_eq!(texts(&render("a[^none]"), "p"), ["a[^none]"]);
    let nested = render("a[^1]\n\n[^1]: b[^2]\n\n[^2]: c[^1]");
    assert_eq!(attributes(&nested, "sup > a", "id"), ["fnref-1", "fnref-2", "fnref-1-2"]);
    for open in ["<div>", "<b>", "<table><tr><td>", "<details>", "> "] {
        let html = render(&format!("{open}a[^1]\n\n[^1]: b\n"));
        assert!(html.contains("<footer class=\"footnotes\">"), "{html}");
        assert_eq!(attributes(&html, "li", "id"), ["fn-1"], "{html}");
    }
    assert_eq!(attributes(&render("[a[^1]](/b)\n\n[^1]: c"), "p > a", "href").len(), 1);
    let many = render(&format!("{}\n\n[^1]: a", "[^1] ".repeat(2_000)));
    assert_eq!(texts(&many, "sup").len(), 2_000);
    assert!(texts(&many, "sup > a").len() < 1_000);
}

#[test]
fn an_alert_says_in_words_what_it_is() {
    for (kind, title) in [
        ("NOTE", "Note"),
        ("tip", "Tip"),
        ("IMPORTANT", "Important"),
        ("WARNING", "Warning"),
        ("CAUTION", "Caution"),
    ] {
        let html = render(&format!("> [!{kind}]\n> Some *words*.\n>\n> - a\n"));
        let class = format!("div.alert.alert-{}", kind.to_lowercase());
        assert_eq!(texts(&html, &format!("{class} > p.alert-title")), [title], "{html}");
        assert_eq!(texts(&html, &format!("{class} > p:not(.alert-title)")), ["Some words."]);
        assert_eq!(texts(&html, &format!("{class} li")), ["a"]);
    }
    assert_eq!(texts(&render("> [!OTHER]\n> a"), "blockquote").len(), 1);
    assert_eq!(attributes(&render("> [!NOTE]\n> ملاحظة مهمة"), "div", "dir"), ["rtl"]);
    assert_eq!(attributes(&render("> [!NOTE]\n> words"), "div", "dir"), [""]);
    // A browser would not look through the paragraphs in them.
    for (markdown, name) in [("> ملاحظة", "blockquote"), ("- ملاحظة\n\n- أخرى", "ul"), ("1. ملاحظة", "ol")]
    {
        assert_eq!(attributes(&render(markdown), name, "dir"), ["rtl"], "{markdown}");
    }
    assert_eq!(attributes(&render("> words"), "blockquote", "dir"), [""]);
}

#[test]
fn a_task_is_a_box_that_is_read_out() {
    let html = render("- [ ] open\n- [x] done\n- other\n\n1. [X] loose\n\n   more");
    assert_eq!(texts(&html, "span.task"), ["☐", "☑", "☑"]);
    assert_eq!(texts(&html, "ul li"), ["☐ open", "☑ done", "other"]);
    assert!(!html.contains("<input"), "{html}");
    assert_eq!(texts(&render("a [x] b"), "p"), ["a [x] b"]);
}

#[test]
fn a_bare_address_is_a_link_except_in_code_and_links() {
    let html = render("See https://example.org/a--b?c=1&d=e_f, www.example.org and ada@example.org.");
    let links = attributes(&html, "a.bare", "href");
    assert_eq!(
        links,
        ["https://example.org/a--b?c=1&d=e_f", "http://www.example.org", "mailto:ada@example.org"]
    );
    assert_eq!(
        texts(&html, "p"),
        ["See https://example.org/a--b?c=1&d=e_f, www.example.org and ada@example.org."]
    );
    assert_eq!(attributes(&html, "a", "rel"), ["nofollow ugc noopener"; 3]);
    for text in [
        "`https://example.org`",
        "    https://example.org",
        "```\nhttps://example.org\n```",
        "<kbd>https://example.org</kbd>",
        "<pre>a@example.org</pre>",
        "<p title=\"https://example.org\">a</p>",
    ] {
        assert_eq!(attributes(&render(text), "a", "href"), [""; 0], "{text}");
    }
    let in_link = render("[see https://example.org](https://other.example)");
    assert_eq!(attributes(&in_link, "a", "href"), ["https://other.example"]);
    assert_eq!(attributes(&render("\"https://example.org\""), "a", "href"), ["https://example.org"]);
    assert_eq!(
        attributes(&render("**https://example.org/a**"), "strong a", "href"),
        ["https://example.org/a"]
    );
}

#[test]
fn a_formula_is_mathml_and_a_price_is_text() {
    let html = render("So $x^2$ and\n\n$$\\frac{a}{b}$$");
    assert_eq!(attributes(&html, "math", "alttext"), ["x^2", "\\frac{a}{b}"]);
    assert_eq!(attributes(&html, "span.formula", "tabindex"), ["0"]);
    assert!(html.contains("<msup>") && html.contains("<mfrac>"), "{html}");
    for text in ["It costs $5 and $10.", "US$5 or $6", "a $ b $ c", "$5-$10", "\\$x\\$"] {
        assert!(!render(text).contains("<math"), "{text}");
        assert_eq!(texts(&render(text), "p"), [text.replace('\\', "")]);
    }
    let wrong = render_for_author("So $\\nosuch x$ it is");
    assert!(texts(&wrong, "p")[0].starts_with("So $\\nosuch x$ (This formula"), "{wrong}");
    assert_eq!(texts(&render("So $\\nosuch x$ it is"), "p"), ["So $\\nosuch x$ it is"]);
    assert_eq!(attributes(&render("![a $x$](https://a.example/b)"), "img", "alt"), ["a $x$"]);
    let heading = render("# The $x^2$ of it");
    assert_eq!(ids(&heading), ["h-the-x2-of-it"]);
}

#[test]
fn dollars_notes_and_boxes_in_code_stay_as_they_were_typed() {
    for typed in
        ["$x^2$ and $$y$$", "a[^1] b", "- [x] https://example.org", "> [!NOTE]", "# a", "$\\frac{<b>}{--}$"]
    {
        let note = "\n\n[^1]: c";
        let fence = render(&format!("```\n{typed}\n```{note}"));
        assert_eq!(texts(&fence, "pre code"), [format!("{typed}\n")]);
        assert_eq!(texts(&render(&format!("`` {typed} ``{note}")), "p > code"), [typed]);
        let indented = render(&format!("a\n\n    {typed}{note}"));
        assert_eq!(texts(&indented, "pre code")[0].trim_end(), typed);
    }
    let html = render("<kbd>$x_1$ a[^1]</kbd>\n\n[^1]: b");
    assert_eq!(texts(&html, "kbd"), ["$x_1$ a[^1]"]);
}

#[test]
fn a_formula_goes_across_no_tag_and_no_link() {
    for name in ["code", "kbd"] {
        let html = render(&format!("<{name}>$HOME</{name}>/bin and <{name}>$PATH</{name}>"));
        assert_eq!(texts(&html, name), ["$HOME", "$PATH"], "{html}");
        assert_eq!(texts(&html, "p"), ["$HOME/bin and $PATH"]);
    }
    let html = render("Set <code>$HOME</code> or `$PATH` and go on");
    assert_eq!(texts(&html, "code"), ["$HOME", "$PATH"], "{html}");
    assert_eq!(texts(&html, "p"), ["Set $HOME or $PATH and go on"]);
    let html = render("[$5](https://a.org) or [6$](https://b.org) or [7](https://c.org/$d)");
    assert_eq!(texts(&html, "a"), ["$5", "6$", "7"], "{html}");
    assert_eq!(attributes(&html, "a", "href"), ["https://a.org", "https://b.org", "https://c.org/$d"]);
    assert!(!html.contains("<math"), "{html}");
    let html = render("**$5** <em>$a < b$</em> [$x \\in [0,1)$](https://a.org) and $F[y](z)$");
    assert_eq!(attributes(&html, "math", "alttext"), ["a < b", "x \\in [0,1)", "F[y](z)"], "{html}");
    assert_eq!(texts(&html, "strong"), ["$5"]);
}

#[test]
fn nobody_makes_mathml_but_the_renderer() {
    let html =
        render("<math><mi>a</mi><annotation-xml encoding=text/html><p>b</p></annotation-xml></math> c");
    assert!(!html.contains("<m") && html.contains('c'), "{html}");
    for tex in [
        "$\\text{<script>alert(1)</script>}$",
        "$\\href{javascript:alert(1)}{x}$",
        "$\"><img src=x onerror=alert(1)>$",
        "$\\color{red\" onclick=\"alert(1)}x$",
        "$\\style{color:red}{x}$",
        "$\\class{a}{x}$",
    ] {
        let html = render(tex);
        for bad in ["script", "img", "[href]", "[style]", "[onclick]", "[onerror]"] {
            assert_eq!(texts(&html, bad), [""; 0], "{bad} in {html}");
        }
    }
}

#[test]
fn a_list_of_posts_shows_words_of_the_post_alone() {
    assert_eq!(excerpt("# One\n\n# Two\n\n# Three\n\nWords."), "Words.");
    assert_eq!(excerpt("# One\n\n# Two\n\n# Three\n"), "One Two Three");
    assert_eq!(excerpt("Words[^1] go on.\n\n[^1]: A note."), "Words go on.");
    assert_eq!(excerpt("> [!WARNING]\n> Mind the step."), "Mind the step.");
    assert_eq!(excerpt("- [x] milk\n- [ ] eggs"), "☑ milk ☐ eggs");
    assert_eq!(excerpt("So $x^2 < 3$ holds."), "So x^2 < 3 holds.");
    assert_eq!(excerpt("See https://example.org."), "See https://example.org.");
}

#[test]
fn a_mark_that_somebody_types_means_nothing() {
    for mark in ['\u{FDDB}', '\u{FDDC}', '\u{FDDD}', '\u{FDDE}', '\u{FDDF}'] {
        let typed = format!("{mark}{}", "\u{FDE0}".repeat(4));
        let html = render(&format!("$x$ a[^1] {typed} &#xFDDB;&#xFDE0;&#xFDE0;&#xFDE0;&#xFDE0;\n\n[^1]: b"));
        assert_eq!(texts(&html, "math").len(), 1, "{html}");
        assert_eq!(texts(&html, "sup").len(), 1, "{html}");
        assert!(!html.contains(['\u{FDDB}', '\u{FDDC}', '\u{FDE0}']), "{html}");
    }
    for mark in ["FDDB", "FDDC", "FDDD", "FDDE", "FDDF"] {
        let alt = format!("&#x{mark};{}", "&#xFDE0;".repeat(4));
        let html =
            render(&format!("$x$ a[^1] <img src=\"http://example.org/b\" alt=\"{alt}\"> c\n\n[^1]: b"));
        assert_eq!(texts(&html, "math").len(), 1, "{html}");
        assert_eq!(texts(&html, "sup").len(), 1, "{html}");
        assert!(html.contains("c</p>"), "{html}");
    }
}
