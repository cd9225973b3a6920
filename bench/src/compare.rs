//! Byline next to what the machine can do at best.

use std::collections::HashMap;

use anyhow::{Context, Result};

use crate::{
    Part,
    clients::SamePage,
    database::{Engine, Work},
    fan_out::{self, FanOut, SUBSCRIBERS},
    first_visit,
    measure::{Bench, Outcome},
    report::{Table, megabytes, microseconds, milliseconds, percent, ratio},
};

/// A run of it.
pub(crate) struct Comparison<'a> {
    bench: &'a Bench,
    engine: Engine,
    requests: Table,
    loops: Table,
    fan_out: Table,
    first_visit: Option<Table>,
    /// How often in a second the loops went round that Byline is compared with.
    bare: HashMap<Work, f64>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(bench: &'a Bench, engine: Engine) -> Self {
        let to_bare = format!("to bare {}", engine.name());
        let mut requests =
            vec!["request", "server", "connections", "requests/s", "p50 ms", "p99 ms", "load busy %"];
        let bare = format!("bare {}", engine.name());
        let mut loops = vec![bare.as_str(), "connections", "per second"];
        let mut fan_out = vec![
            "one post told to all",
            "subscribers",
            "answer p50 ms",
            "last told p50 ms",
            "last told worst ms",
            "load busy %",
            "server CPU µs",
        ];
        match engine {
            Engine::Sqlite => {
                requests.push("server CPU µs");
                loops.push("CPU µs");
            }
            Engine::Postgres => {
                requests.extend(["server CPU µs", "PostgreSQL CPU µs"]);
                loops.extend(["client CPU µs", "PostgreSQL CPU µs"]);
                fan_out.push("PostgreSQL CPU µs");
            }
        }
        requests.extend(["peak memory MB", "to ready-made bytes", &to_bare]);
        fan_out.extend(["peak memory MB", "to bare sockets"]);
        Self {
            bench,
            engine,
            requests: Table::new(&requests),
            loops: Table::new(&loops),
            fan_out: Table::new(&fan_out),
            first_visit: None,
            bare: HashMap::new(),
        }
    }

    pub(crate) async fn measure(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Home => self.home().await,
            Part::Post => self.posts().await,
            Part::Create => self.create().await,
            Part::Api => self.api().await,
            Part::FanOut => self.fan_out().await,
            Part::FirstVisit => {
                eprintln!("first visit");
                let servers = self.bench.servers.byline(&self.bench.posts.url(), 1)?;
                self.first_visit = Some(first_visit::measure(servers[0].address).await?);
                Ok(())
            }
        }
    }

    /// What was measured, as far as it was.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        let tables =
            [Some(&self.requests), Some(&self.loops), Some(&self.fan_out), self.first_visit.as_ref()];
        tables.into_iter().flatten().filter(|table| !table.is_empty())
    }

    /// The first page of the list.
    async fn home(&mut self) -> Result<()> {
        let bare = self.bare(Work::List).await?;
        let (byline, page) = self.bench.home(1).await?;
        self.same_page("`/`", &byline, page, bare).await?;
        Ok(())
    }

    /// The page of a post: of one that everybody reads, and of any.
    async fn posts(&mut self) -> Result<()> {
        let bare = self.bare(Work::Read).await?;
        let (byline, page) = self.bench.one_post().await?;
        let ready_made = self.same_page("`/posts/{id}`, one id", &byline, page, bare).await?;
        let any = self.bench.any_post(1).await?;
        self.row("`/posts/{id}`, any id", "Byline", &any, Some(ready_made), bare);
        Ok(())
    }

    /// Publishing.
    async fn create(&mut self) -> Result<()> {
        let bare = self.bare(Work::Create).await?;
        let create = self.bench.create(1).await?;
        self.row("`create_post`", "Byline", &create, None, bare);
        Ok(())
    }

    /// Reading by API key, publishing by access token.
    async fn api(&mut self) -> Result<()> {
        let copy = self.bench.copy_with_key()?;
        let bare = self.bare(Work::List).await?;
        let (byline, list) = self.bench.api_list(&copy).await?;
        self.same_page("`listPosts`, 20 by API key", &byline, list, bare).await?;
        let bare = self.bare(Work::Read).await?;
        let (byline, post) = self.bench.api_any_post(&copy).await?;
        self.same_page("`getPost`, any id by API key", &byline, post, bare).await?;
        let bare = self.bare(Work::Create).await?;
        let create = self.bench.api_create().await?;
        self.row("`createPost` by access token", "Byline", &create, None, bare);
        Ok(())
    }

    /// One post told to everyone who subscribed.
    async fn fan_out(&mut self) -> Result<()> {
        let [byline, bare] = fan_out::measure(self.bench).await?;
        self.told("bare sockets", &bare, &bare);
        self.told("Byline", &byline, &bare);
        Ok(())
    }

    fn told(&mut self, server: &str, fan_out: &FanOut, bare: &FanOut) {
        eprintln!("all told by {server}: after {} ms", milliseconds(fan_out.p50));
        let mut cells = vec![
            server.to_owned(),
            SUBSCRIBERS.to_string(),
            fan_out.answered.map(milliseconds).unwrap_or_default(),
            milliseconds(fan_out.p50),
            milliseconds(fan_out.worst),
            percent(fan_out.load_busy()),
            microseconds(fan_out.once(|cpu| cpu.servers)),
        ];
        if self.engine == Engine::Postgres {
            cells.push(microseconds(fan_out.once(|cpu| cpu.postgres)));
        }
        cells.push(megabytes(fan_out.peak_memory));
        // Of what they get done in the same time, as everywhere else.
        cells.push(ratio(bare.p50.as_secs_f64(), fan_out.p50.as_secs_f64()));
        self.fan_out.row(cells);
    }

    /// A page of Byline's, and the same from memory. Returns how often in a
    /// second the latter was served.
    async fn same_page(&mut self, request: &str, byline: &Outcome, page: SamePage, bare: f64) -> Result<f64> {
        let ready_made = self.bench.ready_made(page).await?;
        let reference = ready_made.rate.per_second;
        self.row(request, "ready-made bytes", &ready_made, Some(reference), bare);
        self.row(request, "Byline", byline, Some(reference), bare);
        Ok(reference)
    }

    /// Runs loops of bare statements, if this run has not yet. Returns how
    /// often in a second that one went round that Byline is compared with.
    async fn bare(&mut self, work: Work) -> Result<f64> {
        if let Some(per_second) = self.bare.get(&work) {
            return Ok(*per_second);
        }
        let loops = self.bench.posts.bare(work, self.bench.measured).await?;
        for one in &loops {
            eprintln!(
                "bare {}: {} on {}: {:.0} a second",
                self.engine.name(),
                one.name,
                one.connections,
                one.per_second
            );
            let mut cells =
                vec![one.name.clone(), one.connections.to_string(), format!("{:.0}", one.per_second)];
            cells.extend(one.cpu.iter().copied().map(microseconds));
            self.loops.row(cells);
        }
        let per_second = loops.first().context("nothing to compare with")?.per_second;
        self.bare.insert(work, per_second);
        Ok(per_second)
    }

    fn row(&mut self, request: &str, server: &str, outcome: &Outcome, ready_made: Option<f64>, bare: f64) {
        let Outcome { rate, connections, peak_memory } = outcome;
        eprintln!("{request} by {server}: {:.0} a second", rate.per_second);
        let mut cells = vec![
            request.to_owned(),
            server.to_owned(),
            connections.to_string(),
            format!("{:.0}", rate.per_second),
            milliseconds(rate.p50),
            milliseconds(rate.p99),
            percent(rate.load_busy()),
            microseconds(rate.once(rate.cpu.servers)),
        ];
        if self.engine == Engine::Postgres {
            cells.push(microseconds(rate.once(rate.cpu.postgres)));
        }
        cells.push(megabytes(*peak_memory));
        cells.push(ready_made.map(|reference| ratio(rate.per_second, reference)).unwrap_or_default());
        cells.push(ratio(rate.per_second, bare));
        self.requests.row(cells);
    }
}
