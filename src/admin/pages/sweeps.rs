//! `/admin/sweeps`: many accounts of one network are locked at once, and their posts hidden; and
//! the way back.

use leptos::prelude::*;

use super::{Deed, Head, by, by_for_sure, parameter, query};
use crate::{
    error::{AppError, Field},
    http::context::site,
    posts::domain::sweeps::{self, ListedSweep, Suspect, Wave},
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
    let given = move |field: Field| form.value(field.name()).or_else(|| query(field.name()));
    let (network, minutes) = (given(Field::Network), given(Field::Minutes));
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        if failed {
            by().await?
        } else {
            by_for_sure().await?
        };
        let asked = network.is_some();
        let wave =
            match (network.as_deref().map(Wave::network), Wave::since(minutes.as_deref().unwrap_or(HOUR))) {
                (Some(Ok(network)), Ok(since)) => Some(Wave { network, since }),
                _ => None,
            };
        let problem = asked && wave.is_none();
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
                    hint="How long ago the first of them signed up, in minutes"
                    value=minutes.clone()
                />
                {problem.then(|| view! { <p class="field-error">{sweeps::NetworkError.to_string()}"."</p> })}
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

/// What would be swept.
#[component]
fn Preview(suspects: Vec<Suspect>, network: String, minutes: String) -> impl IntoView {
    if suspects.is_empty() {
        return view! { <div class="empty"><p>"Nobody has signed up from there in that time."</p></div> }
            .into_any();
    }
    let posts: i64 = suspects.iter().map(|suspect| suspect.posts).sum();
    let count = suspects.len();
    let choices = suspects
        .into_iter()
        .map(|Suspect { username, created_at, posts, .. }| {
            let id = format!("name-{username}");
            view! {
                <div class="choice">
                    <input id=id.clone() type="checkbox" name="names[]" value=username.clone() checked />
                    <label for=id>
                        <strong>{username.clone()}</strong>
                        <span class="hint">" signed up "<Time at=Timestamp::from_micros(created_at) />", "{posts}" posts"</span>
                    </label>
                </div>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="preview">
            <h2 id="preview">{format!("{count} accounts with {posts} posts")}</h2>
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
