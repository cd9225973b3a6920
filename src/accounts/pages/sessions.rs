//! `/account/sessions` and `/account/sessions/{id}/end`.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::AccountNav;
use crate::{
    accounts::domain::logins::{self, ListedLogin, LoginKind},
    http::context::{caller, site},
    ui::{PageTitle, Time, load},
};

/// Where the person is signed in, and the ways to end that.
#[component]
pub fn SessionsPage() -> impl IntoView {
    load(async move {
        let logins = logins::list(&site(), &caller()).await?;
        let has_others = logins.iter().any(|login| !login.is_this);
        let entries = logins.into_iter().map(|login| view! { <Entry login /> }).collect_view();
        Ok(view! {
            <PageTitle text="Where you are signed in".to_owned() />
            <AccountNav />
            <h1>"Where you are signed in"</h1>
            <p>"Browsers, and programs that have your password. Do you not know one? End it, and then change your password."</p>
            <div class="key-list">{entries}</div>
            {if has_others {
                view! {
                    <form method="post" action="/account/sessions" class="after-list">
                        <button class="button" type="submit">"Sign out everywhere else"</button>
                    </form>
                }
                .into_any()
            } else {
                view! { <p class="after-list">"You are signed in nowhere else."</p> }.into_any()
            }}
        })
    })
}

#[component]
fn Entry(login: ListedLogin) -> impl IntoView {
    let ListedLogin { id, kind, device, address, began_at, last_used_at, is_this } = login;
    let heading = format!("login-{id}");
    let labelled_by = heading.clone();
    let of_heading = heading.clone();
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h2 id=heading>{device} {is_this.then_some(" (this one)")}</h2>
            <dl class="facts">
                <div>
                    <dt>"Kind"</dt>
                    <dd>{match kind {
                        LoginKind::Browser => "browser",
                        LoginKind::Program => "program",
                    }}</dd>
                </div>
                {(!address.is_empty()).then(|| view! { <div><dt>"Address"</dt><dd>{address}</dd></div> })}
                <div><dt>"Since"</dt><dd><Time at=began_at /></dd></div>
                <div><dt>"Last used"</dt><dd><Time at=last_used_at /></dd></div>
            </dl>
            {(!is_this).then(|| view! {
                <form method="post" action=format!("/account/sessions/{id}/end") class="actions">
                    <button class="link-button danger" type="submit" aria-describedby=of_heading>"End"</button>
                </form>
            })}
        </article>
    }
}

/// The page of the form that ends one login, for people who reload it.
#[component]
pub fn EndLoginPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    load(async move {
        let login = logins::get(&site(), &caller(), &id).await?;
        Ok(view! {
            <PageTitle text="End this login?".to_owned() />
            <section class="message">
                <h1>"End this login?"</h1>
                <p>{login.device}" will be signed out."</p>
                <form method="post" action=format!("/account/sessions/{}/end", login.id) class="button-row">
                    <button class="button danger" type="submit">"End login"</button>
                    <a href="/account/sessions">"Keep it"</a>
                </form>
            </section>
        })
    })
}
