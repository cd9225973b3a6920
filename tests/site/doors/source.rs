//! Which functions of the source read outside text, found in the source itself.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What a line has that hands a text to a parser, or begins one.
const PARSES: [&str; 17] = [
    "serde_json::from_",
    "parse_query(",
    "Parser::new",
    "toml::from_str(",
    "form_urlencoded::parse(",
    "Url::parse(",
    ".decode(",
    " decode(",
    "decode_header(",
    "fn parse(",
    "fn from_str(",
    "PasswordHash::new(",
    "OffsetDateTime::parse(",
    "CookieJar",
    "Query(",
    "Cli::parse(",
    "IpNet>(",
];

/// Every place that parses, as `file::Type::function`, without what stands in
/// unit tests and in the half for the browser.
pub fn places() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut places = BTreeSet::new();
    for file in files {
        let name = file.strip_prefix(&root).expect("a file of src").to_string_lossy().replace('\\', "/");
        places.extend(places_of(&name, &fs::read_to_string(&file).expect("a readable file")));
    }
    places
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn places_of(file: &str, text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let (mut owner, mut function) = (None, None);
    let mut places = BTreeSet::new();
    for line in code.lines() {
        if line.starts_with("impl") {
            owner = owner_of(line);
        } else if line.starts_with('}') {
            owner = None;
        }
        if let Some(name) = function_of(line) {
            function = Some(name);
        }
        let is_comment = line.trim_start().starts_with("//");
        if !is_comment && PARSES.iter().any(|parses| line.contains(parses)) {
            let mut place = file.to_owned();
            for part in [&owner, &function].into_iter().flatten() {
                place.push_str("::");
                place.push_str(part);
            }
            places.insert(place);
        }
    }
    places
}

/// The type of `impl … for Type<…> {`.
fn owner_of(line: &str) -> Option<String> {
    let line = line.split(" where ").next()?.trim_end_matches(" {");
    let name = match line.rsplit_once(" for ") {
        Some((_, name)) => name,
        None => line.rsplit(' ').next()?,
    };
    Some(name.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
}

fn function_of(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("fn ")?;
    let is_function = before
        .trim()
        .split(' ')
        .all(|word| word.is_empty() || ["pub", "pub(super)", "pub(crate)", "const", "async"].contains(&word));
    let name: String = rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (is_function && !name.is_empty()).then_some(name)
}

#[test]
fn a_place_is_named_by_its_file_its_type_and_its_function() {
    let source = "impl<'a> FromStr for Thing<'a> {\n    fn from_str(raw: &str) {\n    }\n}\n\
                  pub(super) async fn read(body: &[u8]) {\n    serde_json::from_slice(body)\n}\n\
                  #[cfg(test)]\nmod tests {\n    fn parse(raw: &str) {}\n}\n";
    let places: Vec<_> = places_of("a.rs", source).into_iter().collect();
    assert_eq!(places, ["a.rs::Thing::from_str", "a.rs::read"]);
}
