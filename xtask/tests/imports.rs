//! Checks the floors of `src/`: a module uses only what is below it, no files import
//! each other in a circle, and no file is too long.
//!
//! Imports are read from the text of the files: `use` in all its forms, paths in code
//! and in macros, and names that a module re-exports (`pub use`), which count as
//! imports of the file that defines them. Unit tests are excluded: they may use
//! everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

/// The rooms, the top floor first. A room may use what stands on lower floors.
const FLOORS: [&[&str]; 21] = [
    &["main"],
    &["cli"],
    &["router", "start", "metrics"],
    &["app"],
    &["admin", "codegen"],
    &["graphql", "cognito", "oauth"],
    &["ops"],
    &["feeds"],
    &["posts"],
    &["media"],
    &["site_settings"],
    &["accounts"],
    &["http"],
    &["mail"],
    &["credentials"],
    &["ui"],
    &["site", "assets", "drawing", "objects"],
    &["config", "telemetry"],
    &["database"],
    &["clock"],
    &["error", "text", "timestamp", "username"],
];

/// They declare the rooms and are none themselves.
const ROOTS: [&str; 2] = ["lib", "hydrate"];

/// Lines of a file at most.
const LINES: usize = 600;

#[test]
fn no_import_runs_upwards() {
    let house = House::read(&source());
    let problems: Vec<_> = house
        .imports
        .iter()
        .filter(|(from, to, _)| {
            let (from, to) = (room(from), room(to));
            from != to && floor(from) >= floor(to)
        })
        .map(|(from, to, name)| format!("{from} takes `{name}` from {to}, which does not stand below it"))
        .collect();
    assert!(problems.is_empty(), "{} imports run upwards:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let house = House::read(&source());
    let mut report = String::new();
    for circle in house.circles() {
        let _ = writeln!(report, "{} files import each other:", circle.len());
        for (from, to, name) in &house.imports {
            if circle.contains(from) && circle.contains(to) {
                let _ = writeln!(report, "  {from} takes `{name}` from {to}");
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

#[test]
fn no_file_is_too_long() {
    for (path, text) in source() {
        let lines = text.lines().count();
        assert!(lines <= LINES, "{path} has {lines} lines, {LINES} at most");
    }
}

#[test]
fn every_room_has_a_floor() {
    for path in source().keys() {
        let room = room(path);
        assert!(ROOTS.contains(&room) || FLOORS.iter().any(|floor| floor.contains(&room)), "{path}");
    }
}

#[test]
fn imports_are_found_wherever_they_stand() {
    let files = [
        ("posts/mod.rs", "pub mod store;\nmod post;\npub use post::{Post, Title as Name};\n"),
        ("posts/post.rs", "use super::store;\npub struct Post; pub struct Title;"),
        (
            "posts/store.rs",
            "fn f() { /* crate::app::X */ let s = \"crate::app::Y\"; g(crate::error::Kind::A) }",
        ),
        (
            "app/mod.rs",
            "use crate::{posts::{self, Name, store as rows}, error};\nmod chrome;\nfn f() { chrome::f() }",
        ),
        ("app/chrome.rs", "fn f() { super::g(); }\n#[cfg(test)]\nmod tests { use crate::cli::Z; }\n"),
        ("error.rs", "pub enum Kind { A }"),
        ("cli/mod.rs", "fn f(c: char) { let q = '\"'; crate::app::f() }"),
    ];
    let house = House::read(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
    let found: Vec<_> = house.imports.iter().map(|(a, b, name)| format!("{a} {b} {name}")).collect();
    assert_eq!(
        found,
        [
            "app/chrome.rs app/mod.rs g",
            "app/mod.rs app/chrome.rs f",
            "app/mod.rs error.rs error",
            "app/mod.rs posts/mod.rs posts",
            "app/mod.rs posts/post.rs Title",
            "app/mod.rs posts/store.rs store",
            "cli/mod.rs app/mod.rs f",
            "posts/post.rs posts/store.rs store",
            "posts/store.rs error.rs Kind",
        ]
    );
    assert_eq!(house.circles(), [BTreeSet::from(["app/chrome.rs".to_owned(), "app/mod.rs".to_owned()])]);
}

/// Every file of `src/`, by its path below it.
fn source() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").join("src");
    let mut files = BTreeMap::new();
    collect(&root, "", &mut files);
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.insert(name, fs::read_to_string(&path).expect("a readable file"));
        }
    }
}

/// The room of a file.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Counted from the top; what has none stands above all.
fn floor(room: &str) -> usize {
    FLOORS.iter().position(|floor| floor.contains(&room)).map_or(0, |place| place + 1)
}

/// The names of a path, from the root of the crate.
type Names = Vec<String>;

struct House {
    /// Imports: the importing file, the other file, and the name.
    imports: BTreeSet<(String, String, String)>,
}

/// A module: its file, what it hands on, and what it takes.
struct Module {
    file: String,
    handed_on: BTreeMap<String, Names>,
    taken: Vec<Names>,
}

impl House {
    fn read(files: &BTreeMap<String, String>) -> Self {
        let tests: BTreeSet<_> = files.iter().flat_map(|(path, text)| test_files(path, text)).collect();
        let mut modules: BTreeMap<Names, Module> = BTreeMap::new();
        for (path, text) in files {
            if tests.contains(path) || ROOTS.contains(&room(path)) {
                continue;
            }
            let names = module_of(path);
            let module = Module::read(path, &names, &without_tests(&tokens(text)));
            modules.insert(names, module);
        }
        let mut imports = BTreeSet::new();
        for module in modules.values() {
            for path in &module.taken {
                if let Some((file, name)) = defined_in(&modules, path, 0)
                    && file != module.file
                {
                    imports.insert((module.file.clone(), file, name));
                }
            }
        }
        Self { imports }
    }

    /// Files that can be reached from themselves, in groups that reach each other.
    fn circles(&self) -> Vec<BTreeSet<String>> {
        let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (from, to, _) in &self.imports {
            reach.entry(from).or_default().insert(to);
        }
        let files: Vec<_> = reach.keys().copied().collect();
        let reached = |from| {
            let mut seen = BTreeSet::new();
            let mut ahead: Vec<&str> = vec![from];
            while let Some(file) = ahead.pop() {
                for next in reach.get(file).into_iter().flatten() {
                    if seen.insert(*next) {
                        ahead.push(next);
                    }
                }
            }
            seen
        };
        let all: BTreeMap<_, _> = files.iter().map(|file| (*file, reached(*file))).collect();
        let mut circles = BTreeSet::new();
        for (file, seen) in &all {
            if seen.contains(file) {
                let mutual = |other: &&&str| all.get(**other).is_some_and(|back| back.contains(file));
                circles.insert(seen.iter().filter(mutual).map(|other| (*other).to_owned()).collect());
            }
        }
        circles.into_iter().collect()
    }
}

/// The file that defines what a path names, and the name. What is no module's
/// belongs to the longest part of the path that is one.
fn defined_in(modules: &BTreeMap<Names, Module>, path: &[String], depth: usize) -> Option<(String, String)> {
    let length = (1..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let module = &modules[&path[..length]];
    let Some(name) = path.get(length) else {
        return Some((module.file.clone(), path[length - 1].clone()));
    };
    match module.handed_on.get(name) {
        Some(target) if depth < 8 && target != path => {
            let rest = path[length + 1..].iter().cloned();
            let target: Names = target.iter().cloned().chain(rest).collect();
            defined_in(modules, &target, depth + 1)
        }
        _ => Some((module.file.clone(), name.clone())),
    }
}

fn module_of(path: &str) -> Names {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The files of `#[cfg(test)] mod name;`.
fn test_files(path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let folder = module_of(path).join("/");
    let file = |name: &String| format!("{folder}/{name}.rs");
    (0..tokens.len())
        .filter(|place| is_test(&tokens[*place..]))
        .filter_map(|place| match &tokens[place + 7..] {
            [module, name, end, ..] if module == "mod" && end == ";" => Some(file(name)),
            _ => None,
        })
        .collect()
}

fn is_test(tokens: &[String]) -> bool {
    let begins = ["#", "[", "cfg", "(", "test", ")", "]"];
    tokens.len() > begins.len() && tokens.iter().zip(begins).all(|(token, wanted)| token == wanted)
}

/// Without items that are only for unit tests.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        if !is_test(&tokens[place..]) {
            kept.push(tokens[place].clone());
            place += 1;
            continue;
        }
        let mut depth = 0usize;
        while let Some(token) = tokens.get(place) {
            place += 1;
            match token.as_str() {
                "{" => depth += 1,
                "}" if depth == 1 => break,
                "}" => depth -= 1,
                ";" if depth == 0 => break,
                _ => {}
            }
        }
    }
    kept
}

/// Words and signs, without comments, texts and lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut place = 0;
    while place < letters.len() {
        let rest = &letters[place..];
        place += match rest {
            ['/', '/', ..] => rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => comment(rest),
            ['r', '"' | '#', ..] if raw(rest).is_some() => raw(rest).unwrap_or(1),
            ['"', ..] => quoted(rest),
            ['\'', '\\', ..] => 3 + rest[3..].iter().position(|letter| *letter == '\'').unwrap_or(0),
            ['\'', _, '\'', ..] => 3,
            ['\'', ..] => 1,
            [':', ':', ..] => {
                tokens.push("::".to_owned());
                2
            }
            [letter, ..] if letter.is_alphanumeric() || *letter == '_' => {
                let word: String =
                    rest.iter().take_while(|letter| letter.is_alphanumeric() || **letter == '_').collect();
                let length = word.chars().count();
                tokens.push(word);
                length
            }
            [letter, ..] => {
                if !letter.is_whitespace() {
                    tokens.push(letter.to_string());
                }
                1
            }
            [] => 1,
        };
    }
    tokens
}

fn comment(rest: &[char]) -> usize {
    let end = rest.windows(2).skip(2).position(|pair| pair == ['*', '/']);
    end.map_or(rest.len(), |end| end + 4)
}

fn quoted(rest: &[char]) -> usize {
    let mut place = 1;
    while place < rest.len() && rest[place] != '"' {
        place += if rest[place] == '\\' { 2 } else { 1 };
    }
    place + 1
}

/// The length of `r#"…"#`; `None` for a name such as `r#type`.
fn raw(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|letter| **letter == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = 2 + hashes;
    let found = rest[body..].windows(end.len()).position(|window| window == end)?;
    Some(body + found + end.len())
}

impl Module {
    fn read(file: &str, names: &Names, tokens: &[String]) -> Self {
        let children: BTreeSet<&String> = tokens
            .windows(3)
            .filter(|words| words[0] == "mod" && words[2] == ";")
            .map(|words| &words[1])
            .collect();
        let absolute = |path: &[String]| -> Option<Names> {
            let mut base = names.clone();
            let mut rest = path;
            match path.first()?.as_str() {
                "crate" => base.clear(),
                "self" => {}
                "super" => {
                    base.pop();
                }
                _ if children.contains(&path[0]) => return Some([base.as_slice(), path].concat()),
                _ => return None,
            }
            rest = &rest[1..];
            while rest.first().is_some_and(|name| name == "super") {
                base.pop();
                rest = &rest[1..];
            }
            Some([base.as_slice(), rest].concat())
        };

        let mut module = Self { file: file.to_owned(), handed_on: BTreeMap::new(), taken: Vec::new() };
        let mut re_exports = Vec::new();
        let mut words = BTreeSet::new();
        let mut place = 0;
        while place < tokens.len() {
            let token = tokens[place].as_str();
            let is_public = token == "pub";
            let mut next = place + usize::from(is_public);
            if is_public && tokens.get(next).is_some_and(|token| token == "(") {
                next += 1 + tokens[next..].iter().position(|token| token == ")").unwrap_or(0);
            }
            // `impl Trait + use<'a>` says what a type captures.
            let captures = tokens.get(next + 1).is_some_and(|token| token == "<");
            if !captures && tokens.get(next).is_some_and(|token| token == "use") {
                let end = next + tokens[next..].iter().position(|token| token == ";").unwrap_or(0);
                let mut leaves = Vec::new();
                tree(&tokens[next + 1..end], &mut Vec::new(), &mut leaves);
                for (path, alias) in leaves {
                    let Some(path) = absolute(&path) else { continue };
                    if is_public {
                        module.handed_on.insert(alias.clone(), path.clone());
                        re_exports.push((alias, path));
                    } else {
                        module.taken.push(path);
                    }
                }
                place = end + 1;
                continue;
            }
            let begins = tokens.get(place + 1).is_some_and(|token| token == "::")
                && !(place > 0 && ["::", "."].contains(&tokens[place - 1].as_str()));
            if begins {
                let mut path = vec![tokens[place].clone()];
                while tokens.get(place + 1).is_some_and(|token| token == "::")
                    && tokens.get(place + 2).is_some_and(|word| is_word(word))
                {
                    path.push(tokens[place + 2].clone());
                    place += 2;
                }
                module.taken.extend(absolute(&path));
            }
            words.insert(tokens[place].clone());
            place += 1;
        }
        // What is only handed on is not used here.
        let used = re_exports.into_iter().filter(|(name, _)| words.contains(name)).map(|(_, path)| path);
        module.taken.extend(used);
        module
    }
}

fn is_word(token: &str) -> bool {
    token.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// The leaves of a `use`, each with the name that it has afterwards.
fn tree(tokens: &[String], prefix: &mut Names, leaves: &mut Vec<(Names, String)>) {
    let mut path = prefix.clone();
    let mut place = 0;
    while place < tokens.len() {
        match tokens[place].as_str() {
            "::" => {}
            "{" => {
                let mut depth = 0;
                let mut from = place + 1;
                for (at, token) in tokens.iter().enumerate().skip(place) {
                    match token.as_str() {
                        "{" => depth += 1,
                        "}" => depth -= 1,
                        _ => {}
                    }
                    if (depth == 1 && token == ",") || depth == 0 {
                        tree(&tokens[from..at], &mut path, leaves);
                        from = at + 1;
                    }
                    if depth == 0 {
                        break;
                    }
                }
                return;
            }
            "as" => {
                leaves.push((path, tokens[place + 1].clone()));
                return;
            }
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        place += 1;
    }
    if let Some(name) = path.last().cloned().filter(|_| !tokens.is_empty()) {
        leaves.push((path, name));
    }
}
