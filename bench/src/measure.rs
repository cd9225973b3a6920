//! The measurements, each with its own servers.

use std::{
    cell::Cell,
    collections::HashSet,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    AUTHORS, READERS,
    api::{self, Method, TokenAuthor},
    busy_disk::BusyDisk,
    clients::{AnyPost, Author, Changing, SamePage, get_page, is_full_page, is_page},
    database::Posts,
    external::External,
    http::{self, Answer, Connection},
    load::{self, Asking, Client, Rate, WARM_UP, Worker},
    meter::Meter,
    post,
    server::{Server, Servers, Setting},
};

/// The pause between two posts while others read.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) servers: Servers,
    pub(crate) posts: Posts,
    /// An API key, which is valid in copies too.
    pub(crate) key: String,
    /// How long each measurement counts.
    pub(crate) measured: Duration,
    /// Another program to make the same load, where there is one.
    pub(crate) external: Option<Rc<External>>,
    /// Whether the external generator runs as well.
    pub(crate) external_too: Cell<bool>,
}

/// What is read while it changes.
#[derive(Clone, Copy)]
pub(crate) enum Watched {
    /// The first page of the list.
    Home,
    /// The same of the API's.
    List,
}

pub(crate) struct Outcome {
    pub(crate) rate: Rate,
    /// On how many connections.
    pub(crate) connections: usize,
    /// Of all servers, in bytes.
    pub(crate) peak_memory: u64,
    /// How often in a second they answered another program.
    pub(crate) external: Option<f64>,
}

impl Bench {
    /// The first page of the list, which is returned too.
    pub(crate) async fn home(&self, processes: usize) -> Result<(Outcome, SamePage)> {
        let entries = usize::try_from(self.posts.count.min(20))?;
        self.same_page(processes, "/", "<article", entries).await
    }

    /// The page of a post that everybody reads, which is returned too.
    pub(crate) async fn one_post(&self) -> Result<(Outcome, SamePage)> {
        self.same_page(1, &post::path(0), &post::ending(0), 1).await
    }

    async fn same_page(
        &self,
        processes: usize,
        path: &str,
        marker: &str,
        markers: usize,
    ) -> Result<(Outcome, SamePage)> {
        let servers = self.servers.byline(&self.posts.url(), processes)?;
        let page = SamePage::first(servers[0].address, path, marker, markers).await?;
        Ok((self.again(servers, &page).await?, page))
    }

    /// Asks for the same answer over and over.
    async fn again(&self, servers: Vec<Server>, answer: &SamePage) -> Result<Outcome> {
        let readers = answer.clone().readers(READERS, &addresses(&servers)).await?;
        Ok(self.under_load(&servers, readers).await?.0)
    }

    /// The newest posts by the API, which are returned too.
    pub(crate) async fn api_list(&self, method: Method) -> Result<(Outcome, SamePage)> {
        let servers = self.servers.byline(&self.posts.url(), 1)?;
        let list = api::newest(method, servers[0].address, &self.key, self.posts.count).await?;
        Ok((self.again(servers, &list).await?, list))
    }

    /// Reads one post by the API, and returns it.
    pub(crate) async fn api_one_post(&self, method: Method) -> Result<(Outcome, SamePage)> {
        let servers = self.servers.byline(&self.posts.url(), 1)?;
        let post = api::one_post(method, servers[0].address, &self.key).await?;
        Ok((self.again(servers, &post).await?, post))
    }

    /// Posts by the API, each time another, with memory for a tenth of
    /// answers like this one.
    pub(crate) async fn api_any_post(&self, method: Method, like: &SamePage) -> Result<Outcome> {
        let server = self.servers.byline_with(&self.posts.url(), self.room_for_a_tenth(like))?;
        let key = self.key.clone();
        let get = move |number| api::get(method, &key, number);
        let readers =
            AnyPost::readers(READERS, get, api::is_post, 0..self.posts.count, &[server.address]).await?;
        Ok(self.under_load(&[server], readers).await?.0)
    }

    /// A page from memory.
    pub(crate) async fn ready_made(&self, page: SamePage) -> Result<Outcome> {
        let server = self.servers.ready_made(&page.head, &page.body)?;
        let readers = page.readers(READERS, &[server.address]).await?;
        Ok(self.under_load(&[server], readers).await?.0)
    }

    /// The pages of posts, each time of another.
    pub(crate) async fn any_post(&self, processes: usize) -> Result<Outcome> {
        self.any_page(self.servers.byline(&self.posts.url(), processes)?).await
    }

    /// The same by one process, with memory for a tenth of pages like this one.
    pub(crate) async fn any_post_beyond_memory(&self, like: &SamePage) -> Result<Outcome> {
        let server = self.servers.byline_with(&self.posts.url(), self.room_for_a_tenth(like))?;
        self.any_page(vec![server]).await
    }

    async fn any_page(&self, servers: Vec<Server>) -> Result<Outcome> {
        let addresses = addresses(&servers);
        let readers = AnyPost::readers(READERS, get_page, is_page, 0..self.posts.count, &addresses).await?;
        Ok(self.under_load(&servers, readers).await?.0)
    }

