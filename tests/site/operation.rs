//! What can happen to an operator: Byline is started twice, its files are moved,
//! removed or restored, its disk is full or read-only.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::process::Command;

use crate::support::{Byline, Client, Ended, PASSWORD, Probe, Served, postgres_database, until};

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

async fn author(served: &Served, username: &str) -> Client {
    let mut author = Client::browser(served.address, false);
    assert_eq!(author.sign_up(username).await.status, 303);
    author.as_script()
}

/// Tries to publish; returns the status.
async fn publish(author: &mut Client, title: &str) -> u16 {
    author.submit("/api/create_post", &[("title", title), ("content", "")]).await.status
}

async fn is_ready(served: &Served) -> bool {
    match Client::browser(served.address, false).get("/readyz").await.status {
        200 => true,
        503 => false,
        other => panic!("/readyz says {other}"),
    }
}

/// The titles of the posts, from the oldest.
async fn titles(served: &Served) -> Vec<String> {
    let listed = Client::browser(served.address, false).as_script().get("/api/list_posts").await;
    assert_eq!(listed.status, 200);
    let listed = listed.json();
    let items = listed["posts"].as_array().expect("a list");
    items.iter().rev().map(|post| post["title"].as_str().expect("a title").to_owned()).collect()
}

async fn probe(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.expect("the database opens")
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("a file").permissions().mode() & 0o7777
}

/// A database of another site.
async fn another_database() -> (Byline, PathBuf) {
    let other = Byline::in_an_empty_folder();
    let served = other.serve(&[]).await;
    assert_eq!(publish(&mut author(&served, "eve").await, "Of another site").await, 200);
    served.terminate().await;
    let file = other.folder().join("byline.db");
    (other, file)
}

#[tokio::test]
async fn a_file_is_served_by_one_process_at_a_time() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.db");
    let served = byline.serve(&[]).await;
    let mut ada = author(&served, "ada").await;
    symlink(&file, byline.folder().join("link.db")).expect("a link");
    let absolute = format!("sqlite://{}", file.display());
    for url in ["sqlite://byline.db", "sqlite://./byline.db?mode=rw", "sqlite://link.db", &absolute] {
        let again = [&SERVE[..], &["--database-url", url]].concat();
        byline.run(&again, "").await.failed_with(&["byline.db", "in use by another Byline"]);
    }
    fs::hard_link(&file, byline.folder().join("hard.db")).expect("a link");
    let again = [&SERVE[..], &["--database-url", "sqlite://hard.db"]].concat();
    byline.run(&again, "").await.failed_with(&["hard.db", "second name"]);
    byline
        .run(&["user", "list", "--database-url", "sqlite://hard.db"], "")
        .await
        .failed_with(&["second name"]);
    fs::remove_file(byline.folder().join("hard.db")).expect("the link");

    // Commands beside it go on as ever, and what they change is seen.
    byline.run(&["user", "create", "bob", "bob@example.org"], PASSWORD).await.succeeded();
    assert_eq!(Client::browser(served.address, false).log_in("bob").await.status, 303);
    byline.run(&["keys", "rotate"], "").await.succeeded();
    byline.run(&["migrate"], "").await.succeeded();
    assert_eq!(publish(&mut ada, "Still there").await, 200);
    assert!(is_ready(&served).await);

    served.kill().await;
    let served = byline.serve(&[]).await;
    assert_eq!(titles(&served).await, ["Still there"], "a killed process leaves no lock");
    served.terminate().await;
}

#[tokio::test]
async fn a_pipe_is_no_database() {
    let byline = Byline::in_an_empty_folder();
    let made = Command::new("mkfifo").arg(byline.folder().join("pipe.db")).status().await;
    assert!(made.expect("mkfifo runs").success());
    for command in [&SERVE[..], &["migrate"], &["user", "list"]] {
        let command = [command, &["--database-url", "sqlite://pipe.db"]].concat();
        byline.run(&command, "").await.failed_with(&["pipe.db", "no regular file"]);
    }
}

