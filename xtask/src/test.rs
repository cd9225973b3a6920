//! Every check and test, in one order, stopping at the first that fails.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{
    build::{self, Profile},
    sh::{self, Outcome, human_time},
    toolchain::WasmToolchain,
    workspace::Workspace,
};

/// The packages that contain the server half.
const SERVER_PACKAGES: [&str; 6] =
    ["--package", "byline", "--package", "byline-bench", "--features", "byline/ssr"];

/// What is checked, in order: what is quick and fails often comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Formatting of every package
    Fmt,
    /// Lints of the server half and of what measures it
    ClippySsr,
    /// Lints of this tool
    ClippyXtask,
    /// Lints of the browser half, compiled for WebAssembly
    ClippyHydrate,
    /// The browser half and the assets are built
    Site,
    /// Unit, property and integration tests, also of what measures
    Test,
    /// Tests of this tool
    TestXtask,
    /// The release is built
    Release,
    /// Tests of the release in a browser
    End2end,
}

impl Step {
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no step is skipped");
        value.get_name().to_owned()
    }

    fn run(self, workspace: &Workspace) -> Result<()> {
        let cargo = |subcommand| workspace.cargo(subcommand);
        match self {
            Self::Fmt => sh::run(cargo("fmt").args(["--all", "--check"])),
            Self::ClippySsr => {
                sh::run(deny_warnings(cargo("clippy").args(SERVER_PACKAGES).arg("--all-targets")))
            }
            Self::ClippyXtask => {
                sh::run(deny_warnings(cargo("clippy").args(["--package", "xtask", "--all-targets"])))
            }
            Self::ClippyHydrate => {
                let toolchain = WasmToolchain::set_up(workspace)?;
                sh::run(deny_warnings(&mut toolchain.cargo(workspace, "clippy")))
            }
            Self::Site => build::site(workspace).map(drop),
            Self::Test => sh::run(cargo("test").args(SERVER_PACKAGES)),
            Self::TestXtask => sh::run(cargo("test").args(["--package", "xtask"])),
            Self::Release => build::run(workspace, Profile::Release),
            Self::End2end => end_to_end(workspace),
        }
    }
}

/// Runs the steps in `only`, or all where it is empty.
pub(crate) fn run(workspace: &Workspace, only: &[Step]) -> Result<()> {
    let steps: Vec<_> =
        Step::value_variants().iter().filter(|step| only.is_empty() || only.contains(step)).collect();

    let mut passed: Vec<(String, Duration)> = Vec::new();
    for step in steps {
        let name = step.name();
        println!("\n===== {name} =====");
        let start = Instant::now();
        let result = step.run(workspace);
        let took = start.elapsed();
        if result.is_err() {
            report(&passed, Some((&name, took)));
            return result.with_context(|| format!("the step `{name}` failed"));
        }
        passed.push((name, took));
    }
    report(&passed, None);
    Ok(())
}

/// Prints a table of the steps and, on a line alone, their count.
fn report(passed: &[(String, Duration)], failed: Option<(&str, Duration)>) {
    println!();
    for (name, took) in passed {
        println!("{name:<16} passed  {:>14}", human_time(*took));
    }
    if let Some((name, took)) = failed {
        println!("{name:<16} FAILED  {:>14}", human_time(took));
    }
    let failures = usize::from(failed.is_some());
    println!("\n{} passed, {failures} failed", passed.len());
}

fn deny_warnings(clippy: &mut Command) -> &mut Command {
    clippy.args(["--", "--deny", "warnings"])
}

fn end_to_end(workspace: &Workspace) -> Result<()> {
    build::end_to_end_tests(workspace)?;
    build::site(workspace)?;
    let binary = build::server(workspace, Profile::Release)?;
    let folder = workspace.root.join("end2end");
    sh::step("Types of the end-to-end tests", || {
        sh::run_quietly(Command::new("npm").args(["run", "check"]).current_dir(&folder))?;
        Ok((Outcome::Done, ()))
    })?;
    sh::run(
        Command::new("npx")
            .args(["--no-install", "playwright", "test"])
            .current_dir(&folder)
            .env("END2END_SERVER", binary),
    )
}
