//! The image by which other sites show a link to a page.

use axum::{body::Body, http::Method};
use byline::config::SiteSetting;
use futures::{
    future::{join, join_all},
    stream::{self, StreamExt},
};
use serde_json::Value;

use crate::support::{Answer, Client, Credential, Page, Running, picture};

/// The path of the image that a page names.
fn image_of(site: &Running, page: &Page) -> String {
    let address = page.attribute("head > meta[property='og:image']", "content").expect("an image");
    let origin = format!("http://{}", site.address);
    address.strip_prefix(&origin).unwrap_or_else(|| panic!("{address} is elsewhere")).to_owned()
}

async fn image_of_post(site: &Running, post: &str) -> String {
    image_of(site, &site.browser().page(&format!("/posts/{post}")).await)
}

/// What is seen on the image.
fn pixels(answer: &Answer) -> image::RgbImage {
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"));
    let image = image::load_from_memory(&answer.body).expect("a picture").to_rgb8();
    assert_eq!(image.dimensions(), (1200, 630));
    image
}

async fn rename(author: &mut Client, name: &str) {
    let profile = [("display_name", name), ("about", ""), ("links", "")];
    assert_eq!(author.submit("/account/profile", &profile).await.status, 303);
}

#[tokio::test]
async fn another_site_gets_an_image_with_the_title_of_a_post() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (heron, river) = (ada.publish("The heron", "").await, ada.publish("The river", "").await);
    let mut reader = site.browser();
    let path = image_of_post(&site, &heron).await;
    assert!(path.starts_with(&format!("/previews/posts/{heron}/")) && path.ends_with(".png"), "{path}");
    let answer = reader.get(&path).await;
    let seen = pixels(&answer);
    let [ground, words] = [[0xfb, 0xf8, 0xf1], [0x1f, 0x1c, 0x17]];
    assert_eq!(seen.get_pixel(1199, 0).0, ground);
    assert!(seen.pixels().filter(|pixel| pixel.0 == words).count() > 1_000, "there are words");
    let header = |name: &str| answer.header(name).to_owned();
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin");
    assert!(answer.cookies().next().is_none());

    let known = reader.request(Method::GET, &path).header("if-none-match", header("etag"));
    let known = reader.send(known.body(Body::empty()).expect("a request")).await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, header("etag").as_str()));
    let head = reader.request(Method::HEAD, &path).body(Body::empty()).expect("a request");
    let head = reader.send(head).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(reader.post(&path, "text/plain", "").await.status, 405);

    assert_eq!(ada.get(&path).await.body, answer.body, "its author gets the same");
    let other = reader.get(&image_of_post(&site, &river).await).await;
    assert_ne!(pixels(&other), seen, "another title is another image");
}

#[tokio::test]
async fn other_sites_are_told_where_the_image_is_and_what_it_shows() {
    let site = Running::start_with(|config| config.site.set(SiteSetting::Name, "Marsh notes")).await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("\"Herons\" & <rivers>", "").await;
    for page in
        [site.browser().page(&format!("/posts/{post}")).await, ada.page(&format!("/posts/{post}")).await]
    {
        page.assert_harmless("a post with an image");
        let meta = |name: &str| page.attribute(&format!("meta[property='{name}']"), "content");
        let path = image_of(&site, &page);
        assert_eq!(meta("og:image:width").as_deref(), Some("1200"));
        assert_eq!(meta("og:image:height").as_deref(), Some("630"));
        assert_eq!(meta("og:image:alt").as_deref(), Some("\"Herons\" & <rivers>, by ada"));
        let card = page.attribute("meta[name='twitter:card']", "content");
        assert_eq!(card.as_deref(), Some("summary_large_image"));
        let data: Value =
            serde_json::from_str(&page.text("script[type='application/ld+json']")).expect("JSON");
        assert_eq!(data["image"], format!("http://{}{path}", site.address));
        pixels(&site.browser().get(&path).await);
    }
    let list = site.browser().page("/").await;
    let path = image_of(&site, &list);
    assert!(path.starts_with("/previews/site/"), "{path}");
    let alt = list.attribute("meta[property='og:image:alt']", "content");
    assert_eq!(alt.as_deref(), Some("Marsh notes"));
    pixels(&site.browser().get(&path).await);
    let answer = site.browser().get("/previews/site/0.png").await;
    assert_eq!((answer.status, answer.location()), (302, path.as_str()));
}

#[tokio::test]
async fn an_image_that_is_out_of_date_leads_to_the_one_of_today() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("The heron", "").await;
    let mut reader = site.browser();
    let mut paths = vec![image_of_post(&site, &post).await];
    let edit = [("version", "1"), ("title", "The herons"), ("content", "")];
    assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &edit).await.status, 303);
    paths.push(image_of_post(&site, &post).await);
    rename(&mut ada, "Ada Lovelace").await;
    paths.push(image_of_post(&site, &post).await);
    let today = paths.pop().expect("a path");
    pixels(&reader.get(&today).await);
    paths.push(format!("/previews/posts/{post}/x"));
    for old in paths {
        assert_ne!(old, today);
        let answer = reader.get(&old).await;
        assert_eq!((answer.status, answer.location()), (302, today.as_str()), "{old}");
        assert_eq!(answer.header("cache-control"), "no-store", "{old}");
    }
    let text = [("version", "2"), ("title", "The herons"), ("content", "More of it.")];
    assert_eq!(ada.submit(&format!("/my-posts/{post}/edit"), &text).await.status, 303);
    assert_eq!(image_of_post(&site, &post).await, today, "nothing that is seen has changed");

    let green = reader.get(&today).await;
    let red = site.another(|config| config.site.set(SiteSetting::Accent, "#8a1c4a")).await;
    let other = image_of_post(&red, &post).await;
    assert_ne!(other, today, "another colour is another image");
    assert_eq!(pixels(&red.browser().get(&other).await).get_pixel(0, 0).0, [0x8a, 0x1c, 0x4a]);
    assert_eq!(pixels(&green).get_pixel(0, 0).0, [0x1f, 0x5f, 0x4a]);
}

