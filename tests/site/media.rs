//! Pictures: what is taken and what is not, who may see and delete them, and how they are
//! served.

use std::io::Read;

use axum::{
    body::Body,
    http::{Method, header::CONTENT_TYPE},
};
use byline::{
    config::MediaQuota,
    media::domain::unused,
    ops::{copy::TABLES, deletions},
    posts::domain::pictures::TEXTS,
};
use futures::future::join_all;

use crate::support::{
    Answer, Client, Credential, PASSWORD, Probe, Running, Several, picture, postgres_database,
};

const UPLOAD: &str = "/api/upload_media";

/// The address and the id of a picture that was just uploaded.
fn made(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let text = |name: &str| json[name].as_str().expect("a text").to_owned();
    (text("url"), text("id"))
}

async fn upload(client: &Client, file: &[u8]) -> (String, String) {
    made(&client.as_script().upload(UPLOAD, file, "").await)
}

/// Searches the texts of everyone now, as housekeeping does a day later.
async fn look_for_unused(site: &Running) {
    site.tamper("UPDATE media SET checked_at = checked_at - 90000000000").await;
    unused::run(&site.site).await.expect("it is done");
}

#[tokio::test]
async fn an_author_uploads_a_picture_and_everyone_gets_it_for_ever() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let file = picture::jpeg_with_comment(1000, 500, "SECRETPLACE 48.2 N 16.3 E");
    let answer = ada.as_script().upload(UPLOAD, &file, "A [cat]").await;
    let (url, id) = made(&answer);
    let json = answer.json();
    assert_eq!((&json["width"], &json["height"]), (&1000.into(), &500.into()));
    assert_eq!(json["markdown"], format!("![A \\[cat\\]]({url})"));
    assert!(url.starts_with("/media/") && url.ends_with("-1000x500.jpg"), "{url}");

    let mut reader = site.browser();
    let picture = reader.get(&url).await;
    let header = |name: &str| picture.header(name).to_owned();
    assert_eq!((picture.status, header("content-type")), (200, "image/jpeg".to_owned()));
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin");
    let name = url.trim_start_matches("/media/");
    assert_eq!(header("content-disposition"), format!("inline; filename=\"{name}\""));
    assert!(picture.cookies().next().is_none());
    assert!(!picture.body.windows(11).any(|bytes| bytes == b"SECRETPLACE"));

    let request = reader.request(Method::GET, &url).header("if-none-match", header("etag"));
    let known = reader.send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, header("etag").as_str()));
    let head = reader.request(Method::HEAD, &url).body(Body::empty()).expect("a request");
    let head = reader.send(head).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), picture.body.len().to_string());
    assert_eq!(reader.post(&url, "text/plain", "").await.status, 405);

    let stem = url.trim_end_matches(".jpg");
    for (form, status) in [
        (format!("{stem}-480w.webp"), 200),
        (format!("{stem}-960w.webp"), 200),
        (format!("{stem}-1000w.webp"), 200),
        (format!("{stem}-1920w.webp"), 404),
        (format!("{stem}.png"), 404),
        (url.replace("1000x500", "1001x500"), 404),
        ("/media/x".to_owned(), 404),
        ("/media/".to_owned(), 404),
    ] {
        let answer = reader.get(&form).await;
        assert_eq!(answer.status, status, "{form}");
        if status == 200 {
            assert_eq!(answer.header("content-type"), "image/webp");
            assert!(answer.body.starts_with(b"RIFF"), "{form}");
        }
    }

    let again = ada.as_script().upload(UPLOAD, &file, "").await;
    assert_eq!(made(&again), (url, id));
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_files").await, 4);
    assert_eq!(site.text("SELECT alt FROM media").await, "A [cat]");
}