#[tokio::test]
async fn no_start_waits_for_what_is_no_file_in_the_place_of_one() {
    let byline = Byline::in_an_empty_folder();
    let at = |name: &str| byline.folder().join(name);
    let made = Command::new("mkfifo").arg(at("pipe")).status().await;
    assert!(made.expect("mkfifo runs").success());
    fs::create_dir(at("folder")).expect("a folder");
    fs::write(at("file"), "").expect("a file");
    for (place, said) in
        [("pipe", "no regular file"), ("folder", "is a directory"), ("/dev/zero", "no regular file")]
    {
        for settings in [
            &["--tls-cert", place, "--tls-key", "file"][..],
            &["--tls-cert", "file", "--tls-key", place],
            &["--secret-key-file", place],
            &["--database-url-file", place],
            &["--mail-transport-file", place],
            &["--config", place],
        ] {
            let serve = [&SERVE[..], settings].concat();
            byline.run(&serve, "").await.failed_with(&[place, said]);
        }
        fs::write(at("byline.toml"), format!("[site]\nlogo = \"{place}\"\n")).expect("a file");
        byline.run(&SERVE, "").await.failed_with(&["site.logo", place, said]);
        fs::remove_file(at("byline.toml")).expect("the file");
    }
    // What the shell has opened for the process is read.
    let script = "exec \"$0\" user list --database-url-file /dev/fd/3 3<<END
sqlite://other.db
END";
    Ended::of(byline.command_in_shell(script, &[]), "").await.succeeded();
    assert!(at("other.db").exists());
}

#[tokio::test]
async fn nothing_is_copied_into_a_file_that_is_served() {
    let byline = Byline::in_an_empty_folder();
    let (_other, source) = another_database().await;
    let served = byline.serve(&[]).await;
    let from = format!("sqlite://{}", source.display());
    let copy = ["copy", "--from", &from, "--to", "sqlite://byline.db"];
    byline.run(&copy, "").await.failed_with(&["byline.db", "in use by another Byline"]);
    assert_eq!(titles(&served).await, [""; 0]);
    let said = served.terminate_and_hear().await;
    byline.run(&copy, "").await.succeeded();
    let served = byline.serve(&[]).await;
    assert_eq!(titles(&served).await, ["Of another site"]);
    // Who was invited to be in charge of the empty site is not in charge of this one.
    let (_, invite) = said.trim_end().split_once("?invite=").expect("a link");
    let mut mallory = Client::browser(served.address, false);
    let fields = [
        ("username", "mallory"),
        ("email", "mallory@example.org"),
        ("password", PASSWORD),
        ("invite", invite),
    ];
    assert_eq!(mallory.submit("/signup", &fields).await.status, 303);
    assert_eq!(mallory.get("/admin").await.status, 404);
    // From a file that is served, as ever.
    byline.run(&["copy", "--from", "sqlite://byline.db", "--to", "sqlite://copy.db"], "").await.succeeded();
    served.terminate().await;
}

#[tokio::test]
async fn what_is_written_to_a_file_that_was_moved_away_is_not_acknowledged() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.db");
    let away = byline.folder().join("away.db");
    let (_other, another) = another_database().await;
    let served = byline.serve(&[]).await;
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);

    fs::rename(&file, &away).expect("moved");
    assert!(!is_ready(&served).await, "moved away");
    assert_eq!(publish(&mut ada, "Into nothing").await, 503);
    byline.run(&["user", "list"], "").await.failed_with(&["byline.db", "in use by another Byline"]);
    assert!(!file.exists(), "a command makes no new file in its place");
    fs::copy(&another, &file).expect("another file");
    assert!(!is_ready(&served).await, "replaced");
    assert_eq!(publish(&mut ada, "Into nothing").await, 503);
    assert_eq!(titles(&served).await, ["First"], "readers are served");

    fs::rename(&away, &file).expect("moved back");
    assert!(is_ready(&served).await, "moved back");
    assert_eq!(publish(&mut ada, "Second").await, 200);
    let log = served.terminate().await;
    assert!(log.contains("was removed while it is open") && log.contains("was replaced while"), "{log}");
    assert!(log.contains("can be written again"), "{log}");
    let served = byline.serve(&[]).await;
    assert_eq!(titles(&served).await, ["First", "Second"]);
    served.terminate().await;
}

