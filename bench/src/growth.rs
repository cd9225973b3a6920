//! The cost of the same request among more posts.
//!
//! Everything is rendered or read again each time: the memory of a process would
//! contain all of a thousand posts but hardly any of a million.

use std::{fs, net::SocketAddr, ops::Range};

use anyhow::{Context, Result, ensure};

use crate::{
    AUTHORS, READERS,
    api::{self, Method, TokenAuthor},
    clients::{self, AnyPost, Author, PAGE, is_full_page, is_page},
    database::Work,
    http::{self, Answer},
    limit::{self, MemoryLimit},
    load::{Asking, Client},
    measure::Bench,
    post,
    report::{Column, Samples, Table},
    server::Setting,
};

/// What costs no more than this much of what it costs among the fewest is flat.
const FLAT: f64 = 1.1;
/// Only pages for people who are signed in contain this.
const SIGNED_IN: &str = "Log out";
/// What a limited process may hold besides its share of the file.
const OWN_MEMORY: u64 = 64 * 1024 * 1024;

#[derive(Clone, Copy)]
enum Request {
    Home,
    Older,
    Post,
    List,
    Get,
    Create,
    /// What the database does for a post without Byline.
    Bare,
}

const ALL: [Request; 7] = [
    Request::Home,
    Request::Older,
    Request::Post,
    Request::List,
    Request::Get,
    Request::Create,
    Request::Bare,
];

impl Request {
    fn name(self) -> &'static str {
        match self {
            Self::Home => "`/`, signed in",
            Self::Older => "`/?older=…`, any, signed in",
            Self::Post => "the page of a post, any id, signed in",
            Self::List => "`listPosts`, 20 by API key",
            Self::Get => "`getPost`, any id by API key",
            Self::Create => "`createPost` by access token",
            Self::Bare => "one post, bare database",
        }
    }
}

/// Measures among each of these numbers of posts, the fewest first.
pub(crate) async fn measure(benches: &[Bench], rounds: u32) -> Result<Vec<String>> {
    let mut free = empty(benches);
    for round in 1..=rounds {
        for request in ALL {
            let mut rates = Vec::new();
            for bench in benches {
                rates.push(Some(rate(bench, request, false).await?));
            }
            eprintln!("{} (round {round}): {}", request.name(), in_a_row(&rates));
            free.add(&[request.name()], rates);
        }
    }
    let mut tables = vec![
        "64 connections read, 16 create. Whatever is read is rendered or asked for anew each time."
            .to_owned(),
        costs(&free, None).to_string(),
    ];

    if benches.iter().any(|bench| bench.posts.file().is_none()) {
        tables.push("With memory for a tenth of the file: on SQLite alone.".to_owned());
        return Ok(tables);
    }
    tables.push(match with_little_memory(benches).await {
        Err(error) => format!("With memory for a tenth of the file: not measured: {error:#}."),
        Ok(limited) => format!(
            "The same with memory for a tenth of the file and {} MiB: a limit of the kernel's to the process and \
             the system's cache for it, empty at the start ({}). Costs are to the first column of the table above.\n\n{}",
            OWN_MEMORY / 1024 / 1024,
            benches.iter().map(limit_of).collect::<Result<Vec<_>>>()?.join("; "),
            costs(&limited, Some(&free))
        ),
    });
    Ok(tables)
}

/// Once, since what it takes is a matter of the disk.
async fn with_little_memory(benches: &[Bench]) -> Result<Samples> {
    let mut samples = empty(benches);
    for request in ALL {
        let mut rates = Vec::new();
        for bench in benches {
            rates.push(Some(rate(bench, request, true).await?));
        }
        eprintln!("{} with little memory: {}", request.name(), in_a_row(&rates));
        samples.add(&[request.name()], rates);
    }
    Ok(samples)
}

fn empty(benches: &[Bench]) -> Samples {
    let counts = benches.iter().map(|bench| Column::new(&format!("{} posts", grouped(bench.posts.count)), 0));
    Samples::new(&["requests/s"], counts)
}

