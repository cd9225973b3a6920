//! `byline backup`: one file holds the whole site, and another site begins from it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use byline::{
    config::AwsVariables,
    objects::Stores,
    ops::backup::{self, BackupError, Identity, Location, Manifest},
};

use crate::{
    copy::{large_site, lively_site, rows},
    support::{Byline, Client, Ended, TestDatabase, postgres_database, until},
};

/// `byline backup create` of a site, with more arguments.
pub(super) fn create<'a>(site: &'a TestDatabase, file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let all = ["backup", "create", "--to", file, "--database-url", site.url_text()];
    [&all[..], more].concat()
}

async fn restore(byline: &Byline, file: &str, to: &TestDatabase) -> Ended {
    byline.run(&["backup", "restore", file, "--to", to.url_text()], "").await
}

/// What `byline backup verify` does with a file.
pub(super) async fn verify(file: &Path, identities: &[Identity]) -> Result<Manifest, BackupError> {
    let no_store = Stores::new(AwsVariables::default());
    backup::verify(&Location::File(file.to_owned()), &no_store, identities).await
}

/// The names in a folder, in order.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("a file").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// A backup of a site without rows, which is short.
async fn short_backup(byline: &Byline) -> PathBuf {
    let site = TestDatabase::in_a_file();
    byline.run(&["migrate", "--database-url", site.url_text()], "").await.succeeded();
    byline.run(&create(&site, "short", &[]), "").await.succeeded();
    byline.folder().join("short")
}

#[tokio::test]
async fn a_backup_is_restored_on_either_engine_with_every_row() {
    let (site, _) = lively_site().await;
    let byline = Byline::in_an_empty_folder();
    let said = byline.run(&create(&site, "one", &[]), "").await.succeeded();
    assert!(said.contains("read back and verified"), "{said}");
    assert_eq!(names(byline.folder()), ["one"], "nothing else is left");
    let said = byline.run(&["backup", "verify", "one"], "").await.succeeded();
    assert!(said.contains("complete") && said.contains("users 2"), "{said}");

    let target = TestDatabase::fresh().await;
    restore(&byline, "one", &target).await.succeeded();
    assert_eq!(rows(&site).await, rows(&target).await);
    let again = restore(&byline, "one", &target).await;
    again.failed_with(&["already has rows", target.url_text()]);

    // The other way round: what was restored into one engine is backed up into the other.
    let (file, server) = (TestDatabase::in_a_file(), postgres_database().await);
    restore(&byline, "one", &server).await.succeeded();
    byline.run(&create(&server, "two", &[]), "").await.succeeded();
    restore(&byline, "two", &file).await.succeeded();
    for (first, second) in [(&file, &target), (&server, &target)] {
        if first.url_text().split(':').next() == second.url_text().split(':').next() {
            assert_eq!(rows(first).await, rows(second).await);
        }
        for table in ["users", "posts", "media_files", "sessions", "audit"] {
            let count = format!("SELECT COUNT(*) FROM {table}");
            assert_eq!(first.count(&count).await, second.count(&count).await, "{table}");
        }
    }
}

#[tokio::test]
async fn people_go_on_on_a_restored_site_with_its_key() {
    let (site, ada) = lively_site().await;
    let byline = Byline::in_an_empty_folder();
    let with_key = site.url_text().starts_with("sqlite:");
    let more: &[&str] = if with_key { &["--with-secret-key"] } else { &[] };
    byline.run(&create(&site, "one", more), "").await.succeeded();
    for target in [TestDatabase::in_a_file(), postgres_database().await] {
        let said = restore(&byline, "one", &target).await.succeeded();
        assert!(!said.contains("was not in the backup"), "{said}");
        let served = byline.serve(&["--database-url", target.url_text()]).await;
        let mut browser = Client::browser(served.address, false).with_sid(ada.sid().expect("a session"));
        assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
        let post = browser.publish("After the restore", "It works.").await;
        browser.page(&format!("/posts/{post}")).await;
        served.terminate().await;
    }
}

