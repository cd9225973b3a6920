//! Backups in an object store, and backups of sites whose pictures are in one. The store is
//! a real S3 server.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use axum::{Router, http::StatusCode};
use byline::{
    config::BackupPlace,
    objects::Stores,
    ops::backup::{self, Identity, Location, Manifest},
};
use secrecy::ExposeSecret;
use tokio::{net::TcpListener, process::Command};

use crate::{
    backup::{create, names},
    metrics::Watcher,
    own_backups::{DAY, daily_into, fill, let_pass, look, runs},
    support::{
        Byline, Client, Ended, ObjectStore, Running, TestDatabase, Way, picture, postgres_database, until,
    },
};

/// A site that stores new pictures in an object store, and two pictures there.
async fn site_with_pictures(store: &ObjectStore) -> (Running, Vec<String>) {
    let site = Running::start_with(store.settings()).await;
    let ada = site.author("ada").await;
    let mut urls = Vec::new();
    for width in [600, 6] {
        let answer = ada.as_script().upload("/api/upload_media", &picture::png(width, 2), "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        urls.push(answer.json()["url"].as_str().expect("a text").to_owned());
    }
    (site, urls)
}

/// `byline …` that reaches the store. What it makes for a while is in the folder `for-a-while`.
fn command(byline: &Byline, store: &ObjectStore, arguments: &[&str]) -> Command {
    let temporary = temporary(byline);
    fs::create_dir_all(&temporary).expect("a folder");
    let mut command = byline.command(arguments);
    command.envs(store.environment()).env("TMPDIR", temporary);
    command
}

fn temporary(byline: &Byline) -> PathBuf {
    byline.folder().join("for-a-while")
}

/// The same to its end, after which nothing is left of what it made for a while.
async fn run(byline: &Byline, store: &ObjectStore, arguments: &[&str]) -> Ended {
    let ended = Ended::of(command(byline, store, arguments), "").await;
    assert_eq!(names(&temporary(byline)), [""; 0], "{ended:?}");
    ended
}

/// A place for backups beside the pictures.
fn place(store: &ObjectStore) -> BackupPlace {
    let place = format!("{}/backups", store.url());
    BackupPlace::of(Path::new(&place)).expect("a place")
}

/// The names of the backups there.
async fn backups(store: &ObjectStore) -> Vec<String> {
    let keys = store.keys().await;
    keys.iter().filter_map(|key| key.strip_prefix("backups/")).map(str::to_owned).collect()
}

async fn verified(store: &ObjectStore, name: &str) -> Manifest {
    let place = format!("{}/backups/{name}", store.url());
    let at = Location::of(Path::new(&place)).expect("a place");
    backup::verify(&at, &Stores::new(store.variables()), &[]).await.expect("a whole backup")
}

#[tokio::test]
async fn a_site_is_restored_on_either_engine_with_its_pictures_and_needs_no_store() {
    let store = ObjectStore::start().await;
    let (site, urls) = site_with_pictures(&store).await;
    let mut bodies = Vec::new();
    for url in &urls {
        bodies.push(site.browser().get(url).await.body);
    }
    let pictures = store.keys().await;
    let files = i64::try_from(pictures.len()).expect("few");

    let byline = Byline::in_an_empty_folder();
    let identity = Identity::generate();
    fs::write(byline.folder().join("age.key"), identity.to_string().expose_secret()).expect("a file");
    let public = identity.to_public().to_string();
    let [stored, sealed] = ["one.backup", "two.backup.age"].map(|name| format!("{}/b/{name}", store.url()));
    // On PostgreSQL the site has no key, and its secrets are open.
    let key: &[&str] = if site.url_text().starts_with("sqlite:") { &["--with-secret-key"] } else { &[] };
    let encrypted = [&["--encrypt-to", &public], key].concat();
    let with_key = ["--identity", "age.key"];
    let cases: [(&str, &[&str], &[&str]); 3] =
        [(&stored, key, &[]), (&sealed, &encrypted, &with_key), ("in-a-folder", key, &[])];
    for (at, more, opening) in cases {
        let said = run(&byline, &store, &create(&site, at, more)).await.succeeded();
        assert!(said.contains(at) && said.contains("read back and verified"), "{said}");
        assert!(!said.contains("Not in the backup"), "{said}");
        let verify = [&["backup", "verify", at][..], opening].concat();
        assert!(run(&byline, &store, &verify).await.succeeded().contains("complete"));

        for target in [TestDatabase::in_a_file(), postgres_database().await] {
            let restore = [&["backup", "restore", at, "--to", target.url_text()][..], opening].concat();
            let said = run(&byline, &store, &restore).await.succeeded();
            assert!(said.contains("media 2") && !said.contains("Not in the backup"), "{said}");
            assert_eq!(target.count("SELECT COUNT(*) FROM media_objects").await, 0);
            assert_eq!(target.count("SELECT COUNT(*) FROM media_files").await, files);
            let served = byline.serve(&["--database-url", target.url_text()]).await;
            for (url, body) in urls.iter().zip(&bodies) {
                let answer = Client::browser(served.address, false).get(url).await;
                assert_eq!((answer.status, &answer.body), (200, body), "{url}");
            }
            served.terminate().await;
        }
    }
    let left: BTreeSet<_> = store.keys().await.into_iter().filter(|key| !key.starts_with("b/")).collect();
    assert_eq!(left, pictures, "the site still has its own");
    assert_eq!(store.keys().await.len(), pictures.len() + 2);
    assert_eq!(store.unfinished_uploads().await, 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM media_objects").await, files);
}

#[tokio::test]
async fn whoever_verifies_a_backup_in_the_store_hears_of_a_changed_byte() {
    let store = ObjectStore::start().await;
    let site = Running::start().await;
    let byline = Byline::in_an_empty_folder();
    let at = format!("{}/one.backup", store.url());
    run(&byline, &store, &create(&site, &at, &[])).await.succeeded();
    let whole = store.get("one.backup").await;

    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    let cut_off = whole[..whole.len() - 7].to_vec();
    for (bytes, words) in [
        (changed, "its bytes have changed"),
        (cut_off, "cut off"),
        (b"a letter".to_vec(), "no backup of Byline"),
    ] {
        store.put("one.backup", bytes).await;
        let target = TestDatabase::in_a_file();
        run(&byline, &store, &["backup", "verify", &at]).await.failed_with(&[&at, words]);
        let restore = ["backup", "restore", &at, "--to", target.url_text()];
        run(&byline, &store, &restore).await.failed_with(&[&at, words]);
        assert!(!target.file().exists(), "nothing is restored from it");
    }
    store.put("one.backup", whole).await;
    run(&byline, &store, &["backup", "verify", &at]).await.succeeded();
    store.remove("one.backup").await;
    run(&byline, &store, &["backup", "verify", &at]).await.failed_with(&[&at, "no such object"]);
}

#[tokio::test]
async fn an_object_is_not_replaced_unless_it_is_a_backup_and_that_is_asked_for() {
    let store = ObjectStore::start().await;
    let site = Running::start().await;
    let byline = Byline::in_an_empty_folder();
    let at = |name: &str| format!("{}/{name}", store.url());
    let (one, letter) = (at("one"), at("letter"));
    run(&byline, &store, &create(&site, &one, &[])).await.succeeded();
    let first = store.get("one").await;
    run(&byline, &store, &create(&site, &one, &[])).await.failed_with(&[&one, "exists already", "--replace"]);
    assert_eq!(store.get("one").await, first);
    run(&byline, &store, &create(&site, &one, &["--replace"])).await.succeeded();
    assert_ne!(store.get("one").await, first);

    store.put("letter", b"to keep".to_vec()).await;
    run(&byline, &store, &create(&site, &letter, &[])).await.failed_with(&[&letter, "exists already"]);
    run(&byline, &store, &create(&site, &letter, &["--replace"]))
        .await
        .failed_with(&[&letter, "is no backup"]);
    assert_eq!(store.get("letter").await, b"to keep");
    for (wrong, words) in [
        ("s3://pictures", "s3://bucket/prefix/name.backup"),
        ("s3:/pictures/one", "write s3://bucket"),
        ("s3://canary:canary@pictures/one", "the name of a bucket"),
        ("s3://pictures/../one", "a prefix is made of"),
    ] {
        let ended = run(&byline, &store, &create(&site, wrong, &[])).await;
        assert!(!ended.stderr.contains("canary"), "{ended:?}");
        ended.failed_with(&[words]);
    }
}

/// A server of S3 that has no bucket.
async fn without_buckets() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code></Error>";
    let router = Router::new().fallback(async move || (StatusCode::NOT_FOUND, answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn whoever_makes_a_backup_that_the_store_does_not_take_reads_why_and_nothing_is_left() {
    let store = ObjectStore::start().await;
    let site = Running::start().await;
    let byline = Byline::in_an_empty_folder();
    let at = format!("{}/one.backup", store.url());
    let arguments = create(&site, &at, &[]);
    let with = async |name: &str, value: &str| {
        let mut command = command(&byline, &store, &arguments);
        command.env(name, value);
        let ended = Ended::of(command, "").await;
        assert_eq!(names(&temporary(&byline)), [""; 0], "{ended:?}");
        ended
    };
    with("AWS_SECRET_ACCESS_KEY", "a wrong secret").await.failed_with(&[
        &at,
        "refuses this key",
        "AWS_ACCESS_KEY_ID",
    ]);
    with("AWS_ENDPOINT_URL", &without_buckets().await).await.failed_with(&[&at, "no such bucket", "make it"]);
    with("AWS_ALLOW_HTTP", "perhaps").await.failed_with(&[&at, "neither true nor false"]);
    store.set(Way::Closed);
    run(&byline, &store, &arguments).await.failed_with(&[&at, "does not answer", "AWS_ENDPOINT_URL"]);
    run(&byline, &store, &["backup", "verify", &at]).await.failed_with(&[&at, "does not answer"]);
    store.set(Way::Open);

    // The limit on the size of files makes writes fail as a full disk does.
    fill(&site).await;
    let mut limited = byline.command_in_shell("ulimit -f 8000; exec \"$0\" \"$@\"", &arguments);
    limited.envs(store.environment()).env("TMPDIR", temporary(&byline));
    let folder = temporary(&byline).display().to_string();
    let ended = Ended::of(limited, "").await;
    assert!(ended.stderr.contains(&folder) && ended.stderr.contains("TMPDIR"), "{ended:?}");
    assert_eq!(names(&temporary(&byline)), [""; 0]);
    assert!(store.keys().await.is_empty(), "nothing half-made is in the store");
    assert_eq!(store.unfinished_uploads().await, 0);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--backup-every", "1 d", "--backup-to", &at];
    let mut serve = byline.command(&serve);
    serve.env("AWS_PROXY_URL", "http://127.0.0.1:1");
    Ended::of(serve, "").await.failed_with(&["backup.to: ", "AWS_PROXY_URL"]);
}

/// Makes a backup at `at`, and does `work` while its first part is under way; then the
/// connections of the upload break.
async fn create_and_meanwhile(
    site: &Running,
    byline: &Byline,
    store: &ObjectStore,
    at: &str,
    work: impl Future<Output = ()>,
) -> Ended {
    let arguments = create(site, at, &[]);
    store.set(Way::Stalling);
    let uploading = Ended::of(command(byline, store, &arguments), "");
    let meanwhile = async {
        until("the first part to be under way", async || store.has_stalled()).await;
        work.await;
        store.set(Way::Open);
    };
    tokio::join!(uploading, meanwhile).0
}

#[tokio::test]
async fn an_upload_of_several_parts_goes_on_after_its_connection_has_broken() {
    let store = ObjectStore::start().await;
    let site = Running::start().await;
    fill(&site).await;
    let byline = Byline::in_an_empty_folder();
    let at = format!("{}/one.backup", store.url());
    let ended = create_and_meanwhile(&site, &byline, &store, &at, async {}).await;
    ended.succeeded();
    assert_eq!(store.keys().await, BTreeSet::from(["one.backup".to_owned()]));
    run(&byline, &store, &["backup", "verify", &at]).await.succeeded();
    assert_eq!(store.unfinished_uploads().await, 0);
}

#[tokio::test]
async fn what_somebody_puts_there_during_the_upload_is_not_replaced() {
    let (store, other) = (ObjectStore::start().await, ObjectStore::start().await);
    let site = Running::start().await;
    fill(&site).await;
    let byline = Byline::in_an_empty_folder();
    let at = format!("{}/one.backup", store.url());
    let interfering = async {
        store.set(Way::Closed);
        other.put_into(&store, "one.backup", b"to keep".to_vec()).await;
    };
    let ended = create_and_meanwhile(&site, &byline, &store, &at, interfering).await;
    ended.failed_with(&[&at, "exists already"]);
    assert_eq!(store.get("one.backup").await, b"to keep");
    assert_eq!(store.unfinished_uploads().await, 0, "its parts are removed");
    assert_eq!(names(&temporary(&byline)), [""; 0]);
}

#[tokio::test]
async fn a_site_keeps_its_newest_backups_in_the_store_and_removes_nothing_else_there() {
    let store = ObjectStore::start().await;
    let reach = store.reach();
    let daily = daily_into(place(&store), 2);
    let site = Running::start_with(|config| {
        reach(config);
        daily(config);
    })
    .await;
    let next = look(&site).await;
    assert!((86_300..=86_400).contains(&next), "{next}");
    let first = backups(&store).await.remove(0);
    assert!(first.starts_with("byline-2") && first.ends_with("Z.backup"), "{first}");
    verified(&store, &first).await;
    assert_eq!(site.browser().get("/readyz").await.text(), "ok\nbackup: ok\n");
    let bytes = i64::try_from(store.get(&format!("backups/{first}")).await.len()).expect("few");
    assert_eq!(site.count("SELECT bytes FROM backup_runs").await, bytes);

    let copied = "byline-20200101T000000.000Z.backup";
    let whole = store.get(&format!("backups/{first}")).await;
    store.put(&format!("backups/{copied}"), whole.clone()).await;
    store.put(&format!("backups/below/{first}"), whole).await;
    store.put("backups/letter", b"to keep".to_vec()).await;
    let others = [copied.to_owned(), format!("below/{first}"), "letter".to_owned()];
    for _ in 0..2 {
        let_pass(&site, DAY).await;
        look(&site).await;
    }
    let left = backups(&store).await;
    assert!(!left.contains(&first) && left.len() == 2 + others.len(), "{left:?}");
    assert!(others.iter().all(|name| left.contains(name)), "{left:?}");

    // While the store is away, nothing is made and nothing removed.
    store.set(Way::Closed);
    let_pass(&site, DAY).await;
    look(&site).await;
    store.set(Way::Open);
    assert_eq!((backups(&store).await, runs(&site, "failed").await), (left.clone(), 1));
    assert_eq!(site.browser().get("/readyz").await.text(), "ok\nbackup: failed\n");

    // Somebody puts something else in the place of a backup.
    let second = left.iter().find(|name| !others.contains(name)).expect("a backup").clone();
    store.put(&format!("backups/{second}"), b"not a backup".to_vec()).await;
    let_pass(&site, DAY).await;
    look(&site).await;
    assert_eq!(store.get(&format!("backups/{second}")).await, b"not a backup");
    assert_eq!((backups(&store).await.len(), runs(&site, "done").await), (3 + others.len(), 4));
}

#[tokio::test]
async fn a_file_that_the_store_has_lost_is_named_and_prevents_no_backup() {
    let store = ObjectStore::start().await;
    let (site, urls) = site_with_pictures(&store).await;
    let lost = store.keys().await.into_iter().find(|key| key.ends_with("-6x2.png")).expect("a file");
    let name = lost.rsplit('/').next().expect("a name").to_owned();
    let folder = tempfile::tempdir().expect("a folder");
    let (set, daily) = (store.settings(), daily_into(BackupPlace::Folder(folder.path().to_owned()), 1));
    let process = site
        .another(|config| {
            set(config);
            daily(config);
        })
        .await;
    look(&process).await;
    let complete = names(folder.path()).remove(0);

    store.remove(&lost).await;
    let byline = Byline::in_an_empty_folder();
    let ended = run(&byline, &store, &create(&site, "one", &[])).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.contains("read back and verified"), "{ended:?}");
    let last = ended.stderr.trim_end().lines().last().expect("a sentence").to_owned();
    assert!(
        last.starts_with("byline: ") && last.contains("it lacks 1 file of pictures") && last.contains(&name),
        "{last}"
    );
    let said = run(&byline, &store, &["backup", "verify", "one"]).await.succeeded();
    assert!(said.contains(&name), "{said}");
    let target = TestDatabase::in_a_file();
    let said =
        run(&byline, &store, &["backup", "restore", "one", "--to", target.url_text()]).await.succeeded();
    assert!(said.contains(&name), "{said}");
    let served = byline.serve(&["--database-url", target.url_text()]).await;
    let mut reader = Client::browser(served.address, false);
    assert_eq!((reader.get(&urls[0]).await.status, reader.get(&urls[1]).await.status), (200, 404));
    // Whoever has the picture deletes it and uploads it again.
    let mut ada = Client::browser(served.address, false);
    assert_eq!(ada.log_in("ada").await.status, 303);
    let upload = async || ada.as_script().upload("/api/upload_media", &picture::png(6, 2), "").await.json();
    let id = upload().await["id"].as_str().expect("the picture that they have").to_owned();
    assert_eq!(ada.as_script().submit("/api/delete_media", &[("id", &id)]).await.status, 200);
    assert_eq!(upload().await["url"], urls[1].as_str());
    assert_eq!(reader.get(&urls[1]).await.status, 200);
    served.terminate().await;

    // The site makes its own all the same, says what they lack, and keeps the last whole one.
    let watcher = Watcher::of(&process).await;
    let incomplete = async || watcher.metrics().await.value("byline_backup_last_success_incomplete", &[]);
    assert_eq!(incomplete().await, 0.0);
    for _ in 0..2 {
        let_pass(&site, DAY).await;
        look(&process).await;
    }
    assert_eq!((runs(&site, "done").await, names(folder.path()).len()), (3, 2));
    assert!(names(folder.path()).contains(&complete));
    assert_eq!(process.browser().get("/readyz").await.text(), "ok\nbackup: incomplete\n");
    assert_eq!(incomplete().await, 1.0);
    site.tamper("UPDATE users SET is_admin = 1").await;
    let mut ada = process.browser();
    assert_eq!(ada.log_in("ada").await.status, 303);
    let overview = ada.page("/admin").await.text("main");
    assert!(overview.contains("But it lacks 1 file of pictures") && overview.contains(&name), "{overview}");

    // A store that is away is another matter: what it has is not left out.
    store.set(Way::Closed);
    run(&byline, &store, &create(&site, "two", &[])).await.failed_with(&["s3://", "does not answer"]);
    assert!(!byline.folder().join("two").exists());
}

#[tokio::test]
async fn a_picture_that_is_moved_while_the_backup_is_made_is_in_it() {
    let store = ObjectStore::start().await;
    let (site, urls) = site_with_pictures(&store).await;
    let byline = Byline::in_an_empty_folder();
    let copy = TestDatabase::in_a_file();
    byline.run(&["copy", "--from", site.url_text(), "--to", copy.url_text()], "").await.succeeded();
    // After the copy, before its files are brought.
    let moved = command(&byline, &store, &["media", "move", "--database-url", site.url_text()]);
    Ended::of(moved, "").await.succeeded();
    // Deleted meanwhile: it is not missed.
    site.tamper("DELETE FROM media_files WHERE name LIKE '%-6x2.png'").await;
    assert!(store.keys().await.is_empty());

    let [copied, from] = [&copy, &*site].map(|database| database.url_text().parse().expect("a URL"));
    let stores = Stores::new(store.variables());
    let gathered = byline::media::domain::gathering::run(&copied, &from, &stores).await.expect("all is read");
    assert_eq!((gathered.missing, gathered.missing_names.len()), (0, 0), "{gathered:?}");
    let count = async |sql: &str| (copy.count(sql).await, site.count(sql).await);
    let (in_copy, in_site) = count("SELECT COUNT(*) FROM media_files").await;
    assert_eq!((in_copy, i64::try_from(gathered.files)), (in_site, Ok(in_site)));
    assert_eq!(copy.count("SELECT COUNT(*) FROM media_objects").await, 0);
    let body = site.browser().get(&urls[0]).await.body;
    let served = byline.serve(&["--database-url", copy.url_text()]).await;
    assert_eq!(Client::browser(served.address, false).get(&urls[0]).await.body, body);
    served.terminate().await;
}

#[tokio::test]
async fn a_site_that_is_stopped_during_an_upload_leaves_no_parts() {
    let (store, other) = (ObjectStore::start().await, ObjectStore::start().await);
    let database = TestDatabase::fresh().await;
    let byline = Byline::in_an_empty_folder();
    byline.run(&["migrate", "--database-url", database.url_text()], "").await.succeeded();
    fill(&database).await;
    let to = format!("{}/backups", store.url());
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--database-url", database.url_text()];
    let every = ["--backup-every", "1 d", "--backup-to", &to];
    store.set(Way::Stalling);
    let served = Byline::serve_by(command(&byline, &store, &[&arguments[..], &every].concat())).await;
    until("the first part to be under way", async || store.has_stalled()).await;
    let log = served.terminate().await;
    assert!(log.contains("interrupted"), "{log}");
    assert_eq!(other.unfinished_uploads_of(&store).await, 0);
    assert_eq!(names(&temporary(&byline)), [""; 0]);
    store.set(Way::Open);
    assert!(backups(&store).await.is_empty());
    assert_eq!(runs(&database, "interrupted").await, 1);
}
