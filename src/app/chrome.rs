//! The header and the footer of every page.

use leptos::prelude::*;

use crate::{
    credentials::{Actor, KeptForm},
    http::{
        context::actor,
        forms::{Form, Notice},
    },
    posts::address::{self, FeedFormat, FeedOf},
    ui::{Time, uri},
};

/// Site name, navigation, and who is signed in.
#[component]
pub fn SiteHeader() -> impl IntoView {
    let path = uri().path().to_owned();
    let in_account = path == "/account" || path.starts_with("/account/");
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
                    <li>{link(address::SEARCH, "Search")}</li>
                </ul>
                {match actor() {
                    Actor::User(user) => view! {
                        <ul class="account">
                            <li>
                                <a href="/account" aria-current=in_account.then_some("true")>
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

/// The notice of what was just done, shown once.
#[component]
pub fn NoticeBanner() -> impl IntoView {
    let notice = expect_context::<Option<&'static Notice>>();
    notice.map(|notice| {
        view! {
            <div class="notice" role="status">
                <p>{notice.sentence}</p>
            </div>
        }
    })
}

/// Texts that were sent after their author's session had ended, and are in no
/// editor now.
#[component]
pub fn KeptTexts() -> impl IntoView {
    let waiting = expect_context::<Vec<KeptForm>>();
    (!waiting.is_empty()).then(|| {
        let entries = waiting.into_iter().map(|form| view! { <KeptText form /> }).collect_view();
        view! {
            <section class="notice kept-texts" aria-labelledby="kept-texts">
                <h2 id="kept-texts">"Not saved yet"</h2>
                <p>"You sent these after you had been logged out. They wait here for a day."</p>
                <ul>{entries}</ul>
            </section>
        }
    })
}

#[component]
fn KeptText(form: KeptForm) -> impl IntoView {
    let KeptForm { id, page, title, at, .. } = form;
    let title = if title.trim().is_empty() { "Untitled".to_owned() } else { title };
    let link = format!("kept-{id}");
    view! {
        <li>
            <a id=link.clone() href=format!("{page}?{}={id}", Form::KEPT)><bdi>{title}</bdi></a>
            " of "<Time at />
            <form method="post" action=format!("/my-posts/kept/{id}/discard")>
                <button class="link-button" type="submit" aria-describedby=link>"Discard"</button>
            </form>
        </li>
    }
}

#[component]
pub fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <p>
                "Everyone reads. Only the author edits. "
                <a href=FeedOf::Everyone.address(FeedFormat::Atom) type=FeedFormat::Atom.media_type()>"Feed"</a>
            </p>
        </footer>
    }
}
