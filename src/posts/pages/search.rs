//! `/search`: the posts that have all words of a search.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{parts::AuthorLink, preview::SearchPreview};
use crate::{
    http::context::{actor, client, site},
    posts::{
        address,
        domain::{
            language::TextLanguage,
            search::{self, SearchWords, SearchWordsError},
        },
        found::{Found, Piece, SearchPage, SearchPlace},
    },
    ui::{PageTitle, Time, load},
};

/// A form, and what it finds. Nothing was searched for, nothing is found and too much was
/// asked are different, and each says what to do next.
#[component]
pub fn SearchPage() -> impl IntoView {
    let (typed, after) =
        use_query_map().with_untracked(|query| (query.get(address::SEARCH_WORDS), query.get("after")));
    load(async move {
        let words = SearchWords::parse(typed.as_deref().unwrap_or_default());
        let after = after.as_deref().map(str::parse::<SearchPlace>).transpose()?;
        let is_first = after.is_none();
        let title = match &words {
            Ok(words) => format!("{} – Search", words.as_str()),
            Err(_) => "Search".to_owned(),
        };
        let error = match words {
            Err(SearchWordsError::TooLong) => Some(SearchWordsError::TooLong.to_string()),
            // Who only opens the page has made no mistake.
            Err(SearchWordsError::Empty) => typed.as_ref().map(|_| SearchWordsError::Empty.to_string()),
            Ok(_) => None,
        };
        let found = match words {
            Ok(words) => {
                let page = search::search(&site(), &actor(), &client(), Ok(words.clone()), Ok(after)).await?;
                Some(view! { <Results words page is_first /> })
            }
            Err(_) => None,
        };
        Ok(view! {
            <PageTitle text=title />
            <SearchPreview />
            <h1>"Search"</h1>
            <SearchForm typed=typed.unwrap_or_default() error />
            {found}
        })
    })
}

#[component]
fn SearchForm(typed: String, error: Option<String>) -> impl IntoView {
    let is_wrong = error.is_some();
    let described_by = if is_wrong { "q-error" } else { "q-hint" };
    view! {
        <form class="search" role="search" action=address::SEARCH>
            <div class="field" class:invalid=is_wrong>
                <label for="q">"Search"</label>
                <p class="hint" id="q-hint">"Words in titles and texts. A post has to have all of them."</p>
                {error.map(|error| view! { <p class="field-error" id="q-error">{error}</p> })}
                <div class="control">
                    <input
                        id="q"
                        name=address::SEARCH_WORDS
                        type="search"
                        value=typed
                        maxlength=SearchWords::MAX_CHARS.to_string()
                        dir="auto"
                        enterkeyhint="search"
                        aria-invalid=is_wrong.then_some("true")
                        aria-describedby=described_by
                    />
                    <button class="button" type="submit">"Find posts"</button>
                </div>
            </div>
        </form>
    }
}

#[component]
fn Results(words: SearchWords, page: SearchPage, is_first: bool) -> impl IntoView {
    let SearchPage { posts, more } = page;
    let quoted = words.as_str().to_owned();
    if posts.is_empty() && more.is_none() {
        let again = address::of_search(words.as_str(), None);
        return if is_first {
            view! {
                <div class="empty">
                    <p>"No post has “"<bdi>{quoted}</bdi>"”."</p>
                    <p>"Try fewer words, or only the beginning of a word. Or "<a href="/">"look through all posts"</a>"."</p>
                </div>
            }
            .into_any()
        } else {
            view! { <p class="meta">"There are no more posts. "<a href=again>"Go to the first of them"</a></p> }
                .into_any()
        };
    }
    let entries = posts.into_iter().map(|found| view! { <Entry found /> }).collect_view();
    let more = more.map(|place| address::of_search(words.as_str(), Some(&place)));
    view! {
        <p class="meta">"Posts with “"<bdi>{quoted}</bdi>"”"</p>
        <div class="post-list">{entries}</div>
        {more.map(|href| view! {
            <nav class="pagination" aria-label="Pages"><a class="older" rel="next" href=href>"More posts"</a></nav>
        })}
    }
    .into_any()
}

#[component]
fn Entry(found: Found) -> impl IntoView {
    let Found { post, marked_title, marked_excerpt } = found;
    let heading = format!("post-{}", post.id);
    let labelled_by = heading.clone();
    let language = TextLanguage::of(post.language, post.title.as_str(), &post.excerpt);
    let has_excerpt = marked_excerpt.iter().any(|piece| !piece.text.is_empty());
    view! {
        <article class="entry" dir=language.direction aria-labelledby=labelled_by>
            <h2 id=heading lang=language.tag><a href=post.address()>{marked(marked_title)}</a></h2>
            {has_excerpt.then(|| view! { <p class="excerpt" lang=language.tag>{marked(marked_excerpt)}</p> })}
            <p class="meta">
                <AuthorLink username=post.owner name=post.author />" · "<Time at=post.created_at />
            </p>
        </article>
    }
}

fn marked(pieces: Vec<Piece>) -> impl IntoView {
    let view = |Piece { text, marked }| match marked {
        true => view! { <mark>{text}</mark> }.into_any(),
        false => text.into_any(),
    };
    pieces.into_iter().map(view).collect_view()
}