    /// Memory for as many bytes as a tenth of the posts have in such answers.
    fn room_for_a_tenth(&self, like: &SamePage) -> Setting<'static> {
        Setting {
            page_memory: Some(self.posts.count * like.body.len() as u64 / 10),
            limit: None,
            costly_passwords: false,
        }
    }

    /// What changes with each post, while an author publishes one every
    /// [`PAUSE`]. What the author was answered last has to be there at once.
    pub(crate) async fn while_writing(&self, watched: Watched) -> Result<Outcome> {
        let servers = self.servers.byline(&self.posts.copy()?, 1)?;
        let address = servers[0].address;
        let (request, check): (_, fn(&Answer<'_>) -> Result<()>) = match watched {
            Watched::Home => (http::get("/", ""), is_full_page),
            Watched::List => (api::list(Method::Post, &self.key), api::is_list),
        };
        let readers = Changing::new(request.clone(), check).readers(READERS, address).await?;
        let author = TokenAuthor::sign_up(1, &[address]).await?.pop().context("nobody signed up")?;
        let writing = tokio::spawn(publish_now_and_then(author, WARM_UP + self.measured));
        let outcome = self.under_load(&servers, readers).await?.0;
        let id = writing.await??;
        let mut connection = Connection::open(address).await?;
        let answer = connection.exchange(&request).await?;
        check(&answer)?;
        ensure!(answer.text()?.contains(&id), "the newest post is not in the list");
        Ok(outcome)
    }

    /// What `/` comes to while the disk with the log is busy: Byline's, and the same from memory.
    pub(crate) async fn home_while_disk_is_busy(&self) -> Result<(Outcome, SamePage)> {
        let _busy = BusyDisk::start(&self.servers.folder)?;
        self.home(1).await
    }

    /// A page from memory at the same time.
    pub(crate) async fn ready_made_while_disk_is_busy(&self, page: SamePage) -> Result<Outcome> {
        let _busy = BusyDisk::start(&self.servers.folder)?;
        self.ready_made(page).await
    }

    /// Publishing, by signed-in authors. The servers are killed right after
    /// the last answer, and what they acknowledged is looked for.
    pub(crate) async fn create(&self, processes: usize) -> Result<Outcome> {
        let servers = self.servers.byline(&self.posts.copy()?, processes)?;
        let authors = Author::sign_up(AUTHORS, &addresses(&servers)).await?;
        self.publishing(servers, authors, |author| author.acknowledged).await
    }

    /// The same by the API, with access tokens.
    pub(crate) async fn api_create(&self) -> Result<Outcome> {
        let servers = self.servers.byline(&self.posts.copy()?, 1)?;
        let authors = TokenAuthor::sign_up(AUTHORS, &addresses(&servers)).await?;
        self.publishing(servers, authors, |author| author.acknowledged).await
    }

    async fn publishing<C: Client>(
        &self,
        servers: Vec<Server>,
        authors: Vec<Asking<C>>,
        acknowledged: impl Fn(C) -> Vec<String>,
    ) -> Result<Outcome> {
        let (outcome, authors) = self.under_load(&servers, authors).await?;
        drop(servers);
        let ids: Vec<String> = authors.into_iter().flat_map(|author| acknowledged(author.client)).collect();
        ensure!(ids.iter().collect::<HashSet<_>>().len() == ids.len(), "an id was given twice");
        ensure!(self.posts.copy_has(&ids).await?, "a post that Byline acknowledged is missing");
        eprintln!("all {} posts are in the database", ids.len());
        Ok(outcome)
    }

    /// Runs the clients against the servers.
    pub(crate) async fn under_load<C: Client>(
        &self,
        servers: &[Server],
        clients: Vec<Asking<C>>,
    ) -> Result<(Outcome, Vec<Asking<C>>)> {
        let connections = clients.len();
        let meter =
            Meter { servers: servers.iter().map(Server::process).collect(), postgres: self.posts.process()? };
        let (rate, mut clients) = load::run(clients, &meter, self.measured).await?;
        let peak_memory = servers.iter().map(Server::peak_memory).sum::<Result<u64>>()?;
        let external = match (&self.external, servers) {
            (Some(external), [server]) if self.external_too.get() => C::script(&mut clients)
                .map(|script| external.load(server.address, &script, connections, self.measured))
                .transpose()?,
            _ => None,
        };
        Ok((Outcome { rate, connections, peak_memory, external }, clients))
    }
}

/// Publishes a post every [`PAUSE`] for so long. Returns the id of the last one.
async fn publish_now_and_then(mut author: Asking<TokenAuthor>, time: Duration) -> Result<String> {
    let end = Instant::now() + time;
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < end {
        ticks.tick().await;
        author.once().await?;
    }
    author.client.acknowledged.pop().context("nothing was published")
}

fn addresses(servers: &[Server]) -> Vec<SocketAddr> {
    servers.iter().map(|server| server.address).collect()
}
