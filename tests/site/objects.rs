//! Pictures whose files are in an object store, which is a real S3 server.

use std::{
    collections::BTreeSet,
    io::Read,
    time::{Duration, Instant},
};

use axum::{body::Body, http::Method};
use byline::{
    config::MediaQuota,
    media::domain::{leftovers, unused},
    ops::deletions,
};
use tokio::net::TcpListener;

use crate::support::{
    Answer, Byline, Client, Ended, ObjectStore, PASSWORD, Running, TestDatabase, Way, in_time, picture, until,
};

const UPLOAD: &str = "/api/upload_media";

/// A site that stores new pictures in an object store.
async fn site_and_store() -> (Running, ObjectStore) {
    let store = ObjectStore::start().await;
    (Running::start_with(store.settings()).await, store)
}

/// The address and the id of a picture that is uploaded now.
async fn upload(client: &Client, file: &[u8]) -> (String, String) {
    let answer = client.as_script().upload(UPLOAD, file, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = |name: &str| answer.json()[name].as_str().expect("a text").to_owned();
    (text("url"), text("id"))
}

/// The addresses of all files of a JPEG with that address, which is 1000 pixels wide.
fn files_of(url: &str) -> Vec<String> {
    let stem = url.trim_end_matches(".jpg");
    let forms = [480, 960, 1000].map(|width| format!("{stem}-{width}w.webp"));
    [url.to_owned()].into_iter().chain(forms).collect()
}

fn names(urls: &[String]) -> BTreeSet<String> {
    urls.iter().map(|url| url.trim_start_matches("/media/").to_owned()).collect()
}

/// Whoever waited for the object store would get here after its time.
async fn get_soon(client: &mut Client, path: &str) -> Answer {
    let began = Instant::now();
    let answer = client.get(path).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{path} took {:?}", began.elapsed());
    answer
}

/// As if an hour had passed for every object that was announced or left.
async fn let_leftovers_be_due(site: &TestDatabase) {
    site.probe().await.execute("UPDATE media_leftovers SET remove_at = 0").await;
}

async fn delete_account(site: &Running, ada: &mut Client) {
    ada.submit("/account/delete", &[("posts", "delete"), ("password", PASSWORD)]).await;
    site.tamper("UPDATE users SET delete_at = 1 WHERE delete_at IS NOT NULL").await;
}

/// `byline …` on the database of a site, with the way to the store.
async fn run(store: &ObjectStore, database: &TestDatabase, arguments: &[&str]) -> Ended {
    let byline = Byline::in_an_empty_folder();
    let mut command = byline.command(arguments);
    command.args(["--database-url", database.url_text()]).envs(store.environment());
    Ended::of(command, "").await
}

#[tokio::test]
async fn a_reader_gets_the_same_answers_from_the_object_store_as_from_the_database() {
    let (site, store) = site_and_store().await;
    let plain = Running::start().await;
    let file = picture::jpeg_with_comment(1000, 500, "a comment");
    let (url, id) = upload(&site.author("ada").await, &file).await;
    assert_eq!(upload(&plain.author("ada").await, &file).await.0, url);

    for path in files_of(&url) {
        let (answer, expected) = (site.browser().get(&path).await, plain.browser().get(&path).await);
        assert_eq!((answer.status, &answer.body), (200, &expected.body), "{path}");
        let headers = |answer: &Answer| {
            let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.clone()));
            headers.filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(headers(&answer), headers(&expected), "{path}");
    }
    let made_up = [
        (url.replace("1000x500", "1001x500"), 404),
        (url.replace("/media/", "/media/x-"), 404),
        (format!("{url}.jpg"), 404),
        ("/media/..%2fx".to_owned(), 400),
        (url.replace("/media/", "/media/..%2f"), 400),
    ];
    for (path, status) in made_up {
        assert_eq!(site.browser().get(&path).await.status, status, "{path}");
    }

    // Below the place that the setting names, under the hash of the picture; nothing is in
    // the database or left over.
    let keys = store.keys().await;
    let hash = site.text("SELECT hash FROM media").await;
    let parts: Vec<Vec<&str>> = keys.iter().map(|key| key.split('/').collect()).collect();
    assert!(parts.iter().all(|parts| parts.len() == 3 && parts[0] == hash), "{keys:?}");
    let stored = parts.iter().map(|parts| parts[2].to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(stored, names(&files_of(&url)));
    for (table, rows) in [("media_files", 0), ("media_objects", 4), ("media_leftovers", 0), ("media", 1)] {
        assert_eq!(site.count(&format!("SELECT COUNT(*) FROM {table}")).await, rows, "{table}");
    }
    assert_eq!(site.count("SELECT bytes FROM media").await, plain.count("SELECT bytes FROM media").await);

    // The same file once more is the same picture, and another author shares its objects.
    assert_eq!(upload(&site.author("eve").await, &file).await.0, url);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_objects").await, 4);
    let_leftovers_be_due(&site).await;
    leftovers::remove(&site.site).await.expect("the store answers");
    assert_eq!(store.keys().await, keys, "what the second upload wrote in vain is removed");
    let mut ada = site.browser();
    assert_eq!(ada.log_in("ada").await.status, 303);
    assert_eq!(ada.as_script().submit("/api/delete_media", &[("id", &id)]).await.status, 200);
    assert_eq!(store.keys().await, keys, "eve still has it");
}

#[tokio::test]
async fn while_the_object_store_is_away_readers_get_pages_and_nobody_waits_long() {
    let (site, store) = site_and_store().await;
    let mut ada = site.author("ada").await;
    let (url, _) = upload(&ada, &picture::png(10, 10)).await;
    let post = ada.publish("Shown", &format!("![]({url})")).await;
    let path = site.path_of(&post).await;
    let tag = site.browser().get(&url).await.header("etag").to_owned();
    // Another process has no file in memory.
    let other = site.another(store.settings()).await;

    for way in [Way::Closed, Way::Silent] {
        store.set(way);
        let mut reader = other.browser();
        let answer = get_soon(&mut reader, &url).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{way:?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{way:?}");
        assert!(answer.text().contains("store of the pictures does not answer"), "{}", answer.text());
        let page = get_soon(&mut reader, &path).await;
        assert!(page.status == 200 && page.text().contains(&url), "{way:?}");
        assert_eq!(get_soon(&mut reader, "/readyz").await.status, 200, "{way:?}");
        let request = reader.request(Method::GET, &url).header("if-none-match", &tag);
        let known = reader.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(known.status, 304, "whoever has the file needs no store ({way:?})");
    }

    store.set(Way::Closed);
    let answer = ada.as_script().upload(UPLOAD, &picture::png(20, 10), "A cat").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "pictures_away"), "{}", answer.text());
    assert_eq!(answer.header("retry-after"), "5");
    let answer = ada.upload("/account/media", &picture::png(20, 10), "A cat").await;
    assert_eq!((answer.status, answer.page().value("alt").as_str()), (503, "A cat"));
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_objects").await, 2);

    store.set(Way::Open);
    assert_eq!(other.browser().get(&url).await.status, 200);
    upload(&ada, &picture::png(20, 10)).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 2);
}

