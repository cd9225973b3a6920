//! `/my-posts/drafts`: what an author has not published.

use leptos::prelude::*;

use super::{parts::MyPostsNav, writing_room::LocalDrafts};
use crate::{
    posts::{
        DraftPost, address, api,
        domain::{draft_lists, schedule},
    },
    ui::{PageTitle, Time, load},
};

/// Each draft, with the way to its editor.
#[component]
pub fn DraftsPage() -> impl IntoView {
    load(async move {
        let drafts = api::my_drafts().await?;
        let is_cut = i64::try_from(drafts.len()).is_ok_and(|count| count >= draft_lists::LISTED);
        Ok(view! {
            <PageTitle text="Drafts".to_owned() />
            <div class="heading-row">
                <h1>"Drafts"</h1>
                <a class="button" href="/my-posts/new">"New post"</a>
            </div>
            <MyPostsNav />
            <LocalDrafts />
            {if drafts.is_empty() {
                view! {
                    <div class="empty">
                        <p>"You have no drafts. What you save in the editor without publishing it stands here."</p>
                    </div>
                }
                .into_any()
            } else {
                view! {
                    <p class="hint">"Only you see these."</p>
                    <div class="post-list">{drafts.into_iter().map(entry).collect_view()}</div>
                    {is_cut.then(|| view! {
                        <p class="hint">{format!("These are the {} that you saved last.", draft_lists::LISTED)}</p>
                    })}
                }
                .into_any()
            }}
        })
    })
}

fn entry(draft: DraftPost) -> impl IntoView {
    let heading = format!("post-{}", draft.id);
    let (labelled_by, described_by) = (heading.clone(), heading.clone());
    let edit = format!("/my-posts/{}/edit", draft.id);
    let scheduled =
        draft.publish_at.filter(|_| draft.is_scheduled).map(|at| publish_time(at, draft.utc_offset));
    view! {
        <article class="entry" dir="auto" aria-labelledby=labelled_by>
            <h2 id=heading><a href=edit.clone()>{draft.shown_title().to_owned()}</a></h2>
            <p class="meta">
                "Saved "<Time at=draft.updated_at />
                {draft.waits_since.is_some().then(|| view! { " · "<strong>"waiting for approval"</strong> })}
                {scheduled.map(|time| view! { " · will be published at "<strong>{time}</strong> })}
            </p>
            <p class="actions">
                <a href=edit aria-describedby=described_by.clone()>"Edit"</a>
                <a class="danger" href=address::of_deletion(&draft.id) aria-describedby=described_by>"Delete post"</a>
            </p>
        </article>
    }
}

/// A time on the clock of its author: `2026-12-24 18:00 (UTC+01:00)`.
pub(super) fn publish_time(at: crate::timestamp::Timestamp, utc_offset: i64) -> String {
    let there = schedule::shown(at, utc_offset).replacen('T', " ", 1);
    format!("{there} (UTC{})", schedule::shown_offset(utc_offset))
}
