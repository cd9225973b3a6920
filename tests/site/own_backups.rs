//! Backups that a site makes of itself (settings under `backup`).

use std::{fs, path::Path, time::Duration};

use byline::{
    clock,
    config::{BackupPlace, BackupSettings, Config},
    ops::backup::scheduled,
};
use futures::future::join_all;
use tokio::sync::watch;

use crate::{
    backup::{names, verify},
    metrics::Watcher,
    support::{Byline, Client, Probe, Running, Served, TestDatabase, postgres_database, until},
};

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A backup a day.
fn daily(folder: &Path, keep: u32) -> impl FnOnce(&mut Config) + use<> {
    daily_into(BackupPlace::Folder(folder.to_owned()), keep)
}

/// A backup a day, wherever it goes.
pub(super) fn daily_into(to: BackupPlace, keep: u32) -> impl FnOnce(&mut Config) + use<> {
    let settings = BackupSettings { every: DAY, to, keep, encrypt_to: Vec::new() };
    move |config| config.backup = Some(settings)
}

/// What a serving process does whenever it looks; in how many seconds it looks again.
pub(super) async fn look(site: &Running) -> i64 {
    let (_nobody_stops_it, stopped) = watch::channel(false);
    let next = scheduled::make_if_due(&site.site, &stopped).await.expect("the database answers");
    (next.micros() - clock::now().micros()) / 1_000_000
}

/// As if so much time had passed since everything that is known of backups.
pub(super) async fn let_pass(site: &TestDatabase, time: Duration) {
    let micros = time.as_micros();
    site.tamper(&format!(
        "UPDATE backup_runs SET started_at = started_at - {micros}, ended_at = ended_at - {micros},
         lease_until = lease_until - {micros}"
    ))
    .await;
}

pub(super) async fn runs(site: &TestDatabase, outcome: &str) -> i64 {
    site.count(&format!("SELECT COUNT(*) FROM backup_runs WHERE outcome = '{outcome}'")).await
}

/// 10 MB of files of a picture: a backup of them takes a while. Without the picture,
/// housekeeping would remove them.
pub(super) async fn fill(database: &TestDatabase) {
    let body = match database.probe().await {
        Probe::Sqlite(_) => "randomblob(50000)",
        Probe::Postgres(_) => {
            "(SELECT decode(string_agg(md5(n || '-' || m), ''), 'hex') FROM generate_series(1, 3125) AS m)"
        }
    };
    let fill = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200)
         INSERT INTO media_files (name, hash, body) SELECT 'file-' || n, 'hash', {body} FROM numbers"
    );
    database.tamper(&fill).await;
    let now = clock::now().micros();
    for picture in [
        "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ('filler', 'filler', 'filler', '', 1)".to_owned(),
        format!(
            "INSERT INTO media (id, owner_id, hash, format, width, height, bytes, alt, created_at, checked_at)
             VALUES ('filler', 'filler', 'hash', 'png', 1, 1, 1, '', {now}, {now})"
        ),
    ] {
        database.tamper(&picture).await;
    }
}