/// With the costs to the first column, of another table if there is one.
fn costs(samples: &Samples, reference: Option<&Samples>) -> Table {
    let rates = samples.medians();
    let references = reference.map_or_else(|| rates.clone(), Samples::medians);
    let mut headings: Vec<String> = samples.headings();
    let counts = headings.split_off(1);
    headings.extend(counts.iter().cloned());
    let skipped = usize::from(reference.is_none());
    headings.extend(counts.iter().skip(skipped).map(|count| format!("cost of {count}")));
    headings.push("flat".to_owned());
    let mut table = Table::new(&headings);
    for ((words, rates), (_, reference)) in rates.into_iter().zip(references) {
        let first = reference.first().copied().flatten().unwrap_or(f64::NAN);
        let ratios: Vec<f64> = rates.iter().skip(skipped).flatten().map(|rate| first / rate).collect();
        let mut row = words;
        row.extend(rates.iter().map(|rate| rate.map_or_else(String::new, |rate| format!("{rate:.0}"))));
        row.extend(ratios.iter().map(|ratio| format!("{ratio:.2}")));
        row.push(if ratios.iter().all(|ratio| *ratio <= FLAT) { "yes" } else { "no" }.to_owned());
        table.row(row);
    }
    table
}

/// Answers in a second.
async fn rate(bench: &Bench, request: Request, with_limit: bool) -> Result<f64> {
    bench.posts.clean()?;
    let (count, key) = (bench.posts.count, bench.key.clone());
    match request {
        Request::Home => {
            let cookie = signed_in(bench).await?;
            let get = move |_| http::get("/", &cookie);
            read(bench, with_limit, get, |answer, _| is_for_author(answer), 0..1).await
        }
        Request::Older => {
            let cookie = signed_in(bench).await?;
            let get = move |number| http::get(&older(number), &cookie);
            // So many that every page is full.
            read(bench, with_limit, get, are_older, PAGE as u64..count).await
        }
        Request::Post => {
            let cookie = signed_in(bench).await?;
            let get = move |number| http::get(&post::path(number), &cookie);
            read(bench, with_limit, get, is_page_for_author, 0..count).await
        }
        Request::List => {
            let get = move |_| api::list(Method::Post, &key);
            // The number of the next post says how many there are.
            read(bench, with_limit, get, api::are_newest, count..count + 1).await
        }
        Request::Get => {
            let get = move |number| api::get(Method::Post, &key, number);
            read(bench, with_limit, get, api::is_post, 0..count).await
        }
        Request::Create => {
            let server = bench.servers.byline_with(&bench.posts.url(), Setting::default())?;
            let authors = TokenAuthor::sign_up(AUTHORS, &[server.address]).await?;
            drop(server);
            under_load(bench, with_limit, async |address| clients::reconnect(authors, address).await).await
        }
        Request::Bare => bare(bench, with_limit).await,
    }
}

/// The header of somebody who signed up with a server that has ended, so that
/// the cost of that is not measured.
async fn signed_in(bench: &Bench) -> Result<String> {
    let server = bench.servers.byline_with(&bench.posts.url(), Setting::default())?;
    let author = Author::sign_up(1, &[server.address]).await?.pop();
    Ok(author.context("nobody signed up")?.client.cookie)
}

