//! Every check and test, in one order, stopping at the first that fails.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{
    build::{self, Profile},
    postgres,
    sh::{self, Outcome, human_time},
    toolchain::WasmToolchain,
    workspace::Workspace,
};

/// The packages that contain the server half.
const SERVER_PACKAGES: [&str; 6] =
    ["--package", "byline", "--package", "byline-bench", "--features", "byline/ssr"];

/// The packages that need no feature chosen: this tool and what it uses.
/// Apart, so that their dependencies are not built with the server's features.
const TOOL_PACKAGES: [&str; 4] = ["--package", "xtask", "--package", "byline-cluster"];

/// Tells the integration tests on which cluster to make their databases.
/// Without it they use SQLite.
const TEST_POSTGRES: &str = "SITE_TEST_POSTGRES";

/// The same for the end-to-end tests, which also need to know a `psql`.
const END_TO_END_POSTGRES: &str = "END2END_POSTGRES";
const END_TO_END_PSQL: &str = "END2END_PSQL";

/// What is checked, in order: what is quick and fails often comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Formatting of every package
    Fmt,
    /// Lints of the server half and of what measures it
    ClippySsr,
    /// Lints of this tool and what it uses
    ClippyXtask,
    /// Lints of the browser half, compiled for WebAssembly
    ClippyHydrate,
    /// The browser half and the assets are built
    Site,
    /// Unit, property and integration tests, also of what measures
    Test,
    /// The integration tests once more, on PostgreSQL
    TestPostgres,
    /// Tests of this tool and what it uses
    TestXtask,
    /// The release is built
    Release,
    /// Tests of the release by public clients of its API
    Clients,
    /// Tests of the release in a browser
    End2end,
    /// The same, on PostgreSQL
    End2endPostgres,
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
                sh::run(deny_warnings(cargo("clippy").args(TOOL_PACKAGES).arg("--all-targets")))
            }
            Self::ClippyHydrate => {
                let toolchain = WasmToolchain::set_up(workspace)?;
                sh::run(deny_warnings(&mut toolchain.cargo(workspace, "clippy")))
            }
            Self::Site => build::site(workspace).map(drop),
            Self::Test => sh::run(cargo("test").args(SERVER_PACKAGES).env_remove(TEST_POSTGRES)),
            Self::TestPostgres => {
                let cluster = postgres::start()?;
                sh::run(site_tests(workspace).env(TEST_POSTGRES, cluster.url("postgres")))
            }
            Self::TestXtask => {
                // Its tests need one too.
                postgres::set_up()?;
                sh::run(cargo("test").args(TOOL_PACKAGES))
            }
            Self::Release => build::run(workspace, Profile::Release),
            Self::Clients => sh::run(&mut clients(workspace)?),
            Self::End2end => sh::run(end_to_end(workspace)?.env_remove(END_TO_END_POSTGRES)),
            Self::End2endPostgres => {
                let cluster = postgres::start()?;
                sh::run(
                    end_to_end(workspace)?
                        .env(END_TO_END_POSTGRES, cluster.url("postgres"))
                        .env(END_TO_END_PSQL, cluster.binaries().program("psql")),
                )
            }
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

/// Kills the server while it writes, this many times, and looks whether what it
/// confirmed is there and nothing is by halves.
pub(crate) fn torture(workspace: &Workspace, rounds: u32) -> Result<()> {
    sh::run(
        site_tests(workspace)
            .args(["killed", "--", "--nocapture"])
            .env("TORTURE_ROUNDS", rounds.to_string())
            .env_remove(TEST_POSTGRES),
    )
}

/// Puts one hostile load after the other on the release, each for so many
/// seconds, and looks whether whoever is polite is still answered, and when.
pub(crate) fn neighbours(workspace: &Workspace, seconds: u32) -> Result<()> {
    build::site(workspace)?;
    let binary = build::server(workspace, Profile::Release)?;
    sh::run(
        site_tests(workspace)
            .args(["neighbours", "--", "--nocapture"])
            .env("NEIGHBOURS_SECONDS", seconds.to_string())
            .env("SITE_TEST_BINARY", binary)
            .env_remove(TEST_POSTGRES),
    )
}

/// The command of the integration tests alone, as [`Step::Test`] has built them.
fn site_tests(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo("test");
    cargo.args(SERVER_PACKAGES).args(["--test", "site"]);
    cargo
}

/// Builds and installs what the tests by public clients need and returns the
/// command that runs them.
fn clients(workspace: &Workspace) -> Result<Command> {
    let programs = build::clients(workspace)?;
    build::site(workspace)?;
    let binary = build::server(workspace, Profile::Release)?;
    let mut node = Command::new("node");
    node.arg(workspace.root.join("end2end/clients/run.js"))
        .env("END2END_SERVER", binary)
        .env("CLIENTS_SCHEMATHESIS", programs.join("schemathesis"))
        .env("CLIENTS_PYTHON", programs.join("python"))
        .env_remove(END_TO_END_POSTGRES);
    Ok(node)
}

/// Builds what the end-to-end tests need and returns the command that runs them.
fn end_to_end(workspace: &Workspace) -> Result<Command> {
    build::end_to_end_tests(workspace)?;
    build::site(workspace)?;
    let binary = build::server(workspace, Profile::Release)?;
    let folder = workspace.root.join("end2end");
    sh::step("Types of the end-to-end tests", || {
        sh::run_quietly(Command::new("npm").args(["run", "check"]).current_dir(&folder))?;
        Ok((Outcome::Done, ()))
    })?;
    let mut playwright = Command::new("npx");
    playwright.args(["--no-install", "playwright", "test"]).current_dir(folder).env("END2END_SERVER", binary);
    Ok(playwright)
}
