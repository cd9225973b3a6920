//! What stands around every page.

use leptos::prelude::*;

use crate::{
    credentials::Actor,
    posts::editor::ForgetDraft,
    server::{
        context::{actor, uri},
        forms::Notice,
    },
    ui::IslandScripts,
};

/// Site name, navigation, and who is signed in.
#[component]
pub fn SiteHeader() -> impl IntoView {
    let path = uri().path().to_owned();
    let in_account = path.starts_with("/account/");
    let link = move |href: &'static str, text: &'static str| {
        view! { <a href=href aria-current=(path == href).then_some("page")>{text}</a> }
    };
    view! {
        <header class="site-header">
            <a class="site-name" href="/">"Byline"</a>
            <nav aria-label="Main">
                <ul>
                    <li>{link("/", "All posts")}</li>
                    <li>{link("/my-posts", "My posts")}</li>
                </ul>
                {match actor() {
                    Actor::User(user) => view! {
                        <ul class="account">
                            <li>
                                <a href="/account/api-keys" aria-current=in_account.then_some("true")>
                                    <span class="visually-hidden">"Account of "</span>
                                    <strong>{user.username.to_string()}</strong>
                                </a>
                            </li>
                            <li>
                                <form method="post" action="/logout">
                                    <button class="link-button" type="submit">"Log out"</button>
                                </form>
                            </li>
                        </ul>
                    }.into_any(),
                    Actor::Anonymous | Actor::ApiKey => view! {
                        <ul class="account">
                            <li>{link("/signup", "Sign up")}</li>
                            <li>{link("/login", "Log in")}</li>
                        </ul>
                    }.into_any(),
                }}
            </nav>
        </header>
    }
}

/// What just happened, said once.
#[component]
pub fn NoticeBanner() -> impl IntoView {
    let notice = expect_context::<Option<Notice>>();
    let path = uri().path().to_owned();
    // The editor whose text has just been saved; its draft is of no more use.
    let saved_in = match notice {
        Some(Notice::Published) => Some("/my-posts/new".to_owned()),
        Some(Notice::Saved) => path.strip_prefix("/posts/").map(|id| format!("/my-posts/{id}/edit")),
        _ => None,
    };
    let draft = saved_in.zip(actor().user().ok().map(|user| user.username.to_string()));
    notice.map(|notice| {
        view! {
            <div class="notice" role="status">
                <p>{notice.sentence()}</p>
                {draft.map(|(page, username)| view! { <ForgetDraft username page /><IslandScripts /> })}
            </div>
        }
    })
}

/// The end of every page.
#[component]
pub fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <p>"Everyone reads. Only the author edits."</p>
        </footer>
    }
}
