//! What Byline costs: its pages and its writes next to a server that has the
//! same bytes ready in memory, and next to SQLite alone. All of a run is
//! measured one after the other on one machine, so that the ratios hold even
//! where the figures do not. `cargo xtask bench` builds and runs this.
//!
//! The server has one core and the load ([`load`], [`clients`]) the other,
//! in this process. Each measurement starts a server of its own ([`server`])
//! on a database of posts ([`database`], [`post`]).

mod clients;
mod database;
mod first_visit;
mod http;
mod load;
mod post;
mod report;
mod server;

use std::{collections::HashSet, fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    clients::{AnyPost, Author, SamePage},
    database::Posts,
    load::{Client, Rate},
    report::{Table, megabytes, milliseconds, percent, ratio},
    server::{Server, Servers},
};

/// Before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);
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
}

#[derive(Args)]
struct Options {
    /// The server to measure
    #[arg(long)]
    byline: PathBuf,
    /// For databases, logs and the report
    #[arg(long)]
    folder: PathBuf,
    /// How long each measurement counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
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
    /// What a browser loads
    FirstVisit,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().role {
        Role::Run(options) => run(&options),
        Role::ReadyMade { answer } => server::serve_ready_made(&answer),
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
    let pinned = server::pin_load();
    eprintln!("{} posts", options.posts);
    let mut bench = Bench {
        posts: Posts::prepare(&byline, &folder, options.posts)?,
        servers: Servers { byline, folder: folder.clone(), pinned },
        measured: Duration::from_secs(options.seconds),
        requests: Table::new(&[
            "request",
            "server",
            "connections",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "load busy %",
            "peak memory MB",
            "to ready-made bytes",
            "to bare SQLite",
        ]),
        loops: Table::new(&["bare SQLite, one thread", "per second"]),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(bench.report(options))?;
    println!("{report}");
    fs::write(folder.join("report.md"), report)?;
    Ok(())
}

/// A run.
struct Bench {
    servers: Servers,
    posts: Posts,
    measured: Duration,
    requests: Table,
    loops: Table,
}

/// A server under load.
struct Outcome {
    rate: Rate,
    connections: usize,
    /// In bytes.
    peak_memory: u64,
}

impl Bench {
    async fn report(&mut self, options: &Options) -> Result<String> {
        let wanted = |part| options.only.is_empty() || options.only.contains(&part);
        if wanted(Part::Home) {
            self.home().await?;
        }
        if wanted(Part::Post) {
            self.posts().await?;
        }
        if wanted(Part::Create) {
            self.creates().await?;
        }
        let first_visit = if wanted(Part::FirstVisit) {
            eprintln!("first visit");
            let server = self.servers.byline(&self.posts.path)?;
            Some(first_visit::measure(server.address).await?)
        } else {
            None
        };

        let only = options.only.iter().filter_map(ValueEnum::to_possible_value);
        let only: String = only.map(|part| format!(" --only {}", part.get_name())).collect();
        let cores = if self.servers.pinned { "server and load on a core each" } else { "unpinned" };
        let mut report = format!(
            "`cargo xtask bench --seconds {} --posts {}{only}`: {cores}, connections kept alive, each answer read \
             whole and checked before the next request; the log of the server goes to a file.\n",
            options.seconds, options.posts,
        );
        for table in [Some(&self.requests), Some(&self.loops), first_visit.as_ref()].into_iter().flatten() {
            if !table.is_empty() {
                report += &format!("\n{table}");
            }
        }
        Ok(report)
    }

    /// The first page of the list.
    async fn home(&mut self) -> Result<()> {
        let entries = usize::try_from(self.posts.count.min(20))?;
        let lists = self.looped("list of 20", database::list_reads)?;
        self.same_page("`/`", "/", "<article", entries, lists).await?;
        Ok(())
    }

    /// The page of a post: of one that everybody reads, and of any.
    async fn posts(&mut self) -> Result<()> {
        let posts = self.looped("one post", database::post_reads)?;
        let path = format!("/posts/{}", post::id(0));
        let ready_made = self.same_page("`/posts/{id}`, one id", &path, &post::ending(0), 1, posts).await?;

        let server = self.servers.byline(&self.posts.path)?;
        let (address, count) = (server.address, self.posts.count);
        // So far apart that no connection reaches another's rounds.
        let clients =
            (0..READERS).map(|client| AnyPost::new(address, count, (client as u64) << 32)).collect();
        let (any, _) = self.under_load(server, clients).await?;
        let ratios = [ratio(any.rate.per_second, ready_made), ratio(any.rate.per_second, posts)];
        self.row("`/posts/{id}`, any id", "Byline", &any, ratios);
        Ok(())
    }

    /// One page, of Byline and then the same from memory. Returns how often
    /// in a second the latter was served.
    async fn same_page(
        &mut self,
        request: &str,
        path: &str,
        marker: &str,
        markers: usize,
        bare: f64,
    ) -> Result<f64> {
        let server = self.servers.byline(&self.posts.path)?;
        let page = SamePage::first(server.address, path, marker, markers).await?;
        let (byline, _) = self.under_load(server, vec![page.clone(); READERS]).await?;

        let server = self.servers.ready_made(&page.head, &page.body)?;
        let clients = vec![page.from(server.address, path); READERS];
        let (ready_made, _) = self.under_load(server, clients).await?;

        let reference = ready_made.rate.per_second;
        self.row(request, "ready-made bytes", &ready_made, [ratio(1.0, 1.0), ratio(reference, bare)]);
        let per_second = byline.rate.per_second;
        self.row(request, "Byline", &byline, [ratio(per_second, reference), ratio(per_second, bare)]);
        Ok(reference)
    }

    /// Publishing, by signed-in authors.
    async fn creates(&mut self) -> Result<()> {
        let commits =
            self.looped("1 post a commit, durable", |posts, time| database::writes(posts, 1, time))?;
        let many = format!("{AUTHORS} posts a commit, durable");
        self.looped(&many, |posts, time| database::writes(posts, AUTHORS, time))?;

        let database = self.posts.copy("create.db")?;
        let server = self.servers.byline(&database)?;
        let mut authors = Vec::new();
        for author in 1..=AUTHORS {
            authors.push(Author::sign_up(server.address, author << 32).await?);
        }
        let (creates, authors) = self.under_load(server, authors).await?;
        let ratios = [String::new(), ratio(creates.rate.per_second, commits)];
        self.row("`create_post`", "Byline", &creates, ratios);

        // The server was killed in the middle of it.
        let ids: Vec<String> = authors.into_iter().flat_map(|author| author.acknowledged).collect();
        ensure!(ids.iter().collect::<HashSet<_>>().len() == ids.len(), "an id was given twice");
        ensure!(database::has_all(&database, &ids)?, "a post that Byline acknowledged is missing");
        eprintln!("all {} posts are in the database", ids.len());
        Ok(())
    }

    /// Runs a loop of bare SQLite and notes how often it went round in a second.
    fn looped(&mut self, name: &str, work: impl FnOnce(&Posts, Duration) -> Result<f64>) -> Result<f64> {
        eprintln!("bare SQLite: {name}");
        let per_second = work(&self.posts, self.measured)?;
        self.loops.row(vec![name.to_owned(), format!("{per_second:.0}")]);
        Ok(per_second)
    }

    /// Lets the clients load the server, which ends with that.
    async fn under_load<C: Client>(&self, server: Server, clients: Vec<C>) -> Result<(Outcome, Vec<C>)> {
        let connections = clients.len();
        let (rate, clients) = load::run(server.address, clients, WARM_UP, self.measured).await?;
        Ok((Outcome { rate, connections, peak_memory: server.peak_memory()? }, clients))
    }

    fn row(&mut self, request: &str, server: &str, outcome: &Outcome, ratios: [String; 2]) {
        let Outcome { rate, connections, peak_memory } = outcome;
        eprintln!("{request} by {server}: {:.0} a second", rate.per_second);
        let mut cells = vec![
            request.to_owned(),
            server.to_owned(),
            connections.to_string(),
            format!("{:.0}", rate.per_second),
            milliseconds(rate.p50),
            milliseconds(rate.p99),
            percent(rate.load_busy),
            megabytes(*peak_memory),
        ];
        cells.extend(ratios);
        self.requests.row(cells);
    }
}
