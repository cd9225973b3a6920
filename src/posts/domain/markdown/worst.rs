//! Markdown whose rendering has cost, or could cost, more than its length.
//!
//! Without dependencies, so that other tests can include it with `#[path]`.

/// Texts of about `length` characters each, with a name.
pub fn worst(length: usize) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: &str, text: String| all.push((name.to_owned(), text));
    // One thing again and again.
    #[rustfmt::skip]
    let repeated = [
        "lorem ipsum dolor sit amet, ", "a\n", "a\n\n", "\n", " ", "\t", "a  \n", "文", "\u{200d}", "\u{fdd0}", "\u{feff}\n",
        ">", "> ", "- ", "* ", "+ ", "1. ", "1) ", "> - ", "- > ", ">\n\n", "-\n", "-\n\n", "- a\n\n", "-\n+\n", "-\t",
        "- a\n", "1. a\n", "- - -a", "#", "# #\n", "#a", "=\n", "a\n=\n", "a\n-\n", "---\n", "    a\n", "\ta\n",
        "[", "]", "![", "[a](", "![a](", "[a]", "[a][", "[]", "[]()", "![]()", "![](a:b)", "[](a:b)", "](", "][", "[[]",
        "[a](<b", "[a](b \"", "[a](b (\n", "[a]: ", "[a]:\n", "[a]: b\n", "[a]: b\n\n", "[a]: b '\n", "[a]: b\n(c\n", "[a\n",
        "[\\]", "*", "_", "*_", "*a_ ", "_*_ ", "*a **a ", "a**b", "**x* ", "a*_b_c*", "~", "~a ", "~~a ", "`", "` ", "`a``",
        "```\n", "~~~\n```\n", "|", "|a|\n", "|a\n|-\n", "a|b\n-|-\n", "-|-\n", "|a|b\n", "||\n",
        "&", "&amp", "&#0", "&lt;", "&a;", "\\", "\\*", "\"", "'", "'a ", "'\"", "-", "--", "...", "://",
        "<", "<a", "<a ", "<a b", "<a b='", "<a b=\"", "<a\n", "<a/", "</", "</a", "<!", "<!-", "<!-- ", "<!A ", "<?", "<![CDATA[",
        "<http:a", "<a@b.", "<a:b> ", "<div>", "<div>\n\n", "</div>\n\n", "<p>", "<b>", "x<b>", "x<b>\n\n", "<i></b>", "<b><p>",
        "<a href=b>", "x<a href=b>\n\n", "<p><b title=1>", "<p><b title=x></p>", "<b><i><p></b>", "<a><div>", "<table>", "x<table>x",
        "<table><tr><td>", "<td>", "<tr>x", "<li>", "<ul><li>", "<dd><span>", "<h1>", "<ruby><rt>", "<select>", "<option>",
        "<svg>", "<math><mi>", "<svg><b>", "<template>", "<frameset>", "<nobr>", "<button>", "<form>", "<br>", "<img src=//>",
        "<img src=a:b>", "<script>", "<script></script>", "<style>", "<title>", "<textarea>", "<xmp>", "<plaintext>", "<span id=a>",
        "<details><summary>", "<body>", "<html a=b>", "<pre>", "<code>--", "<p dir=x>", "<selectedcontent>",
        "# a\n", "# a\n\n", "a\n=\n\n", "<h2>a</h2>", "<h2>a", "[a](#a)", "# [a](#a)\n", "# a-1\n",
        "[^a]", "[^a]:", "[^a]: ", "[^a]: b\n", "[^a]: b\n\n", "[^a]: [^a]\n", "[^a]: > ", "> [^a]: ", "[^", "[^a", "![[^a]](b)",
        "> [!NOTE]\n", "> [!NOTE]\n> a\n\n", "> [!TIP]> ", "[!NOTE]", "- [ ] a\n", "- [x] ", "[ ] ", "[x]",
        "http://a ", "http://a", "https://a.b/(", "www.", "www.a ", "_www.", "(www.a_b", "a@b.cc ", "a@", "a.b@c.", "http://a)", "http://a&amp;",
        "$", "$$", "$a$", "$a$ ", "$$a$$ ", "$a", "a$", "$a$b", "$\\sqrt$ ", "$\\frac1$ ", "${$", "$}$", "$ ", "\\$", "`$`", "$`$", "{$", "}$",
        "$\\scriptstyle aaaaaaaaaa$ ", "$\\begin{matrix}$ ", "<kbd>$a$</kbd>",
    ];
    for text in repeated {
        add(&format!("{text:?} again and again"), text.repeat(length / text.chars().count()));
    }
    // Opened in the first half, and in the second one closed or gone through.
    #[rustfmt::skip]
    let halves = [
        (">", "\n"), (">", "a\n"), (">", "a\n\n"), ("- ", "\n"), ("- ", "a\n"), ("- ", " \n"), ("1. ", "\n"), ("> - ", "a\n"),
        ("[", "]"), ("![", "](b)"), ("[", "](b)"), ("*a ", "b*"), ("***a ", " b***"), ("*a _b ", "c_ d*"), ("` ", "`` "), ("[a]", "[a]: b\n"),
        ("<b>", "</b>"), ("<i>", "</b>"), ("<b><p>", "</b>"), ("<b><p>", "</p>"), ("<div>", "</div>"), ("<div>", "</p>"), ("<p>", "</p>"),
        ("<a href=b>", "<p>"), ("<table><td>", "</table>"), ("<table>", "x<tr>"), ("<svg>", "</svg>"), ("<br>", "<table>x"), ("<ul><li>", "</b>"),
        ("[^a]", "\n\n[^a]: b\n"), ("> ", "> [^a]: b\n"), ("$", "$ "), ("{", "}$"), ("${", "}$ "), ("# a\n", "[a](#a)"), ("(http://a", ")"),
        ("<b title=x>", "<p>"), ("<font>", "<p>"), ("<details>", "<b>"), ("<!--", "-->"), ("<script>", "</script>"),
    ];
    for (first, second) in halves {
        let half = |text: &str| text.repeat(length / 2 / text.chars().count());
        add(&format!("{first:?}, then {second:?}"), format!("{}{}", half(first), half(second)));
        add(&format!("{first:?}, a, then {second:?}"), format!("{}a\n{}", half(first), half(second)));
    }
    // One long thing, used again and again.
    let long = "x".repeat(length / 2);
    add("a long address by reference", format!("[a]: /{long}\n\n{}", "[a]".repeat(length / 6)));
    for (name, first, then) in [
        ("a long title of what is left open", "<p><b title=", "<p>y"),
        ("a long address of what is left open", "<p><a href=", "<p>y"),
        ("a long language of what is left open", "<table><td><b lang=", "<td>y"),
    ] {
        add(name, format!("{first}{long}>{}", then.repeat(length / 2 / then.len())));
    }
    for mark in ["a", "&", "&amp;", "\"", "--", "://"] {
        let again = mark.repeat(length / mark.len());
        add(&format!("{mark:?} in an attribute"), format!("<p title='{again}'>a"));
        add(&format!("{mark:?} in an address"), format!("[a](<{again}>)"));
        add(&format!("{mark:?} in words for a picture"), format!("![{again}](http://a)"));
    }
    // Code in colours.
    for language in ["rust", "ts", "sh", "lua", "html", "scss", "json", "yaml", "diff"] {
        for piece in [
            "a(", "1e+", "\"", "'", "/*", "#[", "${", "<a b=", "<!--", "<script>", "a: ", "\"\" ", "--[[",
            "\\", "\n",
        ] {
            let text = format!("```{language}\n{}\n```\n", piece.repeat(length / piece.len()));
            add(&format!("{piece:?} in {language}"), text);
        }
    }
    add("blocks of code", "```rs\na\n```\n".repeat(length / 13));
    // Things that grow.
    let growing = |piece: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        let mut number = 0;
        while text.len() < length {
            text += &piece(number);
            number += 1;
        }
        text
    };
    add("lists in lists by their indent", growing(&|n| format!("{}- a\n", "  ".repeat(n))));
    add("lists in lists by their indent in tabs", growing(&|n| format!("{}- a\n", "\t".repeat(n))));
    add("quotes in quotes line by line", growing(&|n| format!("{}a\n", ">".repeat(n))));
    add("quotes of thirty, then lines", format!("{}a\n{}", "> - ".repeat(16), "a\n".repeat(length / 2)));
    add("code spans of rising length", growing(&|n| "`".repeat(n) + " "));
    add("fences of rising length", growing(&|n| "`".repeat(n) + "\n"));
    add("references that are all different", growing(&|n| format!("[{n}]: x\n")));
    add("attributes that are all different", format!("<a{}>x", growing(&|n| format!(" a{n}"))));
    add("elements that are all different", growing(&|n| format!("<x{n}>")));
    add("ids that are all different", growing(&|n| format!("<b id=a{n}>")));
    add("open marks that are all different", growing(&|n| format!("<p><b title={n}>")));
    add("headings that are all different", growing(&|n| format!("# a{n}\n")));
    add("headings whose numbers meet", growing(&|n| format!("# a-{}\n# a\n", n / 2)));
    add("footnotes that are all different", growing(&|n| format!("[^{n}]\n\n[^{n}]: a\n\n")));
    add("footnotes that nothing refers to", growing(&|n| format!("[^{n}]: a\n\n")));
    add("footnotes that refer to the next", growing(&|n| format!("[^{n}]: [^{}]\n\n", n + 1)) + "\n[^0]");
    add("footnotes in footnotes by their indent", growing(&|n| format!("{}[^{n}]: a\n\n", "    ".repeat(n))));
    add("one footnote with many references", "[^1]: a\n\n".to_owned() + &"[^1]".repeat(length / 4));
    add("formulas that are all different", growing(&|n| format!("$a_{{{n}}}$ ")));
    for piece in [
        "\\sqrt",
        "\\frac1",
        "{",
        "a^",
        "\\left(",
        "\\begin{matrix}",
        "\\\\&",
        "\\relax",
        "%\n",
        "\\scriptstyle a",
    ] {
        add(
            &format!("long formulas of {piece:?}"),
            growing(&|_| format!("${}$ ", piece.repeat(1_900 / piece.len()))),
        );
    }
    add("a long heading", format!("# {}", "a ".repeat(length / 2)));
    add("long headings", growing(&|_| format!("# {}\n", "a ".repeat(100))));
    add("labels of 900", growing(&|_| format!("[{}", "a".repeat(900))));
    let columns = length / 9;
    let table = format!("{}|\n{}|\n", "|a".repeat(columns), "|-".repeat(columns));
    add("rows that are too short", table + &"a\n".repeat(length / 4));
    let table = format!("{}|\n{}|\n", "|a".repeat(length / 400), ":-:|".repeat(length / 400));
    add("rows that are too short in a table of some columns", table + &"a\n".repeat(length / 4));
    add("a quote within tags that never end", "<a b='\"' c=\"'\" ".repeat(length / 15));
    all
}
