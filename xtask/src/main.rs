//! `cargo xtask`: set up, build, serve, test and measure Byline with one command each.
//!
//! Cargo alone cannot do this: the site is two builds of one crate (a server and a
//! WebAssembly module) with a bundle of assets in between.
//!
//! - [`toolchain`], [`node`], [`python`] and [`postgres`] find or install what the
//!   builds and tests need;
//! - [`wasm`] compiles the islands, [`graphiql`] bundles the page of that name,
//!   [`site`] prepares every file that the server embeds, [`build`] builds the
//!   server;
//! - [`monitoring`] checks what watches a site;
//! - [`serve`], [`test`] and [`bench`] use the result; [`crate_file`], [`deb`]
//!   and [`image`] pack it.

mod apt;
mod bench;
mod build;
mod compress;
mod crate_file;
mod css;
mod deb;
mod debian;
mod files;
mod graphiql;
mod image;
mod monitoring;
mod node;
mod postgres;
mod python;
mod rust;
mod serve;
mod sh;
mod site;
mod stamp;
mod supply;
mod test;
mod toolchain;
mod wasm;
mod workspace;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{build::Profile, workspace::Workspace};

/// Set up, build, serve, test and measure Byline.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the other commands need; they do so by themselves too
    Setup,
    /// Build the site: browser half, assets, server
    Build {
        /// Optimise, and leave one self-contained file: target/release/byline
        #[arg(long)]
        release: bool,
    },
    /// Build the site and run it on http://127.0.0.1:3000
    Serve {
        /// Run the optimised build
        #[arg(long)]
        release: bool,
        /// Arguments for `byline serve`, such as `-- --demo`
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Pack the source with the built assets: target/package/byline-….crate, for `cargo install`
    Crate,
    /// Build a package of Debian: target/deb/byline_….deb
    Deb {
        /// Pack this binary, instead of building the release
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Build a container image without Docker, as a folder in the layout of OCI
    Image {
        /// The folder to write; an image that is in it is replaced
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Pack this binary, instead of building the release
        #[arg(long, value_name = "FILE")]
        binary: Option<PathBuf>,
    },
    /// Run every check and test, stopping at the first that fails
    Test {
        /// Run these steps alone, in their usual order
        #[arg(long, value_name = "STEP", num_args = 1..)]
        only: Vec<test::Step>,
        /// Let clients and browsers meet the release instead of the debug build: before one ships
        #[arg(long)]
        release: bool,
    },
    /// Kill the server while it writes, many times, and look whether it kept its word
    Torture {
        /// How often it is killed
        #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        /// Instead of that, put hostile loads on the release and look whether its neighbours notice
        #[arg(long, conflicts_with = "rounds")]
        neighbours: bool,
        /// How long each hostile load lasts
        #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "neighbours", value_parser = clap::value_parser!(u32).range(1..=300))]
        seconds: u32,
    },
    /// Measure the release; `-- --help` tells what can be chosen
    Bench {
        /// Options of `byline-bench run`, such as `--seconds 1`
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = Workspace::find();
    match command {
        Command::Setup => build::set_up(&workspace),
        Command::Build { release } => build::run(&workspace, Profile::from_release(release)),
        Command::Serve { release, args } => serve::run(&workspace, Profile::from_release(release), &args),
        Command::Crate => crate_file::run(&workspace),
        Command::Deb { binary } => deb::run(&workspace, binary),
        Command::Image { to, binary } => image::run(&workspace, binary, &to),
        Command::Test { only, release } => test::run(&workspace, &only, Profile::from_release(release)),
        Command::Torture { neighbours: true, seconds, .. } => test::neighbours(&workspace, seconds),
        Command::Torture { rounds, .. } => test::torture(&workspace, rounds),
        Command::Bench { args } => bench::run(&workspace, &args),
    }
}
