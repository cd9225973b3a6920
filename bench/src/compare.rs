//! Byline compared with the best that the machine can do.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, Result};

use crate::{
    Part,
    api::Method,
    clients::SamePage,
    database::{Engine, Work},
    fan_out::{self, FanOut, SUBSCRIBERS},
    first_visit, guesses,
    measure::{Bench, Outcome, Watched},
    memory,
    report::{Column, Samples, Table},
};

const READY_MADE: &str = "ready-made bytes";

const HOME: &str = "`/`";
const ONE_PAGE: &str = "the page of a post, one id";
const LIST: &str = "`listPosts`, 20 by API key";

/// A run of it.
pub(crate) struct Comparison<'a> {
    /// The build that is measured, and another that it is measured against if there is one.
    builds: &'a [Bench],
    engine: Engine,
    requests: Samples,
    loops: Samples,
    fan_out: Samples,
    memory: Samples,
    guesses: Samples,
    first_visit: Option<Table>,
    round: Round,
}

/// What is known in one round.
#[derive(Default)]
struct Round {
    number: u32,
    /// How often in a second the loops went round that Byline is compared with.
    bare: HashMap<Work, f64>,
    /// How fast the same came from memory.
    ready_made: HashMap<&'static str, Speed>,
    /// An answer of Byline's to that request.
    pages: HashMap<&'static str, SamePage>,
}

/// What others are compared with.
#[derive(Clone, Copy)]
struct Speed {
    per_second: f64,
    /// The time of the server on cores for each.
    cpu: Duration,
}

impl Speed {
    fn of(outcome: &Outcome) -> Self {
        let rate = &outcome.rate;
        Self { per_second: rate.per_second, cpu: rate.once(rate.cpu.servers) }
    }
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(builds: &'a [Bench], engine: Engine) -> Self {
        let requests = [
            Column::new("connections", 0),
            Column::new("requests/s", 0),
            Column::new("p50 ms", 2),
            Column::new("p99 ms", 2),
            Column::new("load busy %", 0),
            Column::new("server CPU µs", 1),
            Column::new("PostgreSQL CPU µs", 1),
            Column::new("peak memory MB", 0),
            Column::new("by wrk requests/s", 0),
            Column::ratio("to ready-made bytes"),
            Column::ratio(&format!("to bare {}", engine.name())),
            Column::ratio("to the other build"),
            Column::ratio("CPU to ready-made bytes"),
            Column::ratio("CPU to the other build"),
        ];
        let loops = [
            Column::new("connections", 0),
            Column::new("per second", 0),
            Column::new("client CPU µs", 1),
            Column::new("PostgreSQL CPU µs", 1),
        ];
        let fan_out = [
            Column::new("subscribers", 0),
            Column::new("answer p50 ms", 2),
            Column::new("last told p50 ms", 2),
            Column::new("last told worst ms", 2),
            Column::new("load busy %", 0),
            Column::new("server CPU µs", 1),
            Column::new("PostgreSQL CPU µs", 1),
            Column::new("peak memory MB", 0),
            Column::ratio("to bare sockets"),
        ];
        Self {
            builds,
            engine,
            requests: Samples::new(&["request", "server"], requests),
            loops: Samples::new(&[&format!("bare {}", engine.name())], loops),
            fan_out: Samples::new(&["one post told to all", "server"], fan_out),
            memory: memory::table(),
            guesses: guesses::table(),
            first_visit: None,
            round: Round::default(),
        }
    }

    /// Measures all of this once more. In the last round, another program
    /// makes the same load too, where there is one.
    pub(crate) async fn round(&mut self, parts: &[Part], is_last: bool) -> Result<()> {
        self.round = Round { number: self.round.number + 1, ..Round::default() };
        self.builds.iter().for_each(|bench| bench.external_too.set(is_last));
        for part in parts {
            self.measure(*part).await?;
        }
        Ok(())
    }