#[tokio::test]
async fn a_file_that_is_no_whole_picture_is_refused_in_words_and_nothing_is_stored() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let png = picture::png(200, 200);
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    for (file, words) in [
        (b"".to_vec(), "Choose a picture"),
        (b"hello".to_vec(), "This file is no picture"),
        (b"<!doctype html><script>alert(1)</script>".to_vec(), "This file is no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(), "An SVG is not taken"),
        (b"\0\0\0\x14ftypheic\0\0\0\0mif1".to_vec(), "HEIC cannot be read here"),
        (png[..png.len() / 2].to_vec(), "damaged"),
        (bomb, "damaged"),
    ] {
        let answer = ada.as_script().upload(UPLOAD, &file, "").await;
        assert_eq!(answer.status, 422, "{words}: {}", answer.text());
        let said = answer.json()["errors"][0].clone();
        assert_eq!(said["field"], "file");
        assert!(said["message"].as_str().expect("a sentence").contains(words), "{said}");
    }
    let large = [png.clone(), vec![0; 11 << 20]].concat();
    let answer = ada.as_script().upload(UPLOAD, &large, "").await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    let large = [png.clone(), vec![0; 10 << 20]].concat();
    let answer = ada.as_script().upload(UPLOAD, &large, "").await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("more than 10 MiB"), "{}", answer.text());
    let answer = ada.as_script().upload(UPLOAD, &png, "a\u{7}b").await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["field"]), (422, &"alt".into()));
    for (content_type, body) in [
        ("application/json", &b"{}"[..]),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=limit", b"--limit\r\n"),
    ] {
        assert_eq!(ada.as_script().post(UPLOAD, content_type, body).await.status, 400, "{content_type}");
    }
    assert_eq!(ada.as_script().get(UPLOAD).await.status, 405);
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_files").await, 0);
}

#[tokio::test]
async fn only_people_who_are_signed_in_upload_from_pages_of_the_site_or_by_a_token() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let (content_type, body) = picture::form(&picture::png(3, 3), "");
    let (key, _) = site.api_key_of(&ada).await;
    let cookie = Credential::cookie(&ada);
    let foreign = cookie.clone().with("origin", "https://evil.example").with("sec-fetch-site", "cross-site");
    let token = site.token_of("ada").await;
    for (by, status) in [
        (Credential::none(), 401),
        (key, 403),
        (foreign, 403),
        (cookie, 403),
        (Credential::token("wrong"), 401),
        (Credential::session(&ada), 200),
        (token, 200),
    ] {
        let request = by.request(&site, Method::POST, UPLOAD).header(CONTENT_TYPE, content_type);
        let answer = site.exchange(request.body(Body::from(body.clone())).expect("a request")).await;
        assert_eq!(answer.status, status, "{}: {}", by.name, answer.text());
        assert_eq!(site.count("SELECT COUNT(*) FROM media").await, i64::from(status == 200));
    }
    let answer = site.browser().upload("/account/media", &picture::png(3, 3), "").await;
    assert_eq!((answer.status, answer.location()), (303, "/login?next=/account/media"));
}

#[tokio::test]
async fn who_has_not_confirmed_their_address_uploads_nothing() {
    let (_mail, site) = Running::start_with_mail().await;
    let ada = site.signed_in("ada").await;
    site.tamper("UPDATE users SET email_verified_at = NULL").await;
    let answer = ada.as_script().upload(UPLOAD, &picture::png(3, 3), "").await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "email_not_confirmed"));
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 0);
}

