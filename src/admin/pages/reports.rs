//! `/admin/reports`: what readers have reported, and what becomes of it.

use leptos::prelude::*;

use super::{Deed, Head, LISTED, Older, after, by, parameter, place};
use crate::{
    error::AppError,
    http::context::site,
    posts::{
        PostId, address,
        domain::reports::{self, OpenReport},
    },
    ui::{Time, load},
};

/// Reported posts, each with what was said of it; the one that was reported last comes first.
#[component]
pub fn ReportsPage() -> impl IntoView {
    let place = place();
    load(async move {
        by().await?;
        let open = reports::page(&site(), place, LISTED).await?;
        let of_posts: Vec<_> = open.chunk_by(|one, next| one.post_id == next.post_id).collect();
        let last = open.last().filter(|_| i64::try_from(of_posts.len()) == Ok(LISTED));
        let older = last.map(|last| after("/admin/reports", last.last_at, &last.post_id));
        let entries = of_posts
            .into_iter()
            .map(|of_post| view! { <Reported of_post=of_post.to_vec() /> })
            .collect::<Vec<_>>();
        Ok(view! {
            <Head title="Reports" />
            {if entries.is_empty() {
                view! { <div class="empty"><p>"No post is reported."</p></div> }.into_any()
            } else {
                view! { <div class="key-list">{entries.collect_view()}</div> }.into_any()
            }}
            <Older href=older text="More reported posts" />
        })
    })
}

#[component]
fn Reported(of_post: Vec<OpenReport>) -> impl IntoView {
    let first = of_post.first().cloned()?;
    let OpenReport { post_id, title, owner, .. } = first;
    let heading = format!("post-{post_id}");
    let (labelled_by, of_heading, also_of) = (heading.clone(), heading.clone(), heading.clone());
    let said = of_post
        .into_iter()
        .map(|report| {
            let at = report.at();
            let reason = report.reason().to_owned();
            view! {
                <li>
                    <strong>{reason}</strong>
                    {(!report.detail.is_empty()).then(|| view! { <p dir="auto" class="detail">{report.detail.clone()}</p> })}
                    <span class="hint"><Time at /></span>
                </li>
            }
        })
        .collect_view();
    Some(view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h2 id=heading dir="auto"><a href=address::of_id(&post_id)>{title}</a></h2>
            <p class="meta">"By "<a href=format!("/admin/accounts/{owner}")>{owner.clone()}</a></p>
            <ul class="activity">{said}</ul>
            <p class="actions">
                <a class="danger" href=format!("/admin/posts/{post_id}/hide") aria-describedby=of_heading>"Hide the post"</a>
                <a href=format!("/admin/reports/{post_id}/dismiss") aria-describedby=also_of>"Nothing to do"</a>
            </p>
        </article>
    })
}

/// The page of the form that settles the reports of a post.
#[component]
pub fn DismissReportsPage() -> impl IntoView {
    let id = parameter("id");
    load(async move {
        by().await?;
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let title = reports::title(&site(), &id).await?;
        Ok(view! {
            <Deed
                question=format!("Settle the reports of “{title}”?")
                sentence="The post stays as it is. It can be reported again."
                action=format!("/admin/reports/{id}/dismiss")
                button="Settle them"
                back="/admin/reports"
                danger=false
            />
        })
    })
}
