//! `/admin/accounts`: everybody who has an account.

use leptos::prelude::*;
use url::form_urlencoded;

use super::{Head, LISTED, Older, SearchForm, by, query};
use crate::{
    accounts::domain::store::{self, Listed},
    http::context::site,
    timestamp::Timestamp,
    ui::{Time, load},
};

/// The newest accounts first; those with a word in the username or the address, if one is
/// typed.
#[component]
pub fn AccountsPage() -> impl IntoView {
    let (words, before) = (query("q").unwrap_or_default(), query("before"));
    load(async move {
        by().await?;
        let site = site();
        let accounts =
            store::page(&mut site.database.read().await?, words.trim(), before.as_deref(), LISTED).await?;
        let last = accounts.last().map(|account| account.id.clone());
        let older = last.filter(|_| i64::try_from(accounts.len()) == Ok(LISTED)).map(|last| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("q", &words).append_pair("before", &last);
            format!("/admin/accounts?{}", query.finish())
        });
        let is_empty = accounts.is_empty();
        let entries = accounts.into_iter().map(|account| view! { <Entry account /> }).collect_view();
        Ok(view! {
            <Head title="Accounts" />
            <SearchForm
                action="/admin/accounts"
                label="Search accounts"
                hint="A part of a username or of an email address"
                typed=words
            />
            {if is_empty {
                view! { <div class="empty"><p>"There is no such account."</p></div> }.into_any()
            } else {
                view! { <div class="key-list">{entries}</div> }.into_any()
            }}
            <Older href=older text="Older accounts" />
        })
    })
}

#[component]
fn Entry(account: Listed) -> impl IntoView {
    let heading = format!("account-{}", account.username);
    let labelled_by = heading.clone();
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h2 id=heading><a href=format!("/admin/accounts/{}", account.username)>{account.username.clone()}</a></h2>
            <AccountFacts account />
        </article>
    }
}

/// What is known of an account.
#[component]
pub(super) fn AccountFacts(account: Listed) -> impl IntoView {
    let Listed { email, created_at, posts, is_admin, is_locked, delete_at, .. } = account;
    view! {
        <dl class="facts">
            <div><dt>"Email"</dt><dd><bdi>{email}</bdi></dd></div>
            <div><dt>"Since"</dt><dd><Time at=Timestamp::from_micros(created_at) /></dd></div>
            <div><dt>"Posts"</dt><dd>{posts}</dd></div>
            {(is_admin != 0).then(|| view! { <div><dt>"In charge"</dt><dd>"yes"</dd></div> })}
            {(is_locked != 0).then(|| view! { <div class="over"><dt>"Locked"</dt><dd>"yes"</dd></div> })}
            {delete_at.map(|at| view! {
                <div class="over"><dt>"Deleted on"</dt><dd><Time at=Timestamp::from_micros(at) /></dd></div>
            })}
        </dl>
    }
}