#[tokio::test]
async fn without_a_script_an_author_adds_sees_and_deletes_pictures() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let page = ada.page("/account/media").await;
    assert!(page.has_button("Add picture") && page.text("main").contains("There is none here yet."));
    let answer = ada.upload("/account/media", b"hello", "A \"cat\"").await;
    assert_eq!(answer.status, 422);
    answer
        .page()
        .assert_problem("file", "This file is no picture. Choose a JPEG, a PNG, a GIF, a WebP or an AVIF");
    assert_eq!(answer.page().value("alt"), "A \"cat\"");
    let answer = ada.upload("/account/media", &picture::png(30, 20), "A \"cat\"").await;
    assert_eq!((answer.status, answer.location()), (303, "/account/media"));
    let page = ada.page("/account/media").await;
    assert_eq!(page.text(".notice"), "The picture is added.");
    assert_eq!(page.attribute(".picture img", "alt").as_deref(), Some("A \"cat\""));
    let url = page.attribute(".picture a", "href").expect("a link");
    assert_eq!(page.attribute(".picture input", "value"), Some(format!("![A \"cat\"]({url})")));
    let thumbnail = page.attribute(".picture img", "src").expect("an address");
    assert_eq!(site.browser().get(&thumbnail).await.status, 200);

    let post = ada.publish("With a <cat>", &format!("![A cat]({url})")).await;
    let page = ada.page("/account/media").await;
    assert_eq!(page.text(".picture li"), "With a <cat>");
    assert!(!page.has_button("Delete"));
    let id = site.text("SELECT id FROM media").await;
    let delete = format!("/account/media/{id}/delete");
    let answer = ada.submit(&delete, &[]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.page().text(".error-summary").contains("“With a <cat>”"));
    answer.page().assert_harmless("the refused deletion");

    assert_eq!(ada.submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    assert_eq!(ada.submit(&delete, &[]).await.status, 422, "a post in the trash may come back");
    site.tamper("DELETE FROM trashed_posts").await;
    assert!(ada.page(&delete).await.has_button("Delete picture"));
    assert_eq!(ada.submit(&delete, &[]).await.location(), "/account/media");
    assert_eq!(ada.page("/account/media").await.text(".notice"), "The picture is deleted.");
    assert_eq!(site.browser().get(&url).await.status, 404);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_files").await, 0);
    assert_eq!(ada.submit(&delete, &[]).await.status, 404);
}

#[tokio::test]
async fn a_picture_without_a_description_has_the_one_that_its_author_gives_it_in_a_text() {
    let site = Running::start().await;
    let (mut ada, mut eve) = (site.author("ada").await, site.author("eve").await);
    let file = picture::png(30, 20);
    let (url, _) = upload(&ada, &file).await;
    upload(&eve, &file).await;
    let name = async |author: &mut Client| author.page("/account/media").await.text(".picture h3");
    ada.publish("Undescribed", &format!("[A link]({url}) ![]({url})")).await;
    assert_eq!(name(&mut ada).await, "Without a description");
    ada.publish("Described", &format!("Look: ![A \\[grey\\] <cat>]({url})")).await;
    let page = ada.page("/account/media").await;
    assert_eq!(page.text(".picture h3"), "A [grey] <cat>");
    assert_eq!(page.attribute(".picture img", "alt").as_deref(), Some("A [grey] <cat>"));
    let markdown = format!("![A \\[grey\\] \\<cat>]({url})");
    assert_eq!(page.attribute(".picture input", "value"), Some(markdown));
    assert_eq!(name(&mut eve).await, "Without a description", "what another says of it is another matter");
    assert_eq!(site.count("SELECT COUNT(*) FROM media WHERE alt = ''").await, 2);

    // What comes with the picture itself stands above.
    assert_eq!(ada.as_script().upload(UPLOAD, &file, "My cat").await.status, 200);
    assert_eq!(name(&mut ada).await, "My cat");
}

#[tokio::test]
async fn authors_with_the_same_picture_have_a_row_each_and_nobody_touches_anothers() {
    let site = Running::start().await;
    let (ada, eve) = (site.author("ada").await, site.author("eve").await);
    let file = picture::png(20, 20);
    let (url, adas) = upload(&ada, &file).await;
    let (other_url, eves) = upload(&eve, &file).await;
    assert_eq!(url, other_url);
    assert_ne!(adas, eves);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_files").await, 2);
    let before = site.dump().await;
    assert_eq!(eve.as_script().submit("/api/delete_media", &[("id", &adas)]).await.status, 404);
    assert_eq!(eve.clone().get(&format!("/account/media/{adas}/delete")).await.status, 404);
    assert_eq!(site.dump().await, before);
    let listed = eve.as_script().get("/api/my_media").await.json();
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["id"]), (Some(1), &eves.clone().into()));

    // What eve's posts show is no reason for ada's to stay.
    eve.clone().publish("Shown", &format!("![]({url})")).await;
    assert_eq!(ada.as_script().submit("/api/delete_media", &[("id", &adas)]).await.status, 200);
    assert_eq!(site.browser().get(&url).await.status, 200, "eve still has it");
    assert_eq!(eve.as_script().submit("/api/delete_media", &[("id", &eves)]).await.status, 422);
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 1);
}