#[tokio::test]
async fn a_log_or_an_index_that_is_removed_is_noticed_and_nothing_is_lost() {
    for gone in ["byline.db-wal", "byline.db-shm"] {
        let byline = Byline::in_an_empty_folder();
        let served = byline.serve(&[]).await;
        let mut ada = author(&served, "ada").await;
        assert_eq!(publish(&mut ada, "First").await, 200);
        fs::remove_file(byline.folder().join(gone)).expect("a file");
        assert!(!is_ready(&served).await, "{gone}");
        assert_eq!(publish(&mut ada, "Into nothing").await, 503, "{gone}");
        let log = served.terminate().await;
        assert!(log.contains(&format!("{gone} was removed")), "{log}");
        let served = byline.serve(&[]).await;
        assert_eq!(titles(&served).await, ["First"], "{gone}");
        served.terminate().await;
    }
}

#[tokio::test]
async fn a_log_that_is_cut_is_noticed_unless_all_of_it_is_in_the_file() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);
    let file = byline.folder().join("byline.db");
    let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
    sqlx::raw_sql(fold).execute(&mut probe(&file).await).await.expect("a checkpoint");
    assert!(is_ready(&served).await);
    assert_eq!(publish(&mut ada, "Second").await, 200);
    fs::File::options()
        .write(true)
        .open(byline.folder().join("byline.db-wal"))
        .and_then(|log| log.set_len(0))
        .expect("an empty log");
    assert!(!is_ready(&served).await);
    assert_eq!(publish(&mut ada, "Into nothing").await, 503);
    let log = served.terminate().await;
    assert!(log.contains("was overwritten while it is open"), "{log}");
}

#[tokio::test]
async fn an_author_publishes_while_another_program_copies_and_cuts_the_log() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut ada = author(&served, "ada").await;
    let mut other = probe(&byline.folder().join("byline.db")).await;
    let long = "word ".repeat(2_000);
    for number in 0..40 {
        let post = [("title", "Long"), ("content", long.as_str())];
        assert_eq!(ada.submit("/api/create_post", &post).await.status, 200, "post {number}");
        // Once: what follows stays in the log, which is shorter than it was.
        let cut = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut other);
        let (cut, status) = tokio::join!(cut, publish(&mut ada, "Short"));
        cut.expect("a checkpoint");
        assert_eq!(status, 200, "post {number}");
    }
    assert!(is_ready(&served).await);
    served.terminate().await;
    let posts = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM posts").fetch_one(&mut other).await;
    assert_eq!(posts.expect("a number"), 80);
}