    async fn measure(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Home => self.home().await,
            Part::Post => self.posts().await,
            Part::Create => {
                self.each("`create_post`", Work::Create, None, async |bench| bench.create(1).await).await
            }
            Part::Api => self.api().await,
            Part::Writing => self.while_writing().await,
            Part::BusyDisk => self.busy_disk().await,
            Part::Guesses => self.guesses().await,
            Part::FanOut => self.fan_out().await,
            Part::Memory => self.memory().await,
            Part::FirstVisit => self.first_visit().await,
            // Among other posts than these.
            Part::Growth => Ok(()),
        }
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = Table> {
        let samples =
            [&self.requests, &self.loops, &self.guesses, &self.fan_out, &self.memory].map(Samples::table);
        samples.into_iter().chain(self.first_visit.clone()).filter(|table| !table.is_empty())
    }

    /// The first page of the list.
    async fn home(&mut self) -> Result<()> {
        self.same(HOME, Work::List, async |bench| bench.home(1).await).await
    }

    /// The page of a post: of one that everybody reads, and of any.
    async fn posts(&mut self) -> Result<()> {
        self.same(ONE_PAGE, Work::Read, async |bench| bench.one_post().await).await?;
        let page = self.page(ONE_PAGE)?;
        let request = self.beyond_memory("the page of a post, any id");
        let measure = async |bench: &Bench| bench.any_post_beyond_memory(&page).await;
        self.each(&request, Work::Read, Some(ONE_PAGE), measure).await
    }

    /// Reading by API key, publishing by access token.
    async fn api(&mut self) -> Result<()> {
        for (method, list, one, any) in [
            (Method::Post, LIST, "`getPost`, one id by API key", "`getPost`, any id by API key"),
            (
                Method::Get,
                "`listPosts`, 20 by API key, by GET without variables",
                "`getPost`, one id by API key, by GET with variables",
                "`getPost`, any id by API key, by GET with variables",
            ),
        ] {
            self.same(list, Work::List, async |bench| bench.api_list(method).await).await?;
            self.same(one, Work::Read, async |bench| bench.api_one_post(method).await).await?;
            let (page, request) = (self.page(one)?, self.beyond_memory(any));
            let measure = async |bench: &Bench| bench.api_any_post(method, &page).await;
            self.each(&request, Work::Read, Some(one), measure).await?;
        }
        let create = async |bench: &Bench| bench.api_create().await;
        self.each("`createPost` by access token", Work::Create, None, create).await
    }

    /// Lists that change while they are read.
    async fn while_writing(&mut self) -> Result<()> {
        for (request, like, watched) in [
            ("`/`, a post each 100 ms", HOME, Watched::Home),
            ("`listPosts`, 20 by API key, a post each 100 ms", LIST, Watched::List),
        ] {
            if !self.round.ready_made.contains_key(like) {
                let bench = &self.builds[0];
                let (_, page) = match watched {
                    Watched::Home => bench.home(1).await?,
                    Watched::List => bench.api_list(Method::Post).await?,
                };
                self.serve_ready_made(like, Work::List, page).await?;
            }
            let measure = async |bench: &Bench| bench.while_writing(watched).await;
            self.each(request, Work::List, Some(like), measure).await?;
        }
        Ok(())
    }

    /// The first page of the list while something else waits for the disk.
    async fn busy_disk(&mut self) -> Result<()> {
        const REQUEST: &str = "`/`, the disk with the log is busy";
        let mut outcomes = Vec::new();
        for bench in self.in_turns() {
            let (outcome, page) = bench.home_while_disk_is_busy().await?;
            outcomes.push((bench.name, outcome));
            self.round.pages.entry(REQUEST).or_insert(page);
        }
        let ready_made = self.builds[0].ready_made_while_disk_is_busy(self.page(REQUEST)?).await?;
        self.round.ready_made.insert(REQUEST, Speed::of(&ready_made));
        self.row(REQUEST, READY_MADE, &ready_made, Some(REQUEST), None, None);
        self.rows(REQUEST, outcomes, Some(REQUEST), None);
        Ok(())
    }

