//! `/admin/reports`: what readers have reported, and what becomes of it.

use leptos::prelude::*;

use super::{Deed, Head, by, parameter};
use crate::{
    error::AppError,
    http::context::site,
    posts::{
        PostId, address,
        domain::reports::{self, OpenReport},
    },
    ui::{Time, load},
};

/// Each reported post with what was said of it.
#[component]
pub fn ReportsPage() -> impl IntoView {
    load(async move {
        by().await?;
        let open = reports::open(&site(), 500).await?;
        let entries = open
            .chunk_by(|one, next| one.post_id == next.post_id)
            .map(|of_post| view! { <Reported of_post=of_post.to_vec() /> })
            .collect::<Vec<_>>();
        Ok(view! {
            <Head title="Reports" />
            {if entries.is_empty() {
                view! { <div class="empty"><p>"No post is reported."</p></div> }.into_any()
            } else {
                view! { <div class="key-list">{entries.collect_view()}</div> }.into_any()
            }}
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
        let open = reports::open(&site(), i64::MAX).await?;
        let report =
            open.into_iter().find(|report| report.post_id == id.as_str()).ok_or(AppError::NotFound)?;
        Ok(view! {
            <Deed
                question=format!("Settle the reports of “{}”?", report.title)
                sentence="The post stays as it is. It can be reported again."
                action=format!("/admin/reports/{id}/dismiss")
                button="Settle them"
                back="/admin/reports"
                danger=false
            />
        })
    })
}
