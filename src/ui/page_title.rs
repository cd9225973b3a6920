//! The title of a page.

use leptos::prelude::*;
use leptos_meta::Title;

/// `<title>`. leptos_meta 0.8 writes it unescaped, so that a post named
/// `</title><script>…` would run; every page names itself through this.
#[component]
pub fn PageTitle(
    /// Plain text, without the site's name.
    text: String,
) -> impl IntoView {
    let text = html_escape::encode_text(&text).into_owned();
    view! { <Title text=format!("{text} – Byline") /> }
}