    /// How long readers wait while somebody guesses at passwords.
    async fn guesses(&mut self) -> Result<()> {
        for bench in self.in_turns() {
            guesses::measure(bench, &mut self.guesses).await?;
        }
        Ok(())
    }

    /// One post, sent to everyone who subscribed.
    async fn fan_out(&mut self) -> Result<()> {
        let mut told = Vec::new();
        let mut message = None;
        for bench in self.in_turns() {
            let (fan_out, last) = fan_out::byline(bench).await?;
            message.get_or_insert(last);
            told.push((bench.name, fan_out));
        }
        let bare = fan_out::bare(&self.builds[0], &message.context("nobody was told")?).await?;
        self.told("bare sockets", &bare, &bare);
        for (name, fan_out) in told {
            self.told(name, &fan_out, &bare);
        }
        Ok(())
    }

    fn told(&mut self, server: &str, fan_out: &FanOut, bare: &FanOut) {
        eprintln!("all told by {server}: after {:.2} ms", milliseconds(fan_out.p50));
        let postgres = (self.engine == Engine::Postgres).then(|| fan_out.once(|cpu| cpu.postgres));
        let values = [
            Some(SUBSCRIBERS as f64),
            fan_out.answered.map(milliseconds),
            Some(milliseconds(fan_out.p50)),
            Some(milliseconds(fan_out.worst)),
            Some(fan_out.load_busy() * 100.0),
            Some(microseconds(fan_out.once(|cpu| cpu.servers))),
            postgres.map(microseconds),
            Some(fan_out.peak_memory as f64 / 1e6),
            // Of what they get done in the same time, as everywhere else.
            Some(bare.p50.as_secs_f64() / fan_out.p50.as_secs_f64()),
        ];
        self.fan_out.add(&["last of all", server], values);
    }

    /// Memory at rest, which is the same in every round.
    async fn memory(&mut self) -> Result<()> {
        for bench in self.builds.iter().filter(|_| self.round.number == 1) {
            memory::measure(bench, &mut self.memory).await?;
        }
        Ok(())
    }

    /// What a browser loads, which is the same in every round.
    async fn first_visit(&mut self) -> Result<()> {
        if self.round.number == 1 {
            eprintln!("first visit");
            let bench = &self.builds[0];
            let servers = bench.servers.byline(&bench.posts.url(), 1)?;
            self.first_visit = Some(first_visit::measure(servers[0].address).await?);
        }
        Ok(())
    }

