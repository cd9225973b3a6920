//! `/about`: what whoever runs the site says of it.

use leptos::prelude::*;

use super::preview::ListPreview;
use crate::{
    accounts::profile::Punctuation,
    error::AppError,
    http::context::site,
    posts::{Content, address, domain::language::TextLanguage},
    ui::{PageTitle, load},
};

/// The setting `about` of the site as a page; where it is empty, there is none.
#[component]
pub fn AboutPage() -> impl IntoView {
    load(async move {
        let site = site();
        let settings = site.settings();
        if settings.about.is_empty() {
            return Err(AppError::NotFound);
        }
        let name = settings.identity.name.to_string();
        let title = format!("About {name}");
        let text = Content::parse(&settings.about).map_err(|_| AppError::NotFound)?;
        let rendering = site.renderer().render(&text, Punctuation::default()).await?;
        let language = TextLanguage::of(None, &name, &rendering.excerpt);
        let html = rendering.html.clone();
        Ok(view! {
            <PageTitle text=title.clone() />
            <ListPreview title description=rendering.excerpt.clone() path=Some(address::ABOUT.to_owned()) />
            <article class="post">
                <header>
                    <h1>"About "<bdi>{name}</bdi></h1>
                </header>
                <div class="prose" lang=language.tag dir=language.direction inner_html=html></div>
            </article>
        })
    })
}
