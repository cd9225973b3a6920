//! Puts a site together.

use std::sync::Arc;

use leptos::prelude::IntoAny;

use crate::{
    accounts,
    accounts::domain::{costs::CostsInUse, hashing::Hasher, throttle::Lanes},
    admin,
    app::App,
    config::{Config, StartError},
    credentials::{
        LastUse, SiteSecret,
        api_key::KnownKeys,
        sealing::{self, Opening, SiteSealer},
        token::{KnownTokens, Parties, keys::Keys},
        trust::Trust,
    },
    database::{Database, Db, OpenError},
    error::AppError,
    graphql::{self, Api},
    http::forms::Forms,
    http::{
        answers, bodies,
        health::MoreHealth,
        page_cache::{PageCache, PageKeys, PagesChanged},
        pages::{Document, Shortcut},
        request_counts::RequestCounts,
        traces::Tracer,
        turns::Turns,
    },
    mail::Mailer,
    media,
    media::domain::{Studio, served::ServedFiles, site_pictures, uses::FindUses},
    media::objects::Objects,
    ops::backup::scheduled::Schedule,
    posts,
    posts::{
        domain::{
            pictures, reading::PostReaders, rendering::Renderer, scheduled::Publisher, slugs::KnownAddresses,
        },
        events::{Bus, broadcast::Broadcast},
        images::DrawnImages,
        pages::frame::Frames,
    },
    site::Site,
    site_settings,
};

impl Site {
    /// Opens the database and prepares everything else.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        assemble(config, Database::open(&config.database), Opening::ForCommand).await
    }

    /// [`Self::open`], for serving: no other process serves the same file meanwhile.
    pub async fn open_to_serve(config: &Config) -> Result<Self, StartError> {
        assemble(config, Database::open_to_serve(&config.database), Opening::ToServe).await
    }
}

const FORMS: Forms = Forms {
    of_features: &[
        accounts::forms::FORMS,
        accounts::factor_forms::FORMS,
        accounts::mail_forms::FORMS,
        posts::forms::FORMS,
        media::forms::FORMS,
        admin::forms::FORMS,
    ],
    calls: &[&posts::forms::PREVIEW_POST, &accounts::factor_forms::BEGIN_PASSKEY_LOG_IN],
    notices: &[
        &accounts::mail_forms::NOTICES,
        &posts::forms::NOTICES,
        &[&media::forms::ADDED, &admin::forms::PICTURE_SAVED],
    ],
};

async fn assemble(
    config: &Config,
    database: impl Future<Output = Result<Database, OpenError>>,
    opening: Opening,
) -> Result<Site, StartError> {
    let hasher = Hasher::new(config.argon2)?;
    let objects = Objects::new(config.media_url.clone(), config.aws.clone())?;
    let schedule =
        Schedule::new(config.backup.clone(), config.database.direct().clone(), config.aws.clone())?;
    let database = database.await?;
    let sealer = sealing::open(&config.secret_key, &database, opening).await?;
    let turns = Turns::new(database.readers());
    let bus = Arc::new(Bus::new(database.engine(), config.max_listeners));
    let parties = Parties::of(&config.public_url, graphql::http::PATH);
    let trust = Trust::new(database.engine());
    let api = Api::new(config.conflict_detection, config.page_memory).map_err(StartError::Schema)?;
    let site = Site::without_parts(
        database,
        config.public_url.clone(),
        config.site.clone(),
        config.trusted_proxies.clone(),
        config.cors_origins.clone(),
    );
    let site: Site = site
        .with(config.author_limits)
        .with(SiteSecret::default())
        .with(Keys::new(sealer.clone()))
        .with(SiteSealer(sealer))
        .with(Mailer::new(config.mail.clone()))
        .with(config.unverified)
        .with(config.srp)
        .with(PagesChanged(|site| site.bus().changes.everything_changed()))
        .with(trust)
        .with(KnownKeys::default())
        .with(KnownTokens::default())
        .with(parties)
        .with(LastUse::default())
        .with(hasher)
        .with(CostsInUse::default())
        .with(Lanes::default())
        .with(bodies::Pool::default())
        .with(answers::Pool::default())
        .with(turns)
        .with(PageCache::new(config.page_memory))
        .with(RequestCounts::default())
        .with(Tracer::new(config.otlp_endpoint.clone()))
        .with(bus)
        .with(Broadcast::default())
        .with(Renderer::new(config.page_memory))
        .with(PostReaders::new(config.page_memory))
        .with(KnownAddresses::default())
        .with(Publisher::default())
        .with(Frames::default())
        .with(config.media_quota)
        .with(objects)
        .with(Studio::default())
        .with(ServedFiles::new(config.page_memory))
        .with(DrawnImages::new(config.page_memory))
        .with(FindUses(|db, author| Box::pin(pictures::of_author(db, author))))
        .with(Shortcut(posts::pages::frame::shortcut))
        .with(schedule)
        .with(MoreHealth(|site, db| Box::pin(health_of_backups(site, db))))
        .with(api)
        .with(FORMS)
        .with(PageKeys { known: posts::pages::cache_key::known, find: posts::pages::cache_key::find })
        .with(Document(|| App().into_any()))
        .into();
    let seed = site_pictures::with_files(&site, config.site.clone(), &config.site_files).await?;
    site.begin_with(seed);
    site_settings::reload(&site).await.map_err(StartError::SiteSettings)?;
    Ok(site)
}

/// What `/readyz` says about backups, where the site makes them of itself: how they are, and
/// neither where nor why, because everybody reads it.
async fn health_of_backups(site: &Site, db: &mut Db) -> Result<String, AppError> {
    let backups = site.backups();
    let Some(settings) = backups.settings() else { return Ok(String::new()) };
    let known = backups.known(db).await?;
    Ok(format!("backup: {}\n", known.health(settings.every).name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_notices_have_one_name() {
        let of_forms = FORMS.all().filter_map(|form| form.notice);
        for notice in of_forms.chain(FORMS.notices.iter().copied().flatten().copied()) {
            let found = FORMS.notice(notice.name).map(|found| found.sentence);
            assert_eq!(found, Some(notice.sentence), "{}", notice.name);
        }
    }
}
