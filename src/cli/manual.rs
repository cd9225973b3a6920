//! `byline completions` and `byline man`: what packages install beside the binary.

use std::{fs, path::Path};

use clap_complete::Shell;
use clap_mangen::Man;

use super::failure::{Failure, refused};

/// The script by which a shell completes the command line.
pub(super) fn completions(mut command: clap::Command, shell: Shell) -> String {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes the manual, one page for each command, into a folder, which is made.
pub(super) fn write(command: &clap::Command, folder: &Path) -> Result<String, Failure> {
    let unwritten = |cause| refused(format!("{} cannot be written: {cause}", folder.display()));
    fs::create_dir_all(folder).map_err(unwritten)?;
    let mut pages = Vec::new();
    collect(command, &[], &mut pages);
    for (name, page) in &pages {
        let mut text = Vec::new();
        page.render(&mut text).and_then(|()| fs::write(folder.join(name), text)).map_err(unwritten)?;
    }
    Ok(format!("{} pages are in {}.\n", pages.len(), folder.display()))
}

/// The page of a command, and those of the commands below it. Only the first page has the
/// settings, which count for all.
fn collect(command: &clap::Command, parents: &[&str], pages: &mut Vec<(String, Man)>) {
    let words = [parents, &[command.get_name()]].concat();
    let name = words.join("-");
    let mut page =
        command.clone().display_name(&name).bin_name(words.join(" ")).disable_help_subcommand(true);
    if !parents.is_empty() {
        page = page.after_help("The settings in byline(1) can be given as well.");
    }
    let source = format!("Byline {}", env!("CARGO_PKG_VERSION"));
    let page = Man::new(page).title(&name).source(source).manual("Byline");
    pages.push((format!("{name}.1"), page));
    for command in command.get_subcommands() {
        collect(command, &words, pages);
    }
}
