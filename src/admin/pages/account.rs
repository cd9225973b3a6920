//! `/admin/accounts/{name}`, and what is done with that account.

use leptos::prelude::*;

use super::{Deed, Head, accounts::AccountFacts, by, by_for_sure, parameter};
use crate::{
    accounts::domain::{
        audit::{self, AuditRow},
        device_name::whence,
        store::{self, Listed},
    },
    credentials::{Actor, UserId},
    error::{AppError, Field},
    http::context::site,
    posts::{PageRequest, address, domain::service},
    ui::{ErrorSummary, FormState, PageTitle, Time, load, uri},
    username::Username,
};

/// What is known of one account, its newest posts and deeds, and the ways to lock it, sign it
/// out, delete it.
#[component]
pub fn OneAccountPage() -> impl IntoView {
    let name = parameter("name");
    load(async move {
        let by = by().await?;
        let account = known(&name).await?;
        let site = site();
        let posts = newest_posts(&account).await?;
        let id = UserId::from_stored(account.id.clone());
        let rows = audit::of_user(&mut site.database.read().await?, &id, 20).await?;
        let is_own = by.user().is_some_and(|user| user.username.as_str() == account.username);
        let activity = rows.into_iter().map(|row| view! { <LogEntry row /> }).collect_view();
        let path = format!("/admin/accounts/{}", account.username);
        let deeds = deeds(&account, is_own)
            .into_iter()
            .map(|(last, text)| view! { <li><a href=format!("{path}/{last}")>{text}</a></li> })
            .collect_view();
        let author = address::of_author(&account.username);
        Ok(view! {
            <Head title=format!("Account of {}", account.username) />
            <AccountFacts account=account.clone() />
            <section aria-labelledby="deeds">
                <h2 id="deeds">"What you can do"</h2>
                <ul>
                    <li><a href=author>"Read what they have published"</a></li>
                    {deeds}
                </ul>
                {is_own.then(|| view! { <p class="hint">"This is your own account. "<a href="/account">"Your account page"</a>" has the rest."</p> })}
            </section>
            <section aria-labelledby="newest-posts">
                <h2 id="newest-posts">"Newest posts"</h2>
                {posts}
            </section>
            <section aria-labelledby="activity">
                <h2 id="activity">"Recent activity"</h2>
                <ul class="activity">{activity}</ul>
            </section>
        })
    })
}

/// The last part of the path of each deed that the account is open to, and its words.
fn deeds(account: &Listed, is_own: bool) -> Vec<(&'static str, &'static str)> {
    let mut deeds = vec![("sign-out", "Sign it out everywhere")];
    if !is_own {
        deeds.push(if account.is_locked == 0 { ("lock", "Lock it") } else { ("unlock", "Unlock it") });
        deeds.push(if account.is_admin == 0 {
            ("put-in-charge", "Put it in charge of the site")
        } else {
            ("end-charge", "End that it is in charge of the site")
        });
        deeds.push(("delete", "Delete it"));
    }
    deeds
}

