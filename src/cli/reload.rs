//! Takes changed settings at SIGHUP, without a restart.

use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::{
    config::{Config, Flags},
    http::{listener::HangUps, tls::Tls},
    media::domain::site_pictures,
    site::Site,
    site_settings,
};

/// Whether SIGHUP is to mean "read the settings again". It does if a manager hears from this
/// process (`NOTIFY_SOCKET`), or if it is process 1. Elsewhere it means that a terminal was closed.
pub(super) fn is_wanted(has_manager: bool) -> bool {
    // The first process of a container is a service as well.
    has_manager || std::process::id() == 1
}

/// What a process began with, and what it can change.
pub(super) struct Reload {
    pub(super) flags: Flags,
    /// As it was read at the start.
    pub(super) config: Config,
    pub(super) site: Site,
    pub(super) tls: Option<Arc<Tls>>,
}

impl Reload {
    /// Reads the settings at each signal, for as long as the process lives. Settings that
    /// cannot be read, or are wrong, stay as they are.
    pub(super) fn start(self, mut hang_ups: HangUps) -> JoinHandle<()> {
        tokio::spawn(async move {
            loop {
                hang_ups.next().await;
                self.once().await;
            }
        })
    }

    async fn once(&self) {
        let flags = self.flags.clone();
        let read = match spawn_blocking(move || Config::load_again(flags)).await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                return tracing::error!(%error, "the settings stay as they were, because they cannot be read");
            }
            Err(error) => return tracing::error!(%error, "the settings stay as they were"),
        };
        match site_pictures::with_files(&self.site, read.site.clone(), &read.site_files).await {
            Ok(seed) => self.site.begin_with(seed),
            Err(error) => {
                return tracing::error!(%error, "the settings stay as they were, because a picture cannot be read");
            }
        }
        if let Err(error) = site_settings::reload(&self.site).await {
            return tracing::error!(%error, "the settings of the site stay as they were");
        }
        if let Some(tls) = self.tls.clone()
            && let Ok(Err(error)) = spawn_blocking(move || tls.reload()).await
        {
            tracing::error!(%error, "the certificate stays as it was");
        }
        tracing::info!("the settings were read again");
        let later = self.config.other_than_in(&read);
        if !later.is_empty() {
            tracing::warn!(settings = later.join(", "), "these settings have changed and need a restart");
        }
    }
}
