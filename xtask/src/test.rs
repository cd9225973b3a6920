//! Every check and test. It stops at the first that fails.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    build::{self, Profile},
    monitoring, postgres,
    sh::{self, Outcome, human_time},
    supply,
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

/// Tells the integration tests where promtool is, to check metrics by.
const TEST_PROMTOOL: &str = "SITE_TEST_PROMTOOL";

/// The same for the end-to-end tests, which also need to know a `psql`.
const END_TO_END_POSTGRES: &str = "END2END_POSTGRES";
const END_TO_END_PSQL: &str = "END2END_PSQL";

/// What is checked, in order: what is quick and fails often comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Formatting of every package
    Fmt,
    /// Dependencies: licences, sources, advisories, and whether they are used
    Supply,
    /// Lints of the server half and of what measures it
    ClippySsr,
    /// The server half and its tests are built
    Build,
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
    /// Alerts and metrics, checked by Prometheus' own tool
    Monitoring,
    /// Tests of this tool and what it uses
    TestXtask,
    /// What the tests by clients and browsers need is installed
    Packages,
    /// Tests of the server by public clients of its API
    Clients,
    /// Tests of the server in a browser
    End2end,
    /// The same, on PostgreSQL
    End2endPostgres,
}

impl Step {
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no step is skipped");
        value.get_name().to_owned()
    }

    /// Runs it; the clients and the browsers meet a server of this profile.
    fn run(self, workspace: &Workspace, profile: Profile) -> Result<()> {
        let cargo = |subcommand| workspace.cargo(subcommand);
        match self {
            Self::Fmt => sh::run(cargo("fmt").args(["--all", "--check"])),
            Self::Supply => supply::check(workspace),
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
            Self::Build => sh::run(cargo("test").args(SERVER_PACKAGES).arg("--no-run")),
            Self::Site => build::site(workspace).map(drop),
            Self::Test => {
                build::integration_tests(workspace)?;
                postgres::set_up_pooler()?;
                sh::run(cargo("test").args(SERVER_PACKAGES).env_remove(TEST_POSTGRES))
            }
            Self::TestPostgres => {
                build::integration_tests(workspace)?;
                postgres::set_up_pooler()?;
                let cluster = postgres::start()?;
                sh::run(site_tests(workspace).env(TEST_POSTGRES, cluster.url("postgres")))
            }
            Self::Monitoring => {
                let promtool = monitoring::set_up(workspace)?;
                monitoring::check_rules(workspace, &promtool)?;
                sh::run(
                    site_tests(workspace)
                        .args(["metrics::", "--"])
                        .env(TEST_PROMTOOL, promtool)
                        .env_remove(TEST_POSTGRES),
                )
            }
            Self::TestXtask => {
                // Its tests need one too.
                postgres::set_up()?;
                sh::run(cargo("test").args(TOOL_PACKAGES))
            }
            Self::Packages => {
                build::integration_tests(workspace)?;
                build::end_to_end_tests(workspace)?;
                build::clients(workspace).map(drop)
            }
            Self::Clients => sh::run(&mut clients(workspace, profile)?),
            Self::End2end => sh::run(end_to_end(workspace, profile)?.env_remove(END_TO_END_POSTGRES)),
            Self::End2endPostgres => {
                let cluster = postgres::start()?;
                sh::run(
                    end_to_end(workspace, profile)?
                        .env(END_TO_END_POSTGRES, cluster.url("postgres"))
                        .env(END_TO_END_PSQL, cluster.binaries().program("psql")),
                )
            }
        }
    }
}

/// The order of the steps: one stage after the other, and within a stage its
/// tracks in parallel, each step of a track after the one before it. Beside a
/// track that compiles is one that also waits for the network. The integration
/// tests wait for clocks half of their time: the clients use the cores meanwhile.
/// Browsers take both cores whole, and are alone: what waits for an answer in
/// time would wait for them.
const STAGES: [&[&[Step]]; 4] = [
    &[&[Step::Fmt]],
    &[
        &[Step::ClippySsr, Step::Build, Step::ClippyXtask],
        &[Step::Supply, Step::ClippyHydrate, Step::Site, Step::Packages],
    ],
    &[&[Step::Test, Step::TestPostgres], &[Step::Monitoring, Step::TestXtask, Step::Clients]],
    &[&[Step::End2end, Step::End2endPostgres]],
];

/// How the steps went so far.
#[derive(Default)]
struct Report {
    passed: Vec<(String, Duration)>,
    failed: Vec<(String, Duration, anyhow::Error)>,
}

impl Report {
    /// Prints a table of the steps with the time of each and of `all`, and their
    /// number on a separate line.
    fn print(&self, all: Duration) {
        println!();
        for (name, took) in &self.passed {
            println!("{name:<16} passed  {:>14}", human_time(*took));
        }
        for (name, took, _) in &self.failed {
            println!("{name:<16} FAILED  {:>14}", human_time(*took));
        }
        println!("{:<24} {:>14}", "in all", human_time(all));
        println!("\n{} passed, {} failed", self.passed.len(), self.failed.len());
    }
}

