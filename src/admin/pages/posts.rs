//! `/admin/posts`: what is published, and what is hidden.

use leptos::prelude::*;
use url::{Url, form_urlencoded};

use super::{Deed, Head, LISTED, Older, SearchForm, after, by, parameter, place, query};
use crate::{
    credentials::Actor,
    error::{AppError, Field},
    http::context::{client, site},
    posts::{
        PageRequest, PostId, Summary,
        domain::{
            approval,
            hidden::{self, HiddenPost},
            search::{self, SearchWords},
            service,
        },
        found::SearchPlace,
        pages::PostPath,
    },
    timestamp::Timestamp,
    ui::{ErrorSummary, TextField, Time, load},
};

/// The newest posts, or what was searched for: words, an id, or the address of a post.
#[component]
pub fn PostsPage() -> impl IntoView {
    let (typed, older, after) = (query("q").unwrap_or_default(), query("older"), query("after"));
    load(async move {
        by().await?;
        let waiting = approval::count(&mut site().database.read().await?).await?;
        let (posts, more) = found(typed.trim(), older.as_deref(), after.as_deref()).await?;
        let is_empty = posts.is_empty();
        let entries = posts.into_iter().map(|post| view! { <Entry post /> }).collect_view();
        Ok(view! {
            <Head title="Posts" />
            <p class="actions">
                <a href="/admin/posts/waiting">{format!("Posts that wait for approval ({waiting})")}</a>
                <a href="/admin/posts/hidden">"Posts that are hidden"</a>
            </p>
            <SearchForm
                action="/admin/posts"
                label="Search posts"
                hint="Words, or the address or the id of a post"
                typed
            />
            {if is_empty {
                view! { <div class="empty"><p>"There is no such post."</p></div> }.into_any()
            } else {
                view! { <div class="key-list">{entries}</div> }.into_any()
            }}
            <Older href=more text="More posts" />
        })
    })
}

/// The posts of a page of the list, and the address of the next.
async fn found(
    typed: &str,
    older: Option<&str>,
    after: Option<&str>,
) -> Result<(Vec<Summary>, Option<String>), AppError> {
    let (site, actor) = (site(), Actor::Anonymous);
    if typed.is_empty() {
        let page = service::list(&site, &actor, PageRequest::parse(older, None)?).await?;
        return Ok((page.posts, page.older.map(|cursor| format!("/admin/posts?older={cursor}"))));
    }
    if let Some(id) = named(typed).await? {
        return match service::summary(&site, &actor, &id).await {
            Ok(post) => Ok((vec![post], None)),
            Err(AppError::NotFound) => Ok((Vec::new(), None)),
            Err(error) => Err(error),
        };
    }
    let Ok(words) = SearchWords::parse(typed) else { return Ok((Vec::new(), None)) };
    let after = after.map(str::parse::<SearchPlace>).transpose()?;
    let page = search::search(&site, &actor, &client(), Ok(words.clone()), Ok(after)).await?;
    let more = page.more.map(|place| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", words.as_str()).append_pair("after", &place.to_string());
        format!("/admin/posts?{}", query.finish())
    });
    Ok((page.posts.into_iter().map(|found| found.post).collect(), more))
}