#[tokio::test]
async fn a_site_makes_a_backup_of_itself_and_the_next_a_day_later_however_often_it_is_restarted() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Running::start_with(daily(folder.path(), 3)).await;
    site.author("ada").await.publish("Kept", "in every backup").await;
    assert_eq!(site.browser().get("/readyz").await.text(), "ok\nbackup: none yet\n");
    let next = look(&site).await;
    assert!((86_300..=86_400).contains(&next), "{next}");
    let made = names(folder.path());
    assert!(made.len() == 1 && made[0].starts_with("byline-2") && made[0].ends_with("Z.backup"), "{made:?}");
    let manifest = verify(&folder.path().join(&made[0]), &[]).await.expect("a whole backup");
    assert_eq!(manifest.rows("posts"), 1);
    assert_eq!(site.browser().get("/readyz").await.text(), "ok\nbackup: ok\n");

    look(&site).await;
    let restarted = site.another(daily(folder.path(), 3)).await;
    let_pass(&site, DAY / 2).await;
    let next = look(&restarted).await;
    assert!((43_100..=43_200).contains(&next), "{next}");
    assert_eq!(names(folder.path()), made, "nothing was due");
    let_pass(&site, DAY / 2).await;
    look(&restarted).await;
    assert_eq!((names(folder.path()).len(), runs(&site, "done").await), (2, 2));

    let_pass(&site, DAY * 3).await;
    let answer = site.browser().get("/readyz").await;
    assert_eq!((answer.status, answer.text()), (200, "ok\nbackup: late\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_processes_one_makes_the_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Running::start_with(daily(folder.path(), 3)).await;
    let mut processes = vec![site.another(daily(folder.path(), 3)).await];
    processes.push(site.another(daily(folder.path(), 3)).await);
    for round in 1..=3 {
        join_all(processes.iter().chain([&site]).map(look)).await;
        assert_eq!(site.count("SELECT COUNT(*) FROM backup_runs").await, round);
        assert_eq!((names(folder.path()).len() as i64, runs(&site, "done").await), (round, round));
        let_pass(&site, DAY).await;
    }
}

#[tokio::test]
async fn a_process_that_has_a_backup_keeps_others_from_it_only_as_long_as_it_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Running::start_with(daily(folder.path(), 3)).await;
    let (now, until) = (clock::now().micros(), clock::now().after(Duration::from_secs(100)).micros());
    let file = folder.path().join("byline-other.backup");
    site.tamper(&format!(
        "INSERT INTO backup_runs (id, started_at, lease_until, outcome, file)
         VALUES ('other', {now}, {until}, 'running', '{}')",
        file.display()
    ))
    .await;
    let next = look(&site).await;
    assert!((90..=100).contains(&next), "{next}");
    assert_eq!(names(folder.path()), [""; 0], "another process makes it");
    let_pass(&site, Duration::from_secs(120)).await;
    let next = look(&site).await;
    assert_eq!((runs(&site, "lost").await, names(folder.path()).len()), (1, 0));
    assert!((1..=60).contains(&next), "{next}");
    let_pass(&site, Duration::from_secs(60)).await;
    look(&site).await;
    assert_eq!((runs(&site, "done").await, names(folder.path()).len()), (1, 1));
}

#[tokio::test]
async fn older_backups_go_and_nothing_goes_that_the_site_has_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = Running::start_with(daily(folder.path(), 2)).await;
    look(&site).await;
    let first = names(folder.path()).remove(0);
    let copied = "byline-20200101T000000.000Z.backup";
    fs::copy(folder.path().join(&first), folder.path().join(copied)).expect("a copy by hand");
    fs::write(folder.path().join("letter"), "to keep").expect("a file");
    for _ in 0..2 {
        let_pass(&site, DAY).await;
        look(&site).await;
    }
    let left = names(folder.path());
    assert!(!left.contains(&first), "{left:?}");
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.contains(&copied.to_owned()) && left.contains(&"letter".to_owned()), "{left:?}");

    // Somebody puts something else in the place of a backup.
    let second = left.iter().find(|name| *name != copied && *name != "letter").expect("a backup");
    fs::write(folder.path().join(second), "not a backup").expect("a file");
    let_pass(&site, DAY).await;
    look(&site).await;
    let left = names(folder.path());
    assert!(left.contains(second), "{left:?}");
    assert_eq!(left.len(), 5, "{left:?}");
    let text = fs::read_to_string(folder.path().join(second)).expect("the file");
    assert_eq!(text, "not a backup");
}

