//! `/admin/sweeps`: many accounts of one network are locked at once, and their posts hidden; and
//! the way back.

use leptos::prelude::*;

use super::{Deed, Head, by, by_for_sure, parameter, query};
use crate::{
    error::{AppError, Field, FieldErrors},
    http::context::site,
    posts::domain::sweeps::{self, ListedSweep, Suspect, Suspects, Wave},
    text::counted,
    timestamp::Timestamp,
    ui::{ErrorSummary, FormState, TextField, Time, load},
};

/// The minutes that are offered.
const HOUR: &str = "60";

/// Asks for a network and a time, shows whose accounts that are, and sweeps those that are
/// chosen. Below, what was swept before.
#[component]
pub fn SweepsPage() -> impl IntoView {
    let form = expect_context::<FormState>();
    let failed = form.error.is_some();
    let given = |field: Field| form.value(field.name()).or_else(|| query(field.name()));
    let (network, minutes) = (given(Field::Network), given(Field::Minutes));
    let wave = match asked(network.as_deref(), minutes.as_deref()) {
        Ok(wave) => wave,
        // The form that sweeps has said already what is wrong.
        Err(_) if failed => None,
        Err(error) => {
            provide_context(FormState { error: Some(error), ..form });
            None
        }
    };
    load(async move {
        if failed {
            by().await?
        } else {
            by_for_sure().await?
        };
        let found = match &wave {
            Some(wave) => Some(sweeps::suspects(&site(), wave).await?),
            None => None,
        };
        let earlier = sweeps::list(&site(), 50).await?;
        let has_earlier = !earlier.is_empty();
        let entries = earlier.into_iter().map(|sweep| view! { <Swept sweep /> }).collect_view();
        let network = network.unwrap_or_default();
        let minutes = minutes.unwrap_or_else(|| HOUR.to_owned());
        Ok(view! {
            <Head title="Sweeps" />
            <ErrorSummary />
            <p>"A wave of spam comes from one network in a short time. Lock every account of it and hide what they have published, in one step that can be undone."</p>
            <form class="narrow" action="/admin/sweeps" novalidate>
                <TextField
                    field=Field::Network
                    autocomplete="on"
                    hint="An address, or a network such as 192.0.2.0/24 or 2001:db8::/48"
                    value=network.clone()
                />
                <TextField
                    field=Field::Minutes
                    autocomplete="on"
                    inputmode="numeric"
                    hint="How long ago the first of them signed up, in minutes: 10080 at most, which is a week"
                    value=minutes.clone()
                />
                <button class="button" type="submit">"Show the accounts"</button>
            </form>
            {found.map(|suspects| view! { <Preview suspects network minutes /> })}
            {has_earlier.then(|| view! {
                <section aria-labelledby="earlier">
                    <h2 id="earlier">"Earlier sweeps"</h2>
                    <div class="key-list">{entries}</div>
                </section>
            })}
        })
    })
}

/// The wave that was asked for, if one was.
fn asked(network: Option<&str>, minutes: Option<&str>) -> Result<Option<Wave>, AppError> {
    let Some(network) = network else { return Ok(None) };
    let mut errors = FieldErrors::default();
    let network = errors.take(Field::Network, Wave::network(network));
    let since = errors.take(Field::Minutes, Wave::since(minutes.unwrap_or(HOUR)));
    match (network, since) {
        (Some(network), Some(since)) => Ok(Some(Wave { network, since })),
        _ => Err(errors.into_error()),
    }
}

/// What would be swept.
#[component]
fn Preview(suspects: Suspects, network: String, minutes: String) -> impl IntoView {
    let Suspects { listed, more } = suspects;
    if listed.is_empty() {
        return view! {
            <div class="empty">
                <p>"There is nobody to sweep. Accounts that are locked already, and whoever is in charge of the site, are not listed."</p>
            </div>
        }
        .into_any();
    }
    let posts = counted(listed.iter().map(|suspect| suspect.posts).sum::<i64>(), "post");
    let heading = match more {
        0 => format!("{} with {posts}", counted(listed.len(), "account")),
        _ => format!("The newest {} of {} accounts, with {posts}", listed.len(), listed.len() + more),
    };
    let choices = listed
        .into_iter()
        .map(|Suspect { username, created_at, posts, .. }| {
            let id = format!("name-{username}");
            view! {
                <div class="choice">
                    <input id=id.clone() type="checkbox" name="names[]" value=username.clone() checked />
                    <label for=id>
                        <strong>{username.clone()}</strong>
                        <span class="hint">" signed up "<Time at=Timestamp::from_micros(created_at) />", "{counted(posts, "post")}</span>
                    </label>
                </div>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="preview">
            <h2 id="preview">{heading}</h2>
            {(more > 0).then(|| view! { <p>"A sweep takes no more than these. When it is done, ask again for the next."</p> })}
            <form method="post" action="/admin/sweeps" novalidate>
                <input type="hidden" name=Field::Network.name() value=network />
                <input type="hidden" name=Field::Minutes.name() value=minutes />
                <fieldset class="field">
                    <legend>"Whom to sweep"</legend>
                    {choices}
                </fieldset>
                <TextField field=Field::Reason autocomplete="on" hint="One line; the authors read it" value="Spam".to_owned() />
                <button class="button danger" type="submit">"Lock them and hide their posts"</button>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Swept(sweep: ListedSweep) -> impl IntoView {
    let ListedSweep { id, created_at, credential, network, reason, undone_at, accounts, posts, left } = sweep;
    let heading = format!("sweep-{id}");
    let (labelled_by, of_heading) = (heading.clone(), heading.clone());
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h3 id=heading>{network}", "<Time at=Timestamp::from_micros(created_at) /></h3>
            <dl class="facts">
                <div><dt>"Locked"</dt><dd>{accounts}</dd></div>
                <div><dt>"Hidden"</dt><dd>{posts}</dd></div>
                <div><dt>"By"</dt><dd>{credential}</dd></div>
                <div><dt>"Reason"</dt><dd><bdi>{reason}</bdi></dd></div>
                {(left > 0).then(|| view! { <div class="over"><dt>"Still to do"</dt><dd>{left}</dd></div> })}
                {undone_at.map(|at| view! { <div><dt>"Undone"</dt><dd><Time at=Timestamp::from_micros(at) /></dd></div> })}
            </dl>
            {undone_at.is_none().then(|| view! {
                <p class="actions"><a href=format!("/admin/sweeps/{id}/undo") aria-describedby=of_heading>"Undo"</a></p>
            })}
        </article>
    }
}

/// The page of the form that undoes a sweep.
#[component]
pub fn UndoSweepPage() -> impl IntoView {
    let id = parameter("id");
    load(async move {
        by().await?;
        let sweep = sweeps::list(&site(), i64::MAX).await?.into_iter().find(|sweep| sweep.id == id);
        let sweep = sweep.ok_or(AppError::NotFound)?;
        Ok(view! {
            <Deed
                question=format!("Undo the sweep of {}?", sweep.network)
                sentence="The accounts that it locked are opened, and the posts that it hid are published again."
                action=format!("/admin/sweeps/{id}/undo")
                button="Undo it"
                back="/admin/sweeps"
                danger=false
            />
        })
    })
}