/// Runs the steps in `only`, or all where it is empty. The clients and the
/// browsers meet a server of this profile.
pub(crate) fn run(workspace: &Workspace, only: &[Step], profile: Profile) -> Result<()> {
    let start = Instant::now();
    let report = Mutex::new(Report::default());
    for stage in STAGES {
        let chosen = |step: &Step| only.is_empty() || only.contains(step);
        let tracks = stage.iter().map(|track| track.iter().copied().filter(chosen).collect::<Vec<_>>());
        let tracks: Vec<_> = tracks.filter(|track| !track.is_empty()).collect();
        let is_alone = tracks.len() == 1;
        thread::scope(|scope| {
            for track in &tracks {
                scope.spawn(|| run_track(workspace, track, profile, is_alone, &report));
            }
        });
        if !lock(&report).failed.is_empty() {
            break;
        }
    }
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.print(start.elapsed());
    match report.failed.pop() {
        None => Ok(()),
        Some((name, _, error)) => Err(error.context(format!("the step `{name}` failed"))),
    }
}

/// Runs steps one after the other, until one fails here or in another track.
fn run_track(
    workspace: &Workspace,
    track: &[Step],
    profile: Profile,
    is_alone: bool,
    report: &Mutex<Report>,
) {
    for step in track {
        if !lock(report).failed.is_empty() {
            return;
        }
        let name = step.name();
        let start = Instant::now();
        let result = if is_alone {
            println!("\n===== {name} =====");
            step.run(workspace, profile)
        } else {
            println!("      {name} has begun");
            let (words, result) = sh::kept(|| step.run(workspace, profile));
            // Under the lock, so that two that end together do not mix.
            let _report = lock(report);
            println!("\n===== {name} =====\n{words}");
            result
        };
        let took = start.elapsed();
        let mut report = lock(report);
        match result {
            Ok(()) => report.passed.push((name, took)),
            Err(error) => report.failed.push((name, took, error)),
        }
    }
}

/// The report, also after another track has panicked.
fn lock(report: &Mutex<Report>) -> MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

fn deny_warnings(clippy: &mut Command) -> &mut Command {
    clippy.args(["--", "--deny", "warnings"])
}

/// Kills the server while it writes, this many times, and checks that
/// everything it confirmed is there and nothing is incomplete.
pub(crate) fn torture(workspace: &Workspace, rounds: u32) -> Result<()> {
    sh::run(
        site_tests(workspace)
            .args(["killed", "--", "--nocapture"])
            .env("TORTURE_ROUNDS", rounds.to_string())
            .env_remove(TEST_POSTGRES),
    )
}

/// Runs one hostile load after the other against the release, each for so many
/// seconds, and checks that well-behaved clients are still answered, and how
/// fast.
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

/// Builds the server that clients and browsers meet, and says where it is.
///
/// The debug build is the very one that the integration tests have been built
/// with: `cargo build` would compile most of it anew, as what the tests depend
/// on turns on features of what it shares with the server.
fn server(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    build::site(workspace)?;
    match profile {
        Profile::Debug => {
            sh::run(site_tests(workspace).arg("--no-run"))?;
            Ok(build::binary(workspace, profile))
        }
        Profile::Release => build::server(workspace, profile),
    }
}

/// Builds and installs what the tests by public clients need and returns the
/// command that runs them.
fn clients(workspace: &Workspace, profile: Profile) -> Result<Command> {
    let programs = build::clients(workspace)?;
    let binary = server(workspace, profile)?;
    let mut node = Command::new("node");
    node.arg(workspace.root.join("end2end/clients/run.js"))
        .env("END2END_SERVER", binary)
        .env("CLIENTS_SCHEMATHESIS", programs.join("schemathesis"))
        .env("CLIENTS_PYTHON", programs.join("python"))
        .env_remove(END_TO_END_POSTGRES);
    Ok(node)
}

/// Builds what the end-to-end tests need and returns the command that runs them.
fn end_to_end(workspace: &Workspace, profile: Profile) -> Result<Command> {
    build::end_to_end_tests(workspace)?;
    let binary = server(workspace, profile)?;
    let folder = workspace.root.join("end2end");
    sh::step("Types of the end-to-end tests", || {
        sh::run_quietly(Command::new("npm").args(["run", "check"]).current_dir(&folder))?;
        Ok((Outcome::Done, ()))
    })?;
    let mut playwright = Command::new("npx");
    playwright.args(["--no-install", "playwright", "test"]).current_dir(folder).env("END2END_SERVER", binary);
    Ok(playwright)
}
