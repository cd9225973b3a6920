//! What packages install beside the binary: completions and the manual.

use std::{collections::BTreeSet, process::Command};

use crate::support::Byline;

/// Every command, by its words, as the help names them.
async fn commands(byline: &Byline) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while let Some(words) = found.get(next).cloned() {
        next += 1;
        let help = [words.clone(), vec!["--help".to_owned()]].concat();
        let help: Vec<&str> = help.iter().map(String::as_str).collect();
        let help = byline.run(&help, "").await.succeeded();
        let listed = help.split_once("Commands:\n").map_or("", |(_, listed)| listed);
        for line in listed.lines().take_while(|line| line.starts_with("  ")) {
            match line.strip_prefix("  ").and_then(|line| line.split(' ').next()) {
                None | Some("" | "help") => {}
                Some(command) => found.push([words.clone(), vec![command.to_owned()]].concat()),
            }
        }
    }
    found
}

/// What a program says of a file, where the program is installed.
fn complaints(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { said } else { format!("{said} ({})", output.status) })
}

#[tokio::test]
async fn every_shell_gets_a_script_that_it_can_read() {
    let byline = Byline::in_an_empty_folder();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = byline.run(&["completions", shell], "").await.succeeded();
        for word in ["secrets", "set-password", "database-url", "completions"] {
            assert!(script.contains(word), "{shell}: {word} is missing");
        }
        let file = byline.folder().join(shell);
        std::fs::write(&file, script).expect("a file");
        if ["bash", "zsh", "fish"].contains(&shell) {
            let said = complaints(shell, &["-n", file.to_str().expect("UTF-8")]);
            assert!(said.is_some() || shell != "bash", "every machine has bash");
            assert_eq!(said.unwrap_or_default(), "", "{shell}");
        }
    }
}

#[tokio::test]
async fn a_shell_completes_commands_and_settings() {
    let byline = Byline::in_an_empty_folder();
    let script = byline.run(&["completions", "bash"], "").await.succeeded();
    let file = byline.folder().join("completions");
    std::fs::write(&file, script).expect("a file");
    let complete = |line: &str| {
        let words = line.split(' ').map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let last = line.split(' ').count() - 1;
        let asked = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD={last}; _byline byline \"${{COMP_WORDS[{last}]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        let output = Command::new("bash").args(["-c", &asked]).output().expect("bash");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert!(complete("byline mi").contains("migrate"));
    assert!(complete("byline user set").contains("set-password"));
    assert!(complete("byline serve --database-url-f").contains("--database-url-file"));
}

#[tokio::test]
async fn every_command_has_a_page_in_the_manual() {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["man", "--to", "share/man1"], "").await.succeeded();
    let folder = byline.folder().join("share/man1");
    let pages = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file").file_name());
    let pages: BTreeSet<String> = pages.map(|name| name.into_string().expect("UTF-8")).collect();
    let commands = commands(&byline).await;
    assert!(commands.len() > 40, "commands are found: {commands:?}");
    let named = |words: &Vec<String>| [&["byline".to_owned()], words.as_slice()].concat().join("-") + ".1";
    assert_eq!(pages, commands.iter().map(named).collect());

    let mut checked = 0;
    for page in &pages {
        let path = folder.join(page);
        let text = std::fs::read_to_string(&path).expect("a page");
        let path = path.to_str().expect("UTF-8");
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
        assert_eq!(text.contains("argon2"), page == "byline.1", "the settings stand on one page: {page}");
        for (program, arguments) in [
            ("groff", ["-Kutf8", "-man", "-ww", "-z", path].as_slice()),
            ("mandoc", &["-T", "lint", "-W", "error", path]),
        ] {
            if let Some(said) = complaints(program, arguments) {
                assert_eq!(said, "", "{program} on {page}");
                checked += 1;
            }
        }
    }
    println!("{checked} checks of pages by programs");
}

#[tokio::test]
async fn a_manual_that_cannot_be_written_is_a_failure_in_one_sentence() {
    let byline = Byline::in_an_empty_folder();
    std::fs::write(byline.folder().join("taken"), "").expect("a file");
    byline.run(&["man", "--to", "taken/man1"], "").await.failed_with(&["taken/man1", "cannot be written"]);
}
