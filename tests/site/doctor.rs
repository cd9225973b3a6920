//! `byline doctor`, which says what is wrong with a site, and `byline health`.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::support::{Byline, Client, Manner, PASSWORD, Smtp, postgres_database};

/// A secret key of 32 bytes that has sealed nothing.
const OTHER_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// An address at which nothing is wrong.
const HERE: [&str; 4] = ["--listen", "127.0.0.1:0", "--public-url", "https://byline.example"];

/// A report: whether it says that all is well, and its lines.
struct Report {
    succeeded: bool,
    lines: Vec<(String, String)>,
}

impl Report {
    async fn of(byline: &Byline, arguments: &[&str]) -> Self {
        let ended = byline.run(&[&["doctor"], arguments].concat(), "").await;
        let lines = ended.stdout.lines().map(|line| {
            let (verdict, rest) = line.split_at(9);
            (verdict.trim().to_owned(), rest.to_owned())
        });
        let lines: Vec<_> = lines.collect();
        let problems = lines.iter().filter(|(verdict, _)| verdict == "problem").count();
        assert_eq!(ended.code, Some(i32::from(problems > 0)), "{}{}", ended.stdout, ended.stderr);
        assert!(lines.iter().all(|(_, sentence)| sentence.ends_with('.')), "sentences: {}", ended.stdout);
        Self { succeeded: problems == 0, lines }
    }

    /// Asserts that a line about this thing, with this verdict, has all of the words.
    fn says(&self, verdict: &str, about: &str, words: &[&str]) {
        let found = self.lines.iter().any(|(its_verdict, line)| {
            its_verdict == verdict && line.starts_with(about) && words.iter().all(|word| line.contains(word))
        });
        assert!(found, "{verdict} {about} {words:?} is not in {:#?}", self.lines);
    }
}

async fn database(byline: &Byline) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(byline.folder().join("byline.db"));
    options.busy_timeout(Duration::from_secs(5)).connect().await.expect("the database file opens")
}

/// A folder with a database of a site.
async fn site() -> Byline {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["user", "create", "ada", "ada@example.org"], PASSWORD).await.succeeded();
    byline
}

#[tokio::test]
async fn a_site_in_order_has_no_problem() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let listen = served.address.to_string();
    let server = Smtp::start(Manner::Takes).await;
    let mail = format!("smtp://{}", server.address);
    let report = Report::of(
        &byline,
        &[
            "--listen",
            &listen,
            "--public-url",
            "https://byline.example",
            "--trusted-proxies",
            "127.0.0.1",
            "--mail-transport",
            &mail,
            "--mail-from",
            "byline@example.org",
        ],
    )
    .await;
    assert!(report.succeeded);
    for (about, words) in [
        ("settings", "read"),
        ("database", "its schema is that of this Byline"),
        ("clock", "not behind"),
        ("secret key", "byline.db.key"),
        ("mail", "answers"),
        ("public URL", "https://byline.example"),
        ("proxy", "X-Forwarded-For"),
        ("port", "A site answers"),
    ] {
        report.says("ok", about, &[words]);
    }
    assert_eq!(server.connections(), 1);
    assert!(server.arrived().is_empty(), "no mail is sent");
    assert_eq!(Client::browser(served.address, false).get("/livez").await.status, 200);
    served.terminate().await;
}

