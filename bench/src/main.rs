//! What Byline costs: its pages and its writes next to a server that has the
//! same bytes ready in memory, and next to the database alone ([`compare`]),
//! what it tells a thousand who subscribed next to as many bare sockets
//! ([`fan_out`]); or how they grow with the processes that serve one database ([`growth`]).
//! All of a run is measured one after the other on one machine, so that the
//! ratios hold even where the figures do not. `cargo xtask bench` builds and
//! runs this.
//!
//! The load ([`load`], [`clients`], [`api`]) is made in this process. Each measurement
//! ([`measure`]) starts servers of its own ([`server`]) on a database of posts
//! ([`database`], [`post`]) and counts their time on the cores ([`meter`],
//! [`cores`]).

mod api;
mod clients;
mod compare;
mod cores;
mod database;
mod fan_out;
mod first_visit;
mod growth;
mod http;
mod load;
mod measure;
mod meter;
mod post;
mod report;
mod server;

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    compare::Comparison,
    cores::Cores,
    database::{Engine, Posts},
    measure::Bench,
    server::Servers,
};

/// Connections that read at the same time.
const READERS: usize = 64;
/// Connections that write at the same time, and rows that share a commit in
/// the loop they are compared with.
const AUTHORS: u64 = 16;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Measure and report
    Run(Options),
    /// Serve one answer from memory
    #[command(hide = true)]
    ReadyMade {
        /// Head and body as they were received
        answer: PathBuf,
    },
    /// Write one message to many WebSockets
    #[command(hide = true)]
    BareSockets {
        /// The message
        message: PathBuf,
        /// How many sockets there will be
        sockets: usize,
    },
}

#[derive(Args)]
struct Options {
    /// The server to measure
    #[arg(long)]
    byline: PathBuf,
    /// For databases, logs and the report
    #[arg(long)]
    folder: PathBuf,
    /// What the posts are in [default: sqlite]
    #[arg(long)]
    database: Option<Engine>,
    /// Measure how throughput grows with the processes on one PostgreSQL: from one to these numbers of them
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=8))]
    processes: Vec<u8>,
    // An access token lasts ten minutes, and has to outlast a measurement.
    /// How long each measurement counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=500))]
    seconds: u64,
    /// How many posts of 1 kB there are to read
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    posts: u64,
    /// Measure these alone
    #[arg(long, value_name = "PART", num_args = 1..)]
    only: Vec<Part>,
}

/// What can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The first page of the list
    Home,
    /// The page of a post
    Post,
    /// Publishing
    Create,
    /// The API: the newest posts and any post by API key, publishing by access token
    Api,
    /// One post told to a thousand who subscribed to the API
    FanOut,
    /// What a browser loads
    FirstVisit,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().role {
        Role::Run(options) => run(&options),
        Role::ReadyMade { answer } => server::serve_ready_made(&answer),
        Role::BareSockets { message, sockets } => fan_out::serve_bare(&message, sockets),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    fs::create_dir_all(&options.folder)?;
    // Servers run in the folder, where relative paths would mean something else.
    let folder = options.folder.canonicalize()?;
    let byline = options.byline.canonicalize()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        if options.processes.is_empty() {
            compare(options, byline, &folder).await
        } else {
            grow(options, byline, &folder).await
        }
    })?;
    println!("{report}");
    fs::write(folder.join("report.md"), report)?;
    Ok(())
}

/// Byline next to ready-made bytes and the bare database.
async fn compare(options: &Options, byline: PathBuf, folder: &Path) -> Result<String> {
    let engine = options.database.unwrap_or(Engine::Sqlite);
    let bench = options.prepare(engine, byline, folder, Cores::divide()).await?;
    let mut comparison = Comparison::new(&bench, engine);
    for part in options.parts() {
        comparison.measure(part).await?;
    }
    let mut report = options.headline(&bench);
    if engine == Engine::Postgres {
        report += " Ratios to bare PostgreSQL are to the first of its loops with the same work.";
    }
    report.push('\n');
    for table in comparison.tables() {
        write!(report, "\n{table}")?;
    }
    Ok(report)
}

/// One process of Byline, and then more.
async fn grow(options: &Options, byline: PathBuf, folder: &Path) -> Result<String> {
    ensure!(options.database != Some(Engine::Sqlite), "SQLite is for one process");
    let bench = options.prepare(Engine::Postgres, byline, folder, Cores::Shared).await?;
    let processes: BTreeSet<usize> = options.processes.iter().map(|number| usize::from(*number)).collect();
    let table = growth::measure(&bench, &options.parts(), &processes).await?;
    Ok(format!(
        "{} Connections are shared out evenly among the processes. Where all cores are busy, it is they that \
         limit what more processes bring.\n\n{table}",
        options.headline(&bench)
    ))
}

impl Options {
    async fn prepare(&self, engine: Engine, byline: PathBuf, folder: &Path, cores: Cores) -> Result<Bench> {
        eprintln!("{} posts in {}", self.posts, engine.name());
        Ok(Bench {
            posts: Posts::prepare(engine, &byline, folder, cores, self.posts).await?,
            servers: Servers { byline, folder: folder.to_owned(), cores },
            measured: Duration::from_secs(self.seconds),
        })
    }

    fn parts(&self) -> Vec<Part> {
        let wanted = |part: &&Part| self.only.is_empty() || self.only.contains(part);
        Part::value_variants().iter().filter(wanted).copied().collect()
    }

    /// The command that measures the same again, and what it means.
    fn headline(&self, bench: &Bench) -> String {
        let mut command = "cargo xtask bench".to_owned();
        if let Some(engine) = self.database.as_ref().and_then(ValueEnum::to_possible_value) {
            command += &format!(" --database {}", engine.get_name());
        }
        if !self.processes.is_empty() {
            let processes: Vec<_> = self.processes.iter().map(u8::to_string).collect();
            command += &format!(" --processes {}", processes.join(","));
        }
        command += &format!(" --seconds {} --posts {}", self.seconds, self.posts);
        for part in self.only.iter().filter_map(ValueEnum::to_possible_value) {
            command += &format!(" --only {}", part.get_name());
        }
        format!(
            "`{command}`: {}; {}; connections kept alive, each answer read whole and checked before the next \
             request; the log of the server goes to a file. CPU is time on cores for one request, round of a \
             loop or delivery, of all threads and processes.",
            bench.posts.describe(),
            bench.servers.cores,
        )
    }
}