async fn read(
    bench: &Bench,
    with_limit: bool,
    get: impl Fn(u64) -> Vec<u8> + Clone + Send + 'static,
    check: fn(&Answer<'_>, u64) -> Result<()>,
    numbers: Range<u64>,
) -> Result<f64> {
    let readers = async |address| AnyPost::readers(READERS, get, check, numbers, &[address]).await;
    under_load(bench, with_limit, readers).await
}

async fn under_load<C: Client>(
    bench: &Bench,
    with_limit: bool,
    connect: impl AsyncFnOnce(SocketAddr) -> Result<Vec<Asking<C>>>,
) -> Result<f64> {
    let limit = if with_limit { Some(limit(bench)?) } else { None };
    let setting = Setting { page_memory: Some(0), limit: limit.as_ref(), ..Setting::default() };
    let servers = [bench.servers.byline_with(&bench.posts.url(), setting)?];
    let clients = connect(servers[0].address).await?;
    let rate = bench.under_load(&servers, clients).await?.0.rate.per_second;
    // Before the limit, which no process may be left in.
    drop(servers);
    Ok(rate)
}

/// Whether this is a full page of the list for somebody who is signed in.
fn is_for_author(answer: &Answer<'_>) -> Result<()> {
    ensure!(answer.text()?.contains(SIGNED_IN), "the page is for everyone");
    is_full_page(answer)
}

fn is_page_for_author(answer: &Answer<'_>, number: u64) -> Result<()> {
    ensure!(answer.text()?.contains(SIGNED_IN), "the page is for everyone");
    is_page(answer, number)
}

/// The page of the posts before that one.
fn older(number: u64) -> String {
    format!("/?older={}_{}", post::created_at(number), post::id(number))
}

fn are_older(answer: &Answer<'_>, number: u64) -> Result<()> {
    is_for_author(answer)?;
    let text = answer.text()?;
    let missing = (number - PAGE as u64..number).find(|number| !text.contains(&post::id(*number)));
    ensure!(missing.is_none(), "a post is not where it should be");
    Ok(())
}

async fn bare(bench: &Bench, with_limit: bool) -> Result<f64> {
    let Some(file) = bench.posts.file() else {
        let loops = bench.posts.bare(Work::Read, bench.measured, false).await?;
        return Ok(loops.first().context("nothing was measured")?.per_second);
    };
    let limit = if with_limit { Some(limit(bench)?) } else { None };
    let mut command = bench.servers.cores.server(std::env::current_exe()?.as_ref());
    command
        .arg("bare-reads")
        .arg(file)
        .args([bench.posts.count, bench.measured.as_secs()].map(|n| n.to_string()));
    if let Some(limit) = &limit {
        command = limit.hold(&command);
    }
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// For the next process, which has to read the file anew.
fn limit(bench: &Bench) -> Result<MemoryLimit> {
    let file = bench.posts.file().context("there is no file")?;
    limit::forget(file)?;
    MemoryLimit::new(limit_bytes(bench)?)
}

fn limit_bytes(bench: &Bench) -> Result<u64> {
    let file = bench.posts.file().context("there is no file")?;
    Ok(OWN_MEMORY + fs::metadata(file)?.len() / 10)
}

fn limit_of(bench: &Bench) -> Result<String> {
    let file = bench.posts.file().context("there is no file")?;
    let megabytes = |bytes: u64| bytes / 1_000_000;
    Ok(format!(
        "{} posts: a file of {} MB, a limit of {} MB",
        grouped(bench.posts.count),
        megabytes(fs::metadata(file)?.len()),
        megabytes(limit_bytes(bench)?)
    ))
}

fn in_a_row(rates: &[Option<f64>]) -> String {
    rates.iter().flatten().map(|rate| format!("{rate:.0}")).collect::<Vec<_>>().join(", ")
}

/// With a comma after each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_flat_up_to_a_tenth_more() {
        let mut samples = Samples::new(&["requests/s"], ["few", "many"].map(|name| Column::new(name, 0)));
        samples.add(&["page"], [Some(1100.0), Some(1000.0)]);
        samples.add(&["list"], [Some(1200.0), Some(1000.0)]);
        let table = costs(&samples, None).to_string();
        assert!(table.contains("| page | 1100 | 1000 | 1.10 | yes |"), "{table}");
        assert!(table.contains("| list | 1200 | 1000 | 1.20 | no |"), "{table}");
        let mut slow = Samples::new(&["requests/s"], ["few", "many"].map(|name| Column::new(name, 0)));
        slow.add(&["page"], [Some(1100.0), Some(550.0)]);
        let table = costs(&slow, Some(&samples)).to_string();
        assert!(table.contains("| page | 1100 | 550 | 1.00 | 2.00 | no |"), "{table}");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([7, 1000, 100_000, 1_000_000].map(grouped), ["7", "1,000", "100,000", "1,000,000"]);
    }
}