#[tokio::test]
async fn a_site_that_is_served_by_a_link_keeps_the_secret_key_beside_its_file() {
    let byline = Byline::in_an_empty_folder();
    let real = byline.folder().join("real");
    fs::create_dir(&real).expect("a folder");
    byline.serve(&["--database-url", "sqlite://real/m.db"]).await.terminate().await;
    let key = fs::read(real.join("m.db.key")).expect("a key");
    let link = byline.folder().join("m.db");
    symlink("real/m.db", &link).expect("a link");
    byline.serve(&["--database-url", "sqlite://m.db"]).await.terminate().await;
    let beside_link = byline.folder().join("m.db.key");
    assert!(!beside_link.exists(), "no other key is made");
    assert_eq!(fs::read(real.join("m.db.key")).expect("a key"), key);

    // Where an earlier version has made the key beside the link.
    fs::rename(real.join("m.db.key"), &beside_link).expect("the key is moved");
    byline.serve(&["--database-url", "sqlite://m.db"]).await.terminate().await;
    assert!(!real.join("m.db.key").exists(), "no other key is made");
    assert_eq!(fs::read(&beside_link).expect("a key"), key);
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_is_noticed_and_nobody_reads_what_lies_there() {
    let byline = Byline::in_an_empty_folder();
    let (_other, another) = another_database().await;
    let link = byline.folder().join("link.db");
    symlink("byline.db", &link).expect("a link");
    byline.run(&["migrate"], "").await.succeeded();
    let served = byline.serve(&["--database-url", "sqlite://link.db"]).await;
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);
    fs::remove_file(&link).expect("the link");
    symlink(&another, &link).expect("another link");
    assert!(!is_ready(&served).await);
    assert_eq!(publish(&mut ada, "Into nothing").await, 503);
    // Whoever reads here has a connection that was open before, or none.
    let reads = futures::future::join_all((0..16).map(|_| async {
        let listed = Client::browser(served.address, false).as_script().get("/api/list_posts").await;
        assert!(!listed.text().contains("Of another site"));
        assert!([200, 503].contains(&listed.status), "{}", listed.status);
    }));
    reads.await;
    served.terminate().await;
}

#[tokio::test]
async fn a_file_that_is_overwritten_while_it_is_served_is_noticed_and_stays_as_it_was_put_there() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.db");
    let (_other, another) = another_database().await;
    let served = byline.serve(&[]).await;
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);
    let inode = fs::metadata(&file).expect("a file").ino();
    fs::write(&file, fs::read(&another).expect("a file")).expect("overwritten");
    assert_eq!(fs::metadata(&file).expect("a file").ino(), inode, "as `cp` does");
    assert!(!is_ready(&served).await);
    assert_eq!(publish(&mut ada, "Into nothing").await, 503);
    let log = served.terminate().await;
    assert!(log.contains("was overwritten while it is open"), "{log}");

    assert_eq!(fs::read(&file).expect("a file"), fs::read(&another).expect("a file"), "nothing is mixed");
    byline.run(&SERVE, "").await.failed_with(&["byline.db-wal", "is not the log of", "put back or replaced"]);
    fs::rename(byline.folder().join("byline.db-wal"), byline.folder().join("kept")).expect("moved");
    let served = byline.serve(&[]).await;
    assert_eq!(titles(&served).await, ["Of another site"]);
    served.terminate().await;
}

#[tokio::test]
async fn a_backup_that_is_put_back_beside_a_later_log_is_not_mixed_with_it() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.db");
    let backup = byline.folder().join("backup");
    let log = byline.folder().join("byline.db-wal");
    let put_back = || fs::copy(&backup, &file).expect("put back");
    let refused = ["byline.db-wal", "is not the log of", "put back or replaced"];

    // A copy that was made while nothing ran.
    let served = byline.serve(&[]).await;
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);
    served.terminate().await;
    fs::copy(&file, &backup).expect("a backup");
    let served = byline.serve(&[]).await;
    assert_eq!(publish(&mut ada.at(served.address), "Second").await, 200);
    served.kill().await;
    let latest = fs::read(&file).expect("a file");
    put_back();
    byline.run(&SERVE, "").await.failed_with(&refused);
    byline.run(&["user", "list"], "").await.failed_with(&refused);
    let copy = ["copy", "--from", "sqlite://byline.db", "--to", "sqlite://copy.db"];
    byline.run(&copy, "").await.failed_with(&refused);
    assert_eq!(fs::read(&file).expect("a file"), fs::read(&backup).expect("a file"), "untouched");
    fs::write(&file, &latest).expect("the file that the log belongs to");
    let served = byline.serve(&[]).await;
    assert_eq!(titles(&served).await, ["First", "Second"]);

    // A copy that was made while the site ran, and ran on.
    let copied_into_the_file = "PRAGMA wal_checkpoint(TRUNCATE)";
    sqlx::raw_sql(copied_into_the_file).execute(&mut probe(&file).await).await.expect("a checkpoint");
    fs::copy(&file, &backup).expect("a backup");
    let mut ada = ada.at(served.address);
    assert_eq!(publish(&mut ada, "Third").await, 200);
    sqlx::raw_sql(copied_into_the_file).execute(&mut probe(&file).await).await.expect("a checkpoint");
    assert_eq!(publish(&mut ada, "Fourth").await, 200);
    assert!(is_ready(&served).await, "a log that others copy into the file is no stranger");
    served.kill().await;
    put_back();
    byline.run(&SERVE, "").await.failed_with(&refused);

    // Without the log it is the backup.
    fs::remove_file(&log).expect("the log");
    let served = byline.serve(&[]).await;
    assert_eq!(titles(&served).await, ["First", "Second"]);
    served.kill().await;

    // A file that is gone has no log either.
    let served = byline.serve(&[]).await;
    assert_eq!(publish(&mut ada.at(served.address), "Fifth").await, 200);
    served.kill().await;
    fs::remove_file(&file).expect("the file");
    byline.run(&SERVE, "").await.failed_with(&refused);
    assert!(!file.exists());
}

