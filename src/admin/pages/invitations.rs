//! `/admin/invitations`: links by which people sign up where not everyone may.

use leptos::prelude::*;

use super::{Deed, Head, by, parameter};
use crate::{
    accounts::{
        copy_key::CopyKey,
        domain::invitations::{self, ListedInvitation},
    },
    admin::api::NewInvitation,
    config::SignUpPolicy,
    error::{AppError, Field},
    http::{context::site, pages::ShownOnce},
    ui::{ErrorSummary, IslandScripts, TextField, Time, load},
};

/// The id of the control with the new link, for copying.
const NEW_LINK: &str = "new-link";

/// The links that can be used, and a form for another.
#[component]
pub fn InvitationsPage() -> impl IntoView {
    let ShownOnce(made) = expect_context();
    let made = made.and_then(|made| serde_json::from_value::<NewInvitation>(made).ok());
    load(async move {
        by().await?;
        let site = site();
        let listed = invitations::list(&site).await?;
        let policy = match site.settings().sign_up {
            SignUpPolicy::Open => "Everyone may sign up now, also without an invitation.",
            SignUpPolicy::Invite => "Only whoever has an invitation may sign up now.",
            SignUpPolicy::Closed => "Nobody may sign up now, also not with an invitation.",
        };
        let is_empty = listed.is_empty();
        let entries = listed.into_iter().map(|invitation| view! { <Entry invitation /> }).collect_view();
        Ok(view! {
            <Head title="Invitations" />
            <ErrorSummary />
            {made.map(|made| view! { <MadeLink link=made.link /> })}
            <p>{policy}" "<a href="/admin/settings#sign_up">"Change who may"</a></p>
            {if is_empty {
                view! { <div class="empty"><p>"There is no invitation that can be used."</p></div> }.into_any()
            } else {
                view! { <div class="key-list">{entries}</div> }.into_any()
            }}
            <section class="narrow new-key-form" aria-labelledby="invite">
                <h2 id="invite">"Invite somebody"</h2>
                <form method="post" action="/admin/invitations" novalidate>
                    <TextField
                        field=Field::Days
                        autocomplete="on"
                        inputmode="numeric"
                        hint="A whole number from 1 to 365; the link makes one account"
                        value="14".to_owned()
                    />
                    <button class="button" type="submit">"Make a link"</button>
                </form>
            </section>
        })
    })
}

#[component]
fn MadeLink(link: String) -> impl IntoView {
    view! {
        <section class="notice new-key" aria-labelledby="made" tabindex="-1" autofocus>
            <h2 id="made">"The invitation"</h2>
            <p id="new-link-once">"Send it to one person. It will not be shown again."</p>
            <div class="field">
                <label for=NEW_LINK>"Link"</label>
                <div class="control">
                    <input id=NEW_LINK readonly value=link autocomplete="off" spellcheck="false"
                        aria-describedby="new-link-once" />
                    <CopyKey from=NEW_LINK.to_owned() label="Copy link".to_owned() />
                </div>
            </div>
            <IslandScripts />
        </section>
    }
}

#[component]
fn Entry(invitation: ListedInvitation) -> impl IntoView {
    let ListedInvitation { id, created_at, expires_at, is_taken } = invitation;
    let heading = format!("invitation-{}", &id[..8.min(id.len())]);
    let (labelled_by, of_heading) = (heading.clone(), heading.clone());
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h2 id=heading>"Made "<Time at=created_at /></h2>
            <dl class="facts">
                <div><dt>"Until"</dt><dd><Time at=expires_at /></dd></div>
                {is_taken.then(|| view! { <div><dt>"Used"</dt><dd>"by a sign-up that is not confirmed yet"</dd></div> })}
            </dl>
            <p class="actions"><a class="danger" href=format!("/admin/invitations/{id}/revoke") aria-describedby=of_heading>"Revoke"</a></p>
        </article>
    }
}

/// The page of the form that revokes one.
#[component]
pub fn RevokeInvitationPage() -> impl IntoView {
    let id = parameter("id");
    load(async move {
        by().await?;
        let is_there = invitations::list(&site()).await?.iter().any(|invitation| invitation.id == id);
        if !is_there {
            return Err(AppError::NotFound);
        }
        Ok(view! {
            <Deed
                question="Revoke this invitation?"
                sentence="Whoever has the link can no longer sign up by it."
                action=format!("/admin/invitations/{id}/revoke")
                button="Revoke it"
                back="/admin/invitations"
                danger=true
            />
        })
    })
}
