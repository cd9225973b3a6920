//! Checks that `docs/security.md` agrees with the source.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Where rows are cited.
const CITING: [&str; 5] = ["src", "tests", "bench/src", "xtask/src", "end2end/clients"];

/// Every place that a path of the page may begin at.
const BASES: [&str; 2] = ["src", ""];

static ROOT: LazyLock<&Path> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace"));
static PAGE: LazyLock<String> = LazyLock::new(|| read(&ROOT.join("docs/security.md")));

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The columns of every row.
fn rows() -> impl Iterator<Item = [&'static str; 5]> {
    PAGE.lines().filter_map(|line| {
        let columns: Vec<_> =
            line.strip_prefix('|')?.strip_suffix('|')?.split(" | ").map(str::trim).collect();
        <[_; 5]>::try_from(columns).ok().filter(|[id, ..]| is_id(id))
    })
}

/// A letter and a number.
fn is_id(text: &str) -> bool {
    number(text).is_some()
}

/// The number of an id.
fn number(text: &str) -> Option<u8> {
    let digits = text.strip_prefix(|letter: char| letter.is_ascii_uppercase())?;
    digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// What stands between backquotes.
fn code(column: &'static str) -> impl Iterator<Item = &'static str> {
    column.split('`').skip(1).step_by(2)
}

fn place(path: &str) -> PathBuf {
    let mut places = BASES.iter().map(|base| ROOT.join(base).join(path));
    places.find(|place| place.exists()).unwrap_or_else(|| panic!("{path} is not there"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs" | "js") => found.push(path),
            None if path.is_dir() && !path.ends_with("node_modules") => files(&path, found),
            _ => {}
        }
    }
}

/// The ids of "security row D5" and "security rows J1 to J3, C2".
fn cited(text: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for citation in text.split("ecurity row").skip(1) {
        let citation = citation.split([')', '.', ':', '\n']).next().unwrap_or_default();
        let words: Vec<_> = citation.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        ids.extend(words.iter().filter(|word| is_id(word)).map(ToString::to_string));
        for range in words.windows(3).filter(|words| words[1] == "to" && is_id(words[0]) && is_id(words[2])) {
            let (letter, [first, last]) = (&range[0][..1], [range[0], range[2]].map(number));
            let numbers = first.into_iter().flat_map(|first| first..=last.unwrap_or(first));
            ids.extend(numbers.map(|number| format!("{letter}{number}")));
        }
    }
    ids
}

#[test]
fn every_row_that_the_source_cites_is_there() {
    let not_yet = PAGE.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(": ")).map(|(id, _)| id);
    let known: BTreeSet<_> = rows().map(|[id, ..]| id).chain(not_yet).collect();
    let mut sources = Vec::new();
    CITING.iter().for_each(|folder| files(&ROOT.join(folder), &mut sources));
    let mut all = BTreeSet::new();
    for source in sources {
        for id in cited(&read(&source)) {
            assert!(known.contains(id.as_str()), "{} cites {id}", source.display());
            all.insert(id);
        }
    }
    assert!(all.len() > 20, "citations are found: {all:?}");
}

#[test]
fn a_citation_may_be_one_row_several_or_a_range() {
    let ids = |text| cited(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(ids("Once (security row D5)."), "D5");
    assert_eq!(ids("(security rows P1 to P3, P5)"), "P1 P2 P3 P5");
    assert_eq!(ids("Security rows L1 and L2: A1"), "L1 L2");
    assert_eq!(ids("(security rows D9 to D11)"), "D10 D11 D9");
}

#[test]
fn every_place_and_every_test_that_a_row_names_is_there() {
    let mut ids = BTreeSet::new();
    for [id, what, source, at, by] in rows() {
        assert!(ids.insert(id), "{id} is there twice");
        assert!(!what.is_empty() && !source.is_empty(), "{id} says too little");
        let places: Vec<_> = code(at).map(place).collect();
        let beside: String = places.iter().filter(|place| place.is_file()).map(|place| read(place)).collect();
        assert!(!places.is_empty() && code(by).count() > 0, "{id} names no place or no test");
        for test in code(by).filter(|test| !test.starts_with("cargo ")) {
            let (name, text) = match test.split_once("::") {
                Some((file, name)) => (name, read(&ROOT.join("tests/site").join(file).with_extension("rs"))),
                None if test.contains('/') => {
                    place(test);
                    continue;
                }
                None => (test, beside.clone()),
            };
            assert!(text.contains(&format!("fn {name}(")), "{id}: there is no test {test}");
        }
    }
    assert!(ids.len() > 30, "rows are found: {ids:?}");
}