#[tokio::test]
async fn a_site_starts_while_its_object_store_is_away() {
    let store = ObjectStore::start().await;
    store.set(Way::Closed);
    let byline = Byline::in_an_empty_folder();
    let mut command = byline.command(&["serve", "--listen", "127.0.0.1:0", "--media-url", &store.url()]);
    command.envs(store.environment());
    let served = Byline::serve_by(command).await;
    let mut reader = Client::browser(served.address, false);
    assert_eq!(reader.get("/").await.status, 200);
    assert_eq!(reader.get("/readyz").await.status, 200);
    let ada = {
        let mut ada = reader.clone();
        assert_eq!(ada.sign_up("ada").await.status, 303);
        ada
    };
    // By now the store was asked, too.
    assert_eq!(ada.as_script().upload(UPLOAD, &picture::png(3, 3), "").await.status, 503);
    store.set(Way::Open);
    let (url, _) = upload(&ada, &picture::png(3, 3)).await;
    assert_eq!(reader.get(&url).await.status, 200);
    let log = served.terminate().await;
    assert!(log.contains("the object store of the pictures does not answer as it should"), "{log}");
    assert!(!log.contains("a secret"), "{log}");
}

#[tokio::test]
async fn an_operator_learns_in_one_sentence_why_pictures_cannot_be_stored_there() {
    let byline = Byline::in_an_empty_folder();
    for (url, words) in [
        ("https://s3.example.org/pictures", "write s3://bucket or s3://bucket/prefix"),
        ("s3://key:canary@pictures", "the name of a bucket"),
        ("s3://pictures/../canary", "a prefix is made of"),
    ] {
        let ended = byline.run(&["serve", "--media-url", url], "").await;
        assert!(!ended.stderr.contains("canary"), "{ended:?}");
        ended.failed_with(&["media.url: ", words]);
    }
    for (name, value) in [("AWS_ALLOW_HTTP", "perhaps"), ("AWS_PROXY_URL", "http://127.0.0.1:1")] {
        let mut command = byline.command(&["serve", "--media-url", "s3://pictures"]);
        command.env(name, value);
        Ended::of(command, "").await.failed_with(&["media.url: "]);
    }
    std::fs::write(byline.folder().join("byline.toml"), "[media]\nurl = \"gs://pictures\"\n")
        .expect("a file");
    byline.run(&["migrate"], "").await.failed_with(&["media.url: ", "s3://bucket"]);
}

