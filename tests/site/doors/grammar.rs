//! The worst texts of a grammar, of a given size: deep, wide, long, repeated,
//! unbalanced or cut off.

#[path = "../../../src/posts/domain/markdown/worst.rs"]
mod markdown;

pub struct Worst {
    pub what: String,
    pub text: String,
}

impl Worst {
    pub fn new(what: impl Into<String>, text: String) -> Self {
        Self { what: what.into(), text }
    }

    /// The same text inside of another.
    pub fn inside(self, before: &str, after: &str) -> Self {
        Self { what: self.what, text: format!("{before}{}{after}", self.text) }
    }
}

/// `piece` as often as it fits into `bytes`.
pub fn repeated(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len())
}

/// Deep: `open` as often as it fits beside as many `close`.
pub fn nested(open: &str, close: &str, bytes: usize) -> String {
    let depth = bytes / (open.len() + close.len()).max(1);
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

/// Each of the pieces over and over; what they say is what is bad.
pub fn each_repeated(pieces: &[&str], bytes: usize) -> Vec<Worst> {
    pieces
        .iter()
        .map(|piece| Worst::new(format!("{piece:?} again and again"), repeated(piece, bytes)))
        .collect()
}

/// Each pair nested, never closed, and closed without having been opened.
pub fn each_nested(pairs: &[(&str, &str)], bytes: usize) -> Vec<Worst> {
    let of = |(open, close): &(&str, &str)| {
        [
            Worst::new(format!("{open:?} and {close:?} inside each other"), nested(open, close, bytes)),
            Worst::new(format!("{open:?} never closed"), repeated(open, bytes)),
            Worst::new(format!("{close:?} never opened"), repeated(close, bytes)),
        ]
    };
    pairs.iter().filter(|(open, close)| !open.is_empty() && !close.is_empty()).flat_map(of).collect()
}

pub fn json(bytes: usize) -> Vec<Worst> {
    let mut worst = each_nested(&[("[", "]"), ("{\"a\":", "}")], bytes);
    let numbered = |each: &dyn Fn(usize) -> String| -> String {
        let mut text = String::new();
        for number in 0.. {
            let next = each(number);
            if text.len() + next.len() > bytes {
                break;
            }
            text.push_str(&next);
        }
        text.trim_end_matches(',').to_owned()
    };
    worst.extend([
        Worst::new("many names", format!("{{{}}}", numbered(&|number| format!("\"n{number}\":0,")))),
        Worst::new("one name many times", format!("{{{}}}", numbered(&|_| "\"a\":0,".to_owned()))),
        Worst::new("many values", format!("[{}]", numbered(&|_| "0,".to_owned()))),
        Worst::new("escapes", format!("\"{}\"", repeated("\\u0041", bytes))),
        Worst::new("half of a surrogate pair", format!("\"{}\"", repeated("\\ud800", bytes))),
        Worst::new("a number without end", repeated("9", bytes)),
        Worst::new("an exponent without end", format!("1e{}", repeated("9", bytes))),
        Worst::new("a text that never ends", format!("\"{}", repeated("a", bytes))),
        Worst::new("spaces", repeated(" ", bytes)),
    ]);
    worst
}

/// Pairs of a form or a query.
pub fn form(bytes: usize) -> Vec<Worst> {
    each_repeated(
        &["&", "=", "%", "%2", "%ff", "+", "a&", "a=b&", "title=x&", "%26%3D", "a[b]", "[", "é"],
        bytes,
    )
}

/// Values of a header, of a cookie or of an address: visible ASCII.
pub fn header(bytes: usize) -> Vec<Worst> {
    each_repeated(
        &[
            ",",
            ";",
            "=",
            " ",
            "a",
            "a,",
            "a;q=0.5,",
            "a=b; ",
            "\"",
            "\\\"",
            "*/*,",
            "W/\"",
            "br,",
            "q=",
            ".",
            "-",
            "://",
            "[",
            "%25",
            "sid=",
            "notice=a; ",
        ],
        bytes,
    )
}

/// Markdown, and the HTML inside of it: what the renderer's own test tries.
pub fn markdown(bytes: usize) -> Vec<Worst> {
    markdown::worst(bytes).into_iter().map(|(what, text)| Worst { what, text }).collect()
}

/// A document of GraphQL.
pub fn document(bytes: usize) -> Vec<Worst> {
    let body = |text: String| format!("{{{text}}}");
    let mut worst: Vec<_> = each_nested(
        &[
            ("{a", "}"),
            ("{...{", "}}"),
            ("{a(b:[", "])}"),
            ("{a(b:{c:", "})}"),
            ("(", ")"),
            ("[", "]"),
            ("query($a:[", "])"),
            ("\"\"\"", "\"\"\""),
            ("{listPosts(filter:{not:", "}){items{id}}}"),
        ],
        bytes,
    );
    for (open, close) in [("{not:", "}"), ("{and:[", "]}"), ("{or:[{not:", "}]}")] {
        worst.push(
            Worst::new(format!("a filter of {open:?}"), nested(open, close, bytes - 60))
                .inside("{listPosts(filter:", "){items{id}}}"),
        );
        worst.push(
            Worst::new(format!("a filter of {open:?} as a default"), nested(open, close, bytes - 100))
                .inside("query($f:ModelPostFilterInput=", "){listPosts(filter:$f){items{id}}}"),
        );
    }
    worst.extend(each_repeated(
        &[
            "a",
            "a ",
            "#",
            "\"",
            "\\",
            "...",
            "@a",
            "@skip(if:true)",
            "$a",
            "!",
            ":",
            "1",
            "-",
            "1.",
            "\u{feff}",
            "{",
            "}",
            "é",
        ],
        bytes,
    ));
    let numbered = |each: &dyn Fn(usize) -> String| -> String {
        let mut text = String::new();
        for number in 0.. {
            let next = each(number);
            if text.len() + next.len() + 40 > bytes {
                break;
            }
            text.push_str(&next);
        }
        text
    };
    worst.extend([
        Worst::new("one field many times", body(repeated("me{id} ", bytes - 2))),
        Worst::new("many aliases", body(numbered(&|number| format!("a{number}:me{{id}} ")))),
        Worst::new("many operations", numbered(&|number| format!("query q{number}{{me{{id}}}} "))),
        Worst::new(
            "many fragments, none used",
            numbered(&|number| format!("fragment f{number} on Post{{id}} ")),
        ),
        Worst::new("a chain of fragments", {
            let chain = numbered(&|number| format!("fragment f{number} on Query{{...f{}}} ", number + 1));
            format!("{{...f0}} {chain}")
        }),
        Worst::new("fragments that double", {
            let doubling =
                numbered(&|number| format!("fragment f{number} on Query{{...f{0} ...f{0}}} ", number + 1));
            format!("{{...f0}} {doubling}")
        }),
        Worst::new("a circle of fragments", {
            let spread =
                numbered(&|number| format!("fragment f{number} on Query{{...f0 ...f{}}} ", number / 2));
            format!("{{...f0}} {spread}")
        }),
        Worst::new("many variables", {
            format!("query({}){{me{{id}}}}", numbered(&|number| format!("$a{number}:ID ")))
        }),
        Worst::new(
            "many arguments",
            body(format!("getPost({}){{id}}", numbered(&|number| format!("a{number}:1 ")))),
        ),
        Worst::new(
            "many directives",
            body(format!("me {}{{id}}", repeated("@include(if:true)", bytes - 20))),
        ),
        Worst::new("the schema inside itself", nested("{__schema{types{fields{type", "}}}}", bytes)),
        Worst::new(
            "types of types",
            nested("{__type(name:\"Post\"){fields{type{fields{name", "}}}}}", bytes),
        ),
        Worst::new("a long name", body(repeated("a", bytes - 2))),
        Worst::new("a long text", format!("{{getPost(id:\"{}\"){{id}}}}", repeated("\\u0041", bytes - 40))),
        Worst::new(
            "surrogate pairs",
            format!("{{getPost(id:\"{}\"){{id}}}}", repeated("\\ud83d\\ude00", bytes - 40)),
        ),
        Worst::new(
            "escapes with braces",
            format!("{{getPost(id:\"{}\"){{id}}}}", repeated("\\u{1f600}", bytes - 40)),
        ),
        Worst::new(
            "escapes with braces that nothing closes",
            format!("{{getPost(id:\"{}\"){{id}}}}", repeated("\\u{0", bytes - 40)),
        ),
        Worst::new(
            "one escape in each of many texts",
            format!("{{getPost(id:[{}]){{id}}}}", repeated("\"\\u{9}\"", bytes - 40)),
        ),
        Worst::new("fields that may be left out", {
            body(numbered(&|number| format!("a{number}:me@skip(if:true){{id@skip(if:true)}} ")))
        }),
        Worst::new("a subscription in fragments", {
            let fragment = "fragment f on Subscription{onCreatePost{id}}";
            format!("subscription{{{}}}{fragment}", repeated("...f ", bytes - 60))
        }),
        Worst::new(
            "a long block text",
            format!("{{getPost(id:\"\"\"{}\"\"\"){{id}}}}", repeated(" \n", bytes - 40)),
        ),
        Worst::new("a long list", format!("{{getPost(id:[{}]){{id}}}}", repeated("1 ", bytes - 40))),
        Worst::new(
            "a long number",
            format!("{{listPosts(limit:{}){{items{{id}}}}}}", repeated("9", bytes - 60)),
        ),
    ]);
    worst
}

pub fn toml(bytes: usize) -> Vec<Worst> {
    let mut worst = each_nested(&[("a=[", "]"), ("[", "]"), ("{a=", "}"), ("[[", "]]")], bytes);
    worst.push(Worst::new("a list inside a list", format!("a={}", nested("[", "]", bytes))));
    worst.push(Worst::new("a table inside a table", format!("a={}", nested("{a=", "}", bytes))));
    worst.push(Worst::new("a name of many parts", format!("{}a=1", repeated("a.", bytes))));
    worst.push(Worst::new("a header of many parts", format!("[{}a]", repeated("a.", bytes))));
    worst.push(Worst::new("many headers", {
        (0..bytes / 8).map(|number| format!("[a{number}]\n")).collect()
    }));
    worst.push(Worst::new("many names", {
        (0..bytes / 12).map(|number| format!("a{number} = 1\n")).collect()
    }));
    worst.extend(each_repeated(
        &["a", "\"", "'''", "\"\"\"", "#", "\n", "a=1\n", "[a]\n", "[[a]]\n", "=", ".", "\\", "é"],
        bytes,
    ));
    worst
}

/// What stands in one field of a form: names, addresses, passwords, ids, keys.
pub fn words(bytes: usize) -> Vec<Worst> {
    each_repeated(
        &[
            "a",
            "A",
            "1",
            "@",
            "a@",
            ".",
            "a.",
            "-",
            "xn--",
            "xn--a.",
            "é",
            "e\u{301}",
            "\u{301}",
            "ﬁ",
            "ß",
            "İ",
            "क्",
            "한",
            "👩‍👧",
            " ",
            "password",
            "qwerty",
            "2026",
            "aB1",
            "%",
            "_",
            "/",
            "\\",
            "\u{202e}",
            "\t",
            "1_",
            "byl_",
            "..",
            "//",
        ],
        bytes,
    )
}