#[tokio::test]
async fn a_backup_that_fails_is_tried_again_soon_and_whoever_is_in_charge_reads_why() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("not mounted");
    let site = Running::start_with(daily(&folder, 2)).await;
    let mut ada = site.author("ada").await;
    site.tamper("UPDATE users SET is_admin = 1").await;
    for (failures, pause) in [(1, 60), (2, 120), (3, 240)] {
        let next = look(&site).await;
        assert!((pause - 10..=pause).contains(&next), "{next}");
        look(&site).await;
        assert_eq!(runs(&site, "failed").await, failures, "not before its time");
        let_pass(&site, Duration::from_secs(pause as u64)).await;
    }
    let answer = site.browser().get("/readyz").await;
    assert_eq!((answer.status, answer.text()), (200, "ok\nbackup: failed\n"));
    let overview = ada.page("/admin").await.text("main");
    assert!(overview.contains("None is made yet") && overview.contains("3 failed"), "{overview}");
    assert!(overview.contains("not mounted is not there; make it, or mount its disk"), "{overview}");
    assert!(!folder.exists(), "what is not mounted is not made");

    fs::create_dir(&folder).expect("a folder");
    look(&site).await;
    assert_eq!(names(&folder).len(), 1);
    assert_eq!(site.browser().get("/readyz").await.text(), "ok\nbackup: ok\n");
    let overview = ada.page("/admin").await.text("main");
    assert!(
        overview.contains("made and verified on") && !overview.contains("failed, the last"),
        "{overview}"
    );
}

/// From here on no run can be filed, as where the disk of the database is full.
async fn refuse_runs(database: &TestDatabase) {
    let mut probe = database.probe().await;
    let refuse: &[&str] = match probe {
        Probe::Sqlite(_) => &["CREATE TRIGGER no_room BEFORE INSERT ON backup_runs BEGIN
             SELECT RAISE(ABORT, 'no room'); END"],
        Probe::Postgres(_) => &[
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE 'no room' USING ERRCODE = 'disk_full'; END $$",
            "CREATE TRIGGER no_room BEFORE INSERT ON backup_runs FOR EACH ROW EXECUTE FUNCTION no_room()",
        ],
    };
    for statement in refuse {
        probe.execute(statement).await;
    }
}

async fn take_runs_again(database: &TestDatabase) {
    let mut probe = database.probe().await;
    let statement = match probe {
        Probe::Sqlite(_) => "DROP TRIGGER no_room",
        Probe::Postgres(_) => "DROP TRIGGER no_room ON backup_runs",
    };
    probe.execute(statement).await;
}

#[tokio::test]
async fn a_backup_that_the_database_cannot_be_told_of_counts_as_failed_and_is_filed_later() {
    let folder = tempfile::tempdir().expect("a folder");
    // Always due, and tried again without a pause.
    let settings = BackupSettings {
        every: Duration::ZERO,
        to: BackupPlace::Folder(folder.path().to_owned()),
        keep: 3,
        encrypt_to: Vec::new(),
    };
    let site = Running::start_with(|config| config.backup = Some(settings)).await;
    let watcher = Watcher::of(&site).await;
    let failures = async || watcher.metrics().await.value("byline_backup_failures", &[]);
    let mut ada = site.author("ada").await;
    site.tamper("UPDATE users SET is_admin = 1").await;
    refuse_runs(&site).await;
    for tries in [1.0, 2.0] {
        look(&site).await;
        assert_eq!(failures().await, tries);
    }
    let answer = site.browser().get("/readyz").await;
    assert_eq!((answer.status, answer.text()), (200, "ok\nbackup: failed\n"));
    let overview = ada.page("/admin").await.text("main");
    assert!(overview.contains("None is made yet") && overview.contains("2 failed"), "{overview}");
    assert!(overview.contains("the database cannot be written; the log says why"), "{overview}");
    assert_eq!(site.count("SELECT COUNT(*) FROM backup_runs").await, 0);
    assert_eq!(names(folder.path()), [""; 0], "what could not be found again is not made");

    take_runs_again(&site).await;
    look(&site).await;
    assert_eq!((runs(&site, "failed").await, runs(&site, "done").await), (2, 1));
    assert_eq!((failures().await, names(folder.path()).len()), (0.0, 1));
}

/// The settings of a site that makes its backups in that folder.
fn settings<'a>(database: &'a TestDatabase, folder: &'a Path) -> [&'a str; 6] {
    let to = folder.to_str().expect("UTF-8");
    ["--database-url", database.url_text(), "--backup-every", "1 d", "--backup-to", to]
}