#[tokio::test]
async fn an_author_uploads_as_much_as_the_operator_allows() {
    let site = Running::start_with(|config| config.media_quota = MediaQuota::of_mib(1)).await;
    let ada = site.author("ada").await;
    upload(&ada, &picture::png(30, 30)).await;
    site.tamper("UPDATE media SET bytes = 1048570").await;
    let answer = ada.as_script().upload(UPLOAD, &picture::png(31, 30), "").await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("there is no room for this one"), "{}", answer.text());
    assert_eq!(ada.as_script().upload(UPLOAD, &picture::png(30, 30), "").await.status, 200, "it is there");
    upload(&site.author("bob").await, &picture::png(31, 30)).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 2);

    let site = Running::start_with(|config| config.media_quota = MediaQuota::of_mib(0)).await;
    let mut ada = site.author("ada").await;
    let answer = ada.as_script().upload(UPLOAD, &picture::png(3, 3), "").await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("This site takes no pictures"), "{}", answer.text());
    assert!(!ada.page("/account/media").await.has_button("Add picture"));
}

#[tokio::test]
async fn a_post_shows_a_picture_in_the_size_that_fits_and_nothing_jumps() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (url, _) = upload(&ada, &picture::png(700, 10)).await;
    let post = ada.publish("Pictures", &format!("![One]({url})\n\n![Two]({url})")).await;
    let page = site.browser().page(&format!("/posts/{post}")).await;
    let all = |name: &str| page.attributes(".prose img", name);
    assert_eq!(all("src"), [url.as_str(), &url]);
    assert_eq!((all("width"), all("height")), (vec!["700".to_owned(); 2], vec!["10".to_owned(); 2]));
    assert_eq!(all("loading"), ["lazy"], "the first is loaded at once");
    let stem = url.trim_end_matches(".png");
    assert_eq!(all("srcset")[0], format!("{stem}-480w.webp 480w, {stem}-700w.webp 700w"));
    for form in all("srcset")[0].split(", ") {
        let path = form.split(' ').next().expect("an address");
        assert_eq!(site.browser().get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn what_no_text_shows_for_thirty_days_is_removed() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (shown, _) = upload(&ada, &picture::png(10, 10)).await;
    let (unused, _) = upload(&ada, &picture::png(11, 10)).await;
    let (trashed, _) = upload(&ada, &picture::png(12, 10)).await;
    ada.publish("Shown", &format!("<img src=\"{shown}\">")).await;
    let post = ada.publish("Gone", &format!("![]({trashed})")).await;
    ada.submit(&format!("/posts/{post}/delete"), &[]).await;
    look_for_unused(&site).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM media WHERE unused_since IS NOT NULL").await, 1);
    let days = |days: i64| format!("UPDATE media SET unused_since = unused_since - {days} * 86400000000");
    site.tamper(&days(29)).await;
    look_for_unused(&site).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 3);
    site.tamper(&days(1)).await;
    look_for_unused(&site).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 2);
    for (url, status) in [(&unused, 404), (&shown, 200), (&trashed, 200)] {
        assert_eq!(site.browser().get(url).await.status, status);
    }
    // Shown again in between, it begins anew.
    site.tamper("DELETE FROM trashed_posts").await;
    look_for_unused(&site).await;
    site.tamper(&days(31)).await;
    ada.publish("Back", &format!("![]({trashed})")).await;
    look_for_unused(&site).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM media WHERE unused_since IS NULL").await, 2);
}

