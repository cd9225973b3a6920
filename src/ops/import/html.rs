//! HTML of an export as Markdown. What Markdown has no sign for stays HTML, which Byline's
//! Markdown may contain; only scripts, styles and forms are left out.

use std::fmt::Write;

use super::{
    footnotes::with_notes,
    links::with_links_in_lines,
    tree::{Element, Node, tree},
};

/// Elements within a line that stay HTML.
const KEPT: [&str; 10] = ["abbr", "cite", "ins", "kbd", "mark", "q", "small", "sub", "sup", "u"];

/// How line ends of the HTML are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// As HTML has it: a space.
    Spaces,
    /// As the classic editor of WordPress has it: an empty line ends a paragraph, and a line
    /// end breaks the line.
    Breaks,
}

/// HTML as Markdown.
#[must_use]
pub(super) fn to_markdown(html: &str, lines: Lines) -> String {
    let mut text = blocks(&with_links_in_lines(with_notes(tree(html))), lines).join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The words of a line of HTML, such as a title, without its elements.
#[must_use]
pub(super) fn to_words(html: &str) -> String {
    let mut words = String::new();
    plain(&tree(html), &mut words);
    words
}

/// The blocks of an element: paragraphs, lists and so on.
fn blocks(nodes: &[Node], lines: Lines) -> Vec<String> {
    let (mut done, mut line) = (Vec::new(), String::new());
    for node in nodes {
        match node {
            Node::Text(text) if lines == Lines::Breaks => {
                let text = text.replace("\r\n", "\n");
                for (number, piece) in text.split("\n\n").enumerate() {
                    if number > 0 {
                        end_line(&mut line, &mut done);
                    }
                    let begins = line.is_empty();
                    let piece = if begins { piece.trim_start_matches('\n') } else { piece };
                    for (number, piece) in piece.split('\n').enumerate() {
                        if number > 0 {
                            line.push_str("\\\n");
                        }
                        escape(piece, &mut line);
                    }
                }
            }
            Node::Text(text) => escape(text, &mut line),
            Node::Element(element) if element.is_left_out() => {}
            Node::Element(element) if element.is_block() || has_block(element) => {
                end_line(&mut line, &mut done);
                block(element, lines, &mut done);
            }
            Node::Element(element) => inline(element, &mut line),
            Node::Reference(number) => drop(write!(line, "[^{number}]")),
            Node::Note(number, note) => {
                end_line(&mut line, &mut done);
                let note = blocks(note, lines).join("\n\n");
                done.push(prefixed(&note, &format!("[^{number}]: "), "    "));
            }
        }
    }
    end_line(&mut line, &mut done);
    done
}

/// A link, say, around a whole paragraph.
fn has_block(element: &Element) -> bool {
    element.children.iter().any(|node| match node {
        Node::Element(inner) => inner.is_block() || has_block(inner),
        Node::Note(..) => true,
        Node::Text(_) | Node::Reference(_) => false,
    })
}

/// What was gathered becomes a paragraph.
fn end_line(line: &mut String, done: &mut Vec<String>) {
    let text = std::mem::take(line);
    let whole = without_outer_breaks(&text);
    if !whole.is_empty() {
        done.push(whole.lines().map(|line| escape_start(line.trim_start())).collect::<Vec<_>>().join("\n"));
    }
}

/// A text without breaks and spaces at either end, where a break breaks nothing.
fn without_outer_breaks(text: &str) -> &str {
    let mut whole = text.trim();
    while let Some(rest) = whole.strip_suffix('\\').filter(|rest| !rest.ends_with('\\')) {
        whole = rest.trim_end();
    }
    while let Some(rest) = whole.strip_prefix("\\\n") {
        whole = rest.trim_start();
    }
    whole
}

/// What would begin a heading, a list or a quote does not.
fn escape_start(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && line[digits..].starts_with(['.', ')']) {
        return format!("{}\\{}", &line[..digits], &line[digits..]);
    }
    if line.starts_with(['#', '>', '+', '-', '=', ':']) { format!("\\{line}") } else { line.to_owned() }
}

fn block(element: &Element, lines: Lines, done: &mut Vec<String>) {
    let inner = || blocks(&element.children, lines);
    match element.name.as_str() {
        "hr" => done.push("---".to_owned()),
        "pre" => done.push(code_block(element)),
        "blockquote" => done.push(prefixed(&inner().join("\n\n"), "> ", "> ")),
        "ul" => done.push(list(element, lines, |_| "- ".to_owned())),
        "ol" => {
            let start: usize = element.attribute("start").parse().unwrap_or(1);
            done.push(list(element, lines, |number| format!("{}. ", start.saturating_add(number))));
        }
        "table" => table(element, done),
        "figcaption" => done.extend(small(inner())),
        "dt" => done.extend(inner().into_iter().map(|text| format!("<strong>{text}</strong>"))),
        name => match name.strip_prefix('h').and_then(|level| level.parse::<usize>().ok()) {
            Some(level) => {
                let text = inner().join(" ").replace("\\\n", " ").replace('\n', " ");
                if !text.is_empty() {
                    done.push(format!("{} {text}", "#".repeat(level.clamp(1, 6))));
                }
            }
            None => done.extend(inner()),
        },
    }
}

/// Captions.
fn small(texts: Vec<String>) -> impl Iterator<Item = String> {
    texts.into_iter().map(|text| format!("<small>{text}</small>"))
}

fn prefixed(text: &str, first: &str, others: &str) -> String {
    let mut whole = String::new();
    for (number, line) in text.lines().enumerate() {
        let prefix = if number == 0 { first } else { others };
        let _ = writeln!(whole, "{}", format_args!("{prefix}{line}").to_string().trim_end());
    }
    whole.trim_end().to_owned()
}

fn list(element: &Element, lines: Lines, mark: impl Fn(usize) -> String) -> String {
    let is_block = |node: &Node| matches!(node, Node::Element(inner) if inner.is_block());
    // What is loose side by side is one text.
    let parts = element.children.chunk_by(|one, next| !is_block(one) && !is_block(next));
    let items = parts.filter_map(|nodes| match nodes {
        [Node::Element(item)] if item.name == "li" => Some(blocks(&item.children, lines)),
        // Words or a list inside of a list, and not in an item.
        loose => Some(blocks(loose, lines)).filter(|inner| !inner.is_empty()),
    });
    let items = items.enumerate().map(|(number, inner)| {
        let mark = mark(number);
        let is_short =
            inner.len() < 2 || inner[1..].iter().all(|one| one.starts_with("- ") || one.starts_with("1. "));
        prefixed(&inner.join(if is_short { "\n" } else { "\n\n" }), &mark, &" ".repeat(mark.len()))
    });
    items.collect::<Vec<_>>().join("\n")
}

/// The text of an element, as it stands.
fn plain(nodes: &[Node], text: &mut String) {
    for node in nodes {
        match node {
            Node::Text(own) => text.push_str(own),
            Node::Element(element) if element.name == "br" => text.push('\n'),
            Node::Element(element) => plain(&element.children, text),
            Node::Reference(_) | Node::Note(..) => {}
        }
    }
}

fn code_block(element: &Element) -> String {
    let mut code = String::new();
    plain(&element.children, &mut code);
    let classes = |element: &Element| {
        let class = element.attribute("class").to_owned();
        class.split_whitespace().find_map(|one| one.strip_prefix("language-").map(ToOwned::to_owned))
    };
    let language = classes(element).or_else(|| {
        element.children.iter().find_map(|node| match node {
            Node::Element(inner) if inner.name == "code" => classes(inner),
            _ => None,
        })
    });
    let fence = "`".repeat(longest_ticks(&code).max(2) + 1);
    let code = code.trim_matches('\n');
    format!("{fence}{}\n{code}\n{fence}", language.unwrap_or_default())
}

fn longest_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A table: the cells of each row, and what stands in none of them.
#[derive(Default)]
struct Table<'a> {
    rows: Vec<Vec<&'a Element>>,
    /// Its caption, and what is loose in it; browsers show both above the rows.
    above: Vec<String>,
}