#[tokio::test]
async fn what_readers_cannot_see_has_no_image() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let draft = ada.as_script().submit("/api/save_draft", &[("title", "Hidden"), ("content", "")]).await;
    let draft = draft.json()["id"].as_str().expect("an id").to_owned();
    let post = ada.publish("The heron", "").await;
    let path = image_of_post(&site, &post).await;
    let token = Credential::token("wrong").request(&site, Method::GET, &path);
    let refused = site.exchange(token.body(Body::empty()).expect("a request")).await;
    assert_eq!(refused.status, 401, "a wrong proof is refused here too");
    pixels(&site.browser().get(&path).await);
    assert_eq!(ada.submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    for hidden in [
        path.clone(),
        format!("/previews/posts/{post}/x.png"),
        format!("/previews/posts/{draft}/x.png"),
        "/previews/posts/missing/x.png".to_owned(),
        "/previews/posts/%3Cb%3E/x.png".to_owned(),
    ] {
        for mut client in [site.browser(), ada.clone()] {
            let answer = client.get(&hidden).await;
            assert_eq!((answer.status, answer.header("cache-control")), (404, "no-store"), "{hidden}");
            assert!(!answer.text().contains("Hidden"), "{hidden}");
        }
    }
    let restored = ada.as_script().submit("/api/restore_post", &[("id", &post)]).await;
    assert_eq!(restored.status, 200, "{}", restored.text());
    pixels(&site.browser().get(&path).await);
}

#[tokio::test]
async fn a_large_picture_that_a_post_begins_with_is_its_image() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let upload = async |width, height| {
        let answer = ada.as_script().upload("/api/upload_media", &picture::png(width, height), "").await;
        answer.json()["url"].as_str().expect("an address").to_owned()
    };
    let (large, small) = (upload(700, 400).await, upload(100, 400).await);
    let shown = ada.publish("A picture", &format!("Text.\n\n![A grey & black heron]({large})")).await;
    for page in
        [site.browser().page(&format!("/posts/{shown}")).await, ada.page(&format!("/posts/{shown}")).await]
    {
        assert_eq!(image_of(&site, &page), large);
        let meta = |name: &str| page.attribute(&format!("meta[property='og:image:{name}']"), "content");
        let meta = ["width", "height", "alt"].map(|name| meta(name).unwrap_or_default());
        assert_eq!(meta, ["700", "400", "A grey & black heron"]);
    }
    let undescribed = ada.publish("A heron", &format!("![]({large})")).await;
    let page = site.browser().page(&format!("/posts/{undescribed}")).await;
    let alt = page.attribute("meta[property='og:image:alt']", "content");
    assert_eq!((image_of(&site, &page), alt.as_deref()), (large.clone(), Some("A heron, by ada")));
    for text in [
        format!("![]({small})\n\n![]({large})"),
        format!("![](https://other.example/x.png)\n\n![]({large})"),
        format!("`![]({large})` [picture]({large})"),
    ] {
        let post = ada.publish("Drawn", &text).await;
        let path = image_of_post(&site, &post).await;
        assert!(path.starts_with("/previews/posts/"), "{text}: {path}");
    }
}

#[tokio::test]
async fn a_title_that_cannot_be_written_gives_its_place_to_the_name_of_the_site() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut images = Vec::new();
    for title in ["標題", "עברית", "The heron"] {
        let post = ada.publish(title, "").await;
        images.push(pixels(&site.browser().get(&image_of_post(&site, &post).await).await));
    }
    assert_eq!(images[0], images[1], "neither title is drawn, not even as empty boxes");
    assert_ne!(images[0], images[2]);
    rename(&mut ada, "艾達").await;
    let post = ada.publish("標題", "").await;
    let image = pixels(&site.browser().get(&image_of_post(&site, &post).await).await);
    assert_eq!(image, images[0], "her username is written in place of a name that cannot be");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_asks_for_many_images_at_once_keeps_no_reader_waiting() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut paths = Vec::new();
    for number in 0..64 {
        let post = ada.publish(&format!("Post {number} {}", "of many words ".repeat(12)), "").await;
        paths.push(image_of_post(&site, &post).await);
    }
    let crowd = join_all(paths.iter().map(async |path| site.browser().get(path).await));
    let readers =
        stream::iter(0..20).then(async |_| site.browser().get("/").await.status).collect::<Vec<_>>();
    let (answers, readers) = join(crowd, readers).await;
    assert_eq!(readers, [200; 20]);
    let mut drawn = 0;
    for answer in &answers {
        match answer.status {
            200 => drawn += 1,
            503 => assert_ne!(answer.header("retry-after"), ""),
            status => panic!("{status}: {}", answer.text()),
        }
    }
    assert!(drawn >= 16, "those that waited got theirs: {drawn}");
    for path in &paths {
        pixels(&site.browser().get(path).await);
    }
}