#[tokio::test]
async fn what_is_stored_is_read_by_its_owner_alone_whatever_the_umask() {
    let byline = Byline::in_an_empty_folder();
    let open_to_all =
        |arguments: &[&str]| byline.command_in_shell("umask 000 && exec \"$0\" \"$@\"", arguments);
    let served = Byline::serve_by(open_to_all(&SERVE)).await;
    author(&served, "ada").await;
    for file in ["byline.db", "byline.db-wal", "byline.db-shm", "byline.db.lock"] {
        assert_eq!(mode(&byline.folder().join(file)), 0o600, "{file}");
    }
    let copy = ["copy", "--from", "sqlite://byline.db", "--to", "sqlite://copy.db"];
    Ended::of(open_to_all(&copy), "").await.succeeded();
    assert_eq!(mode(&byline.folder().join("copy.db")), 0o600);
    Ended::of(open_to_all(&["migrate", "--database-url", "sqlite://new.db"]), "").await.succeeded();
    assert_eq!(mode(&byline.folder().join("new.db")), 0o600);
    served.terminate().await;
}

#[tokio::test]
async fn files_that_everybody_can_read_are_restricted_and_logged() {
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("byline.db");
    byline.run(&["migrate"], "").await.succeeded();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).expect("a mode");
    let served = byline.serve(&[]).await;
    assert_eq!(mode(&file), 0o660, "a group that somebody chose is left alone");
    let log = served.terminate().await;
    assert_eq!(log.matches("everybody could read this database").count(), 1, "{log}");
}

#[tokio::test]
async fn a_file_that_was_read_only_for_a_while_is_served_again() {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["migrate"], "").await.succeeded();
    let file = byline.folder().join("byline.db");
    // What a command leaves that finds it read-only, and may not remove what it made.
    for (beside, bytes) in [("byline.db-wal", 0), ("byline.db-shm", 32_768)] {
        let beside = byline.folder().join(beside);
        fs::write(&beside, vec![0; bytes]).expect("a file");
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o440)).expect("a mode");
    }
    let served = byline.serve(&[]).await;
    assert_eq!(publish(&mut author(&served, "ada").await, "First").await, 200);
    for beside in ["byline.db-wal", "byline.db-shm"] {
        assert_eq!(mode(&byline.folder().join(beside)), mode(&file), "{beside}");
    }
    served.terminate().await;
}

