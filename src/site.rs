//! The state that requests share.
//!
//! A site knows what every module may use: the database, and the address of the
//! site. Everything else with the same lifetime is a [part](Site::part). The
//! module that defines a part also adds its accessor, so this file, which is
//! below all of them, names none. [`crate::start`] puts the parts together.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    sync::Arc,
};

use ipnet::IpNet;

use crate::{
    config::{Identity, Origins, PublicUrl},
    database::Database,
};

/// Everything that requests share. Cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Shared>);

/// What every site has; see [`Site`].
pub struct Shared {
    pub database: Database,
    /// The address by which browsers reach the site.
    pub public_url: PublicUrl,
    /// What the site calls itself, and how it looks.
    pub identity: Identity,
    /// Proxies whose word on the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose scripts may use the API.
    pub cors_origins: Origins,
    parts: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl Site {
    /// The address of a path, for whoever reads it elsewhere: by the setting `public-url`
    /// alone, never by what a request calls this site (security row P7).
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    #[must_use]
    pub fn without_parts(
        database: Database,
        public_url: PublicUrl,
        identity: Identity,
        trusted_proxies: Vec<IpNet>,
        cors_origins: Origins,
    ) -> Shared {
        Shared { database, public_url, identity, trusted_proxies, cors_origins, parts: HashMap::new() }
    }

    /// The part of that type.
    ///
    /// # Panics
    /// Where [`crate::start`] has forgotten it, which no request survives and
    /// so the first test notices.
    #[must_use]
    pub fn part<T: Any + Send + Sync>(&self) -> &T {
        let part = self.0.parts.get(&TypeId::of::<T>()).and_then(|part| part.downcast_ref());
        part.unwrap_or_else(|| panic!("the site was put together without {}", type_name::<T>()))
    }
}

impl Shared {
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, part: T) -> Self {
        self.parts.insert(TypeId::of::<T>(), Box::new(part));
        self
    }
}

impl From<Shared> for Site {
    fn from(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for Site {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}