    /// The builds, each of them first in every other round.
    fn in_turns(&self) -> Vec<&'a Bench> {
        let mut builds: Vec<_> = self.builds.iter().collect();
        if self.round.number.is_multiple_of(2) {
            builds.reverse();
        }
        builds
    }

    /// The name of a request whose answers are more than Byline keeps.
    fn beyond_memory(&self, request: &str) -> String {
        if self.builds.iter().all(|bench| bench.servers.has_page_memory()) {
            format!("{request}, memory for a tenth")
        } else {
            format!("{request}, memory as it comes")
        }
    }

    fn page(&self, request: &str) -> Result<SamePage> {
        self.round.pages.get(request).cloned().context("nothing has been answered yet")
    }

    /// The same answer by Byline, and from memory.
    async fn same(
        &mut self,
        request: &'static str,
        work: Work,
        measure: impl AsyncFn(&Bench) -> Result<(Outcome, SamePage)>,
    ) -> Result<()> {
        let mut outcomes = Vec::new();
        let mut first = None;
        for bench in self.in_turns() {
            let (outcome, page) = measure(bench).await?;
            outcomes.push((bench.name, outcome));
            first.get_or_insert(page);
        }
        self.serve_ready_made(request, work, first.context("nothing was measured")?).await?;
        self.rows(request, outcomes, Some(request), Some(work));
        Ok(())
    }

    /// Serves an answer of Byline's from memory.
    async fn serve_ready_made(&mut self, request: &'static str, work: Work, page: SamePage) -> Result<()> {
        self.bare(work).await?;
        let ready_made = self.builds[0].ready_made(page.clone()).await?;
        self.round.ready_made.insert(request, Speed::of(&ready_made));
        self.round.pages.insert(request, page);
        self.row(request, READY_MADE, &ready_made, Some(request), Some(work), None);
        Ok(())
    }

    /// What only Byline does. `like` is the request with the most similar
    /// answer, from memory.
    async fn each(
        &mut self,
        request: &str,
        work: Work,
        like: Option<&'static str>,
        measure: impl AsyncFn(&Bench) -> Result<Outcome>,
    ) -> Result<()> {
        self.bare(work).await?;
        let mut outcomes = Vec::new();
        for bench in self.in_turns() {
            outcomes.push((bench.name, measure(bench).await?));
        }
        self.rows(request, outcomes, like, Some(work));
        Ok(())
    }

    /// Runs loops of bare statements, if this round has not yet.
    async fn bare(&mut self, work: Work) -> Result<()> {
        if self.round.bare.contains_key(&work) {
            return Ok(());
        }
        let bench = &self.builds[0];
        let loops = bench.posts.bare(work, bench.measured, self.round.number == 1).await?;
        for one in &loops {
            eprintln!(
                "bare {}: {} on {}: {:.0} a second",
                self.engine.name(),
                one.name,
                one.connections,
                one.per_second
            );
            let mut cpu = one.cpu.iter().copied().map(microseconds);
            let values = [Some(one.connections as f64), Some(one.per_second), cpu.next(), cpu.next()];
            self.loops.add(&[&format!("{}, {} at a time", one.name, one.connections)], values);
        }
        self.round.bare.insert(work, loops.first().context("nothing to compare with")?.per_second);
        Ok(())
    }

    /// In the order of the builds, whichever had the first turn.
    fn rows(
        &mut self,
        request: &str,
        outcomes: Vec<(&'static str, Outcome)>,
        like: Option<&'static str>,
        work: Option<Work>,
    ) {
        let speed_of =
            |name| outcomes.iter().find(|(of, _)| *of == name).map(|(_, outcome)| Speed::of(outcome));
        let other = self.builds.get(1).and_then(|bench| speed_of(bench.name));
        for (place, bench) in self.builds.iter().enumerate() {
            if let Some((name, outcome)) = outcomes.iter().find(|(name, _)| *name == bench.name) {
                self.row(request, name, outcome, like, work, other.filter(|_| place == 0));
            }
        }
    }

    fn row(
        &mut self,
        request: &str,
        server: &str,
        outcome: &Outcome,
        like: Option<&'static str>,
        work: Option<Work>,
        other: Option<Speed>,
    ) {
        let Outcome { rate, connections, peak_memory, external } = outcome;
        let by_wrk = external.map(|external| format!(", {external:.0} by wrk")).unwrap_or_default();
        eprintln!("{request} by {server}: {:.0} a second{by_wrk}", rate.per_second);
        let to = |reference: Option<f64>| reference.map(|reference| rate.per_second / reference);
        let own = Speed::of(outcome);
        let cpu_to = |reference: Option<Speed>| {
            reference.map(|reference| reference.cpu.as_secs_f64() / own.cpu.as_secs_f64())
        };
        let ready_made = like.and_then(|like| self.round.ready_made.get(like).copied());
        let postgres = (self.engine == Engine::Postgres).then(|| rate.once(rate.cpu.postgres));
        let values = [
            Some(*connections as f64),
            Some(rate.per_second),
            Some(milliseconds(rate.p50)),
            Some(milliseconds(rate.p99)),
            Some(rate.load_busy() * 100.0),
            Some(microseconds(rate.once(rate.cpu.servers))),
            postgres.map(microseconds),
            Some(*peak_memory as f64 / 1e6),
            *external,
            to(ready_made.map(|speed| speed.per_second)),
            to(work.and_then(|work| self.round.bare.get(&work).copied())),
            to(other.map(|speed| speed.per_second)),
            cpu_to(ready_made),
            cpu_to(other),
        ];
        self.requests.add(&[request, server], values);
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