impl<'a> Table<'a> {
    fn gather(&mut self, element: &'a Element) {
        // What is loose side by side is one text.
        for nodes in element.children.chunk_by(|one, next| !has_part(one) && !has_part(next)) {
            match nodes {
                [Node::Element(part)] if has_part(&nodes[0]) => self.gather_part(part),
                loose => self.above.extend(blocks(loose, Lines::Spaces)),
            }
        }
    }

    fn gather_part(&mut self, part: &'a Element) {
        match part.name.as_str() {
            "td" | "th" => match self.rows.last_mut() {
                Some(row) => row.push(part),
                None => self.rows.push(vec![part]),
            },
            "caption" => self.above.extend(small(blocks(&part.children, Lines::Spaces))),
            "tr" => {
                self.rows.push(Vec::new());
                self.gather(part);
            }
            _ => self.gather(part),
        }
    }
}

/// Whether it is a part of the table around it, or has some.
fn has_part(node: &Node) -> bool {
    match node {
        Node::Element(element) => {
            element.is_part_of_table() || element.name != "table" && element.children.iter().any(has_part)
        }
        _ => false,
    }
}

/// A table, each cell of which becomes one line.
fn table(element: &Element, done: &mut Vec<String>) {
    let mut table = Table::default();
    table.gather(element);
    done.append(&mut table.above);
    let cell = |cell: &&Element| {
        let text = blocks(&cell.children, Lines::Spaces).join("<br>").replace("\\\n", "<br>");
        text.replace('\n', " ").replace('|', "\\|")
    };
    let rows = table.rows.iter().filter(|row| !row.is_empty());
    let rows: Vec<Vec<String>> = rows.map(|row| row.iter().map(cell).collect()).collect();
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut written = String::new();
    for (number, row) in rows.iter().enumerate() {
        let padded = (0..width).map(|at| row.get(at).map_or("", String::as_str));
        let _ = writeln!(written, "| {} |", padded.collect::<Vec<_>>().join(" | "));
        if number == 0 {
            let _ = writeln!(written, "|{}", "---|".repeat(width));
        }
    }
    if width > 0 {
        done.push(written.trim_end().to_owned());
    }
}