#[tokio::test]
async fn looking_at_a_site_changes_nothing() {
    let byline = Byline::in_an_empty_folder();
    Report::of(&byline, &HERE).await.says("warning", "database", &["`byline serve` makes it"]);
    assert_eq!(fs::read_dir(byline.folder()).expect("a folder").count(), 0, "no database is made");
    let byline = site().await;
    let before = fs::read(byline.folder().join("byline.db")).expect("a database");
    Report::of(&byline, &HERE).await;
    assert_eq!(fs::read(byline.folder().join("byline.db")).expect("a database"), before);
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_a_problem() {
    let byline = Byline::in_an_empty_folder();
    Report::of(&byline, &["--listen", "here"]).await.says("problem", "settings", &["listen: \"here\""]);
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_a_problem() {
    let byline = site().await;
    let look = async |url: &str| Report::of(&byline, &[&HERE[..], &["--database-url", url]].concat()).await;
    look("sqlite://nowhere/byline.db").await.says("problem", "database", &["nowhere is missing", "make it"]);
    fs::write(byline.folder().join("text.db"), "no database, but a text of some length".repeat(40))
        .expect("a file");
    look("sqlite://text.db").await.says("problem", "database", &["text.db cannot be read"]);
    fs::write(byline.folder().join("empty.db"), "").expect("a file");
    look("sqlite://empty.db").await.says("warning", "database", &["empty.db is empty"]);

    let mut db = database(&byline).await;
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .execute(&mut db)
        .await
        .expect("a step");
    let report = look("sqlite://byline.db").await;
    let advice = ["lacks 1 step of", "the Byline that serves it now", "copy the files", "adds it"];
    report.says("warning", "database", &advice);
    let refused = byline.run(&["backup", "create", "--to", "one"], "").await;
    refused.failed_with(&["made by an older Byline", "use that one", "`byline migrate`"]);
    sqlx::query("UPDATE _sqlx_migrations SET version = 99999 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .execute(&mut db)
        .await
        .expect("a step");
    look("sqlite://byline.db").await.says(
        "problem",
        "database",
        &["made by a newer Byline", "install that one"],
    );
}

/// Root may write everywhere; then there is nothing to see.
#[tokio::test]
async fn a_folder_or_a_file_that_cannot_be_written_is_a_problem() {
    let byline = site().await;
    let file = byline.folder().join("byline.db");
    let closed = byline.folder().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).expect("a mode");
    if fs::write(closed.join("probe"), "").is_ok() {
        return;
    }
    let look = async |more: &[&str]| Report::of(&byline, &[&HERE[..], more].concat()).await;
    let report = look(&["--database-url", "sqlite://closed/byline.db"]).await;
    report.says("problem", "database", &["cannot write to the folder closed", "chmod u+wx"]);
    let report = look(&["--backup-every", "1 d", "--backup-to", "closed"]).await;
    report.says("problem", "backups", &["cannot write to the folder closed", "backups go there"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("a mode");
    look(&[]).await.says("problem", "database", &["cannot write to", "byline.db", "chmod u+rw"]);
}

#[tokio::test]
async fn a_place_for_backups_and_a_picture_that_are_missing_are_problems() {
    let byline = site().await;
    let look = async |more: &[&str]| Report::of(&byline, &[&HERE[..], more].concat()).await;
    let backups = async |to: &str| look(&["--backup-every", "1 d", "--backup-to", to]).await;
    backups("backups").await.says("problem", "backups", &["backups is missing", "make it"]);
    fs::write(byline.folder().join("backups"), "").expect("a file");
    backups("backups").await.says("problem", "backups", &["is no folder", "backup.to"]);
    fs::remove_file(byline.folder().join("backups")).expect("a file");
    fs::create_dir(byline.folder().join("backups")).expect("a folder");
    backups("backups").await.says("ok", "backups", &["makes backups in backups"]);

    let settings = "[site]\nlogo = \"logo.png\"\nicon = \"icon.png\"\n";
    fs::write(byline.folder().join("byline.toml"), settings).expect("a file");
    fs::write(byline.folder().join("icon.png"), "no picture").expect("a file");
    let report = look(&["--config", "byline.toml"]).await;
    report.says("problem", "pictures", &["site.logo", "logo.png"]);
    report.says("problem", "pictures", &["site.icon", "icon.png"]);
}

#[tokio::test]
async fn a_server_is_asked_for_its_schema_and_its_time() {
    let server = postgres_database().await;
    let url = server.url_text();
    let byline = Byline::in_an_empty_folder();
    let arguments = [&HERE[..], &["--database-url", url]].concat();
    Report::of(&byline, &arguments).await.says("warning", "database", &["is empty"]);
    byline.run(&["migrate", "--database-url", url], "").await.succeeded();
    let report = Report::of(&byline, &arguments).await;
    assert!(report.succeeded);
    report.says("ok", "database", &["its schema is that of this Byline"]);
    report.says("ok", "clock", &["of the database agree"]);
    report.says("warning", "secret key", &["openssl rand", "secret-key-file"]);
    let replica = |url| [&arguments[..], &["--read-database-url", url]].concat();
    let report = Report::of(&byline, &replica(url)).await;
    report.says("ok", "database", &["answers, too"]);
    let missing = &format!("{url}-that-is-missing");
    let report = Report::of(&byline, &replica(missing)).await;
    report.says("problem", "database", &["read-database-url", "does not exist"]);
}

#[tokio::test]
async fn a_clock_that_is_behind_what_is_stored_is_a_problem() {
    let byline = site().await;
    let served = byline.serve(&[]).await;
    let mut ada = Client::browser(served.address, false);
    ada.log_in("ada").await;
    ada.as_script().submit("/api/create_post", &[("title", "Title"), ("content", "Text")]).await;
    served.terminate().await;
    sqlx::query("UPDATE posts SET created_at = created_at + 600000000")
        .execute(&mut database(&byline).await)
        .await
        .expect("a post");
    let report = Report::of(&byline, &HERE).await;
    report.says("problem", "clock", &["in the future", "time server"]);
}

#[tokio::test]
async fn a_secret_key_that_is_open_wrong_or_lost_is_a_problem() {
    let byline = site().await;
    let key = byline.folder().join("byline.db.key");
    let look = async || Report::of(&byline, &HERE).await;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    look().await.says("problem", "secret key", &["Everybody", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a mode");
    look().await.says("ok", "secret key", &["keep a copy"]);
    let before = fs::read(&key).expect("a key");
    fs::write(&key, "short").expect("a file");
    look().await.says("problem", "secret key", &["32 bytes"]);
    fs::write(&key, OTHER_KEY).expect("a file");
    look().await.says("problem", "secret key", &["not here", "put that key back", "makes them anew"]);
    let authenticator =
        "INSERT INTO two_factor (user_id, secret, last_step) SELECT user_id, verifier, 0 FROM srp_verifiers";
    let mut db = database(&byline).await;
    assert_eq!(sqlx::query(authenticator).execute(&mut db).await.expect("an app").rows_affected(), 1);
    look().await.says("problem", "secret key", &["put that key back", "does not start", "secrets reset"]);
    byline.run(&[&["serve"], &HERE[..]].concat(), "").await.failed_with(&["put that key back"]);
    sqlx::query("DELETE FROM two_factor").execute(&mut db).await.expect("no app");
    drop(db);
    fs::remove_file(&key).expect("a file");
    look().await.says("problem", "secret key", &["is missing", "put it back"]);
    assert!(!key.exists(), "it is not made anew");
    fs::write(&key, before).expect("a file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a mode");
    assert!(look().await.succeeded);
}

/// Only root may give a file away; for others there is nothing to see.
#[tokio::test]
async fn a_file_of_another_user_beside_the_database_is_a_problem() {
    let byline = site().await;
    let log = byline.folder().join("byline.db.lock");
    fs::write(&log, "").expect("a file");
    if std::os::unix::fs::chown(&log, Some(12_345), None).is_err() {
        return;
    }
    let report = Report::of(&byline, &HERE).await;
    report.says("problem", "files", &["byline.db.lock belongs to another user", "chown --reference="]);
}

#[tokio::test]
async fn a_mail_server_that_cannot_be_used_is_a_problem() {
    let byline = Byline::in_an_empty_folder();
    let look = async |transport: &str| {
        let from = ["--mail-from", "byline@example.org", "--mail-transport", transport];
        Report::of(&byline, &[&HERE[..], &from].concat()).await
    };
    let server = Smtp::start(Manner::Takes).await;
    let address = server.address;
    let with_password = format!("smtp://byline:canary@{address}");
    let report = look(&with_password).await;
    report.says("problem", "mail", &[&address.to_string(), "change mail.transport"]);
    assert!(report.lines.iter().all(|(_, line)| !line.contains("canary")));
    look(&format!("smtp://{address}?tls=required")).await.says("problem", "mail", &["connecting"]);
    assert!(server.arrived().is_empty());
    server.stop().await;
    look(&format!("smtp://{address}")).await.says("problem", "mail", &["connecting"]);
    look("file:mails").await.says("warning", "mail", &["files in mails"]);
    look("none").await.says("warning", "mail", &["forgotten password"]);
}

/// A certificate for this name that is valid for so many days from now on, in files.
fn certificate(byline: &Byline, name: &str, from: OffsetDateTime, days: i64) -> [String; 2] {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.not_before = from;
    params.not_after = OffsetDateTime::now_utc() + time::Duration::days(days);
    let key = KeyPair::generate().expect("a key");
    let made = params.self_signed(&key).expect("a certificate");
    let [cert, key_file]: [PathBuf; 2] = ["cert.pem", "key.pem"].map(|file| byline.folder().join(file));
    fs::write(&cert, made.pem()).expect("a file");
    fs::write(&key_file, key.serialize_pem()).expect("a file");
    [cert, key_file].map(|path| path.to_str().expect("UTF-8").to_owned())
}

#[tokio::test]
async fn a_certificate_that_browsers_will_refuse_is_a_problem() {
    let byline = Byline::in_an_empty_folder();
    let look = async |[cert, key]: [String; 2], url: &str| {
        let tls = ["--listen", "127.0.0.1:0", "--public-url", url, "--tls-cert", &cert, "--tls-key", &key];
        Report::of(&byline, &tls).await
    };
    let (name, past) = ("byline.example", date_time_ymd(2020, 1, 1));
    let here = "https://byline.example";
    look(certificate(&byline, name, past, 90), here).await.says("ok", "certificate", &["89 more days"]);
    look(certificate(&byline, name, past, 3), here).await.says(
        "warning",
        "certificate",
        &["expires in 2 days"],
    );
    look(certificate(&byline, name, past, -1), here).await.says(
        "problem",
        "certificate",
        &["has expired", "renew it"],
    );
    let future = OffsetDateTime::now_utc() + time::Duration::days(2);
    look(certificate(&byline, name, future, 90), here).await.says(
        "problem",
        "certificate",
        &["not valid yet", "clock"],
    );
    let other = certificate(&byline, "other.example", past, 90);
    look(other, here).await.says("problem", "certificate", &["not for byline.example"]);
    let files = certificate(&byline, name, past, 90);
    look(files.clone(), "http://byline.example").await.says("problem", "certificate", &["change public-url"]);
    fs::write(&files[1], "nothing").expect("a file");
    look(files, here).await.says("problem", "certificate", &["key.pem"]);
}

#[tokio::test]
async fn an_address_that_browsers_or_proxies_cannot_use_is_a_problem() {
    let byline = Byline::in_an_empty_folder();
    let look = async |arguments: &[&str]| Report::of(&byline, arguments).await;
    look(&["--listen", "0.0.0.0:0"]).await.says("problem", "public URL", &["set public-url"]);
    look(&["--listen", "127.0.0.1:47113"]).await.says("warning", "public URL", &["set public-url"]);
    let http = ["--listen", "0.0.0.0:0", "--public-url", "http://byline.example"];
    look(&http).await.says("problem", "public URL", &["unencrypted"]);
    let https = ["--listen", "127.0.0.1:0", "--public-url", "https://byline.example"];
    look(&https).await.says("warning", "proxy", &["name its address in trusted-proxies"]);
    let everybody = [&https[..], &["--trusted-proxies", "10.0.0.1,0.0.0.0/0"]].concat();
    look(&everybody).await.says("problem", "proxy", &["every address"]);
}

#[tokio::test]
async fn a_port_that_the_site_cannot_have_is_a_problem() {
    let byline = Byline::in_an_empty_folder();
    let other = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = other.local_addr().expect("an address").to_string();
    let hanging_up = tokio::spawn(async move { while other.accept().await.is_ok() {} });
    let report = Report::of(&byline, &["--listen", &address]).await;
    report.says("problem", "port", &["Another program has", &address]);
    hanging_up.abort();
    let report = Report::of(&byline, &["--listen", "192.0.2.1:3000"]).await;
    report.says("problem", "port", &["192.0.2.1:3000", "change listen"]);
}

#[tokio::test]
async fn a_container_asks_whether_its_site_is_ready() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let address = served.address.to_string();
    let everywhere = format!("0.0.0.0:{}", served.address.port());
    for listen in [&address, &everywhere] {
        let said = byline.run(&["health", "--listen", listen], "").await.succeeded();
        assert_eq!(said, "The site is ready.\n");
    }
    served.terminate().await;
    byline.run(&["health", "--listen", &address], "").await.failed_with(&["nobody answers", &address]);
}