#[tokio::test]
async fn a_deleted_picture_leaves_the_object_store_however_long_that_was_away() {
    let (site, store) = site_and_store().await;
    let mut ada = site.author("ada").await;
    let file = picture::png(10, 10);
    let (url, id) = upload(&ada, &file).await;
    let kept = upload(&site.author("bob").await, &picture::png(11, 10)).await.0;
    assert_eq!(store.keys().await.len(), 4);
    let before = store.keys().await;

    store.set(Way::Closed);
    assert_eq!(ada.as_script().submit("/api/delete_media", &[("id", &id)]).await.status, 200);
    assert_eq!(site.browser().get(&url).await.status, 404, "it is gone for readers at once");
    assert_eq!(site.count("SELECT COUNT(*) FROM media_objects").await, 2);
    until("the removal to be put off", async || {
        let later = "SELECT COUNT(*) FROM media_leftovers WHERE is_taken = 1 AND remove_at >
                     (SELECT MAX(created_at) FROM media) + 500000000";
        site.count(later).await == 2
    })
    .await;

    // Uploaded again before the old objects are removed, it is not removed with them.
    store.set(Way::Open);
    assert_eq!(store.keys().await, before);
    assert_eq!(upload(&ada, &file).await.0, url);
    assert_eq!(store.keys().await.len(), 6);
    let_leftovers_be_due(&site).await;
    unused::run(&site.site).await.expect("the store answers");
    assert_eq!(store.keys().await.len(), 4);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_leftovers").await, 0);
    let other = site.another(store.settings()).await;
    assert_eq!(other.browser().get(&url).await.status, 200);
    assert_eq!(other.browser().get(&kept).await.status, 200);

    // With an account its objects go.
    delete_account(&site, &mut ada).await;
    deletions::run(&site.site).await.expect("it is deleted");
    let names = store.keys().await.into_iter().map(|key| key.rsplit('/').next().expect("a name").to_owned());
    let names: BTreeSet<_> = names.collect();
    assert!(names.len() == 2 && names.contains(kept.trim_start_matches("/media/")), "{names:?}");
}

#[tokio::test]
async fn what_no_text_shows_for_thirty_days_leaves_the_object_store() {
    let (site, store) = site_and_store().await;
    let mut ada = site.author("ada").await;
    let (shown, _) = upload(&ada, &picture::png(10, 10)).await;
    upload(&ada, &picture::png(11, 10)).await;
    ada.publish("Shown", &format!("![]({shown})")).await;
    for statement in ["checked_at = 0", "checked_at = 0, unused_since = unused_since - 31 * 86400000000"] {
        site.tamper(&format!("UPDATE media SET {statement}")).await;
        unused::run(&site.site).await.expect("it is done");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 1);
    let keys = store.keys().await;
    let hash = site.text("SELECT hash FROM media").await;
    assert!(keys.len() == 2 && keys.iter().all(|key| key.starts_with(&hash)), "{keys:?}");
}

