//! What the connections ask for.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, ensure};

use crate::{
    http::{self, Answer, Connection},
    load::Client,
    post,
};

/// Reads one page again and again; it must stay as it is to the byte.
#[derive(Clone)]
pub(crate) struct SamePage {
    request: Vec<u8>,
    /// Status line and headers of the first answer.
    pub(crate) head: String,
    /// The whole of it.
    pub(crate) body: Arc<[u8]>,
}

impl SamePage {
    /// Reads the page once. `marker` has to stand in it `times` times.
    pub(crate) async fn first(address: SocketAddr, path: &str, marker: &str, times: usize) -> Result<Self> {
        let request = http::get(address, path, "");
        let mut connection = Connection::open(address).await?;
        let answer = connection.exchange(&request).await?;
        let found = answer.text()?.matches(marker).count();
        ensure!(found == times, "{path} has \"{marker}\" {found} times instead of {times}");
        let (head, body) = (answer.head.to_owned(), answer.body.into());
        Ok(Self { request, head, body })
    }

    /// The same page from another server, so that of both the same is asked.
    pub(crate) fn from(&self, address: SocketAddr, path: &str) -> Self {
        Self { request: http::get(address, path, ""), ..self.clone() }
    }
}

impl Client for SamePage {
    fn request(&mut self) -> &[u8] {
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        answer.is_ok() && *answer.body == *self.body
    }
}

/// Reads posts, each time another.
pub(crate) struct AnyPost {
    address: SocketAddr,
    count: u64,
    round: u64,
    number: u64,
    request: Vec<u8>,
}

impl AnyPost {
    /// `first_round` keeps connections from asking for the same posts.
    pub(crate) fn new(address: SocketAddr, count: u64, first_round: u64) -> Self {
        Self { address, count, round: first_round, number: 0, request: Vec::new() }
    }
}

impl Client for AnyPost {
    fn request(&mut self) -> &[u8] {
        self.round += 1;
        self.number = post::scattered(self.round, self.count);
        self.request = http::get(self.address, &format!("/posts/{}", post::id(self.number)), "");
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        // Its text is whole, and no title of another post came into the page.
        answer.text().is_ok_and(|text| {
            text.contains(&post::ending(self.number))
                && text.matches(post::TITLE).count() == text.matches(&post::title(self.number)).count()
        })
    }
}

/// A signed-in author who publishes, each time another post.
pub(crate) struct Author {
    address: SocketAddr,
    cookie: String,
    number: u64,
    request: Vec<u8>,
    /// The ids that Byline answered with.
    pub(crate) acknowledged: Vec<String>,
}

impl Author {
    /// Makes an account. Posts are numbered from `first_post`.
    pub(crate) async fn sign_up(address: SocketAddr, first_post: u64) -> Result<Self> {
        let form =
            format!("username=bench{first_post}&email=bench{first_post}%40example.org&password={PASSWORD}");
        let mut connection = Connection::open(address).await?;
        let request = http::post(address, "/api/sign_up", "", &form);
        let answer = connection.exchange(&request).await?;
        answer.text()?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = format!("Cookie: {}\r\n", cookie.context("signing up set no cookie")?);
        Ok(Self { address, cookie, number: first_post, request: Vec::new(), acknowledged: Vec::new() })
    }
}

/// Nobody logs in with it again.
const PASSWORD: &str = "a+harbour+with+seven+lamps";

impl Client for Author {
    fn request(&mut self) -> &[u8] {
        self.number += 1;
        let title = post::title(self.number).replace(' ', "+");
        let content = post::content(self.number).replace(' ', "+").replace('\n', "%0A");
        let form = format!("title={title}&content={content}");
        self.request = http::post(self.address, "/api/create_post", &self.cookie, &form);
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        let id = answer.text().ok().filter(|text| text.contains(&post::ending(self.number))).and_then(id);
        self.acknowledged.extend(id.map(str::to_owned));
        id.is_some()
    }
}

/// The id in the JSON of a post.
fn id(json: &str) -> Option<&str> {
    json.split_once("\"id\":\"")?.1.split('"').next()
}
