//! The well-behaved clients.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Request};
use tokio::task::JoinSet;

use super::loads::Site;
use crate::support::{Client, try_exchange};

/// Between two requests of one client.
const PAUSE: Duration = Duration::from_millis(40);
/// The longest wait of a client.
const PATIENCE: Duration = Duration::from_secs(20);

/// The results of each client.
#[derive(Default)]
pub struct Polite(BTreeMap<&'static str, Fared>);

#[derive(Default)]
struct Fared {
    took: Vec<Duration>,
    refused: Vec<String>,
}

/// A request of one client, made new each time.
type Make = Box<dyn FnMut(usize) -> Request<Body> + Send>;

impl Polite {
    /// Watches them from when `load` begins until it has ended.
    pub async fn watch(site: &Site, load: impl Future<Output = ()>) -> Self {
        let (ended, watching) = tokio::sync::watch::channel(false);
        let mut all = JoinSet::new();
        for (who, make) in Self::everyone(site) {
            all.spawn(one(who, site.address(), make, watching.clone()));
        }
        load.await;
        ended.send(true).expect("they are still here");
        let mut polite = Self::default();
        while let Some(fared) = all.join_next().await {
            let (who, fared) = fared.expect("no panic");
            polite.0.insert(who, fared);
        }
        polite
    }

    fn everyone(site: &Site) -> [(&'static str, Make); 5] {
        let get = |client: Client, path: String| -> Make {
            Box::new(move |_| {
                client.request(axum::http::Method::GET, &path).body(Body::empty()).expect("a request")
            })
        };
        let reader = site.browser();
        let (first, post) = (reader.clone(), site.post_page.clone());
        let author = site.author.as_script();
        let key = site.key.clone();
        let host = site.address().to_string();
        let id = site.post.clone();
        [
            (
                "reader",
                Box::new(move |turn| {
                    let path = if turn.is_multiple_of(2) { "/" } else { &post };
                    first.request(axum::http::Method::GET, path).body(Body::empty()).expect("a request")
                }),
            ),
            (
                "author",
                Box::new(move |turn| {
                    let title = format!("Written in peace {turn}");
                    author.form("/api/create_post", &[("title", &title), ("content", "Some *words*.")])
                }),
            ),
            (
                "program",
                Box::new(move |_| {
                    let query = format!("{{\"query\":\"{{ getPost(id: \\\"{id}\\\") {{ id title }} }}\"}}");
                    let request = Request::builder().method("POST").uri("/graphql").header("x-api-key", &key);
                    let request = request.header("content-type", "application/json").header("host", &host);
                    request.body(Body::from(query)).expect("a request")
                }),
            ),
            ("livez", get(reader.clone(), "/livez".to_owned())),
            ("readyz", get(reader, "/readyz".to_owned())),
        ]
    }

    /// What is not as it should be.
    pub fn complaints(&self, p99: Duration, of_health: Duration) -> Vec<String> {
        let mut complaints = Vec::new();
        for (who, fared) in &self.0 {
            let limit = if who.ends_with('z') { of_health } else { p99 };
            if fared.p99() > limit {
                complaints.push(format!("{who} waits {:?}", fared.p99()));
            }
            if let Some(refused) = fared.refused.first() {
                complaints.push(format!(
                    "{who} is refused {} of {} times: {refused}",
                    fared.refused.len(),
                    fared.took.len()
                ));
            }
            if fared.took.is_empty() {
                complaints.push(format!("{who} was never answered"));
            }
        }
        complaints
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let of = |(who, fared): (&&str, &Fared)| {
            let refused = if fared.refused.is_empty() {
                String::new()
            } else {
                format!(" ({} refused)", fared.refused.len())
            };
            format!("{who} {} ms{refused} of {}", fared.p99().as_millis(), fared.took.len())
        };
        self.0.iter().map(of).collect::<Vec<_>>().join(", ")
    }
}

impl Fared {
    fn p99(&self) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took.get(took.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default()
    }
}

async fn one(
    who: &'static str,
    address: std::net::SocketAddr,
    mut make: Make,
    ended: tokio::sync::watch::Receiver<bool>,
) -> (&'static str, Fared) {
    let mut fared = Fared::default();
    let mut turn = 0;
    // At least once, however short the load.
    while turn == 0 || !*ended.borrow() {
        let begun = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, try_exchange(address, make(turn))).await;
        fared.took.push(begun.elapsed());
        match answer {
            Ok(Ok(answer)) if answer.status == 200 => {}
            Ok(Ok(answer)) => fared.refused.push(format!("{} {}", answer.status, short(&answer.body))),
            Ok(Err(error)) => fared.refused.push(error.to_string()),
            Err(_) => fared.refused.push(format!("no answer within {PATIENCE:?}")),
        }
        turn += 1;
        tokio::time::sleep(PAUSE).await;
    }
    (who, fared)
}

fn short(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned()
}