#[tokio::test]
async fn an_upload_that_was_taken_for_dead_stores_nothing_and_loses_nothing() {
    let (site, store) = site_and_store().await;
    let ada = site.author("ada").await;
    let file = picture::png(10, 10);
    let other = site.another(store.settings()).await;
    store.set(Way::Silent);
    let uploading = {
        let (client, file) = (ada.clone(), file.clone());
        tokio::spawn(async move { client.as_script().upload(UPLOAD, &file, "").await })
    };
    until("the objects to be announced", async || {
        site.count("SELECT COUNT(*) FROM media_leftovers").await == 2
    })
    .await;
    // Another process takes them for what a crash has left.
    let_leftovers_be_due(&site).await;
    let cleaning = tokio::spawn(async move { leftovers::remove(&other.site).await });
    until("the objects to be marked", async || {
        site.count("SELECT COUNT(*) FROM media_leftovers WHERE is_taken = 1").await == 2
    })
    .await;
    store.set(Way::Open);
    let answer = in_time("the upload to end", uploading).await.expect("an answer");
    // It may have met the silence.
    let _ = in_time("the clean-up to end", cleaning).await.expect("no panic");
    // It has written its objects, and was refused when it took them.
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"), "{}", answer.text());
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_objects").await, 0);

    let (url, _) = upload(&ada, &file).await;
    let_leftovers_be_due(&site).await;
    leftovers::remove(&site.site).await.expect("the store answers");
    assert_eq!(site.browser().get(&url).await.status, 200);
    assert_eq!(store.keys().await.len(), 2, "what was written too late is removed as well");
}

#[tokio::test]
async fn pictures_move_into_the_object_store_and_back_while_readers_read_them() {
    let store = ObjectStore::start().await;
    let site = Running::start_with(store.reach()).await;
    let ada = site.author("ada").await;
    let mut urls = Vec::new();
    for width in 1..6 {
        urls.push(upload(&ada, &picture::png(width, 1)).await.0);
    }
    let mut bodies = Vec::new();
    for url in &urls {
        bodies.push(site.browser().get(url).await.body);
    }
    let url = store.url();
    let there = ["media", "move", "--media-url", &url];
    let back = ["media", "move"];
    let objects = "SELECT COUNT(*) FROM media_objects";
    let files = "SELECT COUNT(*) FROM media_files";

    // What ends early loses nothing, and says what to do.
    store.set(Way::Closed);
    let ended = run(&store, &site, &there).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for words in ["byline: 0 files were moved to s3://", "Run it again to go on"] {
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    assert_eq!((site.count(files).await, site.count(objects).await), (10, 0));
    store.set(Way::Open);

    for (arguments, in_files, in_objects) in [(&there[..], 0, 10), (&back[..], 10, 0), (&there[..], 0, 10)] {
        let moving = run(&store, &site, arguments);
        tokio::pin!(moving);
        let said = loop {
            // Each time a new process, which has nothing in memory.
            let reader = site.another(store.reach()).await;
            for (url, body) in urls.iter().zip(&bodies) {
                let answer = reader.browser().get(url).await;
                assert_eq!((answer.status, &answer.body), (200, body), "{url}");
            }
            if let Ok(ended) = tokio::time::timeout(Duration::from_millis(1), &mut moving).await {
                break ended.succeeded();
            }
        };
        assert!(said.starts_with("10 files were moved to "), "{said}");
        assert_eq!((site.count(files).await, site.count(objects).await), (in_files, in_objects));
        assert_eq!(i64::try_from(store.keys().await.len()), Ok(in_objects), "{said}");
        assert_eq!(site.count("SELECT COUNT(*) FROM media_leftovers WHERE is_taken = 1").await, 0);
    }
    assert!(run(&store, &site, &there).await.succeeded().starts_with("0 files were moved to s3://"));

    // What the first, failed try has announced goes as well.
    let_leftovers_be_due(&site).await;
    leftovers::remove(&site.site).await.expect("the store answers");
    assert_eq!(site.count("SELECT COUNT(*) FROM media_leftovers").await, 0);
    let reader = site.another(store.reach()).await;
    for (url, body) in urls.iter().zip(&bodies) {
        assert_eq!(&reader.browser().get(url).await.body, body);
    }
}

#[tokio::test]
async fn a_copy_shares_the_objects_until_its_own_files_are_moved() {
    let (site, store) = site_and_store().await;
    let ada = site.author("ada").await;
    let (url, id) = upload(&ada, &picture::png(10, 10)).await;
    let body = site.browser().get(&url).await.body;
    let copy = TestDatabase::in_a_file();
    let byline = Byline::in_an_empty_folder();
    let ended = byline.run(&["copy", "--from", site.url_text(), "--to", copy.url_text()], "").await;
    assert!(ended.stderr.contains("both databases name them"), "{ended:?}");
    ended.succeeded();
    let keys = store.keys().await;

    let said = run(&store, &copy, &["media", "move", "--keep"]).await.succeeded();
    assert!(said.starts_with("2 files were moved to the database"), "{said}");
    assert_eq!(store.keys().await, keys, "the first site still has them");
    assert_eq!(ada.as_script().submit("/api/delete_media", &[("id", &id)]).await.status, 200);
    until("the objects to be removed", async || store.keys().await.is_empty()).await;
    let served = byline.serve(&["--database-url", copy.url_text()]).await;
    assert_eq!(Client::browser(served.address, false).get(&url).await.body, body);
    served.terminate().await;
}

#[tokio::test]
async fn an_export_has_the_bytes_of_pictures_wherever_they_are() {
    let store = ObjectStore::start().await;
    let plain = Running::start_with(store.reach()).await;
    let mut ada = plain.author("ada").await;
    let (in_database, _) = upload(&ada, &picture::png(10, 10)).await;
    let set = store.settings();
    let site = plain
        .another(|config| {
            set(config);
            config.public_url = plain.site.public_url.clone();
        })
        .await;
    let (in_store, _) = upload(&ada.at(site.address), &picture::png(11, 10)).await;
    let answer = ada.submit("/account/export", &[]).await;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(answer.body.to_vec())).expect("a zip file");
    for url in [&in_database, &in_store] {
        let mut file = Vec::new();
        let name = url.replace("/media/", "pictures/");
        zip.by_name(&name).expect("a picture").read_to_end(&mut file).expect("bytes");
        assert_eq!(file, site.browser().get(url).await.body, "{name}");
    }
}