/// The post whose id or address this is.
async fn named(typed: &str) -> Result<Option<PostId>, AppError> {
    let path = typed.parse::<Url>().map_or_else(|_| typed.to_owned(), |url| url.path().to_owned());
    if let Some(path) = PostPath::parse(&path) {
        return match path.post(&site(), &Actor::Anonymous).await {
            Ok(id) => Ok(Some(id)),
            Err(AppError::NotFound) => Ok(None),
            Err(error) => Err(error),
        };
    }
    let Some(id) = PostId::parse(typed) else { return Ok(None) };
    match service::summary(&site(), &Actor::Anonymous, &id).await {
        Ok(_) => Ok(Some(id)),
        // One word that is no id of a post.
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

#[component]
fn Entry(post: Summary) -> impl IntoView {
    let heading = format!("post-{}", post.id);
    let (labelled_by, of_heading) = (heading.clone(), heading.clone());
    let href = post.address();
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h2 id=heading dir="auto"><a href=href>{post.title.to_string()}</a></h2>
            <dl class="facts">
                <div><dt>"Author"</dt><dd><a href=format!("/admin/accounts/{}", post.owner)>{post.owner.clone()}</a></dd></div>
                <div><dt>"Published"</dt><dd><Time at=post.created_at /></dd></div>
            </dl>
            <p class="actions">
                <a class="danger" href=format!("/admin/posts/{}/hide", post.id) aria-describedby=of_heading>"Hide"</a>
            </p>
        </article>
    }
}

/// Asks for the reason, and hides a post.
#[component]
pub fn HidePostPage() -> impl IntoView {
    let id = parameter("id");
    load(async move {
        let by = by().await?;
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let (title, owner, back) = match service::summary(&site(), &Actor::Anonymous, &id).await {
            Ok(post) => (post.title.to_string(), post.owner.clone(), post.address()),
            Err(AppError::NotFound) => {
                let post = approval::waiting(&site(), &by, &id).await?;
                (post.shown_title().to_owned(), post.owner, "/admin/posts/waiting".to_owned())
            }
            Err(error) => return Err(error),
        };
        Ok(view! {
            <Head title="Hide a post" />
            <div class="narrow">
                <ErrorSummary />
                <p>"“"<bdi>{title}</bdi>"” by "<bdi>{owner}</bdi>
                    " will be gone for everyone. Its author finds it in their trash, with the reason, and cannot restore it. You can."</p>
                <form method="post" action=format!("/admin/posts/{id}/hide") novalidate>
                    <TextField
                        field=Field::Reason
                        autocomplete="on"
                        hint="One line, for its author"
                    />
                    <div class="button-row">
                        <button class="button danger" type="submit">"Hide the post"</button>
                        <a href=back>"Go back"</a>
                    </div>
                </form>
            </div>
        })
    })
}

/// The posts that are hidden, the one that was hidden last first.
#[component]
pub fn HiddenPostsPage() -> impl IntoView {
    let place = place();
    load(async move {
        by().await?;
        let posts = hidden::page(&site(), place, LISTED).await?;
        let is_empty = posts.is_empty();
        let last = posts.last().filter(|_| i64::try_from(posts.len()) == Ok(LISTED));
        let older = last.map(|last| after("/admin/posts/hidden", last.hidden_at, &last.id));
        let entries = posts.into_iter().map(|post| view! { <HiddenEntry post /> }).collect_view();
        Ok(view! {
            <Head title="Hidden posts" />
            {if is_empty {
                view! { <div class="empty"><p>"No post is hidden."</p></div> }.into_any()
            } else {
                view! { <div class="key-list">{entries}</div> }.into_any()
            }}
            <Older href=older text="More hidden posts" />
        })
    })
}

#[component]
fn HiddenEntry(post: HiddenPost) -> impl IntoView {
    let HiddenPost { id, title, owner, reason, hidden_at } = post;
    let heading = format!("post-{id}");
    let (labelled_by, of_heading) = (heading.clone(), heading.clone());
    view! {
        <article class="entry" aria-labelledby=labelled_by>
            <h2 id=heading dir="auto">{title}</h2>
            <dl class="facts">
                <div><dt>"Author"</dt><dd><a href=format!("/admin/accounts/{owner}")>{owner.clone()}</a></dd></div>
                <div><dt>"Hidden"</dt><dd><Time at=Timestamp::from_micros(hidden_at) /></dd></div>
                <div><dt>"Reason"</dt><dd><bdi>{reason}</bdi></dd></div>
            </dl>
            <p class="actions">
                <a href=format!("/admin/posts/{id}/restore") aria-describedby=of_heading>"Restore"</a>
            </p>
        </article>
    }
}

/// The page of the form that publishes a hidden post again.
#[component]
pub fn RestorePostPage() -> impl IntoView {
    let id = parameter("id");
    load(async move {
        by().await?;
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let post = hidden::find(&site(), &id).await?;
        Ok(view! {
            <Deed
                question=format!("Take “{}” back out of hiding?", post.title)
                sentence=format!("It was hidden from everyone. The reason: {}. What was published before is published again; what waited for approval waits again.", post.reason)
                action=format!("/admin/posts/{id}/restore")
                button="Restore it"
                back="/admin/posts/hidden"
                danger=false
            />
        })
    })
}
