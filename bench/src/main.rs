//! Measures Byline against the best that the machine can do. It compares pages and
//! writes with a server that has the same bytes in memory, and with the bare
//! database ([`compare`]); events for a thousand subscribers with as many bare
//! sockets ([`fan_out`]). It measures memory at rest ([`memory`]), and how
//! throughput grows with the processes on one database ([`processes`]) and with the
//! number of posts ([`growth`]). All of a run is measured one after the other on one
//! machine, so its ratios are comparable even where its figures are not. `cargo
//! xtask bench` builds and runs this.
//!
//! The load ([`load`], [`clients`], [`api`]) is made in this process, and once more
//! by another program where it is installed ([`external`]). Each measurement
//! ([`measure`]) starts its own servers ([`server`]) on a database of posts
//! ([`database`], [`post`]) and counts their CPU time ([`meter`], [`cores`]).

mod api;
mod busy_disk;
mod clients;
mod compare;
mod cores;
mod database;
mod external;
mod fan_out;
mod first_visit;
mod growth;
mod guesses;
mod http;
mod limit;
mod load;
mod measure;
mod memory;
mod meter;
mod post;
mod processes;
mod report;
mod server;

use std::{
    cell::Cell,
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    compare::Comparison,
    cores::Cores,
    database::{Engine, Posts},
    external::External,
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
    /// Read posts of a database of this program's, without Byline
    #[command(hide = true)]
    BareReads {
        /// The file
        database: PathBuf,
        /// How many posts there are
        posts: u64,
        /// How long to count
        seconds: u64,
    },
    /// Write to a file and wait for the disk, in turns
    #[command(hide = true)]
    KeepDiskBusy {
        /// The file
        file: PathBuf,
    },
}

#[derive(Args)]
struct Options {
    /// The server to measure, in place of the one that `cargo xtask bench` builds
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// Another build of it, measured in turns with the first
    #[arg(long, value_name = "FILE", conflicts_with = "processes")]
    against: Option<PathBuf>,
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
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=500))]
    seconds: u64,
    /// How often everything is measured; what is reported are medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many posts of 1 kB there are to read
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    posts: u64,
    /// Among how many posts the same is measured with `--only growth`
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1000,100000,1000000", value_parser = clap::value_parser!(u64).range(100..))]
    sizes: Vec<u64>,
    /// A wrk that makes the same load in the last round [default: that of the system, where there is one]
    #[arg(long, value_name = "FILE")]
    external: Option<PathBuf>,
    /// Measure these alone
    #[arg(long, value_name = "PART", num_args = 1..)]
    only: Vec<Part>,
}

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
    /// Lists that are read while an author publishes
    Writing,
    /// The first page of the list while the disk with the log is busy
    BusyDisk,
    /// Readers while somebody guesses at passwords
    Guesses,
    /// One post told to a thousand who subscribed to the API
    FanOut,
    /// Memory at rest
    Memory,
    /// What a browser loads
    FirstVisit,
    /// What the same costs among more posts; takes longer, so it is measured only if it is named
    Growth,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().role {
        Role::Run(options) => run(&options),
        Role::ReadyMade { answer } => server::serve_ready_made(&answer),
        Role::BareSockets { message, sockets } => fan_out::serve_bare(&message, sockets),
        Role::BareReads { database, posts, seconds } => {
            database::say_reads(&database, posts, Duration::from_secs(seconds))
        }
        Role::KeepDiskBusy { file } => busy_disk::keep_busy(&file),
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        if !options.processes.is_empty() {
            with_processes(options, &folder).await
        } else if options.only.contains(&Part::Growth) {
            with_posts(options, &folder).await
        } else {
            compare(options, &folder).await
        }
    })?;
    println!("{report}");
    fs::write(folder.join("report.md"), report)?;
    Ok(())
}

