//! What other sites and programs read of a page: its description, its one address, its
//! preview (Open Graph, <https://ogp.me>), its data (<https://schema.org/BlogPosting>), and
//! where its feeds are. Nothing of this is seen on the page.

use leptos::prelude::*;
use leptos_meta::{Link, Meta};
use serde_json::json;

use crate::{
    config::SiteSettings,
    http::context::site,
    posts::{
        Summary,
        address::{self, FeedFormat, FeedOf},
        images::PageImage,
    },
    site::Site,
    site_settings::pictures::logo_address,
    username::Username,
};

/// What the addresses of the site begin with, where whoever runs it has said so. What a
/// request calls the site is no better than a guess, and it would be kept for everyone.
#[must_use]
pub fn origin(site: &Site) -> Option<String> {
    site.public_url.set().map(ToString::to_string)
}

/// In the head of `/`.
#[component]
pub fn SitePreview() -> impl IntoView {
    let identity = site().settings().identity.clone();
    let name = identity.name.to_string();
    let description = match identity.description.as_str() {
        "" => format!("Everything that is published on {name}, newest first."),
        description => description.to_owned(),
    };
    view! {
        <ListPreview title=name description path=Some("/".to_owned()) />
        <FeedLinks of=FeedOf::Everyone />
    }
}

/// In the head of `/search`. Anybody can invent words, so all such pages have one address.
#[component]
pub fn SearchPreview() -> impl IntoView {
    let description =
        format!("Search the titles and texts of everything on {}.", site().settings().identity.name);
    view! { <ListPreview title="Search".to_owned() description path=Some(address::SEARCH.to_owned()) /> }
}

/// In the head of a page that lists posts.
#[component]
pub fn ListPreview(
    title: String,
    description: String,
    /// The one address of the page. Absent for the later pages of a list, which nobody links.
    path: Option<String>,
    /// A type of Open Graph.
    #[prop(default = "website")]
    kind: &'static str,
) -> impl IntoView {
    view! {
        <Meta name="description" content=description.clone() />
        {path.map(|path| view! {
            <Meta property="og:type" content=kind />
            <Meta property="og:title" content=title />
            <Meta property="og:description" content=description />
            <CommonPreview path image=PageImage::of_site(&site().settings().identity) />
        })}
    }
}

/// In the head of the page of a post.
#[component]
pub fn PostPreview(post: Summary, image: PageImage) -> impl IntoView {
    let origin = origin(&site());
    let data = linked_data(origin.as_deref(), &site().settings(), &post, &image);
    let author = origin.map(|origin| origin + &address::of_author(&post.owner));
    let path = post.address();
    view! {
        <Meta name="description" content=post.excerpt.clone() />
        <Meta name="author" content=post.author.clone() />
        <Meta property="og:type" content="article" />
        <Meta property="og:title" content=post.title.to_string() />
        <Meta property="og:description" content=post.excerpt />
        <Meta property="article:published_time" content=post.created_at.rfc3339_millis() />
        <Meta property="article:modified_time" content=post.updated_at.rfc3339_millis() />
        {author.map(|author| view! { <Meta property="article:author" content=author /> })}
        <CommonPreview path image />
        <FeedLinks of=FeedOf::Everyone />
        {Username::parse_known(&post.owner).ok().map(|author| view! {
            <FeedLinks of=FeedOf::Author(author) name=post.author />
        })}
        <script type="application/ld+json" inner_html=data></script>
    }
}

/// What every page with a preview has.
#[component]
fn CommonPreview(
    /// The one address of the page.
    path: String,
    image: PageImage,
) -> impl IntoView {
    let origin = origin(&site());
    let card = if origin.is_some() { "summary_large_image" } else { "summary" };
    view! {
        <Meta property="og:site_name" content=site().settings().identity.name.to_string() />
        <Meta name="twitter:card" content=card />
        {origin.map(|origin| {
            let address = format!("{origin}{path}");
            let PageImage { path, width, height, alt } = image;
            view! {
                <Meta property="og:url" content=address.clone() />
                <Link rel="canonical" href=address />
                <Meta property="og:image" content=origin + &path />
                <Meta property="og:image:width" content=width />
                <Meta property="og:image:height" content=height />
                <Meta property="og:image:alt" content=alt />
            }
        })}
    }
}

/// The feeds of what a page shows, so that readers find them
/// (<https://html.spec.whatwg.org/multipage/links.html#rel-alternate>).
#[component]
pub fn FeedLinks(
    of: FeedOf,
    /// The author's name, as people see it.
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    let title = match &of {
        FeedOf::Everyone => "All posts".to_owned(),
        FeedOf::Author(author) => format!("Posts by {}", name.as_deref().unwrap_or(author.as_str())),
        FeedOf::Tag(tag) => format!("Posts tagged {tag}"),
    };
    let links = FeedFormat::ALL.map(|format| {
        let href = of.address(format);
        view! { <Link rel="alternate" type_=format.media_type() title=title.clone() href /> }
    });
    links.into_iter().collect_view()
}

/// The data of a post as the text of a script element of the type `application/ld+json`. No
/// browser runs it, so the Content-Security-Policy need not allow it. A `<` is written as
/// JSON may write it, so a title cannot close the element.
#[must_use]
pub fn linked_data(
    origin: Option<&str>,
    settings: &SiteSettings,
    post: &Summary,
    image: &PageImage,
) -> String {
    let at = |path: String| origin.map(|origin| format!("{origin}{path}"));
    let mut author = json!({ "@type": "Person", "name": post.author });
    if let Some(address) = at(address::of_author(&post.owner)) {
        author["url"] = address.into();
    }
    let mut data = json!({
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": post.title.as_str(),
        "description": post.excerpt,
        "datePublished": post.created_at.rfc3339_millis(),
        "dateModified": post.updated_at.rfc3339_millis(),
        "author": author,
    });
    if let Some(address) = at(post.address()) {
        data["url"] = address.clone().into();
        data["mainEntityOfPage"] = address.into();
    }
    if let Some(address) = at(image.path.clone()) {
        data["image"] = address.into();
    }
    if let Some(logo) = &settings.logo
        && let Some(address) = at(logo_address(logo))
    {
        let name = settings.identity.name.as_str();
        data["publisher"] = json!({
            "@type": "Organization",
            "name": name,
            "logo": { "@type": "ImageObject", "url": address },
        });
    }
    data.to_string().replace('<', "\\u003c")
}
