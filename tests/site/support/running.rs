//! A site that runs.

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use axum::{
    Router,
    middleware::{from_fn_with_state, map_request},
    routing::get,
};
use byline::{
    accounts::{
        ApiKeyDays, ApiKeyName, NewApiKey,
        domain::{
            Email, Login, NewAccount, NewPassword, api_keys, running::InCharge, service, store as accounts,
        },
    },
    config::{
        AuthorLimits, AwsVariables, Config, ConflictDetection, Cost, MediaQuota, Origins, PageMemory,
        SecretKeySource, SiteFiles, SiteSetting, SiteValues, Srp, Unverified,
    },
    credentials::{RequestSource, User},
    database::DatabaseConfig,
    http::{
        layers::{credentials, observe},
        listener,
        tls::Tls,
    },
    mail::Worker,
    posts::events::follow,
    router::router,
    site::Site,
    site_settings,
    username::Username,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{Client, Manner, PASSWORD, Probe, Smtp, TestDatabase, in_time};

/// A secret key: 32 bytes.
pub const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A site of its own: a port, and a database that goes when it does.
pub struct Running {
    pub address: SocketAddr,
    pub site: Site,
    /// Its certificate, if it has one.
    pub tls: Option<Arc<Tls>>,
    https: bool,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _following: follow::Following,
    mailing: Option<Worker>,
    // Last: what uses it goes first.
    database: TestDatabase,
}

impl Running {
    /// A fresh site on plain http, as on somebody's laptop.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// A fresh site that browsers reach through https.
    pub async fn start_behind_https() -> Self {
        Self::start_with(|config| config.public_url = "https://byline.example".parse().expect("a URL")).await
    }

    /// A fresh site that seals its secrets, whatever its database is.
    pub async fn start_with_key() -> Self {
        Self::start_with(Self::with_key).await
    }

    /// The setting of it.
    pub fn with_key(config: &mut Config) {
        config.secret_key = SecretKeySource::Given(KEY.into());
    }

    /// A fresh site that sends mail, with a key, and the server that gets it.
    pub async fn start_with_mail() -> (Smtp, Self) {
        let server = Smtp::start(Manner::Takes).await;
        let mail = server.settings();
        let site = Self::start_with(|config| {
            mail(config);
            Self::with_key(config);
        })
        .await;
        (server, site)
    }

    /// A fresh site behind a proxy on this machine, which says by `X-Forwarded-For` who
    /// asks: [`Client::coming_from`].
    pub async fn start_behind_a_proxy() -> Self {
        Self::start_with(|config| {
            Self::with_key(config);
            config.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
        })
        .await
    }

    /// A new site with other settings.
    pub async fn start_with(set: impl FnOnce(&mut Config)) -> Self {
        Self::over(TestDatabase::fresh().await, set).await
    }

    /// The same database after a restart with another cost of passwords.
    pub async fn restart_with(self, cost: Cost) -> Self {
        self.stop.send(()).expect("the site still runs");
        in_time("the site to stop", self.served).await.expect("the listener ends well");
        self.site.database.close().await;
        Self::over(self.database, |config| config.argon2 = cost).await
    }

    /// As if eleven minutes had passed since everybody has shown that it is them.
    pub async fn forget_confirmations(&self) {
        self.tamper(
            "UPDATE sessions SET data = REPLACE(data, '\"confirmed_at\":\"20', '\"confirmed_at\":\"19')",
        )
        .await;
    }

    /// Another process of the same site, which sends no mail itself.
    pub async fn another(&self, set: impl FnOnce(&mut Config)) -> Self {
        Self::over(TestDatabase::at(self.url_text()), set).await.stop_mail().await
    }

    /// An account that was made beside sign-up, whose address is not confirmed.
    pub async fn account(&self, username: &str) -> User {
        let account = NewAccount {
            username: Username::parse(username).expect("a username"),
            email: Email::parse(&format!("{username}@example.org")).expect("an address"),
            password: NewPassword::parse(PASSWORD, &[]).expect("a password"),
        };
        let source = RequestSource::command_line();
        service::sign_up(&self.site, account, None, &source).await.expect("an account")
    }

    /// Somebody whose account was made beside sign-up, signed in.
    pub async fn signed_in(&self, username: &str) -> Client {
        self.account(username).await;
        let mut browser = self.browser();
        assert_eq!(browser.log_in(username).await.status, 303);
        browser
    }

    /// Sets a setting of the site while it runs.
    pub async fn set(&self, setting: SiteSetting, value: &str) {
        let by = InCharge::at_the_command_line();
        site_settings::set(&self.site, &by, setting, value).await.expect("it is set");
    }

    /// Ends the worker that sends mail, as the end of the process does.
    pub async fn stop_mail(mut self) -> Self {
        if let Some(mailing) = self.mailing.take() {
            mailing.stop().await;
        }
        self
    }

    pub async fn on(database: TestDatabase) -> Self {
        Self::over(database, |_| ()).await
    }

    async fn over(database: TestDatabase, set: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut config = Config {
            listen: address,
            metrics_listen: None,
            otlp_endpoint: None,
            database: DatabaseConfig { connections: 8, ..database.config() },
            max_listeners: Config::MAX_LISTENERS,
            page_memory: PageMemory::default(),
            tls: None,
            public_url: format!("http://{address}").parse().expect("a URL"),
            argon2: Cost::FLOOR,
            trusted_proxies: Vec::new(),
            conflict_detection: ConflictDetection::Off,
            cors_origins: Origins::Any,
            author_limits: AuthorLimits::default(),
            secret_key: SecretKeySource::of_environment(None, &database.url()),
            mail: None,
            unverified: Unverified::MayWrite,
            srp: Srp::On,
            site: SiteValues::default(),
            site_files: SiteFiles::default(),
            media_quota: MediaQuota::of_mib(MediaQuota::DEFAULT),
            media_url: None,
            backup: None,
            aws: AwsVariables::default(),
        };
        set(&mut config);
        let site = Site::open(&config).await.expect("the site opens");
        let following = follow::start(&site).await;
        let tls = config.tls.clone().map(|files| Arc::new(Tls::load(files).expect("a certificate")));
        let (stop, served) = serve(listener, tls.clone(), router(site.clone()));
        let https = config.public_url.is_https();
        let mailing = Some(Worker::start(&site));
        Self { address, site, tls, https, stop, served, _following: following, mailing, database }
    }

    /// Somebody with a browser, not signed in.
    pub fn browser(&self) -> Client {
        Client::browser(self.address, self.https)
    }

    /// A program, not signed in.
    pub fn script(&self) -> Client {
        self.browser().as_script()
    }

    /// A new author in a browser.
    pub async fn author(&self, username: &str) -> Client {
        let mut browser = self.browser();
        let answer = browser.sign_up(username).await;
        assert_eq!(answer.status, 303, "{username} signs up: {}", answer.text());
        browser
    }

    /// Somebody with an account, as use cases know them.
    pub async fn user(&self, username: &str) -> User {
        let login = Login::Username(Username::parse(username).expect("a username"));
        let db = &mut self.site.database.read().await.expect("a connection");
        accounts::find(db, &login).await.expect("an answer").expect("an account").0
    }

    /// A new public key.
    pub async fn public_key(&self) -> NewApiKey {
        self.public_key_called("Public").await
    }

    /// A new key that everyone may know, by that name.
    pub async fn public_key_called(&self, name: &str) -> NewApiKey {
        let (name, days) = (ApiKeyName::parse(name).expect("a name"), ApiKeyDays::parse("1").expect("a day"));
        api_keys::create_public(&self.site, api_keys::Wanted { name, days }).await.expect("a key")
    }

    /// Where a post is read.
    pub async fn path_of(&self, id: &str) -> String {
        let sql = format!(
            "SELECT '/@' || u.username || '/' || p.slug FROM posts p JOIN users u ON u.id = p.owner_id WHERE p.id = '{id}'"
        );
        self.probe().await.texts(&sql).await.remove(0)
    }

    /// A post as it is stored.
    pub async fn stored_post(&self, id: &str) -> Option<StoredPost> {
        const FIND: &str = "SELECT u.username AS owner, p.title, COALESCE(p.content, '') AS content,
             p.content IS NOT NULL AS has_content, p.version
             FROM posts p JOIN users u ON u.id = p.owner_id WHERE p.id = $1";
        let found = match &mut self.probe().await {
            Probe::Sqlite(db) => sqlx::query_as(FIND).bind(id).fetch_optional(db).await,
            Probe::Postgres(db) => sqlx::query_as(FIND).bind(id).fetch_optional(db).await,
        };
        found.expect("a post or none")
    }
}

/// What is stored is asked for as of the site itself: `site.dump()`, `site.count(…)`.
impl Deref for Running {
    type Target = TestDatabase;

    fn deref(&self) -> &TestDatabase {
        &self.database
    }
}

/// A row of `posts`.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredPost {
    pub owner: String,
    pub title: String,
    /// Empty if there is none.
    pub content: String,
    pub has_content: bool,
    pub version: i64,
}

impl StoredPost {
    /// The content as programs get it.
    pub fn content(&self) -> Option<&str> {
        self.has_content.then_some(self.content.as_str())
    }
}

/// Serves `/breaks`, which panics, and `/works` within the layers that every
/// request of the site passes, and those of `around`.
pub async fn serve_a_panic(
    site: &Running,
    around: impl FnOnce(Router) -> Router,
) -> (SocketAddr, oneshot::Sender<()>) {
    async fn breaks() -> &'static str {
        panic!("a canary in the works")
    }
    let router = Router::new()
        .route("/breaks", get(breaks))
        .route("/works", get(async || "works"))
        .layer(from_fn_with_state(site.site.clone(), observe::observe))
        .layer(map_request(async |request| credentials::identify(request)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, _) = serve(listener, None, around(router));
    (address, stop)
}

/// Serves a router with the real listener, until the sender speaks or is dropped.
fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(async move {
        listener::serve(listener, tls, router, &[], async move {
            let _ = stopped.await;
        })
        .await;
    });
    (stop, served)
}
