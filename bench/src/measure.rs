//! The measurements, each with servers of its own.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    AUTHORS, READERS,
    api::{self, TokenAuthor},
    clients::{AnyPost, Author, SamePage, get_page, is_page},
    database::Posts,
    load::{self, Asking, Client, Rate},
    meter::Meter,
    post,
    server::{Server, Servers},
};

/// What a run measures with.
pub(crate) struct Bench {
    /// Starts what is asked.
    pub(crate) servers: Servers,
    /// What it is asked for.
    pub(crate) posts: Posts,
    /// How long everything is measured.
    pub(crate) measured: Duration,
}

/// A copy of the posts that programs may read.
pub(crate) struct CopyWithKey {
    /// As Byline's setting names it.
    pub(crate) url: String,
    /// An API key.
    pub(crate) key: String,
}

/// Servers under load.
pub(crate) struct Outcome {
    /// How fast they answered.
    pub(crate) rate: Rate,
    /// How many connections asked them.
    pub(crate) connections: usize,
    /// In bytes, of all of them.
    pub(crate) peak_memory: u64,
}

impl Bench {
    /// The first page of the list, which is returned too.
    pub(crate) async fn home(&self, processes: usize) -> Result<(Outcome, SamePage)> {
        let entries = usize::try_from(self.posts.count.min(20))?;
        self.same_page(processes, "/", "<article", entries).await
    }

    /// The page of a post that everybody reads, which is returned too.
    pub(crate) async fn one_post(&self) -> Result<(Outcome, SamePage)> {
        self.same_page(1, &format!("/posts/{}", post::id(0)), &post::ending(0), 1).await
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

    /// The same answer, over and over.
    async fn again(&self, servers: Vec<Server>, answer: &SamePage) -> Result<Outcome> {
        let readers = answer.clone().readers(READERS, &addresses(&servers)).await?;
        Ok(self.under_load(servers, readers).await?.0)
    }

    /// A copy to read by the API: the key has to be written somewhere.
    pub(crate) fn copy_with_key(&self) -> Result<CopyWithKey> {
        let url = self.posts.copy()?;
        let key = self.servers.api_key(&url)?;
        Ok(CopyWithKey { url, key })
    }

    /// The newest posts by the API, which are returned too.
    pub(crate) async fn api_list(&self, copy: &CopyWithKey) -> Result<(Outcome, SamePage)> {
        let servers = self.servers.byline(&copy.url, 1)?;
        let list = api::newest(servers[0].address, &copy.key, self.posts.count).await?;
        Ok((self.again(servers, &list).await?, list))
    }

    /// Posts by the API, each time another; the answer with one of them is
    /// returned too.
    pub(crate) async fn api_any_post(&self, copy: &CopyWithKey) -> Result<(Outcome, SamePage)> {
        let servers = self.servers.byline(&copy.url, 1)?;
        let one = api::one_post(servers[0].address, &copy.key).await?;
        let key = copy.key.clone();
        let get = move |number| api::get(&key, number);
        let addresses = addresses(&servers);
        let readers = AnyPost::readers(READERS, get, api::is_post, self.posts.count, &addresses).await?;
        Ok((self.under_load(servers, readers).await?.0, one))
    }

    /// A page from memory.
    pub(crate) async fn ready_made(&self, page: SamePage) -> Result<Outcome> {
        let server = self.servers.ready_made(&page.head, &page.body)?;
        let readers = page.readers(READERS, &[server.address]).await?;
        Ok(self.under_load(vec![server], readers).await?.0)
    }

    /// The pages of posts, each time of another.
    pub(crate) async fn any_post(&self, processes: usize) -> Result<Outcome> {
        let servers = self.servers.byline(&self.posts.url(), processes)?;
        let addresses = addresses(&servers);
        let readers = AnyPost::readers(READERS, get_page, is_page, self.posts.count, &addresses).await?;
        Ok(self.under_load(servers, readers).await?.0)
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
        let (outcome, authors) = self.under_load(servers, authors).await?;
        let ids: Vec<String> = authors.into_iter().flat_map(|author| acknowledged(author.client)).collect();
        ensure!(ids.iter().collect::<HashSet<_>>().len() == ids.len(), "an id was given twice");
        ensure!(self.posts.copy_has(&ids).await?, "a post that Byline acknowledged is missing");
        eprintln!("all {} posts are in the database", ids.len());
        Ok(outcome)
    }

    /// Lets the clients load the servers, which end with that, by force.
    async fn under_load<C: Client>(
        &self,
        servers: Vec<Server>,
        clients: Vec<Asking<C>>,
    ) -> Result<(Outcome, Vec<Asking<C>>)> {
        let connections = clients.len();
        let meter =
            Meter { servers: servers.iter().map(Server::process).collect(), postgres: self.posts.process()? };
        let (rate, clients) = load::run(clients, &meter, self.measured).await?;
        let peak_memory = servers.iter().map(Server::peak_memory).sum::<Result<u64>>()?;
        Ok((Outcome { rate, connections, peak_memory }, clients))
    }
}

fn addresses(servers: &[Server]) -> Vec<SocketAddr> {
    servers.iter().map(|server| server.address).collect()
}