/// Made by the Byline of before migration 28, of a site with a key that is not in it: ada, who
/// is in charge, two posts, a draft, a hidden post, and a picture. Her password is that of all tests.
const EARLIER: &[u8] = include_bytes!("files/earlier-schema-27.backup");

#[tokio::test]
async fn a_backup_of_an_earlier_byline_is_verified_and_restored_on_either_engine() {
    let byline = Byline::in_an_empty_folder();
    fs::write(byline.folder().join("earlier"), EARLIER).expect("a file");
    let said = byline.run(&["backup", "verify", "earlier"], "").await.succeeded();
    assert!(said.contains("complete") && said.contains("users 1, posts 2, drafts 1, media 1"), "{said}");
    let mut changed = EARLIER.to_vec();
    changed[EARLIER.len() / 2] ^= 1;
    fs::write(byline.folder().join("changed"), changed).expect("a file");
    byline
        .run(&["backup", "verify", "changed"], "")
        .await
        .failed_with(&["changed", "its bytes have changed"]);

    for target in [TestDatabase::in_a_file(), postgres_database().await] {
        restore(&byline, "earlier", &target).await.succeeded();
        byline.run(&["secrets", "reset", "--database-url", target.url_text()], "").await.succeeded();
        let served = byline.serve(&["--database-url", target.url_text()]).await;
        let mut reader = Client::browser(served.address, false);
        assert!(reader.page("/").await.text("h1").contains("The river"), "the name of the site");
        let page = reader.page("/@ada/heron").await;
        assert!(page.text(".prose").contains("It stands in the river, and waits."));
        let picture = page.attribute(".prose img", "src").expect("a picture");
        assert_eq!(reader.get(&picture).await.status, 200, "{picture}");
        assert_eq!(reader.get("/@ada/spam").await.status, 404, "what was hidden stays hidden");
        // Posts that were rendered before are found by their words, and shown with them.
        for (word, marked) in [("γαληνη", "Γαλήνη"), ("WAITS", "waits")] {
            let page = reader.page(&format!("/search?q={word}")).await;
            assert_eq!(page.texts("main mark"), [marked]);
        }
        let mut ada = Client::browser(served.address, false);
        assert_eq!(ada.log_in("ada").await.status, 303);
        assert!(ada.page("/my-posts/drafts").await.text("main").contains("Not yet"));
        assert_eq!(ada.get("/admin").await.status, 200);
        let post = ada.publish("After the restore", "It works.").await;
        ada.page(&format!("/posts/{post}")).await;
        served.terminate().await;
        let file = format!("again-{}", target.url_text().split(':').next().expect("a scheme"));
        byline.run(&create(&target, &file, &[]), "").await.succeeded();
    }
}

