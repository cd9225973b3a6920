//! The server: configuration, database, router, pages, assets.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::{
    accounts::domain::{costs::CostsInUse, hashing::Hasher},
    config,
    credentials::{Actor, Secret, token::keys::Keys},
    database,
    error::AppError,
    graphql::Api,
    http::{allowed_origins, answers, bodies, fair_pool, origin, page_cache, turns},
    posts::{
        domain::rendering::Renderer,
        events::{self, broadcast::Broadcast},
    },
};

/// Everything that requests share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Site(Arc<Parts>);

/// The parts of a [`Site`].
#[derive(Debug)]
pub struct Parts {
    /// Where everything that matters is kept.
    pub database: database::Database,
    /// The lane for password hashing.
    pub hasher: Hasher,
    /// What stored passwords cost.
    pub costs: CostsInUse,
    /// What happens to posts, so that nothing stale is served and listeners hear of it.
    pub bus: Arc<events::Bus>,
    /// The lane for rendering Markdown.
    pub renderer: Renderer,
    /// Ready-made pages for readers without a session.
    pub pages: page_cache::PageCache,
    /// Memory for bodies of requests.
    pub bodies: Arc<fair_pool::FairPool>,
    /// Memory for answers that clients have yet to take.
    pub answers: Arc<fair_pool::FairPool>,
    /// How much who reads at a time through the API.
    pub turns: turns::Turns,
    /// The GraphQL API.
    pub api: Api,
    /// What happens to posts, for subscriptions.
    pub broadcast: Broadcast,
    secret: OnceCell<Secret>,
    /// What tokens are signed with.
    pub keys: Keys,
    /// How the site is reached from outside.
    pub public_url: origin::PublicUrl,
    /// Proxies whose word on the client's address is taken.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Origins whose scripts may use the API.
    pub cors_origins: allowed_origins::Origins,
}

impl Site {
    /// Opens the database and prepares everything else.
    ///
    /// # Errors
    /// [`config::StartError`], one clear sentence.
    pub async fn open(config: &config::Config) -> Result<Self, config::StartError> {
        Self::over(config, database::Database::open(&config.database)).await
    }

    /// [`Self::open`], for serving: no other process serves the same file meanwhile.
    ///
    /// # Errors
    /// [`config::StartError`], one clear sentence.
    pub async fn open_to_serve(config: &config::Config) -> Result<Self, config::StartError> {
        Self::over(config, database::Database::open_to_serve(&config.database)).await
    }

    async fn over(
        config: &config::Config,
        database: impl Future<Output = Result<database::Database, database::OpenError>>,
    ) -> Result<Self, config::StartError> {
        let hasher = Hasher::new(config.argon2)?;
        let database = database.await?;
        Ok(Self(Arc::new(Parts {
            turns: turns::Turns::new(database.readers()),
            bus: Arc::new(events::Bus::new(database.engine(), config.max_listeners)),
            database,
            hasher,
            costs: CostsInUse::default(),
            renderer: Renderer::default(),
            pages: page_cache::PageCache::default(),
            bodies: Arc::new(fair_pool::FairPool::new(bodies::ALL_BODIES)),
            answers: Arc::new(fair_pool::FairPool::new(answers::ALL_ANSWERS)),
            api: Api::new(config.conflict_detection).map_err(config::StartError::Schema)?,
            broadcast: Broadcast::default(),
            secret: OnceCell::new(),
            keys: Keys::default(),
            public_url: config.public_url.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            cors_origins: config.cors_origins.clone(),
        })))
    }

    /// What seals the tokens of this site. Made when first needed, so that an
    /// empty database stays empty until it serves.
    ///
    /// # Errors
    /// Those of the database, the first time.
    pub async fn secret(&self) -> Result<&Secret, AppError> {
        self.secret.get_or_try_init(|| Secret::of_site(&self.database)).await
    }

    /// As [`Self::secret`], for whoever may change nothing in the database: there
    /// may be none yet.
    ///
    /// # Errors
    /// Those of the database, the first time.
    pub async fn secret_made_before(&self) -> Result<Option<&Secret>, AppError> {
        if self.secret.get().is_none()
            && let Some(made) = Secret::made_before(&self.database).await?
        {
            // Another request may have been faster, with the same.
            let _ = self.secret.set(made);
        }
        Ok(self.secret.get())
    }

    /// A connection to read what `actor` may look at. Whoever is signed in
    /// reads from where they write, so that they see what they just did.
    /// Everyone else may be served by a replica that is as far as this
    /// process has heard: then no page shows what is older than another did.
    ///
    /// # Errors
    /// [`AppError::Busy`] when there is no connection.
    pub async fn reader_for(&self, actor: &Actor) -> Result<database::Db, AppError> {
        if !matches!(actor, Actor::User(_))
            && let Some(mut replica) = self.database.read_replica().await
            && matches!(events::store::has_come_to(&mut replica, self.bus.newest()).await, Ok(true))
        {
            return Ok(replica);
        }
        self.database.read().await
    }

    /// [`Self::reader_for`] `actor`, when it is `client`'s turn.
    ///
    /// # Errors
    /// [`AppError::Busy`] when there is no turn or no connection.
    pub async fn turn_for(
        &self,
        actor: &Actor,
        client: &turns::Client,
        reach: turns::Reach,
    ) -> Result<InTurn, AppError> {
        let turn = self.turns.next(client, reach).await?;
        Ok(InTurn { db: self.reader_for(actor).await?, _turn: turn })
    }
}

/// A connection for as long as a turn takes; it is given back first.
#[derive(Debug)]
pub struct InTurn {
    /// To read by.
    pub db: database::Db,
    _turn: turns::Turn,
}

impl std::ops::Deref for Site {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
