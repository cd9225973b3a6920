//! What the tests use: a running site, its clients, the pages they get, and the
//! `byline` process.

mod client;
mod database;
mod graphql;
mod listener;
pub mod load;
mod moving;
mod objects;
mod page;
mod postgres;
mod process;
mod prometheus;
mod round_robin;
mod runner;
mod running;
mod several;
mod smtp;
mod socket;
mod soft_key;
mod srp;
mod timing;
mod totp;

pub mod picture;
pub mod tokens;

pub use client::{Answer, Client, slow_request, try_exchange, try_open};
pub use database::{Probe, TestDatabase};
pub use graphql::Credential;
pub use listener::{Listener, Told};
pub use moving::Moving;
pub use objects::{ObjectStore, Way};
pub use page::Page;
pub use postgres::{cluster, postgres_database};
pub use process::{Byline, Ended, Served};
pub use prometheus::Metrics;
pub use round_robin::RoundRobin;
pub use runner::runner;
pub use running::{KEY, Running, serve_a_panic};
pub use several::Several;
pub use smtp::{Arrived, Manner, Smtp, other_than};
pub use socket::{Heard, Socket};
pub use soft_key::SoftKey;
pub use srp::SrpClient;
pub use timing::same_time;
pub use totp::App;

use std::time::Duration;

/// Accepted for any account.
pub const PASSWORD: &str = "correct horse battery staple";

/// Longer than anything here takes on a slow machine; a test that gets here has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for `work`, but not for ever.
pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| panic!("waited {} s for {what}", PATIENCE.as_secs()))
}

/// Checks again and again until it is true.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    in_time(what, looking).await;
}

/// Known ways to get a script into a page, and to break out of the places
/// where a page shows text.
pub const PAYLOADS: &[&str] = &[
    "<script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "\" onfocus=alert(1) autofocus x=\"",
    "' onfocus=alert(1) autofocus x='",
    "` onfocus=alert(1) autofocus x=`",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<details open ontoggle=alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<iframe srcdoc=\"<script>alert(1)</script>\">",
    "<object data=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<button formaction=javascript:alert(1) form=editor>x</button>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<style>@import 'https://evil.example'</style>",
    "<link rel=stylesheet href=https://evil.example>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "![x](javascript:alert(1))",
    "[x](https://a.example \"\\\" onmouseover=alert(1) x=\\\"\")",
    "<javascript:alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp; &#60;",
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
];
