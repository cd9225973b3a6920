//! The memory of a process at rest.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    READERS,
    api::{self, Method, TokenAuthor},
    clients::{AnyPost, SamePage, get_page, is_page},
    http::{self, Connection},
    measure::Bench,
    post,
    report::{Column, Samples},
    server::{Memory, Server},
};

/// Until a server has done what it does by itself after it has started or worked.
const SETTLED: Duration = Duration::from_secs(2);

pub(crate) fn table() -> Samples {
    let columns = [
        Column::new("resident MB", 1),
        Column::new("PSS MB", 1),
        Column::new("of no file MB", 1),
        Column::new("most so far MB", 1),
    ];
    Samples::new(&["memory", "server"], columns)
}

/// Asks one process ever more of it, and looks when all of that is answered.
pub(crate) async fn measure(bench: &Bench, samples: &mut Samples) -> Result<()> {
    let servers = [bench.servers.byline(&bench.posts.copy()?, 1)?.remove(0)];
    let [server] = &servers;
    let address = server.address;
    let mut look = async |moment: &str| -> Result<()> {
        sleep(SETTLED).await;
        add(samples, moment, bench.name, server)
    };
    look("after start").await?;

    let mut connection = Connection::open(address).await?;
    for path in ["/", "/login", &post::path(0)] {
        connection.exchange(&http::get(path, "")).await?.text()?;
    }
    api::newest(Method::Post, address, &bench.key, bench.posts.count).await?;
    api::one_post(Method::Post, address, &bench.key).await?;
    drop(connection);
    look("after one request each for `/`, `/login`, the page of a post, `listPosts`, `getPost`").await?;

    let page = SamePage::first(address, "/", "<article", usize::try_from(bench.posts.count.min(20))?).await?;
    bench.under_load(&servers, page.readers(READERS, &[address]).await?).await?;
    let list = api::newest(Method::Post, address, &bench.key, bench.posts.count).await?;
    bench.under_load(&servers, list.readers(READERS, &[address]).await?).await?;
    look("after load on `/` and `listPosts`").await?;

    let posts = AnyPost::readers(READERS, get_page, is_page, 0..bench.posts.count, &[address]).await?;
    bench.under_load(&servers, posts).await?;
    look("after load on the page of a post, any id").await?;

    let authors = TokenAuthor::sign_up(crate::AUTHORS, &[address]).await?;
    look("after 16 sign-ups and logins").await?;
    bench.under_load(&servers, authors).await?;
    look("after load on `createPost`").await
}

fn add(samples: &mut Samples, moment: &str, name: &str, server: &Server) -> Result<()> {
    let Memory { resident, proportional, anonymous } = server.memory()?;
    let values = [resident, proportional, anonymous, server.peak_memory()?];
    eprintln!("{moment}: {:.1} MB", resident as f64 / 1e6);
    samples.add(&[moment, name], values.map(|bytes| Some(bytes as f64 / 1e6)));
    Ok(())
}
