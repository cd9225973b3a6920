//! The requests of the connections.

use std::{iter, net::SocketAddr, ops::Range, sync::Arc};

use anyhow::{Context, Result, ensure};

use crate::{
    external::Script,
    http::{self, Answer, Connection},
    load::{Asking, Client},
    post,
};

/// Gives each client a connection, to the servers in turns.
pub(crate) async fn connect<C>(
    clients: impl Iterator<Item = C>,
    servers: &[SocketAddr],
) -> Result<Vec<Asking<C>>> {
    let mut asking = Vec::new();
    for (client, server) in clients.zip(servers.iter().cycle()) {
        asking.push(Asking { client, connection: Connection::open(*server).await? });
    }
    Ok(asking)
}

/// Gives clients of another server connections to this one.
pub(crate) async fn reconnect<C>(clients: Vec<Asking<C>>, server: SocketAddr) -> Result<Vec<Asking<C>>> {
    connect(clients.into_iter().map(|asking| asking.client), &[server]).await
}

/// Reads one page again and again; it must stay as it is to the byte.
#[derive(Clone)]
pub(crate) struct SamePage {
    request: Vec<u8>,
    /// Status line and headers of the first answer.
    pub(crate) head: String,
    pub(crate) body: Arc<[u8]>,
}

impl SamePage {
    /// Reads the page once. `marker` has to stand in it `times` times.
    pub(crate) async fn first(server: SocketAddr, path: &str, marker: &str, times: usize) -> Result<Self> {
        let check = |answer: &Answer<'_>| {
            let found = answer.text()?.matches(marker).count();
            ensure!(found == times, "{path} has \"{marker}\" {found} times instead of {times}");
            Ok(())
        };
        Self::answer(server, http::get(path, ""), check).await
    }

    /// Asks once; fails if the answer is wrong.
    pub(crate) async fn answer(
        server: SocketAddr,
        request: Vec<u8>,
        check: impl FnOnce(&Answer<'_>) -> Result<()>,
    ) -> Result<Self> {
        let mut connection = Connection::open(server).await?;
        let answer = connection.exchange(&request).await?;
        check(&answer)?;
        let (head, body) = (answer.head.to_owned(), answer.body.into());
        Ok(Self { request, head, body })
    }

    /// On so many connections at a time.
    pub(crate) async fn readers(self, count: usize, servers: &[SocketAddr]) -> Result<Vec<Asking<Self>>> {
        connect(iter::repeat_n(self, count), servers).await
    }
}

impl Client for SamePage {
    fn request(&mut self) -> &[u8] {
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        answer.is_ok() && *answer.body == *self.body
    }

    fn script(clients: &mut [Asking<Self>]) -> Option<Script> {
        clients.first().map(|asking| Script::Same(asking.client.request.clone()))
    }
}

/// Reads one page again and again, which changes now and then. Only when it is
/// another than the last time is it looked into.
#[derive(Clone)]
pub(crate) struct Changing {
    request: Vec<u8>,
    /// Whether that is the page as it may be at any time.
    check: fn(&Answer<'_>) -> Result<()>,
    last: Vec<u8>,
}

impl Changing {
    pub(crate) fn new(request: Vec<u8>, check: fn(&Answer<'_>) -> Result<()>) -> Self {
        Self { request, check, last: Vec::new() }
    }

    /// On so many connections at a time.
    pub(crate) async fn readers(self, count: usize, server: SocketAddr) -> Result<Vec<Asking<Self>>> {
        connect(iter::repeat_n(self, count), &[server]).await
    }
}

impl Client for Changing {
    fn request(&mut self) -> &[u8] {
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        if answer.is_ok() && answer.body == self.last {
            return true;
        }
        self.last.clear();
        self.last.extend_from_slice(answer.body);
        (self.check)(answer).is_ok()
    }
}

/// Whether that is a page with as many posts as fit on one.
pub(crate) fn is_full_page(answer: &Answer<'_>) -> Result<()> {
    let posts = answer.text()?.matches("<article").count();
    ensure!(posts == PAGE, "the page has {posts} posts");
    Ok(())
}

/// Posts on a page.
pub(crate) const PAGE: usize = 20;

/// Reads posts, each time another.
pub(crate) struct AnyPost<R> {
    /// The request for a post.
    get: R,
    is_post: fn(&Answer<'_>, u64) -> Result<()>,
    numbers: Range<u64>,
    round: u64,
    number: u64,
    request: Vec<u8>,
}

impl<R: Fn(u64) -> Vec<u8> + Clone> AnyPost<R> {
    /// On so many connections at the same time, of posts with these numbers.
    pub(crate) async fn readers(
        count: usize,
        get: R,
        is_post: fn(&Answer<'_>, u64) -> Result<()>,
        numbers: Range<u64>,
        servers: &[SocketAddr],
    ) -> Result<Vec<Asking<Self>>> {
        // So far apart that no connection reaches another's rounds.
        let reader = |reader| {
            let (get, numbers, round) = (get.clone(), numbers.clone(), (reader as u64) << 32);
            Self { get, is_post, numbers, round, number: 0, request: Vec::new() }
        };
        connect((0..count).map(reader), servers).await
    }
}

impl<R: Fn(u64) -> Vec<u8> + Send + 'static> Client for AnyPost<R> {
    fn request(&mut self) -> &[u8] {
        self.round += 1;
        let Range { start, end } = self.numbers;
        self.number = start + post::scattered(self.round, end - start);
        self.request = (self.get)(self.number);
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        (self.is_post)(answer, self.number).is_ok()
    }