#[tokio::test]
async fn an_author_uploads_as_much_to_an_object_store_as_the_operator_allows() {
    let store = ObjectStore::start().await;
    let set = store.settings();
    let site = Running::start_with(|config| {
        set(config);
        config.media_quota = MediaQuota::of_mib(1);
    })
    .await;
    let ada = site.author("ada").await;
    upload(&ada, &picture::png(30, 30)).await;
    site.tamper("UPDATE media SET bytes = 1048570").await;
    let answer = ada.as_script().upload(UPLOAD, &picture::png(31, 30), "").await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("there is no room for this one"), "{}", answer.text());
    let_leftovers_be_due(&site).await;
    leftovers::remove(&site.site).await.expect("the store answers");
    assert_eq!(store.keys().await.len(), 2, "what was refused is not kept");
}

#[tokio::test]
async fn a_key_that_the_store_does_not_know_stores_nothing() {
    let store = ObjectStore::start().await;
    let set = store.settings();
    let site = Running::start_with(|config| {
        set(config);
        config.aws.0.retain(|(name, _)| name != "AWS_SECRET_ACCESS_KEY");
        config.aws.0.push(("AWS_SECRET_ACCESS_KEY".to_owned(), "a wrong secret".into()));
    })
    .await;
    let ada = site.author("ada").await;
    let answer = ada.as_script().upload(UPLOAD, &picture::png(3, 3), "").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "pictures_away"));
    assert!(!answer.text().contains("secret") && !answer.text().contains("Signature"), "{}", answer.text());
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 0);
    assert!(store.keys().await.is_empty());
    // Without any key, those of the machine are looked for, and not for long.
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let metadata = format!("http://{}", nobody.local_addr().expect("an address"));
    let keyless = site
        .another(|config| {
            set(config);
            config.aws.0.retain(|(name, _)| !name.contains("KEY"));
            config.aws.0.push(("AWS_METADATA_ENDPOINT".to_owned(), metadata.into()));
        })
        .await;
    site.tamper("INSERT INTO media_objects SELECT hash || '-3x3.png', hash, 's3://pictures/x/y' FROM (SELECT '0123456789012345678901234567890123456789' AS hash) AS one").await;
    let url = "/media/0123456789012345678901234567890123456789-3x3.png";
    assert_eq!(get_soon(&mut keyless.browser(), url).await.status, 503);
}
