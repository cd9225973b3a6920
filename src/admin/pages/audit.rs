//! `/admin/audit`: who did what to an account.

use leptos::prelude::*;
use url::form_urlencoded;

use super::{Head, LISTED, Older, SearchForm, account::LogEntry, by, query};
use crate::{
    accounts::domain::audit::{self, AuditRow},
    http::context::site,
    ui::load,
};

/// The newest rows first; those of one person, if a username of theirs is typed.
#[component]
pub fn AuditPage() -> impl IntoView {
    let (name, before) = (query("q").unwrap_or_default(), query("before"));
    load(async move {
        by().await?;
        let site = site();
        let before = before.and_then(|before| before.parse().ok());
        let rows = audit::page(&mut site.database.read().await?, name.trim(), before, LISTED).await?;
        let last = rows.last().map(|row| row.id);
        let older = last.filter(|_| i64::try_from(rows.len()) == Ok(LISTED)).map(|last| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("q", &name).append_pair("before", &last.to_string());
            format!("/admin/audit?{}", query.finish())
        });
        let is_empty = rows.is_empty();
        let entries = rows.into_iter().map(entry).collect_view();
        Ok(view! {
            <Head title="Audit log" />
            <SearchForm
                action="/admin/audit"
                label="Whose"
                hint="A username of now or of before; rows are kept for 400 days"
                typed=name
            />
            {if is_empty {
                view! { <div class="empty"><p>"There is nothing in the log."</p></div> }.into_any()
            } else {
                view! { <ul class="activity">{entries}</ul> }.into_any()
            }}
            <Older href=older text="Older rows" />
        })
    })
}

fn entry(row: AuditRow) -> impl IntoView {
    view! { <LogEntry row with_name=true /> }
}