    fn script(clients: &mut [Asking<Self>]) -> Option<Script> {
        let client = &clients.first()?.client;
        Some(Script::AnyPost((client.get)(0), client.numbers.end))
    }
}

/// Asks for the page of a post.
pub(crate) fn get_page(number: u64) -> Vec<u8> {
    http::get(&post::path(number), "")
}

/// Whether that is the page of the post, and nothing else.
pub(crate) fn is_page(answer: &Answer<'_>, number: u64) -> Result<()> {
    let text = answer.text()?;
    ensure!(text.contains(&post::ending(number)), "the text does not end as it should");
    let titles = text.matches(post::TITLE).count();
    ensure!(titles == text.matches(&post::title(number)).count(), "there is a title of another post");
    Ok(())
}

/// A signed-in author who publishes, each time another post.
pub(crate) struct Author {
    /// The header with the credential.
    pub(crate) cookie: String,
    number: u64,
    request: Vec<u8>,
    pub(crate) username: String,
    /// The ids that Byline answered with.
    pub(crate) acknowledged: Vec<String>,
}

impl Author {
    /// Makes so many accounts, each with a connection.
    pub(crate) async fn sign_up(count: u64, servers: &[SocketAddr]) -> Result<Vec<Asking<Self>>> {
        let author = |author| Self {
            cookie: String::new(),
            number: author << 32,
            username: format!("bench{author}"),
            request: Vec::new(),
            acknowledged: Vec::new(),
        };
        let mut authors = connect((1..=count).map(author), servers).await?;
        for Asking { client, connection } in &mut authors {
            let name = &client.username;
            let form = format!("username={name}&email={name}%40example.org&password={PASSWORD}");
            let answer = connection.exchange(&http::post("/api/sign_up", "", &form)).await?;
            answer.text()?;
            let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
            client.cookie = format!("Cookie: {}\r\n", cookie.context("signing up set no cookie")?);
        }
        Ok(authors)
    }
}

/// Of every account, encoded as in a form.
pub(crate) const PASSWORD: &str = "a+harbour+with+seven+lamps";

impl Client for Author {
    fn request(&mut self) -> &[u8] {
        self.number += 1;
        let title = post::title(self.number).replace(' ', "+");
        let content = post::content(self.number).replace(' ', "+").replace('\n', "%0A");
        let form = format!("title={title}&content={content}");
        self.request = http::post("/api/create_post", &self.cookie, &form);
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        let id = answer.text().ok().filter(|text| text.contains(&post::ending(self.number))).and_then(id);
        self.acknowledged.extend(id.map(str::to_owned));
        id.is_some()
    }

    fn script(clients: &mut [Asking<Self>]) -> Option<Script> {
        Some(Asking::one_of_each(clients))
    }
}

/// The id in the JSON of a post.
fn id(json: &str) -> Option<&str> {
    json.split_once("\"id\":\"")?.1.split('"').next()
}