async fn newest_posts(account: &Listed) -> Result<impl IntoView + use<>, AppError> {
    let username = Username::parse_known(&account.username).map_err(|_| AppError::NotFound)?;
    let (_, page) = service::list_of_author(&site(), &Actor::Anonymous, username, PageRequest::First).await?;
    let entries = page
        .posts
        .into_iter()
        .map(|post| {
            let href = post.address();
            let id = post.id.to_string();
            view! {
                <li>
                    <a href=href dir="auto">{post.title.to_string()}</a>
                    <span class="hint"><Time at=post.created_at />", "<a href=format!("/admin/posts/{id}/hide")>"hide"</a></span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    Ok(if entries.is_empty() {
        view! { <p>"Nothing is published."</p> }.into_any()
    } else {
        view! { <ul class="activity">{entries.collect_view()}</ul> }.into_any()
    })
}

/// A row of the audit log, for whoever is in charge.
#[component]
pub(super) fn LogEntry(
    row: AuditRow,
    /// Whether it says whose account it is about, where the page does not say that.
    #[prop(optional)]
    with_name: bool,
) -> impl IntoView {
    let name = row.username.clone();
    // The name of then, and the account of now: people are renamed, and accounts deleted.
    let of = (with_name && !name.is_empty()).then(|| match &row.account {
        Some(account) => view! { <a href=format!("/admin/accounts/{account}")>{name}</a>": " }.into_any(),
        None => view! { <bdi>{name}</bdi>": " }.into_any(),
    });
    view! {
        <li>
            <strong>{of}{row.said()}</strong>
            <span class="hint"><Time at=row.at() />", by "{row.credential.clone()}", "{whence(&row.user_agent, &row.address)}</span>
        </li>
    }
}

async fn known(name: &str) -> Result<Listed, AppError> {
    let username = Username::parse_known(name).map_err(|_| AppError::NotFound)?;
    store::listed(&mut site().database.read().await?, &username).await
}

/// The question, what it means, and the button of the deed that a path ends with; and whether
/// it takes something away.
fn words(last: &str, name: &str) -> Option<(String, &'static str, &'static str, bool)> {
    Some(match last {
        "lock" => (
            format!("Lock {name}?"),
            "Every login of theirs ends, and they cannot log in until you unlock the account. What they have published stays.",
            "Lock the account",
            true,
        ),
        "unlock" => (format!("Unlock {name}?"), "They can log in again.", "Unlock the account", false),
        "sign-out" => (
            format!("Sign {name} out everywhere?"),
            "Every session and every token ends. They can log in again.",
            "Sign it out",
            true,
        ),
        "put-in-charge" => (
            format!("Put {name} in charge of the site?"),
            "They will see and do everything that you see and do here.",
            "Put it in charge",
            true,
        ),
        "end-charge" => (
            format!("End that {name} is in charge of the site?"),
            "They go on writing as before.",
            "End it",
            true,
        ),
        _ => return None,
    })
}

/// A page with one button: lock, unlock, sign out, put in charge, end that.
#[component]
pub fn AccountDeedPage() -> impl IntoView {
    let name = parameter("name");
    let path = uri().path().to_owned();
    load(async move {
        let last = path.rsplit('/').next().unwrap_or_default();
        if matches!(last, "put-in-charge" | "end-charge") {
            by_for_sure().await?
        } else {
            by().await?
        };
        let account = known(&name).await?;
        let (question, sentence, button, danger) =
            words(last, &account.username).ok_or(AppError::NotFound)?;
        let back = format!("/admin/accounts/{}", account.username);
        Ok(view! { <Deed question sentence action=format!("{back}/{last}") button back danger /> })
    })
}

/// Deletes an account, with its posts or without.
#[component]
pub fn DeletePage() -> impl IntoView {
    let name = parameter("name");
    let form = expect_context::<FormState>();
    load(async move {
        by_for_sure().await?;
        let account = known(&name).await?;
        let name = account.username.clone();
        let error = form.error_at(Field::Posts);
        let is_invalid = error.is_some();
        let choice = |value: &'static str, id: &'static str, label: &'static str| {
            view! {
                <div class="choice">
                    <input id=id type="radio" name=Field::Posts.name() value=value
                        aria-invalid=is_invalid.then_some("true")
                        aria-describedby=is_invalid.then_some("posts-error") />
                    <label for=id>{label}</label>
                </div>
            }
        };
        let title = format!("Delete the account {name}?");
        Ok(view! {
            <PageTitle text=if is_invalid { format!("Error: {title}") } else { title.clone() } />
            <div class="narrow">
                <h1>{title}</h1>
                <ErrorSummary />
                <AccountFacts account />
                <p>"It is deleted at once, and nothing brings it back but a backup."</p>
                <form method="post" action=format!("/admin/accounts/{name}/delete") novalidate>
                    <fieldset class="field" class:invalid=is_invalid>
                        <legend>"Their posts"</legend>
                        {error.map(|error| view! { <p class="field-error" id="posts-error"><span class="visually-hidden">"Error: "</span>{error}</p> })}
                        {choice("delete", "posts", "Delete them as well")}
                        {choice("keep", "posts-keep", "Keep them, under the name “deleted-author”")}
                    </fieldset>
                    <div class="button-row">
                        <button class="button danger" type="submit">"Delete the account"</button>
                        <a href=format!("/admin/accounts/{name}")>"Go back"</a>
                    </div>
                </form>
            </div>
        })
    })
}