/// A site whose first backup is under way.
async fn during_a_backup(byline: &Byline, database: &TestDatabase, folder: &Path) -> Served {
    byline.run(&["migrate", "--database-url", database.url_text()], "").await.succeeded();
    fill(database).await;
    let served = byline.serve(&settings(database, folder)).await;
    until("a backup to be under way", async || !names(folder).is_empty()).await;
    served
}

#[tokio::test]
async fn a_site_that_is_killed_while_it_makes_a_backup_makes_one_after_its_restart() {
    let database = TestDatabase::fresh().await;
    let byline = Byline::in_an_empty_folder();
    let folder = tempfile::tempdir().expect("a folder");
    let served = during_a_backup(&byline, &database, folder.path()).await;
    served.kill().await;
    let left = names(folder.path());
    assert!(left.len() == 1 && left[0].ends_with(".unfinished"), "{left:?}");

    let_pass(&database, Duration::from_secs(300)).await;
    let served = byline.serve(&settings(&database, folder.path())).await;
    until("the backup", async || runs(&database, "done").await == 1).await;
    until("what the killed one has left to be gone", async || names(folder.path()).len() == 1).await;
    let made = folder.path().join(&names(folder.path())[0]);
    verify(&made, &[]).await.expect("a whole backup");
    assert_eq!(runs(&database, "lost").await, 1);
    assert_eq!(Client::browser(served.address, false).get("/readyz").await.text(), "ok\nbackup: ok\n");
    served.terminate().await;
}

#[tokio::test]
async fn a_site_that_is_stopped_while_it_makes_a_backup_stops_at_once_and_leaves_nothing() {
    let database = TestDatabase::fresh().await;
    let byline = Byline::in_an_empty_folder();
    let folder = tempfile::tempdir().expect("a folder");
    let served = during_a_backup(&byline, &database, folder.path()).await;
    let log = served.terminate().await;
    assert!(log.contains("interrupted"), "{log}");
    assert_eq!(names(folder.path()), [""; 0]);
    let served = byline.serve(&settings(&database, folder.path())).await;
    until("the backup", async || runs(&database, "done").await == 1).await;
    served.terminate().await;
    assert_eq!((runs(&database, "interrupted").await, names(folder.path()).len()), (1, 1));
}

/// The limit on the size of files makes writes fail as a full disk does. The site itself
/// is on a server, which has no such limit.
#[tokio::test]
async fn on_a_full_disk_the_earlier_backup_stays_and_there_is_no_part_of_another() {
    let database = postgres_database().await;
    let byline = Byline::in_an_empty_folder();
    byline.run(&["migrate", "--database-url", database.url_text()], "").await.succeeded();
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().to_str().expect("UTF-8");
    let serve = [
        &["--database-url", database.url_text(), "--backup-every", "1 d"][..],
        &["--backup-to", to, "--backup-keep", "1"],
    ]
    .concat();
    let served = byline.serve(&serve).await;
    until("the first backup", async || runs(&database, "done").await == 1).await;
    served.terminate().await;
    let before = names(folder.path());
    assert_eq!(before.len(), 1);

    fill(&database).await;
    let_pass(&database, DAY).await;
    let served = byline.serve_in_shell("ulimit -f 4000; exec \"$0\" \"$@\"", &serve).await;
    until("the second to fail", async || runs(&database, "failed").await == 1).await;
    let mut reader = Client::browser(served.address, false);
    assert_eq!(reader.get("/").await.status, 200);
    assert_eq!(reader.get("/readyz").await.text(), "ok\nbackup: failed\n");
    let log = served.terminate().await;
    assert!(log.contains("the backup failed; it is tried again"), "{log}");
    assert_eq!(names(folder.path()), before);
}
