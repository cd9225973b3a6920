//! The screens of `/admin`.

mod account;
mod accounts;
mod audit;
mod invitations;
mod overview;
mod pictures;
mod posts;
mod reports;
mod settings;
mod sweeps;
mod waiting;

pub use account::{AccountDeedPage, DeletePage, OneAccountPage};
pub use accounts::AccountsPage;
pub use audit::AuditPage;
pub use invitations::{InvitationsPage, RevokeInvitationPage};
pub use overview::OverviewPage;
pub use pictures::RemovePicturePage;
pub use posts::{HiddenPostsPage, HidePostPage, PostsPage, RestorePostPage};
pub use reports::{DismissReportsPage, ReportsPage};
pub use settings::SettingsPage;
pub use sweeps::{SweepsPage, UndoSweepPage};
pub use waiting::{ApprovePostPage, WaitingPostsPage};

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use url::form_urlencoded;

use crate::{
    accounts::domain::running::{self, InCharge},
    credentials::RequestSource,
    error::AppError,
    http::context::{caller, site},
    ui::{FormState, PageTitle, uri},
};

/// Entries of a page of a list.
const LISTED: i64 = 50;

/// Checks that whoever opens the page is in charge of the site.
///
/// # Errors
/// [`AppError::NotFound`].
async fn by() -> Result<InCharge, AppError> {
    running::in_charge(&site(), &caller(), &RequestSource::default()).await
}

/// [`by`], and they have just shown that it is them.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::ConfirmIdentity`].
async fn by_for_sure() -> Result<InCharge, AppError> {
    running::in_charge_for_sure(&site(), &caller(), &RequestSource::default()).await
}

fn parameter(name: &str) -> String {
    use_params_map().with_untracked(|params| params.get(name).unwrap_or_default())
}

fn query(name: &str) -> Option<String> {
    use_query_map().with_untracked(|query| query.get(name)).filter(|value| !value.is_empty())
}

/// The head of a page: its title, the ways to the others, its heading.
#[component]
fn Head(#[prop(into)] title: String) -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let named = if failed { format!("Error: {title}") } else { title.clone() };
    view! {
        <PageTitle text=named />
        <AdminNav />
        <h1>{title}</h1>
    }
}

#[component]
fn AdminNav() -> impl IntoView {
    let path = uri().path().to_owned();
    let link = move |href: &'static str, text: &'static str| {
        let is_below = href != "/admin" && path.starts_with(href);
        let current = if path == href { Some("page") } else { is_below.then_some("true") };
        view! { <li><a href=href aria-current=current>{text}</a></li> }
    };
    view! {
        <nav class="account-nav" aria-label="Site">
            <ul>
                {link("/admin", "Overview")}
                {link("/admin/settings", "Settings")}
                {link("/admin/accounts", "Accounts")}
                {link("/admin/posts", "Posts")}
                {link("/admin/reports", "Reports")}
                {link("/admin/sweeps", "Sweeps")}
                {link("/admin/invitations", "Invitations")}
                {link("/admin/audit", "Audit log")}
            </ul>
        </nav>
    }
}

/// A field and a button above a list, by which it is searched.
#[component]
fn SearchForm(action: &'static str, label: &'static str, hint: &'static str, typed: String) -> impl IntoView {
    view! {
        <form class="search" role="search" action=action>
            <div class="field">
                <label for="q">{label}</label>
                <p class="hint" id="q-hint">{hint}</p>
                <div class="control">
                    <input id="q" name="q" type="search" value=typed dir="auto" autocapitalize="none"
                        enterkeyhint="search" aria-describedby="q-hint" />
                    <button class="button" type="submit">"Search"</button>
                </div>
            </div>
        </form>
    }
}

/// Where the page of a list of posts begins: after the post with that time and that id.
fn place() -> Option<(i64, String)> {
    let at = query("before")?.parse().ok()?;
    Some((at, query("post").unwrap_or_default()))
}

/// The address of the part of a list that begins after that post ([`place`]).
fn after(path: &str, at: i64, post: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(format!("{path}?"));
    query.append_pair("before", &at.to_string()).append_pair("post", post);
    query.finish()
}

/// The way to what is older in a list.
#[component]
fn Older(href: Option<String>, text: &'static str) -> impl IntoView {
    href.map(|href| {
        view! {
            <nav class="pagination" aria-label="Pages"><a class="older" rel="next" href=href>{text}</a></nav>
        }
    })
}

/// A page with one button, for what is done by it: people read before they press, and may
/// reload.
#[component]
fn Deed(
    #[prop(into)] question: String,
    #[prop(into)] sentence: String,
    #[prop(into)] action: String,
    button: &'static str,
    #[prop(into)] back: String,
    /// Whether it takes something away.
    danger: bool,
) -> impl IntoView {
    view! {
        <PageTitle text=question.clone() />
        <section class="message">
            <h1>{question}</h1>
            <p>{sentence}</p>
            <form method="post" action=action class="button-row">
                <button class="button" class:danger=danger type="submit">{button}</button>
                <a href=back>"Go back"</a>
            </form>
        </section>
    }
}