fn inline(element: &Element, line: &mut String) {
    let mut inner = String::new();
    for node in &element.children {
        match node {
            Node::Text(text) => escape(text, &mut inner),
            Node::Element(child) if child.is_left_out() => {}
            Node::Element(child) => inline(child, &mut inner),
            Node::Reference(number) => drop(write!(inner, "[^{number}]")),
            Node::Note(..) => {}
        }
    }
    match element.name.as_str() {
        "br" => line.push_str("\\\n"),
        "strong" | "b" => marked(line, &inner, "**", "strong"),
        "em" | "i" => marked(line, &inner, "*", "em"),
        "del" | "s" | "strike" => marked(line, &inner, "~~", "del"),
        "code" | "tt" => {
            let mut code = String::new();
            plain(&element.children, &mut code);
            let fence = "`".repeat(longest_ticks(&code) + 1);
            let space = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
            if !code.trim().is_empty() {
                let _ = write!(line, "{fence}{space}{}{space}{fence}", code.replace('\n', " "));
            }
        }
        "img" => {
            let (src, mut alt) = (element.attribute("src"), String::new());
            escape(element.attribute("alt"), &mut alt);
            if !src.is_empty() {
                let _ = write!(line, "![{alt}]({})", target(src));
            }
        }
        "a" => {
            let href = element.attribute("href");
            let shown = without_outer_breaks(&inner);
            match (href.is_empty(), shown.is_empty()) {
                (true, _) => line.push_str(&inner),
                (false, true) => {}
                (false, false) => {
                    let after = if inner.ends_with(char::is_whitespace) { " " } else { "" };
                    let _ = write!(line, "[{shown}]({}){after}", target(href));
                }
            }
        }
        // They play what is elsewhere; a link leads there.
        "iframe" | "video" | "audio" | "embed" | "source" => {
            let src = element.attribute("src");
            if src.is_empty() {
                line.push_str(&inner);
            } else {
                let mut shown = String::new();
                escape(src, &mut shown);
                let _ = write!(line, "[{shown}]({})", target(src));
            }
        }
        name if KEPT.contains(&name) && !inner.is_empty() => {
            let _ = write!(line, "<{name}>{inner}</{name}>");
        }
        _ => line.push_str(&inner),
    }
}

/// An address as it stands between the brackets of a link.
fn target(address: &str) -> String {
    let address: String = address.chars().filter(|c| !c.is_control()).collect();
    if address.contains([' ', '(', ')', '<', '>']) {
        return address
            .trim()
            .replace(' ', "%20")
            .replace('(', "%28")
            .replace(')', "%29")
            .replace('<', "%3C")
            .replace('>', "%3E");
    }
    address
}

