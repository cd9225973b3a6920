//! `cargo xtask test` tests a debug build of the server, not the release. So no
//! source of ours may behave differently in a release: no test would see it.

use std::{fs, path::Path};

/// By these a source can learn how it is compiled.
const QUESTIONS: [&str; 3] = ["debug_assert", "overflow_checks", "OPT_LEVEL"];

#[test]
fn no_source_asks_whether_it_is_a_release() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut asking = Vec::new();
    for folder in ["src", "islands/src"] {
        look_into(&root.join(folder), &mut asking);
    }
    assert!(asking.is_empty(), "{}", asking.join("\n"));
}

/// Adds each line below the folder that asks.
fn look_into(folder: &Path, asking: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_into(&path, asking);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let lines = source.lines().enumerate();
            let lines = lines.filter(|(_, line)| QUESTIONS.iter().any(|question| line.contains(question)));
            asking.extend(lines.map(|(index, line)| format!("{}:{}: {line}", path.display(), index + 1)));
        }
    }
}
