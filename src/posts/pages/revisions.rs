//! `/my-posts/{id}/revisions`: the versions of a post, and what differs between one of them
//! and the present one.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::post_id;
use crate::{
    database::internal,
    error::AppError,
    http::context::{actor, site},
    posts::{
        PostId, Revision, api,
        domain::{
            difference::{Difference, Line, LineKind},
            revisions::{self, RevisionText},
        },
    },
    ui::{PageTitle, Time, load},
};

/// All versions; with `?version=`, what changed since that one.
#[component]
pub fn RevisionsPage() -> impl IntoView {
    let id = post_id();
    let wanted = use_query_map().with_untracked(|query| query.get("version"));
    load(async move {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let versions = api::list_revisions(id.to_string()).await?;
        let current = versions.first().cloned().ok_or(AppError::NotFound)?;
        let compared = match wanted.map(|wanted| wanted.parse::<i64>()) {
            None => None,
            Some(Err(_)) => return Err(AppError::NotFound),
            Some(Ok(version)) => Some(compare(&id, version, current.version).await?),
        };
        let title = if current.title.is_empty() { "Untitled".to_owned() } else { current.title };
        let earlier = versions.len() > 1;
        let edit = format!("/my-posts/{id}/edit");
        Ok(view! {
            <PageTitle text=format!("Versions of {title}") />
            <h1>"Versions"</h1>
            <p>"Of "<a href=edit><bdi>{title}</bdi></a>". Only you see them."</p>
            {compared}
            {(!earlier).then(|| view! {
                <p class="hint">"There is one version only. What a change replaces is kept here from the first publication on."</p>
            })}
            <ol class="versions" reversed>
                {versions.into_iter().map(|version| entry(&id, version)).collect_view()}
            </ol>
        })
    })
}

fn entry(id: &PostId, revision: Revision) -> impl IntoView + use<> {
    let Revision { version, saved_at, chars, is_current, .. } = revision;
    let label = format!("version-{version}");
    let page = format!("/my-posts/{id}/revisions");
    view! {
        <li value=version.to_string()>
            <p id=label.clone()>
                "Version "{version}{is_current.then_some(" (present)")}", saved "<Time at=saved_at />" at "{saved_at.minute()}" UTC, "{chars}
                {if chars == 1 { " character" } else { " characters" }}
            </p>
            {(!is_current).then(|| view! {
                <div class="actions">
                    <a href=format!("{page}?version={version}") aria-describedby=label.clone()>"Compare with the present one"</a>
                    <RestoreVersion page version described_by=label />
                </div>
            })}
        </li>
    }
}

#[component]
fn RestoreVersion(page: String, version: i64, described_by: String) -> impl IntoView {
    view! {
        <form method="post" action=page>
            <input type="hidden" name="version" value=version.to_string() />
            <button class="link-button" type="submit" aria-describedby=described_by>"Restore this version"</button>
        </form>
    }
}

/// What changed from one version to another, line by line.
async fn compare(id: &PostId, version: i64, current: i64) -> Result<impl IntoView + use<>, AppError> {
    let (site, actor) = (site(), actor());
    let before = revisions::text(&site, &actor, id, version).await?.ok_or(AppError::NotFound)?;
    let after = revisions::text(&site, &actor, id, current).await?.ok_or(AppError::NotFound)?;
    let titles = (before.title.clone(), after.title.clone());
    let tags = (before.tags.typed(), after.tags.typed());
    let between = |RevisionText { content, .. }: RevisionText, after: RevisionText| {
        move || Difference::between(&content, &after.content)
    };
    let difference = tokio::task::spawn_blocking(between(before, after)).await.map_err(internal)?;
    let heading = format!("Version {version} and the present one");
    let changed = |name: &'static str, (before, after): (String, String)| {
        (before != after).then(|| {
            view! {
                <p>{name}": "<del dir="auto">{before}</del>" "<ins dir="auto">{after}</ins></p>
            }
        })
    };
    Ok(view! {
        <section class="difference" aria-labelledby="difference-title">
            <h2 id="difference-title">{heading}</h2>
            {changed("Title", titles)}
            {changed("Tags", tags)}
            {match difference.hunks.is_empty() {
                true => view! { <p>"The text is the same."</p> }.into_any(),
                false => difference.hunks.into_iter().map(hunk).collect_view().into_any(),
            }}
            {difference.is_coarse.then(|| view! {
                <p class="hint">"The texts are long and differ in much, so this is not the shortest description."</p>
            })}
        </section>
    })
}

fn hunk(lines: Vec<Line>) -> impl IntoView {
    let lines = lines.into_iter().map(|Line { kind, parts }| {
        let parts = parts.into_iter().map(|(is_changed, text)| match is_changed {
            true => view! { <mark>{text}</mark> }.into_any(),
            false => text.into_any(),
        });
        let parts = parts.collect_view();
        match kind {
            LineKind::Same => view! { <p dir="auto">{parts}</p> }.into_any(),
            LineKind::Removed => {
                view! { <p dir="auto"><del><span class="visually-hidden">"Removed: "</span>{parts}</del></p> }
                    .into_any()
            }
            LineKind::Added => {
                view! { <p dir="auto"><ins><span class="visually-hidden">"Added: "</span>{parts}</ins></p> }
                    .into_any()
            }
        }
    });
    view! { <div class="hunk">{lines.collect_view()}</div> }
}
