//! The title of a page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::site::Site;

/// `<title>`. leptos_meta 0.8 writes it unescaped, so that a post named
/// `</title><script>…` would run; every page names itself through this.
#[component]
pub fn PageTitle(
    /// Plain text, without the site's name; absent on the first page of the site.
    #[prop(optional)]
    text: Option<String>,
) -> impl IntoView {
    let name = expect_context::<Site>().settings().identity.name.to_string();
    let title = text.map_or_else(|| name.clone(), |text| format!("{text} – {name}"));
    view! { <Title text=html_escape::encode_text(&title).into_owned() /> }
}
