//! `/account/media` and `/account/media/{id}/delete`.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use url::form_urlencoded;

use super::{
    Picture,
    domain::{service, uses::Use},
    forms::PAGE,
};
use crate::{
    accounts::pages::AccountNav,
    config::MediaQuota,
    error::Field,
    http::context::{actor, site},
    ui::{ErrorSummary, FileField, FormState, PageTitle, TextField, Time, load, uri},
};

/// The pictures of the person who is signed in, and the form for another one.
#[component]
pub fn PicturesPage() -> impl IntoView {
    let failed = expect_context::<FormState>().error.is_some();
    let asked = uri();
    let before = form_urlencoded::parse(asked.query().unwrap_or_default().as_bytes())
        .find_map(|(name, value)| (name == "before").then(|| value.into_owned()));
    load(async move {
        let site = site();
        let (pictures, bytes) = service::overview(&site, &actor(), before.as_deref()).await?;
        let quota: MediaQuota = *site.part();
        let is_full = i64::try_from(pictures.len()).is_ok_and(|count| count >= service::PAGE);
        let last = pictures.last().filter(|_| is_full).map(|(picture, _)| picture.id.clone());
        let is_empty = pictures.is_empty();
        let entries =
            pictures.into_iter().map(|(picture, uses)| view! { <Entry picture uses /> }).collect_view();
        Ok(view! {
            <PageTitle text=if failed { "Error: Pictures" } else { "Pictures" }.to_owned() />
            <AccountNav />
            <h1>"Pictures"</h1>
            <ErrorSummary />
            {if quota.takes_pictures() { view! { <AddPicture quota bytes /> }.into_any() } else {
                view! { <p>"This site takes no pictures."</p> }.into_any()
            }}
            <section aria-labelledby="pictures">
                <h2 id="pictures">"Your pictures"</h2>
                {is_empty.then(|| view! { <p>"There is none here yet."</p> })}
                <div class="pictures">{entries}</div>
                {last.map(|last| view! {
                    <nav class="pagination" aria-label="Pages">
                        <a class="older" rel="next" href=format!("{PAGE}?before={last}")>"Older pictures"</a>
                    </nav>
                })}
            </section>
        })
    })
}

#[component]
fn AddPicture(quota: MediaQuota, bytes: i64) -> impl IntoView {
    view! {
        <form class="narrow" method="post" action=PAGE enctype="multipart/form-data" novalidate>
            <FileField
                field=Field::File
                accept="image/jpeg,image/png,image/gif,image/webp,image/avif"
                hint="A JPEG, PNG, GIF, WebP or AVIF, 10 MiB at most. Where it was made, and by whom, is removed."
            />
            <TextField
                field=Field::Alt
                autocomplete="on"
                hint="For people who do not see it. Leave it empty if it says nothing."
                optional=true
            />
            <button class="button" type="submit">"Add picture"</button>
            <p class="hint">{format!("Your pictures take {} of {}.", size(bytes), size(quota.bytes()))}</p>
        </form>
    }
}

/// Bytes in a unit that people read.
fn size(bytes: i64) -> String {
    match bytes {
        ..1_048_576 => format!("{} KiB", (bytes + 1023) / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[component]
fn Entry(picture: Picture, uses: Vec<Use>) -> impl IntoView {
    let Picture { id, url, thumbnail, width, height, alt, bytes, created_at, markdown } = picture;
    let (heading, code) = (format!("picture-{id}"), format!("markdown-{id}"));
    let (labelled_by, described_by, label_for) = (heading.clone(), heading.clone(), code.clone());
    let name = if alt.is_empty() { "Without a description".to_owned() } else { alt.as_str().to_owned() };
    let uses = uses
        .into_iter()
        .map(|text| view! { <li><a href=text.path><bdi>{text.title}</bdi></a></li> })
        .collect_view();
    let is_used = !uses.is_empty();
    view! {
        <article class="entry picture" aria-labelledby=labelled_by>
            <a href=url><img src=thumbnail alt=alt.as_str().to_owned() width=width height=height loading="lazy" decoding="async" /></a>
            <div>
                <h3 id=heading dir="auto">{name}</h3>
                <p class="hint">{format!("{width} × {height} pixels, {}, ", size(bytes))}<Time at=created_at /></p>
                <label for=label_for>"Markdown"</label>
                <input id=code type="text" readonly dir="ltr" value=markdown />
                {is_used.then(|| view! { <p>"Shown in:"</p><ul>{uses}</ul> })}
                {(!is_used).then(|| view! {
                    <p class="hint">"No text of yours shows it. After 30 days like this, it is removed."</p>
                    <form method="post" action=format!("{PAGE}/{id}/delete") class="actions">
                        <button class="link-button danger" type="submit" aria-describedby=described_by>"Delete"</button>
                    </form>
                })}
            </div>
        </article>
    }
}

/// The page of the form that deletes a picture, for people who reload it and for those whose
/// picture a text shows by now.
#[component]
pub fn DeletePicturePage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let failed = expect_context::<FormState>().error.is_some();
    load(async move {
        let (picture, uses) = service::get(&site(), &actor(), &id).await?;
        let uses = uses
            .into_iter()
            .map(|text| view! { <li><a href=text.path><bdi>{text.title}</bdi></a></li> })
            .collect_view();
        Ok(view! {
            <PageTitle text=if failed { "Error: Delete this picture?" } else { "Delete this picture?" }.to_owned() />
            <section class="message">
                <h1>"Delete this picture?"</h1>
                <ErrorSummary />
                <p id="file"><img src=picture.thumbnail alt=picture.alt.as_str().to_owned() /></p>
                {(!uses.is_empty()).then(|| view! { <p>"It is shown in:"</p><ul>{uses}</ul> })}
                <form method="post" action=format!("{PAGE}/{}/delete", picture.id) class="button-row">
                    <button class="button danger" type="submit">"Delete picture"</button>
                    <a href=PAGE>"Keep it"</a>
                </form>
            </section>
        })
    })
}
