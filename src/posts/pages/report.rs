//! `/@{username}/{slug}/report`, also `/posts/{id}/report`: a reader tells whoever runs the site
//! what is wrong with a post.

use leptos::prelude::*;

use super::PostPath;
use crate::{
    credentials::Actor,
    error::{AppError, Field},
    http::context::site,
    posts::{
        address,
        domain::{
            reports::{ReportDetail, ReportReason},
            service,
        },
    },
    ui::{ErrorSummary, FormState, PageTitle, TextArea, load, uri},
};

/// Asks what is wrong. Everyone may answer.
#[component]
pub fn ReportPage() -> impl IntoView {
    let form = expect_context::<FormState>();
    let failed = form.error.is_some();
    let path = uri().path().to_owned();
    load(async move {
        let path = path.strip_suffix(address::REPORT).and_then(PostPath::parse).ok_or(AppError::NotFound)?;
        let id = path.post(&site(), &Actor::Anonymous).await?;
        let post = service::summary(&site(), &Actor::Anonymous, &id).await?;
        let chosen = form.value(Field::Reason.name());
        let error = form.error_at(Field::Reason);
        let is_invalid = error.is_some();
        let choices = ReportReason::ALL.map(|reason| {
            // The summary of mistakes leads to the first.
            let id = if reason == ReportReason::ALL[0] {
                Field::Reason.name().to_owned()
            } else {
                format!("reason-{}", reason.name())
            };
            view! {
                <div class="choice">
                    <input
                        id=id.clone()
                        type="radio"
                        name=Field::Reason.name()
                        value=reason.name()
                        checked=chosen.as_deref() == Some(reason.name())
                        aria-invalid=is_invalid.then_some("true")
                        aria-describedby=is_invalid.then_some("reason-error")
                    />
                    <label for=id>{reason.words()}</label>
                </div>
            }
        });
        Ok(view! {
            <PageTitle text=if failed { "Error: Report a post" } else { "Report a post" }.to_owned() />
            <div class="narrow">
                <h1>"Report a post"</h1>
                <ErrorSummary />
                <p>"“"<a href=post.address()><bdi>{post.title.to_string()}</bdi></a>"” by "<bdi>{post.author.clone()}</bdi></p>
                <p>"Whoever runs this site reads your report. The author does not learn of it."</p>
                <form method="post" action=format!("/posts/{id}/report") novalidate>
                    <fieldset class="field" class:invalid=is_invalid>
                        <legend>"What is wrong?"</legend>
                        {error.map(|error| view! { <p class="field-error" id="reason-error"><span class="visually-hidden">"Error: "</span>{error}</p> })}
                        {choices.into_iter().collect_view()}
                    </fieldset>
                    <TextArea field=Field::Detail hint=DETAIL value=String::new() />
                    <button class="button" type="submit">"Send report"</button>
                </form>
            </div>
        })
    })
}

const DETAIL: &str = "May stay empty: 1,000 characters at most";
const _: () = assert!(ReportDetail::MAX_CHARS == 1000, "the hint says so");

/// Thanks for a report.
#[component]
pub fn ReportedPage() -> impl IntoView {
    view! {
        <PageTitle text="Thank you".to_owned() />
        <section class="message">
            <h1>"Thank you"</h1>
            <p>"Your report was sent to whoever runs this site."</p>
            <p><a href="/">"Go to the newest posts"</a></p>
        </section>
    }
}
