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
    sync::{Arc, PoisonError, RwLock},
};

use ipnet::IpNet;

use crate::{
    config::{Origins, PublicUrl, SiteSettings, SiteValues},
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
    /// Proxies whose word on the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose scripts may use the API.
    pub cors_origins: Origins,
    /// The values of the settings with which the site began, or that were read since then.
    seed: RwLock<Arc<SiteValues>>,
    settings: RwLock<Arc<SiteSettings>>,
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
        seed: SiteValues,
        trusted_proxies: Vec<IpNet>,
        cors_origins: Origins,
    ) -> Shared {
        Shared {
            database,
            public_url,
            trusted_proxies,
            cors_origins,
            settings: RwLock::new(Arc::new(SiteSettings::of_what_fits(&seed))),
            seed: RwLock::new(Arc::new(seed)),
            parts: HashMap::new(),
        }
    }

    /// What the site calls itself, how it looks and whom it takes, now. Whoever needs two of
    /// them asks once: they may change in between.
    #[must_use]
    pub fn settings(&self) -> Arc<SiteSettings> {
        Arc::clone(&self.0.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the settings are those of [`Self::seed`], and `stored` above them. Whether that changes something.
    pub fn take_settings(&self, stored: &SiteValues) -> bool {
        let settings = SiteSettings::of_what_fits(&self.seed().below(stored));
        let mut current = self.0.settings.write().unwrap_or_else(PoisonError::into_inner);
        let changed = **current != settings;
        if changed {
            *current = Arc::new(settings);
        }
        changed
    }

    /// The values of the settings by flags, variables and `byline.toml`.
    #[must_use]
    pub fn seed(&self) -> Arc<SiteValues> {
        Arc::clone(&self.0.seed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on flags, variables and `byline.toml` say this. It counts with the next
    /// [`Self::take_settings`].
    pub fn begin_with(&self, seed: SiteValues) {
        *self.0.seed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(seed);
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
