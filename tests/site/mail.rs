//! Mail: the outbox, and mail servers that are well, slow, refuse or vanish.

use std::{collections::BTreeSet, time::Instant};

use byline::{
    config::{Config, MailSettings, MailTransport},
    error::AppError,
    mail::{Envelope, Letter, Worker, enqueue},
    site::Site,
};

use crate::support::{Byline, Manner, Running, Smtp, in_time, until};

fn mail_to(to: &str, subject: &str) -> Envelope {
    let letter = Letter::about(subject).text("Hello.").link("Go there", "https://byline.example/there");
    Envelope { to: Some(to.to_owned()), letter, useful_until: None }
}

/// Puts a mail into the outbox as a use case does.
async fn post(site: &Site, mail: Envelope) {
    let written = site.database.write((site.clone(), mail), |db, (site, mail)| {
        Box::pin(async move { enqueue(db, &site, &mail).await })
    });
    written.await.expect("the mail is in the outbox");
}

/// Lets a mail be due that waits for another try.
async fn hurry(site: &Running) {
    site.tamper("UPDATE outbox SET next_try_at = 0").await;
    site.site.mailer().wake();
}

async fn problem(site: &Running) -> String {
    site.text("SELECT COALESCE(problem, '') FROM outbox").await
}

#[tokio::test]
async fn a_mail_arrives_once_in_two_parts_and_nothing_of_it_stays() {
    let server = Smtp::start(Manner::Takes).await;
    let site = Running::start_with(server.settings()).await;
    post(&site.site, mail_to("ada@example.org", "Grüße an ä")).await;
    let mail = server.mails(1).await.remove(0);
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("byline@example.org", "ada@example.org"));
    assert_eq!(mail.header("To"), "ada@example.org");
    assert_eq!(mail.header("From"), "Byline <byline@example.org>");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("Content-Type").starts_with("multipart/alternative"));
    assert!(mail.plain().contains("Hello.\n\nGo there:\nhttps://byline.example/there\n"), "{}", mail.plain());
    assert!(mail.html().contains("Grüße an ä</h1>"), "{}", mail.html());
    assert!(mail.html().contains("href=\"https://byline.example/there\""), "{}", mail.html());
    until("the outbox to be empty", async || site.count("SELECT COUNT(*) FROM outbox").await == 0).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_deed_that_fails_sends_no_mail() {
    let server = Smtp::start(Manner::Takes).await;
    let site = Running::start_with(server.settings()).await;
    let failed = site.site.database.write((site.site.clone(),), |db, (site,)| {
        Box::pin(async move {
            enqueue(db, &site, &mail_to("ada@example.org", "Never")).await?;
            Err::<(), _>(AppError::NotFound)
        })
    });
    assert_eq!(failed.await, Err(AppError::NotFound));
    assert_eq!(site.count("SELECT COUNT(*) FROM outbox").await, 0);
    post(&site.site, mail_to("ada@example.org", "This one")).await;
    assert_eq!(server.mails(1).await[0].header("Subject"), "This one");
}

#[tokio::test]
async fn a_site_without_mail_keeps_none() {
    let site = Running::start().await;
    post(&site.site, mail_to("ada@example.org", "Nobody sends it")).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM outbox").await, 0);
}

