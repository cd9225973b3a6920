//! `/admin`: what there is, and whether it works.

use leptos::prelude::*;
use sqlx::FromRow;

use super::{Head, by};
use crate::{
    database::{Engine, on_engine},
    error::AppError,
    http::{context::site, health::usable_database},
    ops::backup::runs,
    posts::domain::{approval, reports},
    site::Site,
    ui::load,
};

/// Numbers of the site, each with the way to more, and its health.
#[component]
pub fn OverviewPage() -> impl IntoView {
    load(async move {
        by().await?;
        let site = site();
        let Counts { accounts, locked, posts, hidden, mails, given_up, invitations } = counts(&site).await?;
        let reported = reports::count_of_posts(&mut site.database.read().await?).await?;
        let waiting = approval::count(&mut site.database.read().await?).await?;
        let engine = match site.database.engine() {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        };
        let works = match usable_database(&site).await {
            Ok(_) if site.database.is_disk_full() => {
                "It can be read, and not be written: its disk is full. Make room; it goes on by itself."
                    .to_owned()
            }
            Ok(_) => "It can be read and written.".to_owned(),
            Err(problem) => problem,
        };
        let mail = if site.mailer().is_on() {
            format!("{mails} wait to be sent, {given_up} were given up")
        } else {
            "No mail is sent: the setting mail.transport is none".to_owned()
        };
        let backups = backups(&site).await?;
        Ok(view! {
            <Head title="Site" />
            <div class="parts">
                <Part title="Accounts" href="/admin/accounts" link="Look after accounts">
                    {format!("{accounts}, of which {locked} are locked")}
                </Part>
                <Part title="Posts" href="/admin/posts" link="Look after posts">
                    {format!("{posts} published, {waiting} waiting for approval, {hidden} hidden")}
                </Part>
                <Part title="Reports" href="/admin/reports" link="Read reports">
                    {if reported == 1 { "1 post is reported".to_owned() } else { format!("{reported} posts are reported") }}
                </Part>
                <Part title="Sweeps" href="/admin/sweeps" link="Sweep a wave away">
                    "Many accounts of one network at once."
                </Part>
                <Part title="Invitations" href="/admin/invitations" link="Invite somebody">
                    {format!("{invitations} can be used")}
                </Part>
                <Part title="Settings" href="/admin/settings" link="Change settings">
                    "Name, look, about page, who may sign up."
                </Part>
                <Part title="Audit log" href="/admin/audit" link="Read the log">
                    "Who did what to an account, for 400 days."
                </Part>
            </div>
            <section aria-labelledby="health">
                <h2 id="health">"Health"</h2>
                <dl class="facts">
                    <div><dt>"Byline"</dt><dd>{env!("CARGO_PKG_VERSION")}</dd></div>
                    <div><dt>"Database"</dt><dd>{engine}". "{works}</dd></div>
                    <div><dt>"Mail"</dt><dd>{mail}</dd></div>
                    <div><dt>"Backups"</dt><dd>{backups}</dd></div>
                    <div><dt>"Address"</dt><dd>{site.public_url.to_string()}</dd></div>
                </dl>
            </section>
        })
    })
}

/// How the backups are that the site makes of itself.
async fn backups(site: &Site) -> Result<String, AppError> {
    let Some(settings) = site.backups().settings() else {
        return Ok("The site makes none of itself: the setting backup.every is not set".to_owned());
    };
    let known = site.backups().known(&mut site.database.read().await?).await?;
    let zone = &site.settings().time_zone;
    let mut said = match &known.last_good {
        Some(run) => {
            let mib = run.bytes.unwrap_or(0) as f64 / 1_048_576.0;
            format!(
                "The last was made and verified on {}: {}, {mib:.1} MiB.",
                zone.moment(run.started_at()),
                run.file
            )
        }
        None => "None is made yet.".to_owned(),
    };
    if let Some(lack) = known.last_good.as_ref().and_then(|run| run.problem.as_ref()) {
        said += &format!(" But {lack}.");
    }
    if let Some(run) = &known.last_failure {
        let problem = run.problem.as_deref().unwrap_or_default();
        let when = zone.moment(run.ended_at());
        said += &format!(" Since then {} failed, the last on {when}: {problem}.", known.failures);
    } else if known.health(settings.every) == runs::Health::Late {
        said += " The next is late.";
    }
    if known.is_running() {
        said += " One is being made.";
    }
    Ok(said)
}

#[component]
fn Part(title: &'static str, href: &'static str, link: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="account-part">
            <h2>{title}</h2>
            <p>{children()}</p>
            <p><a href=href>{link}</a></p>
        </section>
    }
}

#[derive(FromRow)]
struct Counts {
    accounts: i64,
    locked: i64,
    posts: i64,
    hidden: i64,
    mails: i64,
    given_up: i64,
    invitations: i64,
}

async fn counts(site: &Site) -> Result<Counts, AppError> {
    let db = &mut site.database.read().await?;
    Ok(on_engine!(db => sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM users) AS accounts,
                 (SELECT COUNT(*) FROM users WHERE locked_at IS NOT NULL) AS locked,
                 (SELECT COUNT(*) FROM posts) AS posts,
                 (SELECT COUNT(*) FROM trashed_posts WHERE hidden_reason IS NOT NULL) AS hidden,
                 (SELECT COUNT(*) FROM outbox WHERE given_up_at IS NULL) AS mails,
                 (SELECT COUNT(*) FROM outbox WHERE given_up_at IS NOT NULL) AS given_up,
                 (SELECT COUNT(*) FROM invitations WHERE expires_at > $1) AS invitations",
        )
        .bind(crate::clock::now().micros())
        .fetch_one(db)
        .await?))
}