#[tokio::test]
async fn the_secret_key_is_in_a_backup_only_if_it_was_asked_for() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    assert_eq!(Client::browser(served.address, false).sign_up("ada").await.status, 303);
    served.terminate().await;
    let key = fs::read(byline.folder().join("byline.db.key")).expect("the key");
    for (name, more, is_there) in [("with", &["--with-secret-key"][..], true), ("without", &[][..], false)] {
        let said =
            byline.run(&[&["backup", "create", "--to", name][..], more].concat(), "").await.succeeded();
        assert_eq!(said.contains("is not in it"), !is_there, "{said}");
        let target = TestDatabase::in_a_file();
        let said = restore(&byline, name, &target).await.succeeded();
        assert_eq!(said.contains("The secret key was not in the backup"), !is_there, "{said}");
        let restored = fs::read(target.file().with_extension("db.key")).ok();
        assert_eq!(restored.as_ref() == Some(&key), is_there);
        assert_eq!(restored.is_some(), is_there);
    }
    let server = postgres_database().await;
    byline.run(&["migrate", "--database-url", server.url_text()], "").await.succeeded();
    let without_any = byline.run(&create(&server, "none", &["--with-secret-key"]), "").await;
    without_any.failed_with(&["none was given"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_all_that_was_acknowledged_before_it_began() {
    let (site, mut ada) = large_site().await;
    let mut bob = site.author("bob").await;
    let begun = Arc::new(AtomicBool::new(false));
    let ended = Arc::new(AtomicBool::new(false));
    let (seen_begun, seen_ended) = (Arc::clone(&begun), Arc::clone(&ended));
    let writing = tokio::spawn(async move {
        let (mut before, mut during) = (Vec::new(), 0);
        while !seen_ended.load(Ordering::SeqCst) {
            let id = bob.publish("Under load", "written meanwhile").await;
            // Whatever was answered after this moment may be in the backup or not.
            match seen_begun.load(Ordering::SeqCst) {
                false => before.push(id),
                true => during += 1,
            }
        }
        (before, during)
    });
    let first = ada.publish("Acknowledged", "before the backup").await;
    until("some posts under load", async || {
        site.count("SELECT COUNT(*) FROM posts WHERE title = 'Under load'").await > 5
    })
    .await;
    begun.store(true, Ordering::SeqCst);
    let byline = Byline::in_an_empty_folder();
    byline.run(&create(&site, "one", &[]), "").await.succeeded();
    ended.store(true, Ordering::SeqCst);
    let (before, during) = writing.await.expect("the writer ends well");
    assert!(during > 0, "writers go on during a backup");

    let target = TestDatabase::in_a_file();
    restore(&byline, "one", &target).await.succeeded();
    assert!(!before.is_empty());
    for id in before.iter().chain([&first]) {
        assert_eq!(target.count(&format!("SELECT COUNT(*) FROM posts WHERE id = '{id}'")).await, 1, "{id}");
    }
}

#[tokio::test]
async fn verify_finds_every_changed_byte() {
    let byline = Byline::in_an_empty_folder();
    let backup = short_backup(&byline).await;
    verify(&backup, &[]).await.expect("a whole backup");
    let whole = fs::read(&backup).expect("the backup");
    let changed = byline.folder().join("changed");
    let (length, ends) = (whole.len(), 100);
    let places = (0..ends).chain((ends..length - ends).step_by(61)).chain(length - ends..length);
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= if place % 2 == 0 { 0x01 } else { 0x80 };
        fs::write(&changed, &bytes).expect("a file");
        verify(&changed, &[]).await.expect_err(&format!("byte {place} of {length} has changed"));
    }
    for length in (0..length).step_by(397).chain([length - 1]) {
        fs::write(&changed, &whole[..length]).expect("a file");
        verify(&changed, &[]).await.expect_err(&format!("only {length} bytes are left"));
    }
    fs::write(&changed, [&whole[..], b"\n"].concat()).expect("a file");
    verify(&changed, &[]).await.expect_err("a byte more");

    let said = async || byline.run(&["backup", "verify", "changed"], "").await;
    let mut bytes = whole.clone();
    bytes[length / 2] ^= 1;
    fs::write(&changed, &bytes).expect("a file");
    said().await.failed_with(&["changed", "its bytes have changed"]);
    let target = TestDatabase::in_a_file();
    restore(&byline, "changed", &target).await.failed_with(&["its bytes have changed"]);
    assert!(!target.file().exists(), "nothing is restored from it");
    fs::write(&changed, &whole[..length / 2]).expect("a file");
    said().await.failed_with(&["cut off"]);
    for foreign in [&b""[..], b"SQLite format 3\0", b"a text"] {
        fs::write(&changed, foreign).expect("a file");
        said().await.failed_with(&["no backup of Byline"]);
    }
    fs::remove_file(&changed).expect("the file");
    said().await.failed_with(&["changed", "No such file"]);
}

#[tokio::test]
async fn a_backup_replaces_nothing_unless_it_is_told_to_and_only_a_backup() {
    let byline = Byline::in_an_empty_folder();
    let backup = short_backup(&byline).await;
    let before = fs::read(&backup).expect("the backup");
    let site = TestDatabase::in_a_file();
    byline.run(&["migrate", "--database-url", site.url_text()], "").await.succeeded();
    byline.run(&create(&site, "short", &[]), "").await.failed_with(&["exists already", "--replace"]);
    assert_eq!(fs::read(&backup).expect("the backup"), before);
    byline.run(&create(&site, "short", &["--replace"]), "").await.succeeded();
    assert_ne!(fs::read(&backup).expect("the backup"), before);

    fs::write(byline.folder().join("letter"), "to keep").expect("a file");
    byline.run(&create(&site, "letter", &["--replace"]), "").await.failed_with(&["is no backup"]);
    byline.run(&create(&site, "away/short", &[]), "").await.failed_with(&["away is not there", "make it"]);
    let database = site.url_text().strip_prefix("sqlite://").expect("a file");
    byline.run(&create(&site, database, &["--replace"]), "").await.failed_with(&["is no backup"]);
    assert_eq!(fs::read_to_string(byline.folder().join("letter")).expect("a file"), "to keep");
    assert_eq!(names(byline.folder()), ["letter", "short"]);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_a_backup() {
    use std::os::unix::fs::PermissionsExt;

    let byline = Byline::in_an_empty_folder();
    let backup = short_backup(&byline).await;
    let mode = fs::metadata(&backup).expect("the backup").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_backup_that_is_killed_leaves_no_file_and_the_next_one_tidies_up() {
    let (site, _) = large_site().await;
    let byline = Byline::in_an_empty_folder();
    let log = byline.folder().join("one.unfinished/made/byline.db-wal");
    let mut child = byline.command(&create(&site, "one", &[])).spawn().expect("byline starts");
    until("the backup to be under way", async || fs::metadata(&log).is_ok_and(|log| log.len() > 1_000_000))
        .await;
    child.kill().await.expect("it ran");
    assert_eq!(names(byline.folder()), ["one.unfinished"]);
    byline.run(&create(&site, "one", &[]), "").await.succeeded();
    assert_eq!(names(byline.folder()), ["one"]);
    byline.run(&["backup", "verify", "one"], "").await.succeeded();
}

#[tokio::test]
async fn what_a_killed_verification_has_unpacked_goes_with_the_next_backup_command() {
    let (site, _) = large_site().await;
    let byline = Byline::in_an_empty_folder();
    byline.run(&create(&site, "one", &[]), "").await.succeeded();
    let temporary = byline.folder().join("temporary");
    fs::create_dir(&temporary).expect("a folder");
    let verify = || {
        let mut command = byline.command(&["backup", "verify", "one"]);
        command.env("TMPDIR", &temporary);
        command
    };
    let unpacked = || {
        let left = names(&temporary).pop().map(|name| temporary.join(name));
        left.filter(|folder| folder.join("unpacked/byline.db").exists())
    };
    let mut child = verify().spawn().expect("byline starts");
    until("the backup to be unpacked", async || unpacked().is_some()).await;
    let folder = unpacked().expect("a folder");
    child.kill().await.expect("it ran");
    assert!(folder.join("unpacked/byline.db").exists());

    let lock = fs::File::options().write(true).open(folder.join("lock")).expect("a lock");
    lock.set_modified(SystemTime::now() - Duration::from_secs(120)).expect("a time");
    lock.lock().expect("nobody has it");
    Ended::of(verify(), "").await.succeeded();
    assert!(folder.join("unpacked/byline.db").exists(), "somebody works in it");
    drop(lock);
    Ended::of(verify(), "").await.succeeded();
    assert_eq!(names(&temporary), [""; 0]);
}

/// The limit on the size of files makes writes fail as a full disk does.
#[tokio::test]
async fn a_full_disk_leaves_neither_a_backup_nor_a_part_of_one() {
    let (site, _) = large_site().await;
    let byline = Byline::in_an_empty_folder();
    // In 512 bytes: while the tables are made, and while they are filled.
    for limit in [16, 4_000, 20_000] {
        let script = format!("ulimit -f {limit}; exec \"$0\" \"$@\"");
        let ended = Ended::of(byline.command_in_shell(&script, &create(&site, "one", &[])), "").await;
        assert_eq!(ended.code, Some(1), "{limit}: {ended:?}");
        assert_eq!(names(byline.folder()), [""; 0], "{limit}");
    }
    byline.run(&create(&site, "one", &[]), "").await.succeeded();
}
