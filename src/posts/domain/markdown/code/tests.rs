//! Tests of the colours of code.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 48] = [
    "rust",
    "js",
    "jsx",
    "ts",
    "tsx",
    "py",
    "sh",
    "bash",
    "c",
    "c++",
    "objc",
    "c#",
    "java",
    "kotlin",
    "swift",
    "go",
    "ruby",
    "php",
    "sql",
    "lua",
    "perl",
    "r",
    "haskell",
    "scala",
    "dart",
    "elixir",
    "zig",
    "graphql",
    "dockerfile",
    "makefile",
    "nix",
    "powershell",
    "terraform",
    "proto",
    "html",
    "vue",
    "svelte",
    "xml",
    "css",
    "scss",
    "less",
    "json",
    "jsonc",
    "yaml",
    "yml",
    "toml",
    "ini",
    "diff",
];

fn shown(info: &str, code: &str) -> String {
    coloured(grammar(info).unwrap_or_else(|| panic!("{info} is not known")), code)
}

/// The pieces of a class, as they were typed.
fn pieces(html: &str, letter: char) -> Vec<String> {
    let begin = format!("{BEGIN}{letter}\">");
    let pieces = html.split(&begin).skip(1);
    pieces
        .map(|piece| html_escape::decode_html_entities(piece.split(END).next().unwrap()).into_owned())
        .collect()
}

fn plain(html: &str) -> String {
    html_escape::decode_html_entities(&without_colours(html)).into_owned()
}

#[test]
fn a_reader_sees_keywords_texts_and_comments_apart() {
    let rust = shown(
        "rust",
        "#[derive(Debug)]\nfn a<'b>(x: &'b str) -> Vec<u8> {\n    // c\n    let s = \"d\\\"e\"; vec![1.5e3, 'f' as u8]\n}\n",
    );
    assert_eq!(pieces(&rust, 'a'), ["#[derive(Debug)]"]);
    assert_eq!(pieces(&rust, 'k'), ["fn", "let", "as"]);
    assert_eq!(pieces(&rust, 'v'), ["'b", "'b"]);
    assert_eq!(pieces(&rust, 't'), ["str", "Vec", "u8", "u8"]);
    assert_eq!(pieces(&rust, 's'), ["\"d\\\"e\"", "'f'"]);
    assert_eq!(pieces(&rust, 'n'), ["1.5e3"]);
    assert_eq!(pieces(&rust, 'c'), ["// c"]);
    assert_eq!(pieces(&rust, 'f'), ["vec!"]);
    let python = shown("py", "@a\ndef b(c):\n    \"\"\"d\n    e\"\"\"\n    return None # f\n");
    assert_eq!(
        (pieces(&python, 'k'), pieces(&python, 'f')),
        (vec!["def".into(), "return".into()], vec!["b".into()])
    );
    assert_eq!(
        (pieces(&python, 's'), pieces(&python, 'c')),
        (vec!["\"\"\"d\n    e\"\"\"".into()], vec!["# f".into()])
    );
    let shell = shown("sh", "echo \"$a\" ${b} $# a#b # c\n");
    assert_eq!(
        (pieces(&shell, 'v'), pieces(&shell, 'c')),
        (vec!["${b}".into(), "$#".into()], vec!["# c".into()])
    );
    assert_eq!(pieces(&shown("sql", "SELECT a from b -- c"), 'k'), ["SELECT", "from"]);
    assert_eq!(pieces(&shown("Dockerfile", "FROM rust\nRUN run\n"), 'k'), ["FROM", "RUN"]);
}

#[test]
fn a_reader_sees_tags_keys_and_changes_apart() {
    let html = shown(
        "html",
        "<!-- a --><a href=\"b\" c>d &amp; e</a><script>let f = 1</script><style>g { color: #fff }</style>",
    );
    assert_eq!(pieces(&html, 'c'), ["<!-- a -->"]);
    assert_eq!(pieces(&html, 'k'), ["a", "a", "script", "let", "script", "style", "g", "style"]);
    assert_eq!(pieces(&html, 'a'), ["href", "c", "color"]);
    assert_eq!(
        (pieces(&html, 's'), pieces(&html, 'n')),
        (vec!["\"b\"".into()], vec!["&amp;".into(), "1".into(), "#fff".into()])
    );
    let json = shown("json", "{\"a\": [\"b\", -1.5, true]}");
    assert_eq!((pieces(&json, 'a'), pieces(&json, 's')), (vec!["\"a\"".into()], vec!["\"b\"".into()]));
    assert_eq!(pieces(&json, 'n'), ["1.5", "true"]);
    let yaml = shown("yaml", "# c\n- a: 'b' # c\n  d: &e 1\n");
    assert_eq!(
        (pieces(&yaml, 'a'), pieces(&yaml, 'c')),
        (vec!["a".into(), "d".into()], vec!["# c".into(), "# c".into()])
    );
    let toml = shown("toml", "[a]\nb = \"c\"\n");
    assert_eq!((pieces(&toml, 't'), pieces(&toml, 'a')), (vec!["[a]".into()], vec!["b ".into()]));
    let diff = shown("diff", "--- a\n+++ b\n@@ -1 +1 @@\n c\n-d\n+e\n");
    assert_eq!((pieces(&diff, 'd'), pieces(&diff, 'i')), (vec!["-d".into()], vec!["+e".into()]));
    assert_eq!(pieces(&diff, 'a'), ["--- a", "+++ b", "@@ -1 +1 @@"]);
}

#[test]
fn a_language_is_known_by_its_usual_names_and_code_without_one_is_plain() {
    for info in ["rust,ignore", "Rust", "{.rust}", " rs {1,3}", "js:a.js", "C++", "yml"] {
        assert!(grammar(info).is_some(), "{info}");
    }
    for info in ["", "text", "mermaid", "rustc", "{", ",", &"x".repeat(10_000)] {
        assert!(grammar(info).is_none(), "{info}");
    }
}

#[test]
fn a_word_of_every_list_is_found() {
    for name in NAMES {
        let Some(Grammar::Words(words)) = grammar(name) else { continue };
        for list in [words.keywords, words.values, words.types] {
            assert!(list.is_sorted(), "{name}: {list:?}");
            assert!(
                list.iter()
                    .all(|word| word.len() <= 24
                        && (!words.ignores_case || *word == word.to_ascii_lowercase())),
                "{name}"
            );
        }
    }
}

#[test]
fn what_is_too_much_stays_plain() {
    let mut codes = Codes::default();
    for (length, is_coloured) in [(MOST / 2, true), (MOST / 2, true), (1, false)] {
        codes.begin("rust");
        codes.take(&"1".repeat(length));
        codes.end();
        assert_eq!(codes.all.last().unwrap().html.is_some(), is_coloured);
    }
}

proptest! {
    #[test]
    fn no_character_of_any_code_is_changed(
        name in prop::sample::select(&NAMES[..]),
        code in "([ -~]|[\n\t\u{a0}é文\u{301}]|\"\"\"|'''|/\\*|\\*/|<!--|-->|<script>|</script>|--\\[\\[|\\$\\{|#\\[|r#\"|0x|1e\\+|fn |@a|&lt;|</span>|<span class=\"hl-k\">){0,60}",
    ) {
        let html = shown(name, &code);
        let text: String = scraper::Html::parse_fragment(&format!("<pre>x{html}</pre>")).root_element().text().collect();
        prop_assert_eq!(&text[1..], code.as_str());
        prop_assert_eq!(plain(&html).replace('\u{a0}', " "), code.replace('\u{a0}', " "));
    }
}