/// Byline next to ready-made bytes and the bare database.
async fn compare(options: &Options, folder: &Path) -> Result<String> {
    let cores = Cores::divide();
    let mut builds = vec![options.prepare(&options.server, "Byline", folder, cores, options.posts).await?];
    if let Some(other) = &options.against {
        let folder = folder.join("other-build");
        fs::create_dir_all(&folder)?;
        builds.push(options.prepare(other, "the other build", &folder, cores, options.posts).await?);
    }
    let mut comparison = Comparison::new(&builds, options.engine());
    let parts = options.parts();
    for round in 1..=options.rounds {
        eprintln!("round {round}");
        comparison.round(&parts, round == options.rounds).await?;
    }
    let mut report = options.headline(&builds[0]);
    write!(report, " {}", options.what_numbers_are())?;
    if options.engine() == Engine::Postgres {
        report += " Ratios to bare PostgreSQL are to the first of its loops with the same work.";
    }
    if builds[0].external.is_some() {
        report += " wrk made the same load once more in the last round.";
    }
    report += " The last columns compare the server's CPU for one request, that of the other divided by Byline's: \
               it changes little when others work on the machine, and has no waiting in it.";
    report.push('\n');
    for table in comparison.tables() {
        write!(report, "\n{table}")?;
    }
    Ok(report)
}

/// One process of Byline, and then more.
async fn with_processes(options: &Options, folder: &Path) -> Result<String> {
    ensure!(options.database != Some(Engine::Sqlite), "SQLite is for one process");
    let bench = options.prepare(&options.server, "Byline", folder, Cores::Shared, options.posts).await?;
    let processes: BTreeSet<usize> = options.processes.iter().map(|number| usize::from(*number)).collect();
    let table = processes::measure(&bench, &options.parts(), &processes).await?;
    Ok(format!(
        "{} Connections are shared out evenly among the processes. Where all cores are busy, it is they that \
         limit what more processes bring.\n\n{table}",
        options.headline(&bench)
    ))
}

/// Few posts, and then more.
async fn with_posts(options: &Options, folder: &Path) -> Result<String> {
    ensure!(options.only == [Part::Growth], "growth is measured alone");
    let cores = Cores::divide();
    let mut benches = Vec::new();
    for count in options.sizes.iter().copied().collect::<BTreeSet<_>>() {
        benches.push(options.prepare(&options.server, "Byline", folder, cores, count).await?);
    }
    let tables = growth::measure(&benches, options.rounds).await?;
    let bench = benches.first().context("there are no sizes")?;
    Ok(format!("{} {}\n\n{}", options.headline(bench), options.what_numbers_are(), tables.join("\n\n")))
}

impl Options {
    async fn prepare(
        &self,
        server: &Path,
        name: &'static str,
        folder: &Path,
        cores: Cores,
        count: u64,
    ) -> Result<Bench> {
        eprintln!("{count} posts in {}", self.engine().name());
        let server = server.canonicalize().with_context(|| format!("there is no {}", server.display()))?;
        let posts = Posts::prepare(self.engine(), &server, folder, cores, count).await?;
        let servers = Servers::new(server, folder.to_owned(), cores)?;
        Ok(Bench {
            name,
            key: servers.api_key(&posts.url())?,
            servers,
            posts,
            measured: Duration::from_secs(self.seconds),
            external: External::find(self.external.as_deref(), folder)?.map(Rc::new),
            external_too: Cell::new(false),
        })
    }

    fn engine(&self) -> Engine {
        let default = if self.processes.is_empty() { Engine::Sqlite } else { Engine::Postgres };
        self.database.unwrap_or(default)
    }

    fn parts(&self) -> Vec<Part> {
        let wanted = |part: &&Part| {
            if self.only.is_empty() { **part != Part::Growth } else { self.only.contains(part) }
        };
        Part::value_variants().iter().filter(wanted).copied().collect()
    }

    fn what_numbers_are(&self) -> String {
        match self.rounds {
            1 => "Everything was measured once.".to_owned(),
            rounds => format!(
                "Everything was measured {rounds} times in turns: numbers are medians, and beside a ratio stand its \
                 least and its greatest."
            ),
        }
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
        command += &format!(" --seconds {} --rounds {}", self.seconds, self.rounds);
        if self.only.contains(&Part::Growth) {
            let sizes: Vec<_> = self.sizes.iter().map(u64::to_string).collect();
            command += &format!(" --sizes {}", sizes.join(","));
        } else {
            command += &format!(" --posts {}", self.posts);
        }
        if self.against.is_some() {
            command += " --against FILE";
        }
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
