//! Markdown that other people have written: every example of CommonMark's specification,
//! and the READMEs of packages. They are what `xtask` and `graphiql` install by npm.

use std::{
    fs,
    path::{Path, PathBuf},
};

use byline::{
    accounts::profile::Punctuation,
    posts::{
        Content,
        domain::markdown::{Audience, to_html},
    },
};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use scraper::{Html, Selector};

/// A text, and where it is from.
struct Sample {
    name: String,
    markdown: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The examples of the specification. In it, `→` is a tab.
fn examples() -> Vec<Sample> {
    const BEGIN: &str = "\n```````````````````````````````` example\n";
    let path = root().join("xtask/node_modules/commonmark-spec/spec.txt");
    let spec = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` installs it", path.display()));
    let sample = |(number, example): (usize, &str)| {
        // The Markdown ends, and the HTML begins, at a line with a point.
        let end = if example.starts_with(".\n") { Some(0) } else { example.find("\n.\n").map(|at| at + 1) };
        let markdown = example[..end.expect("an example has HTML")].replace('→', "\t");
        Sample { name: format!("example {}", number + 1), markdown }
    };
    spec.split(BEGIN).skip(1).enumerate().map(sample).collect()
}

/// The Markdown files below a folder.
fn read_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.unwrap();
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            read_below(&path, found);
        } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md")) {
            found.push(path);
        }
    }
}

fn documents() -> Vec<Sample> {
    let mut paths = Vec::new();
    for folder in ["xtask/node_modules", "graphiql/node_modules"] {
        read_below(&root().join(folder), &mut paths);
    }
    // What is longer than a post may be becomes several.
    let samples = |path: PathBuf| {
        let whole = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let chars: Vec<char> = whole.chars().collect();
        let parts = chars.chunks(Content::MAX_CHARS).map(|part| part.iter().collect());
        parts.map(|markdown| Sample { markdown, name: path.display().to_string() }).collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(samples).collect()
}

/// The text of each block and span of code, as the parser alone reads it. The words for a
/// picture are none.
fn code(markdown: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH;
    let (mut found, mut block, mut pictures) = (Vec::new(), None::<String>, 0);
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => block = Some(String::new()),
            Event::End(TagEnd::CodeBlock) => found.extend(block.take()),
            Event::Start(Tag::Image { .. }) => pictures += 1,
            Event::End(TagEnd::Image) => pictures -= 1,
            Event::Text(text) => {
                if let Some(block) = &mut block {
                    block.push_str(&text);
                }
            }
            Event::Code(text) if pictures == 0 => found.push(text.into_string()),
            _ => {}
        }
    }
    found
}

/// The names of the elements of HTML as it is written, if each of them is closed in order.
fn written(html: &str) -> Result<Vec<&str>, String> {
    const VOID: [&str; 6] = ["area", "br", "col", "hr", "img", "wbr"];
    let (mut all, mut open, mut rest) = (Vec::new(), Vec::new(), html);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let (name, after) = rest.split_at(rest.find([' ', '>']).ok_or("a tag does not end")?);
        // A value may have a `>` in it.
        let mut in_value = false;
        let end = after.bytes().position(|byte| {
            in_value ^= byte == b'"';
            byte == b'>' && !in_value
        });
        rest = &after[end.ok_or("a tag does not end")?..];
        match name.strip_prefix('/') {
            Some(name) if open.pop() == Some(name) => {}
            Some(name) => return Err(format!("</{name}> closes nothing: {html}")),
            None => {
                all.push(name);
                open.extend((!VOID.contains(&name)).then_some(name));
            }
        }
    }
    if open.is_empty() { Ok(all) } else { Err(format!("{open:?} are open: {html}")) }
}

/// What is wrong with the HTML of a text.
fn faults(markdown: &str) -> Vec<String> {
    let content = Content::parse(markdown).unwrap();
    let html = to_html(&content, Punctuation::default(), Audience::Reader);
    let parsed = Html::parse_fragment(&html);
    let mut faults = Vec::new();
    // A parser that had to repair something has other elements.
    let found = parsed.root_element().descendants().skip(1);
    let found: Vec<&str> = found.filter_map(|node| Some(node.value().as_element()?.name())).collect();
    match written(&html) {
        Ok(written) if written == found => {}
        Ok(written) => faults.push(format!("a browser repairs {written:?} to {found:?}")),
        Err(fault) => faults.push(fault),
    }
    let elements = Selector::parse("code").unwrap();
    let mut shown: Vec<String> = parsed.select(&elements).map(|element| element.text().collect()).collect();
    for typed in code(content.as_str()) {
        match shown.iter().position(|shown| *shown == typed) {
            Some(at) => drop(shown.swap_remove(at)),
            None => faults.push(format!("this code is not shown as it was typed: {typed:?}")),
        }
    }
    faults
}

fn assert_faultless(samples: &[Sample]) {
    let all: Vec<String> = samples
        .iter()
        .flat_map(|sample| {
            faults(&sample.markdown).into_iter().map(|fault| format!("{}: {fault}", sample.name))
        })
        .collect();
    assert!(all.is_empty(), "{} faults: {all:#?}", all.len());
}

#[test]
fn a_reader_sees_the_code_of_every_example_of_commonmark_as_it_was_typed() {
    let samples = examples();
    assert_eq!(samples.len(), 652, "the specification has another number of examples");
    assert_faultless(&samples);
}

#[test]
fn a_reader_sees_the_code_of_every_readme_as_it_was_typed() {
    let samples = documents();
    assert!(samples.len() >= 100, "{} documents", samples.len());
    let blocks: usize = samples.iter().map(|sample| code(&sample.markdown).len()).sum();
    assert!(blocks >= 1_000, "{blocks} pieces of code");
    assert_faultless(&samples);
}

/// Any text is a word of a language that it is not written in.
#[test]
fn a_reader_sees_every_readme_as_code_of_any_language_as_it_was_typed() {
    let languages = ["rust", "ts", "py", "sh", "sql", "html", "css", "json", "yaml", "diff"];
    let as_code = |sample: Sample| {
        let fence = "`".repeat(40);
        let blocks = languages.map(|language| {
            let part: String = sample.markdown.chars().take(6_000).collect();
            format!("{fence}{language}\n{part}\n{fence}\n\n")
        });
        Sample { name: sample.name, markdown: blocks.concat() }
    };
    let samples: Vec<Sample> = documents().into_iter().map(as_code).collect();
    assert_faultless(&samples);
}