#[tokio::test]
async fn a_mail_for_nobody_is_work_and_nothing_is_sent() {
    let server = Smtp::start(Manner::Takes).await;
    let site = Running::start_with(server.settings()).await;
    post(&site.site, Envelope { to: None, ..mail_to("", "To nobody") }).await;
    until("the outbox to be empty", async || site.count("SELECT COUNT(*) FROM outbox").await == 0).await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_server_that_refuses_connections_vanishes_or_is_busy_loses_no_mail() {
    let server = Smtp::start(Manner::Vanishes).await;
    let address = server.address;
    let site = Running::start_with(server.settings()).await;
    post(&site.site, mail_to("ada@example.org", "Patience")).await;
    let tried = async |times: i64| {
        until(&format!("{times} tries"), async || {
            site.count(&format!("SELECT COUNT(*) FROM outbox WHERE tries = {times} AND lease_until = 0"))
                .await
                == 1
        })
        .await;
    };
    tried(1).await;
    assert!(problem(&site).await.starts_with("the mail: "), "{}", problem(&site).await);
    let pause = site.count("SELECT next_try_at - created_at FROM outbox").await;
    assert!((60_000_000..90_000_000).contains(&pause), "{pause}");
    server.behave(Manner::IsBusy);
    hurry(&site).await;
    tried(2).await;
    assert!(problem(&site).await.contains("451") || problem(&site).await.contains("Come again"));
    server.behave(Manner::WantsALogin);
    hurry(&site).await;
    tried(3).await;
    assert!(problem(&site).await.starts_with("the sender: "), "{}", problem(&site).await);
    server.stop().await;
    hurry(&site).await;
    tried(4).await;
    assert!(problem(&site).await.starts_with("connecting: "), "{}", problem(&site).await);
    let server = Smtp::start_at(address, Manner::Takes).await;
    hurry(&site).await;
    assert_eq!(server.mails(1).await[0].header("Subject"), "Patience");
}

#[tokio::test]
async fn a_recipient_or_a_mail_that_is_refused_for_good_is_given_up_at_once_and_visibly() {
    for (manner, reason) in
        [(Manner::KnowsNobody, "the recipient: "), (Manner::DislikesTheMail, "the mail: ")]
    {
        let server = Smtp::start(manner).await;
        let site = Running::start_with(server.settings()).await;
        post(&site.site, mail_to("nobody@example.org", "A secret: canary")).await;
        until("the mail to be given up", async || {
            site.count("SELECT COUNT(*) FROM outbox WHERE given_up_at IS NOT NULL AND tries = 1").await == 1
        })
        .await;
        assert!(problem(&site).await.starts_with(reason), "{}", problem(&site).await);
        // Its links could open an account.
        assert_eq!(site.count("SELECT COUNT(letter) FROM outbox").await, 0);
        site.site.mailer().wake();
        post(&site.site, mail_to("nobody@example.org", "Another")).await;
        until("the other", async || server.connections() == 2).await;
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_sent_while_it_is_of_use_is_given_up() {
    let server = Smtp::start(Manner::IsBusy).await;
    let site = Running::start_with(server.settings()).await;
    post(&site.site, mail_to("ada@example.org", "Old")).await;
    until("a try", async || site.count("SELECT tries FROM outbox").await == 1).await;
    assert_eq!(
        site.count("SELECT (expires_at - created_at) / 3600000000 FROM outbox").await,
        72,
        "three days, unless the mail says otherwise"
    );
    site.tamper("UPDATE outbox SET expires_at = 0").await;
    hurry(&site).await;
    until("the end", async || {
        site.count("SELECT COUNT(*) FROM outbox WHERE given_up_at IS NOT NULL").await == 1
    })
    .await;
}

#[tokio::test]
async fn a_silent_server_slows_neither_a_request_nor_the_end_of_the_process() {
    let server = Smtp::start(Manner::IsSilent).await;
    let site = Running::start_with(server.settings()).await;
    post(&site.site, mail_to("ada@example.org", "Slow")).await;
    until("the worker to wait for the server", async || server.connections() == 1).await;
    let begun = Instant::now();
    post(&site.site, mail_to("bob@example.org", "Behind it")).await;
    assert_eq!(site.browser().get("/").await.status, 200);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    let begun = Instant::now();
    let site = site.stop_mail().await;
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    let free = "SELECT COUNT(*) FROM outbox WHERE lease_until = 0 AND tries = 0";
    assert_eq!(site.count(free).await, 2, "both wait for the next start");
    server.behave(Manner::Takes);
    let worker = Worker::start(&site.site);
    server.mails(2).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_workers_one_has_a_mail() {
    let server = Smtp::start(Manner::Takes).await;
    let site = Running::start_with(server.settings()).await;
    let others: Vec<Worker> = (0..3).map(|_| Worker::start(&site.site)).collect();
    for number in 0..30 {
        post(&site.site, mail_to("ada@example.org", &format!("Number {number}"))).await;
        for _ in 0..4 {
            site.site.mailer().wake();
        }
    }
    let mails = server.mails(30).await;
    let ids: BTreeSet<String> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 30);
    until("the outbox to be empty", async || site.count("SELECT COUNT(*) FROM outbox").await == 0).await;
    for worker in others {
        worker.stop().await;
    }
    server.mails(30).await;
}

#[tokio::test]
async fn a_mail_of_a_process_that_died_is_sent_by_another_once_its_lease_has_ended() {
    let server = Smtp::start(Manner::Takes).await;
    let site = Running::start_with(server.settings()).await.stop_mail().await;
    post(&site.site, mail_to("ada@example.org", "Left behind")).await;
    site.tamper("UPDATE outbox SET lease_until = 9000000000000000").await;
    let worker = Worker::start(&site.site);
    post(&site.site, mail_to("ada@example.org", "Later")).await;
    assert_eq!(server.mails(1).await[0].header("Subject"), "Later");
    site.tamper("UPDATE outbox SET lease_until = 1").await;
    site.site.mailer().wake();
    assert_eq!(server.mails(2).await[1].header("Subject"), "Left behind");
    worker.stop().await;
}

#[tokio::test]
async fn no_text_adds_a_header_or_a_recipient() {
    let server = Smtp::start(Manner::Takes).await;
    let site = Running::start_with(server.settings()).await;
    post(&site.site, mail_to("ada@example.org", "x\r\nBcc: eve@example.org\r\n\r\n.\r\nQUIT")).await;
    let mail = server.mails(1).await.remove(0);
    assert_eq!(mail.header("Bcc"), "");
    assert_eq!(mail.to, "ada@example.org");
    assert!(mail.header("Subject").contains("Bcc: eve@example.org"), "{}", mail.text);
    post(&site.site, mail_to("ada@example.org\r\nRCPT TO:<eve@example.org>", "y")).await;
    until("it to be given up", async || {
        site.count("SELECT COUNT(*) FROM outbox WHERE given_up_at IS NOT NULL").await == 1
    })
    .await;
    server.mails(1).await;
}

#[tokio::test]
async fn mails_are_files_where_a_folder_is_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("new/mail");
    let set = |config: &mut Config| {
        let from = "byline@example.org".parse().expect("an address");
        config.mail =
            Some(MailSettings { transport: MailTransport::Folder(place.clone()), from, reply_to: None });
    };
    let site = Running::start_with(set).await;
    for subject in ["First", "Second"] {
        post(&site.site, mail_to("ada@example.org", subject)).await;
    }
    until("the outbox to be empty", async || site.count("SELECT COUNT(*) FROM outbox").await == 0).await;
    let files = std::fs::read_dir(&place).expect("the folder");
    let mut names: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    names.sort();
    let subjects: Vec<String> = names
        .iter()
        .map(|path| {
            assert_eq!(path.extension().and_then(|end| end.to_str()), Some("eml"));
            let text = std::fs::read_to_string(path).expect("a mail");
            let subject = text.lines().find(|line| line.starts_with("Subject: ")).expect("a subject");
            subject.trim_start_matches("Subject: ").trim().to_owned()
        })
        .collect();
    assert_eq!(subjects, ["First", "Second"], "in the order of their names");
}

#[tokio::test]
async fn whoever_runs_the_site_tries_the_mail_server_and_sees_what_waits() {
    let byline = Byline::in_an_empty_folder();
    let server = Smtp::start(Manner::Takes).await;
    let url = format!("smtp://{}", server.address);
    let mail = ["--mail-transport", &url, "--mail-from", "byline@example.org"];
    let test = |arguments: &[&str]| {
        let all: Vec<&str> = ["mail", "test", "ada@example.org"].iter().chain(arguments).copied().collect();
        byline.command(&all)
    };
    let run = async |command| crate::support::Ended::of(command, "").await;
    let said = run(test(&mail)).await.succeeded();
    assert!(said.contains("ada@example.org is sent") && said.contains("250"), "{said}");
    assert_eq!(server.mails(1).await[0].to, "ada@example.org");
    server.behave(Manner::KnowsNobody);
    run(test(&mail)).await.failed_with(&["not sent", "the recipient", "550"]);
    server.behave(Manner::Takes);
    // No STARTTLS is offered here, so nothing may be said.
    let with_tls = format!("{url}?tls=required");
    run(test(&["--mail-transport", &with_tls, "--mail-from", "byline@example.org"]))
        .await
        .failed_with(&["not sent", "connecting"]);
    run(test(&[])).await.failed_with(&["mail.transport is none"]);
    run(test(&["--mail-transport", &url])).await.failed_with(&["mail.from"]);
    run(test(&["--mail-transport", "smtp://ada:canary@", "--mail-from", "a@b.example"]))
        .await
        .failed_with(&["mail.transport"]);
    let file = byline.folder().join("transport");
    std::fs::write(&file, format!("{url}\n")).expect("a file");
    run(test(&["--mail-transport-file", "transport", "--mail-from", "byline@example.org"])).await.succeeded();
    server.mails(2).await;

    assert_eq!(byline.run(&["mail", "list"], "").await.succeeded(), "");
    let url = format!("sqlite://{}", byline.folder().join("byline.db").display());
    let database = crate::support::TestDatabase::at(&url);
    database
        .tamper(
            "INSERT INTO outbox (id, recipient, subject, letter, created_at, expires_at, tries, next_try_at,
                 lease_until, given_up_at, problem)
             VALUES ('1', 'ada@example.org', 'Waits', x'', 0, 0, 0, 0, 0, NULL, NULL),
                    ('2', 'bob@example.org', 'Fails', x'', 1, 0, 3, 60000000, 0, NULL, 'busy'),
                    ('3', 'eve@example.org', 'Over', x'', 2, 0, 3, 0, 0, 60000000, 'no such user')",
        )
        .await;
    let listed = byline.run(&["mail", "list"], "").await.succeeded();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(lines[0].ends_with("\tada@example.org\tWaits\twaits"), "{listed}");
    assert!(lines[1].contains("tried 3 times, again 1970-01-01T00:01:00Z: busy"), "{listed}");
    assert!(lines[2].contains("given up 1970-01-01T00:01:00Z: no such user"), "{listed}");
}

#[tokio::test]
async fn a_served_site_sends_its_mail_and_shows_no_password() {
    let byline = Byline::in_an_empty_folder();
    let server = Smtp::start(Manner::Takes).await;
    let url = format!("smtp://{}", server.address);
    let log = {
        let served = byline
            .serve(&[
                "--mail-transport",
                &url,
                "--mail-from",
                "byline@example.org",
                "--public-url",
                "https://byline.example",
            ])
            .await;
        let database = crate::support::TestDatabase::at(&format!(
            "sqlite://{}",
            byline.folder().join("byline.db").display()
        ));
        let letter = r#"{"subject":"Hello","blocks":[{"Text":"There"}]}"#;
        let hex: String = letter.bytes().map(|byte| format!("{byte:02x}")).collect();
        // As a command beside the server would write it.
        database
            .tamper(&format!(
                "INSERT INTO outbox (id, recipient, subject, letter, created_at, expires_at, tries, next_try_at, lease_until)
                 VALUES ('1', 'ada@example.org', 'Hello', x'{hex}', 0, 9000000000000000, 0, 0, 0)"
            ))
            .await;
        let mail = in_time("the mail", server.mails(1)).await.remove(0);
        assert_eq!(mail.header("Message-ID"), "<1@example.org>");
        assert!(mail.plain().contains("Byline, https://byline.example/"), "{}", mail.plain());
        served.terminate().await
    };
    assert!(log.contains("a mail is sent"), "{log}");
    let served = byline
        .serve(&["--mail-transport", "smtp://ada:canary@mail.example", "--mail-from", "byline@example.org"])
        .await;
    let log = served.terminate().await;
    assert!(
        log.contains("unencrypted") && log.contains("--mail-transport-file") && !log.contains("canary"),
        "{log}"
    );
}
