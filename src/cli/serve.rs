//! `byline serve`

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, header::HOST},
};
use clap::Args;
use tokio::net::TcpListener;
use tower::ServiceExt;
use tracing::{instrument::WithSubscriber, subscriber::NoSubscriber};

use super::{
    failure::Failure,
    output,
    reload::{self, Reload},
    service::{self, Manager},
};
use crate::{
    accounts::domain::invitations,
    config::{Config, Flags, Smtp, StartError, scheme},
    database::DatabaseUrl,
    http::{
        listener::{self, HangUps},
        tls::Tls,
        traces::Exporter,
    },
    mail,
    media::objects,
    metrics,
    ops::{backup::scheduled::Keeper, demo, housekeeping, local},
    posts::{
        domain::{scheduled, search_index},
        events,
    },
    router,
    site::Site,
};

#[derive(Args, Debug)]
pub(super) struct Serve {
    /// Fill an empty database with a few authors and posts to look at
    #[arg(long)]
    demo: bool,
}

pub(super) async fn run(mut config: Config, flags: Flags, options: &Serve) -> Result<(), Failure> {
    let manager = Manager::of_environment().map(Arc::new);
    let hang_ups = reload::is_wanted(manager.is_some()).then(HangUps::heed).transpose()?;
    let stop = listener::stop_signal(hang_ups.is_none())?;
    let read = config.clone();
    let listener = listen(config.listen).await?;
    let for_metrics = metrics::bind(config.metrics_listen).await?;
    let tls = config.tls.clone().map(Tls::load).transpose()?.map(Arc::new);
    let wanted = config.listen;
    let address = listener.local_addr()?;
    config.listens_to(address);
    let site = Site::open_to_serve(&config).await?;
    warn_of_passwords(std::env::args_os().filter_map(|argument| argument.into_string().ok()));
    // Nobody has to read what is said here for the site to be served.
    let say = |line: &str| drop(output::write(&format!("{line}\n")));
    if options.demo {
        match demo::fill(&site).await? {
            Some(filled) => say(&filled.to_string()),
            None => say("The database already has accounts; --demo left it alone."),
        }
    }
    let cleaning = tokio::spawn(housekeeping::run(site.clone()));
    let asking = tokio::spawn(objects::say_whether_it_answers(site.clone()));
    let indexing = tokio::spawn(search_index::keep(site.clone()));
    let publishing = scheduled::start(&site);
    let mailing = mail::Worker::start(&site);
    let keeping = Keeper::start(&site);
    let exporting = Exporter::start(&site);
    let following = events::follow::start(&site).await;
    let here = format!("{}://{}", scheme(config.tls.as_ref()), local::on_this_machine(address));
    if !config.public_url.can_be_reached() {
        say(&format!("Byline is at {here}"));
        say("It listens on every address of this machine; set --public-url to the one that others use.");
    } else if wanted.port() == 0 {
        say(&format!("Byline is at {here}"));
    } else {
        say(&format!("Byline is at {}", config.public_url));
    }
    match invitations::for_the_first(&site).await {
        Ok(Some(invitation)) => {
            let path = format!("/signup?invite={}", invitation.expose());
            let link = if config.public_url.can_be_reached() && wanted.port() != 0 {
                site.link(&path)
            } else {
                format!("{here}{path}")
            };
            say(
                "Nobody has an account yet. Whoever signs up by this link within a day is in charge of the site:",
            );
            say(&link);
        }
        Ok(None) => {}
        // On a full disk, or a standby, readers are served all the same.
        Err(error) => {
            tracing::warn!(%error, "nobody has an account, and nobody can be invited to be in charge")
        }
    }
    if let Some(listener) = &for_metrics {
        say(&format!(
            "Metrics are at http://{}{}",
            local::on_this_machine(listener.local_addr()?),
            metrics::PATH
        ));
    }
    let for_metrics = for_metrics.map(|listener| metrics::start(listener, &site));
    let bus = Arc::clone(site.bus());
    let router = router::router(site.clone());
    let watching = manager.clone().map(|manager| {
        manager.tell("READY=1");
        let router = router.clone();
        tokio::spawn(async move { manager.watch(|| answers(router.clone())).await })
    });
    let stop = async move {
        stop.await;
        if let Some(manager) = manager {
            manager.tell("STOPPING=1");
        }
        bus.close();
    };
    let renewing = tls.clone().map(|tls| tokio::spawn(tls.reload_on_change()));
    let reload = Reload { flags, config: read, site: site.clone(), tls: tls.clone() };
    let reloading = hang_ups.map(|hang_ups| reload.start(hang_ups));
    listener::serve(listener, tls, router, &site.trusted_proxies, stop).await;
    if let Some(watching) = watching {
        watching.abort();
    }
    cleaning.abort();
    asking.abort();
    indexing.abort();
    publishing.abort();
    for task in [renewing, reloading].into_iter().flatten() {
        task.abort();
    }
    drop(following);
    if let Some(served) = for_metrics
        && let Err(error) = served.await
    {
        tracing::error!(%error, "the metrics have ended badly");
    }
    keeping.stop().await;
    mailing.stop().await;
    exporting.stop().await;
    site.database.close().await;
    Ok(())
}

/// Listens on the socket that was handed over, else on this address.
async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    match service::inherited_listener()? {
        Some(listener) => Ok(TcpListener::from_std(listener)?),
        None => {
            let bound = TcpListener::bind(address).await;
            Ok(bound.map_err(|cause| StartError::Listen { address, cause })?)
        }
    }
}

/// Whether the site answers a request through all of its layers. It is asked in the process,
/// because a connection could find all places taken, and a site under a flood is not to be
/// started anew. The log says nothing of it.
async fn answers(router: Router) -> bool {
    let request = Request::get("/livez").header(HOST, "localhost").body(Body::empty());
    let Ok(request) = request else { return false };
    let answer = router.oneshot(request).with_subscriber(NoSubscriber::default()).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Logs a warning for a password in an argument: everybody with an account on this
/// machine can read the arguments of a running process.
fn warn_of_passwords(arguments: impl Iterator<Item = String>) {
    let has_password = |argument: String| {
        let value = argument.split_once('=').filter(|(flag, _)| flag.starts_with("--"));
        let value = value.map_or(argument.as_str(), |(_, value)| value);
        value.parse::<DatabaseUrl>().is_ok_and(|url| url.has_password())
            || value.parse::<Smtp>().is_ok_and(|smtp| smtp.credentials.is_some())
    };
    if arguments.filter(|argument| argument.contains("://")).any(has_password) {
        tracing::warn!(
            "a password stands on the command line, where everybody on this machine can read it: \
             write the URL into a file, and name that by --database-url-file, --database-listen-url-file, --read-database-url-file or --mail-transport-file"
        );
    }
}