/// Functions for the scripts below.
const DISK: &str = "
    mount -t tmpfs -o size=20m none disk
    serve() { exec \"$0\" serve --listen 127.0.0.1:0 --database-url sqlite://disk/byline.db \"$@\"; }
    migrate() { \"$0\" migrate --database-url sqlite://disk/byline.db >/dev/null; }
    create() { \"$0\" user create \"$@\" --database-url sqlite://disk/byline.db >/dev/null; }
    fill() { dd if=/dev/zero of=disk/filling bs=4k 2>/dev/null || true; }
    ";

/// `script`, in which `disk` is one of 20 MB that nobody else sees and that
/// goes with the last process; `None` where the system does not allow that.
async fn with_a_disk(byline: &Byline, script: &str) -> Option<Command> {
    fs::create_dir_all(byline.folder().join("disk")).expect("a folder");
    for unshare in ["unshare --mount", "unshare --mount --map-root-user"] {
        let tried = byline.command_in_shell(&format!("{unshare} mount -t tmpfs -o size=20m none disk"), &[]);
        if Ended::of(tried, "").await.code == Some(0) {
            let script = format!("exec {unshare} sh -e -c '{DISK}{script}' \"$0\"");
            return Some(byline.command_in_shell(&script, &[]));
        }
    }
    println!("not tried: this system lets us mount nothing");
    None
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_not_served() {
    let byline = Byline::in_an_empty_folder();
    for script in [
        "migrate; mount -o remount,ro disk; serve",
        // The file alone; what lies beside it can be written.
        "migrate; mount --bind disk/byline.db disk/byline.db;
         mount -o remount,bind,ro disk/byline.db; serve",
        // The folder alone, with nothing beside the file.
        "mount -o remount,ro disk; serve",
    ] {
        let Some(command) = with_a_disk(&byline, script).await else { return };
        let ended = Ended::of(command, "").await;
        assert!(ended.stderr.contains("ead-only") || ended.stderr.contains("readonly"), "{ended:?}");
        ended.failed_with(&["byline.db"]);
    }
    byline.run(&["migrate"], "").await.succeeded();
    let read_only = [&SERVE[..], &["--database-url", "sqlite://byline.db?mode=ro"]].concat();
    byline.run(&read_only, "").await.failed_with(&["byline.db", "can only be read"]);
}

#[tokio::test]
async fn a_disk_that_is_full_at_the_start_is_named_or_readers_are_served() {
    let byline = Byline::in_an_empty_folder();
    // Before there is anything, in the middle of migrations, and beside a database that is whole.
    for script in ["fill; serve", "fill; truncate -s -40k disk/filling; serve", "migrate; fill; serve"] {
        let Some(command) = with_a_disk(&byline, script).await else { return };
        let ended = Ended::of(command, "").await;
        ended.failed_with(&["no room on the disk", "byline.db"]);
    }
    // Room for what reading needs, and no more.
    let script = "migrate; fill; truncate -s -36k disk/filling; serve --backup-every \"1 d\" --backup-to .";
    let Some(command) = with_a_disk(&byline, script).await else { return };
    let served = Byline::serve_by(command).await;
    assert_eq!(titles(&served).await, [""; 0], "readers are served");
    let mut ada = Client::browser(served.address, false);
    assert_eq!(ada.sign_up("ada").await.status, 503);
    let ready = async || Client::browser(served.address, false).get("/readyz").await.text().to_owned();
    until("the backup that is due to fail", async || ready().await == "ok\ndisk: full\nbackup: failed\n")
        .await;
    let log = served.terminate().await;
    assert!(log.contains("disk of the database is full"), "{log}");
    assert!(log.contains("a backup is due and cannot be begun"), "{log}");
}

#[tokio::test]
async fn a_full_disk_stops_only_writers_and_only_while_it_is_full() {
    let byline = Byline::in_an_empty_folder();
    let script = format!("echo {PASSWORD} | create eve eve@example.org --admin; serve");
    let Some(command) = with_a_disk(&byline, &script).await else { return };
    let served = Byline::serve_by(command).await;
    let mut in_charge = Client::browser(served.address, false);
    assert_eq!(in_charge.log_in("eve").await.status, 303);
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);
    let disk = format!("/proc/{}/root{}", served.pid(), byline.folder().join("disk").display());
    let filling = Path::new(&disk).join("filling");
    fs::write(&filling, vec![0; 40 << 20]).expect_err("the disk is full");

    let text = "x".repeat(90_000);
    let answer = ada.submit("/api/create_post", &[("title", "Too much"), ("content", &text)]).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(titles(&served).await, ["First"]);
    assert_eq!(ada.get("/api/my_posts").await.status, 200, "somebody signed in reads too");
    let ready = async || Client::browser(served.address, false).get("/readyz").await.text().to_owned();
    assert_eq!(ready().await, "ok\ndisk: full\n", "readers are served");
    let overview = in_charge.page("/admin").await.text("main");
    assert!(
        overview.contains("It can be read, and not be written: its disk is full. Make room"),
        "{overview}"
    );

    fs::remove_file(&filling).expect("room");
    assert_eq!(publish(&mut ada, "Second").await, 200);
    assert_eq!(ready().await, "ok\n");
    let overview = in_charge.page("/admin").await.text("main");
    assert!(overview.contains("It can be read and written."), "{overview}");
    assert_eq!(titles(&served).await, ["First", "Second"]);
    let log = served.terminate().await;
    assert!(!log.contains("internal error"), "{log}");
    assert!(log.contains("disk of the database is full") && log.contains("has room again"), "{log}");
}

#[tokio::test]
async fn a_disk_that_fails_later_makes_the_site_not_ready_until_it_works_again() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);
    assert!(is_ready(&served).await);

    // Every write to a file fails from here on, as on a disk that is broken or was made read-only.
    let limit = async |bytes: &str| {
        let pid = served.pid().to_string();
        let set = ["--pid", &pid, &format!("--fsize={bytes}")];
        assert!(Command::new("prlimit").args(set).status().await.expect("prlimit runs").success());
    };
    limit("1:unlimited").await;
    let answer = ada.submit("/api/create_post", &[("title", "Lost"), ("content", "")]).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(!answer.header("retry-after").is_empty());
    assert!(!is_ready(&served).await);
    assert_eq!(titles(&served).await, ["First"], "readers are served");

    limit("unlimited:unlimited").await;
    until("the site to be ready again", async || is_ready(&served).await).await;
    assert_eq!(publish(&mut ada, "Second").await, 200);
    let log = served.terminate().await;
    assert!(log.contains("the database cannot be written") && log.contains("written again"), "{log}");
}

#[tokio::test]
async fn a_server_that_can_only_be_read_is_not_served_and_not_ready() {
    let database = postgres_database().await;
    let byline = Byline::in_an_empty_folder();
    let at = ["--database-url", database.url_text()];
    let served = byline.serve(&at).await;
    let mut ada = author(&served, "ada").await;
    assert_eq!(publish(&mut ada, "First").await, 200);

    // As on a standby; connections that are there already keep what they had.
    let mut probe = database.probe().await;
    let name = probe.texts("SELECT current_database()::text").await.remove(0);
    let set_to = async |probe: &mut Probe, setting: &str| {
        probe.execute(&format!("ALTER DATABASE {name} {setting}")).await;
        let end = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        probe.number(end).await;
    };
    set_to(&mut probe, "SET default_transaction_read_only = on").await;
    until("the site to notice", async || !is_ready(&served).await).await;
    until("a list", async || {
        Client::browser(served.address, false).as_script().get("/api/list_posts").await.status == 200
    })
    .await;
    assert!(!is_ready(&served).await, "it can be read, and that is not enough");
    assert_eq!(publish(&mut ada, "Lost").await, 503);
    let again = [&SERVE[..], &at].concat();
    byline.run(&again, "").await.failed_with(&[&name, "can only be read"]);

    set_to(&mut probe, "RESET default_transaction_read_only").await;
    until("the site to be ready again", async || is_ready(&served).await).await;
    assert_eq!(publish(&mut ada, "Second").await, 200);
    assert_eq!(titles(&served).await, ["First", "Second"]);
    served.terminate().await;
}
