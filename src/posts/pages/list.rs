//! The lists: everyone's posts, those of an author, and one's own.

use leptos::prelude::*;

use super::{
    cursors,
    parts::{AuthorLink, MyPostsNav, RestoreForm, WaitingPosts},
    preview::SitePreview,
    writing_room::LocalDrafts,
};
use crate::{
    credentials::Actor,
    error::AppError,
    http::{
        context::{actor, site},
        forms::Notice,
    },
    posts::{
        Page, Summary, address, api,
        domain::{
            language::TextLanguage,
            trash::{self, TrashedPost},
        },
        forms,
        live::LiveList,
    },
    site_settings::logo::{LogoImage, ShownLogo},
    ui::{IslandScripts, PageTitle, Pagination, Time, Wake, load},
};

/// `/`: everything, newest first.
#[component]
pub fn AllPostsPage() -> impl IntoView {
    let (older, newer) = cursors();
    let first = older.is_none() && newer.is_none();
    load(async move {
        let page = api::list_posts(older, newer, None, None).await?;
        Ok(view! {
            {if first {
                view! { <PageTitle /><SitePreview /> }.into_any()
            } else {
                view! { <PageTitle text="Older posts".to_owned() /> }.into_any()
            }}
            <LiveList as_of=page.as_of />
            {if first { view! { <Masthead /> }.into_any() } else { view! { <h1>"All posts"</h1> }.into_any() }}
            {if page.posts.is_empty() && first {
                view! { <NothingYet /> }.into_any()
            } else {
                view! { <List page path="/" own=false /> }.into_any()
            }}
            <IslandScripts wake=Wake::Idle />
        })
    })
}

/// The name of the site, or its logo, and what it is about, above the newest posts.
#[component]
fn Masthead() -> impl IntoView {
    let settings = site().settings();
    let identity = &settings.identity;
    let language = settings.language.tag().to_owned();
    let (name, description) = (identity.name.to_string(), identity.description.as_str().to_owned());
    let name_or_logo = match settings.logo.as_ref().map(ShownLogo::in_the_masthead) {
        Some(logo) => view! { <LogoImage logo alt=name /> }.into_any(),
        None => name.into_any(),
    };
    view! {
        <header class="masthead">
            <h1 lang=language.clone() dir="auto">{name_or_logo}</h1>
            {(!description.is_empty()).then(|| view! { <p lang=language dir="auto">{description}</p> })}
        </header>
        <h2 class="visually-hidden">"All posts"</h2>
    }
}

/// `/my-posts`: the signed-in author's own, newest first.
#[component]
pub fn MyPostsPage() -> impl IntoView {
    let (older, newer) = cursors();
    let first = older.is_none() && newer.is_none();
    let notice = expect_context::<Option<&'static Notice>>();
    let just_deleted = notice.is_some_and(|notice| notice == &forms::DELETED);
    load(async move {
        let page = api::my_posts(older, newer, None).await?;
        let drafts = if first { api::my_drafts().await? } else { Vec::new() };
        let undo = if just_deleted { undo().await? } else { None };
        Ok(view! {
            <PageTitle text="My posts".to_owned() />
            <div class="heading-row">
                <h1>"My posts"</h1>
                <a class="button" href="/my-posts/new">"New post"</a>
            </div>
            <MyPostsNav />
            <LocalDrafts />
            {undo}
            <WaitingPosts drafts />
            {if page.posts.is_empty() && first {
                view! {
                    <div class="empty">
                        <p>"You have not published anything yet."</p>
                        <p>"Choose New post to write your first one. Everyone will be able to read it; only you can change it."</p>
                    </div>
                }
                .into_any()
            } else {
                view! { <List page path="/my-posts" own=true /> }.into_any()
            }}
        })
    })
}

/// Right after a deletion: the way back.
async fn undo() -> Result<Option<impl IntoView>, AppError> {
    let last = trash::list(&site(), &actor(), 1).await?.into_iter().next();
    Ok(last.map(|TrashedPost { id, title, .. }| {
        view! {
            <div class="undo">
                <p>"You deleted “"<bdi>{if title.is_empty() { "Untitled".to_owned() } else { title }}</bdi>"”."</p>
                <RestoreForm id=id.to_string() label="Undo" />
            </div>
        }
    }))
}

/// The first visit to an empty site says what to do next.
#[component]
fn NothingYet() -> impl IntoView {
    let next = match actor() {
        Actor::User(_) => view! { <p><a class="button" href="/my-posts/new">"Write the first post"</a></p> }.into_any(),
        Actor::Anonymous | Actor::ApiKey => view! {
            {if site().settings().sign_up.is_open() {
                view! { <p><a href="/signup">"Sign up"</a>" or "<a href="/login">"log in"</a>" to write the first one."</p> }.into_any()
            } else {
                view! { <p><a href="/login">"Log in"</a>" to write the first one."</p> }.into_any()
            }}
        }
        .into_any(),
    };
    view! {
        <div class="empty">
            <p>"Nothing has been published here yet."</p>
            {next}
        </div>
    }
}

/// Entries of a page, and the way to the pages before and after it.
#[component]
pub(super) fn List(page: Page, #[prop(into)] path: String, own: bool) -> impl IntoView {
    let entries = page.posts.iter().cloned().map(|post| view! { <Entry post own /> }).collect_view();
    let empty = page.posts.is_empty();
    let [older, newer] = [page.older, page.newer].map(|cursor| cursor.map(|cursor| cursor.to_string()));
    view! {
        <div class="post-list">{entries}</div>
        {empty.then(|| view! {
            <p class="meta">"There is nothing older. "<a href=path.clone()>"Go to the newest posts"</a></p>
        })}
        <Pagination older newer path />
    }
}

#[component]
fn Entry(post: Summary, own: bool) -> impl IntoView {
    let address = post.address();
    let Summary { id, title, excerpt, owner, author, created_at, language, .. } = post;
    let language = TextLanguage::of(language, title.as_str(), &excerpt);
    let heading = format!("post-{id}");
    let labelled_by = heading.clone();
    let actions = own.then(|| view! {
        <p class="actions quiet">
            <a href=format!("/my-posts/{id}/edit") aria-describedby=heading.clone()>"Edit"</a>
            <a class="danger" href=address::of_deletion(&id) aria-describedby=heading.clone()>"Delete post"</a>
        </p>
    });
    view! {
        <article class="entry" dir=language.direction aria-labelledby=labelled_by>
            <h2 id=heading lang=language.tag><a href=address>{title.to_string()}</a></h2>
            {(!excerpt.is_empty()).then(|| view! { <p class="excerpt" lang=language.tag>{excerpt}</p> })}
            <p class="meta">
                <AuthorLink username=owner name=author />" · "<Time at=created_at />
            </p>
            {actions}
        </article>
    }
}
