//! `/account/api-keys` and `/account/api-keys/{id}/revoke`.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::AccountNav;
use crate::{
    accounts::{ApiKeyDays, ListedApiKey, NewApiKey, copy_key::CopyKey, domain::api_keys},
    clock,
    credentials::api_key::ApiKeyId,
    error::{AppError, Field},
    http::{
        context::{actor, site},
        pages::ShownOnce,
    },
    ui::{ErrorSummary, FormState, IdempotencyInput, IslandScripts, PageTitle, TextField, Time, load},
};

/// The id of the control with the new key, for copying.
const NEW_KEY: &str = "new-key";

/// The signed-in person's keys, and a form for another.
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let ShownOnce(made) = expect_context();
    let made = made.and_then(|made| serde_json::from_value::<NewApiKey>(made).ok());
    load(async move {
        let keys = api_keys::list(&site(), &actor()).await?;
        Ok(view! {
            <PageTitle text=if failed { "Error: API keys" } else { "API keys" }.to_owned() />
            <AccountNav />
            <h1>"API keys"</h1>
            <ErrorSummary />
            {made.map(|made| view! { <MadeKey made /> })}
            <p>"With an API key, a program reads the posts of this site, and nothing else: it cannot write in your name."</p>
            {if keys.is_empty() {
                view! { <div class="empty"><p>"You have no API keys."</p></div> }.into_any()
            } else {
                let entries = keys.into_iter().map(|key| view! { <Entry key /> }).collect_view();
                view! {
                    <section aria-labelledby="keys">
                        <h2 id="keys">"Your keys"</h2>
                        <div class="key-list">{entries}</div>
                    </section>
                }
                .into_any()
            }}
            <section class="narrow new-key-form" aria-labelledby="make">
                <h2 id="make">"Make a key"</h2>
                <form method="post" action="/account/api-keys" novalidate>
                    <IdempotencyInput />
                    <TextField
                        field=Field::Name
                        autocomplete="on"
                        hint="What will use it: 1 to 60 characters"
                    />
                    <TextField
                        field=Field::Days
                        autocomplete="on"
                        inputmode="numeric"
                        hint="1 to 365"
                        value=ApiKeyDays::DEFAULT.to_string()
                    />
                    <button class="button" type="submit">"Make key"</button>
                </form>
            </section>
        })
    })
}

/// Shows a new key; no later answer has it.
#[component]
fn MadeKey(made: NewApiKey) -> impl IntoView {
    // Takes the focus, so that it is read out first and never overlooked.
    view! {
        <section class="notice new-key" aria-labelledby="made" tabindex="-1" autofocus>
            <h2 id="made">"Your new key “"<bdi>{made.listed.name}</bdi>"”"</h2>
            <p id="new-key-once">"Copy it now and keep it safe. It will not be shown again."</p>
            <div class="field">
                <label for=NEW_KEY>"Key"</label>
                <div class="control">
                    <input
                        id=NEW_KEY
                        readonly
                        value=made.key
                        autocomplete="off"
                        spellcheck="false"
                        aria-describedby="new-key-once"
                    />
                    <CopyKey from=NEW_KEY.to_owned() label="Copy key".to_owned() />
                </div>
            </div>
            <IslandScripts />
        </section>
    }
}

#[component]
fn Entry(key: ListedApiKey) -> impl IntoView {
    let ListedApiKey { id, name, hint, created_at, expires_at, last_used_at } = key;
    let heading = format!("key-{id}");
    let labelled_by = heading.clone();
    let expired = expires_at <= clock::now();
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h3 id=heading.clone()><bdi>{name}</bdi></h3>
            <dl class="facts">
                <div><dt>"Begins with"</dt><dd><code>{hint}</code></dd></div>
                <div><dt>"Made"</dt><dd><Time at=created_at /></dd></div>
                <div class:over=expired>
                    <dt>{if expired { "Expired" } else { "Expires" }}</dt>
                    <dd><Time at=expires_at /></dd>
                </div>
                <div>
                    <dt>"Last used"</dt>
                    <dd>{match last_used_at {
                        Some(at) => view! { <Time at /> }.into_any(),
                        None => "never".into_any(),
                    }}</dd>
                </div>
            </dl>
            <p class="actions">
                <a class="danger" href=format!("/account/api-keys/{id}/revoke") aria-describedby=heading>
                    {if expired { "Remove" } else { "Revoke" }}
                </a>
            </p>
        </article>
    }
}

/// Asks before a key is over; a form, so that it works without script.
#[component]
pub fn RevokeApiKeyPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    load(async move {
        actor().user()?;
        let id = ApiKeyId::parse(&id).ok_or(AppError::NotFound)?;
        let key = api_keys::get(&site(), &actor(), &id).await?;
        Ok(view! {
            <PageTitle text="Revoke this key?".to_owned() />
            <section class="message">
                <h1>"Revoke this key?"</h1>
                <p>
                    "“"<bdi>{key.name}</bdi>"” ("<code>{key.hint}</code>
                    "…) will be refused from now on, wherever it is in use. This cannot be undone."
                </p>
                <form method="post" action=format!("/account/api-keys/{}/revoke", key.id) class="button-row">
                    <IdempotencyInput />
                    <button class="button danger" type="submit">"Revoke key"</button>
                    <a href="/account/api-keys">"Keep it"</a>
                </form>
            </section>
        })
    })
}