#[tokio::test]
async fn pictures_go_with_the_account_but_those_of_posts_that_stay() {
    for (posts, rows, status) in [("delete", 0, 404), ("keep", 1, 200)] {
        let site = Running::start().await;
        let mut ada = site.author("ada").await;
        let (url, _) = upload(&ada, &picture::png(10, 10)).await;
        let (unused, _) = upload(&ada, &picture::png(11, 10)).await;
        ada.publish("Shown", &format!("![]({url})")).await;
        ada.submit("/account/delete", &[("posts", posts), ("password", PASSWORD)]).await;
        site.tamper("UPDATE users SET delete_at = 1 WHERE delete_at IS NOT NULL").await;
        deletions::run(&site.site).await.expect("it is deleted");
        assert_eq!(site.count("SELECT COUNT(*) FROM media").await, rows, "{posts}");
        assert_eq!(site.count("SELECT COUNT(*) FROM media_files").await, 2 * rows, "{posts}");
        assert_eq!(site.browser().get(&url).await.status, status, "{posts}");
        assert_eq!(site.browser().get(&unused).await.status, 404, "{posts}");
        if rows > 0 {
            look_for_unused(&site).await;
        }
        assert_eq!(site.count("SELECT COUNT(*) FROM media WHERE unused_since IS NULL").await, rows);
    }
}

#[tokio::test]
async fn an_export_has_every_picture_of_the_author_and_no_other() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut urls = Vec::new();
    for width in 1..28 {
        urls.push(upload(&ada, &picture::png(width, 1)).await.0);
    }
    upload(&site.author("bob").await, &picture::png(50, 1)).await;
    let answer = ada.submit("/account/export", &[]).await;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(answer.body.to_vec())).expect("a zip file");
    for url in &urls {
        let name = url.replace("/media/", "pictures/");
        let mut file = Vec::new();
        zip.by_name(&name).expect("a picture").read_to_end(&mut file).expect("bytes");
        assert_eq!(file, site.browser().get(url).await.body, "{name}");
    }
    let names = zip.file_names().map(|name| name.expect("a name").into_owned());
    assert_eq!(names.filter(|name| name.starts_with("pictures/")).count(), urls.len());
    let listed: serde_json::Value =
        serde_json::from_reader(zip.by_name("pictures.json").expect("a list")).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(urls.len()));
    assert!(ada.page("/account/media").await.link("Older pictures").is_some());
}

#[tokio::test]
async fn several_processes_have_the_same_pictures() {
    let site = Several::start(postgres_database().await, 3, &[]).await;
    let ada = site.author("ada").await;
    let file = picture::png(40, 40);
    let sent = site.at_each(&ada).into_iter().map(|client| {
        let file = &file;
        async move { client.as_script().upload(UPLOAD, file, "").await }
    });
    let answers: Vec<_> = join_all(sent).await.iter().map(made).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let (url, id) = &answers[0];
    for mut reader in site.at_each(&site.browser()) {
        assert_eq!(reader.get(url).await.status, 200);
    }
    let answer = site.at(&ada, 1).as_script().submit("/api/delete_media", &[("id", id)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(site.at(&site.browser(), 1).get(url).await.status, 404);
    let (database, log) = site.stop_and_read().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM media").await, 0);
    assert_eq!(database.count("SELECT COUNT(*) FROM media_files").await, 0);
    assert!(!log.contains("internal error"), "{log}");
}

#[tokio::test]
async fn every_table_with_texts_is_searched_for_pictures() {
    /// Its texts come back nowhere: programs learn from it what was deleted.
    const NOT_SHOWN: [&str; 1] = ["deleted_posts"];
    let site = Running::start().await;
    let mut probe = site.probe().await;
    let query = match probe {
        Probe::Sqlite(_) => {
            "SELECT s.name FROM sqlite_schema AS s JOIN pragma_table_info(s.name) AS c
             WHERE s.type = 'table' AND c.name = 'content' ORDER BY s.name"
        }
        Probe::Postgres(_) => {
            "SELECT table_name::text FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'content' ORDER BY 1"
        }
    };
    for table in probe.texts(query).await {
        let is_searched = TEXTS.iter().any(|texts| texts.table == table);
        let is_known = TABLES.iter().any(|known| known.name == table);
        assert!(is_known && (is_searched || NOT_SHOWN.contains(&table.as_str())), "{table}");
    }
}