/// Emphasis: by signs where they are sure to be understood, else by an element.
fn marked(line: &mut String, inner: &str, sign: &str, name: &str) {
    let text = inner.trim();
    if text.is_empty() {
        line.push_str(inner);
        return;
    }
    let before = &inner[..inner.len() - inner.trim_start().len()];
    let after = &inner[inner.trim_end().len()..];
    let is_plain = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_free = !before.is_empty() || line.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    if is_plain(text.chars().next()) && is_plain(text.chars().next_back()) && is_free {
        let _ = write!(line, "{before}{sign}{text}{sign}{after}");
    } else {
        let _ = write!(line, "{before}<{name}>{text}</{name}>{after}");
    }
}

/// Adds a text whose signs mean nothing.
fn escape(text: &str, line: &mut String) {
    for c in text.chars() {
        if c.is_whitespace() && c != '\u{A0}' {
            if !line.is_empty() && !line.ends_with([' ', '\n']) {
                line.push(' ');
            }
            continue;
        }
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~' | '$' | '|' => line.extend(['\\', c]),
            '&' => line.push_str("&amp;"),
            c if c.is_control() => {}
            c => line.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn markdown(html: &str) -> String {
        to_markdown(html, Lines::Spaces)
    }

    #[test]
    fn html_becomes_markdown() {
        for (html, expected) in [
            (
                "<p>One <b>two</b> <em>three</em> <s>x</s></p><p>four</p>",
                "One **two** *three* ~~x~~\n\nfour\n",
            ),
            ("<h2>A <i>b</i></h2>text", "## A *b*\n\ntext\n"),
            ("<a href='/x y'>l</a><img src=/p.png alt='a [b]'>", "[l](/x%20y)![a \\[b\\]](/p.png)\n"),
            ("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c\n"),
            ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b\n"),
            ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b\n"),
            (
                "<pre class=\"language-rust\"><code>fn a() {\n\n}</code></pre>",
                "```rust\nfn a() {\n\n}\n```\n",
            ),
            ("<p>a<br>b</p>", "a\\\nb\n"),
            ("<p>a*b_c 1 &lt; 2 &amp;amp; $x$</p>", "a\\*b\\_c 1 \\< 2 &amp;amp; \\$x\\$\n"),
            ("<p># no heading</p><p>1. no list</p><p>- x</p>", "\\# no heading\n\n1\\. no list\n\n\\- x\n"),
            ("<table><tr><th>a<th>b<tr><td>1<td>2|3</table>", "| a | b |\n|---|---|\n| 1 | 2\\\\|3 |\n"),
            (
                "<p><strong>“x”</strong> H<sub>2</sub>O <code>a`b</code></p>",
                "<strong>“x”</strong> H<sub>2</sub>O ``a`b``\n",
            ),
            ("<iframe src='https://v.example/1'></iframe>", "[https://v.example/1](https://v.example/1)\n"),
            ("<p>a</p><script>x</script><style>y</style><p>b", "a\n\nb\n"),
            (
                "<figure><img src=x.png><figcaption>c</figcaption></figure>",
                "![](x.png)\n\n<small>c</small>\n",
            ),
        ] {
            assert_eq!(markdown(html), expected, "{html}");
        }
        let classic = "One\ntwo\n\nthree <b>x</b>\n<pre>a\n\nb</pre>\nfour";
        assert_eq!(
            to_markdown(classic, Lines::Breaks),
            "One\\\ntwo\n\nthree **x**\n\n```\na\n\nb\n```\n\nfour\n"
        );
    }

    #[test]
    fn footnotes_of_other_programs_become_footnotes() {
        for (html, expected) in [
            // markdown-it, as Ghost has it.
            (
                "<p>A fox<sup class=\"footnote-ref\"><a href=\"#fn1\" id=\"fnref1\">[1]</a></sup> and a \
                 dog<sup class=\"footnote-ref\"><a href=\"#fn2\" id=\"fnref2\">[2]</a></sup>, the \
                 fox<sup class=\"footnote-ref\"><a href=\"#fn1\" id=\"fnref1:1\">[1:1]</a></sup>.</p>\n\
                 <hr class=\"footnotes-sep\">\n<section class=\"footnotes\">\n<ol class=\"footnotes-list\">\n\
                 <li id=\"fn1\" class=\"footnote-item\"><p>Red <a href=\"#fnref1\" \
                 class=\"footnote-backref\">↩︎</a> <a href=\"#fnref1:1\">↩︎</a></p>\n</li>\n\
                 <li id=\"fn2\" class=\"footnote-item\"><p>Not <em>red</em></p><p>Mostly</p>\n</li>\n</ol>\n</section>",
                "A fox[^1] and a dog[^2], the fox[^1].\n\n[^1]: Red\n\n[^2]: Not *red*\n\n    Mostly\n",
            ),
            // Goldmark, as Hugo has it.
            (
                "<p>A<sup id=\"fnref:1\"><a href=\"#fn:1\" class=\"footnote-ref\">1</a></sup></p>\
                 <div class=\"footnotes\"><hr>\n<ol><li id=\"fn:1\"><p>B&#160;<a href=\"#fnref:1\">↩</a></p></li></ol></div>",
                "A[^1]\n\n[^1]: B\n",
            ),
            // A list with more than notes, and a reference to something else.
            (
                "<p>A<sup><a href=\"#b\">1</a></sup><sup><a href=\"#top\">up</a></sup></p><hr><ol><li id=\"b\">B<li>C</ol>",
                "A<sup>[1](#b)</sup><sup>[up](#top)</sup>\n\n---\n\n1. B\n2. C\n",
            ),
        ] {
            assert_eq!(markdown(html), expected);
        }
    }

    #[test]
    fn no_words_are_lost_where_html_has_no_place_for_them() {
        for (html, expected) in [
            (
                "<table><caption>Table <b>1</b></caption><tr><th>a<tbody><tr><td>b</table>",
                "<small>Table **1**</small>\n\n| a |\n|---|\n| b |\n",
            ),
            (
                "<table>loose <i>words</i><tr>more<td>a</td></tr><tr></tr></table>",
                "loose *words*\n\nmore\n\n| a |\n|---|\n",
            ),
            ("<table><td>a<td>b</table><table><p>c</table>", "| a | b |\n|---|---|\n\nc\n"),
            ("<ul>loose <b>words</b><li>a</li>\n<script>x</script></ul>", "- loose **words**\n- a\n"),
        ] {
            assert_eq!(markdown(html), expected, "{html}");
        }
        for open in ["<ul><li>", "<table><tr><td>", "<table>", "<ol>", "<dl><dd>", "<a href=x><p>"] {
            let text = markdown(&format!("{}word", open.repeat(40)));
            assert!(text.contains("word"), "{open}: {text}");
        }
    }

    #[test]
    fn a_link_around_blocks_stays_a_link() {
        for (html, expected) in [
            (
                "<figure class=\"kg-card kg-bookmark-card\"><a class=\"kg-bookmark-container\" \
                 href=\"https://example.org/page\"><div class=\"kg-bookmark-content\"><div>A title</div>\
                 <div>More words</div></div><div><img src=\"/p.png\"></div></a></figure>",
                "[A title](https://example.org/page)\n\nMore words\n\n![](/p.png)\n",
            ),
            ("<a href=/x><h3>A <i>b</i></h3><p>c</p></a>", "### [A *b*](/x)\n\nc\n"),
            ("<b><a href=/x><svg>s</svg><p><img src=y></p></a></b>", "[![](y)](/x)\n"),
            ("<a href=/x><pre>code</pre></a>", "```\ncode\n```\n\n[/x](/x)\n"),
            ("<a href=/x><p>a <a href=/y>b</a></p></a>", "[a](/x) [b](/y)\n"),
            ("<a href=/x><table><tr><td>a<td>b</table></a>", "| [a](/x) | b |\n|---|---|\n"),
            ("<a href=/x>a<br></a>b", "[a](/x) b\n"),
            ("<a href=/x><div> </div></a><a name=y><p>z</p></a>", "z\n"),
        ] {
            assert_eq!(markdown(html), expected, "{html}");
        }
    }

    #[test]
    fn depth_and_length_cost_no_more_than_they_should() {
        let deep = "<div><ul><li><blockquote>".repeat(20_000);
        let length = markdown(&format!("{deep}x")).len();
        assert!(length < 10 * deep.len(), "{length}");
        assert!(!markdown(&"<p>a <b>b".repeat(20_000)).is_empty());
    }

    proptest! {
        #[test]
        fn any_html_becomes_some_markdown(html in "(<[/]?(p|b|ul|li|pre|table|tr|td|a href=x|h1|img src=y)>|[a-z*_ \n]{0,4}){0,20}") {
            let text = markdown(&html);
            prop_assert!(text.is_empty() || text.ends_with('\n'));
        }
    }
}
