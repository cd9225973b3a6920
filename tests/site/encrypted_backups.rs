//! Backups that are encrypted for whoever has a key of age.

use std::{fs, io::Write, time::Duration};

use byline::{
    config::{BackupPlace, BackupSettings},
    ops::backup::{self, Identity, scheduled},
};
use secrecy::ExposeSecret;
use tokio::sync::watch;

use crate::{
    backup::{create, names, verify},
    copy::{lively_site, rows},
    support::{Byline, Client, KEY, Running, TestDatabase, postgres_database},
};

/// A key of age, in a file of that name as `age-keygen` writes it; the public one.
fn key(byline: &Byline, name: &str) -> String {
    let identity = Identity::generate();
    let public = identity.to_public().to_string();
    let text = format!("# public key: {public}\n{}\n", identity.to_string().expose_secret());
    fs::write(byline.folder().join(name), text).expect("a file");
    public
}

#[tokio::test]
async fn an_encrypted_backup_is_opened_by_each_key_that_was_named_and_by_no_other() {
    let (site, _) = lively_site().await;
    let byline = Byline::in_an_empty_folder();
    let [first, second, _] = ["first", "second", "third"].map(|name| key(&byline, name));
    let more = ["--encrypt-to", &first, "--encrypt-to", &second];
    let said = byline.run(&create(&site, "one", &more), "").await.succeeded();
    assert!(said.contains("read back and verified") && said.contains("is encrypted"), "{said}");
    assert_eq!(names(byline.folder()), ["first", "one", "second", "third"], "nothing else is left");
    let bytes = fs::read(byline.folder().join("one")).expect("the backup");
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    for text in [&b"manifest.json"[..], b"SQLite format 3", &0xFD2F_B528_u32.to_le_bytes()] {
        assert!(!bytes.windows(text.len()).any(|window| window == text), "{}", text.escape_ascii());
    }

    let said =
        async |identity: &[&str]| byline.run(&[&["backup", "verify", "one"], identity].concat(), "").await;
    said(&[]).await.failed_with(&["one", "is encrypted", "--identity"]);
    said(&["--identity", "third"]).await.failed_with(&["one", "other keys"]);
    said(&["--identity", "one"]).await.failed_with(&["one", "key of age"]);
    said(&["--identity", "missing"]).await.failed_with(&["missing", "No such file"]);
    for identity in ["first", "second"] {
        assert!(said(&["--identity", identity]).await.succeeded().contains("complete"));
        let target = TestDatabase::fresh().await;
        let restore = ["backup", "restore", "one", "--to", target.url_text(), "--identity", identity];
        byline.run(&restore[..5], "").await.failed_with(&["is encrypted"]);
        byline.run(&restore, "").await.succeeded();
        assert_eq!(rows(&site).await, rows(&target).await);
    }

    byline.run(&create(&site, "one", &[&more[..], &["--replace"]].concat()), "").await.succeeded();
    assert!(said(&["--identity", "first"]).await.succeeded().contains("complete"));
    // What somebody has encrypted by age is no backup.
    let recipient: byline::config::Recipient = first.parse().expect("a public key");
    let letter = age::encrypt(&recipient, b"to keep").expect("a letter");
    fs::write(byline.folder().join("letter"), &letter).expect("a file");
    byline.run(&create(&site, "letter", &["--replace"]), "").await.failed_with(&["is no backup"]);
    byline
        .run(&["backup", "verify", "letter", "--identity", "first"], "")
        .await
        .failed_with(&["letter", "no backup of Byline"]);
    let wrong = byline.run(&create(&site, "two", &["--encrypt-to", "age1wrong"]), "").await;
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[tokio::test]
async fn verify_finds_every_changed_byte_of_an_encrypted_backup() {
    let byline = Byline::in_an_empty_folder();
    let public = key(&byline, "key");
    let identities = backup::identities(&byline.folder().join("key")).expect("a key");
    let site = TestDatabase::in_a_file();
    byline.run(&["migrate", "--database-url", site.url_text()], "").await.succeeded();
    byline.run(&create(&site, "one", &["--encrypt-to", &public]), "").await.succeeded();
    let whole = fs::read(byline.folder().join("one")).expect("the backup");
    let changed = byline.folder().join("changed");
    let length = whole.len();
    let places = (0..800).chain((800..length - 50).step_by(997)).chain(length - 50..length);
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&changed, &bytes).expect("a file");
        let problem = verify(&changed, &identities).await;
        problem.expect_err(&format!("byte {place} of {length} has changed"));
    }
    for length in (0..length).step_by(1997).chain([length - 1]) {
        fs::write(&changed, &whole[..length]).expect("a file");
        let problem = verify(&changed, &identities).await;
        problem.expect_err(&format!("only {length} bytes are left"));
    }
    let mut longer = fs::File::create(&changed).expect("a file");
    longer.write_all(&whole).and_then(|()| longer.write_all(b"\n")).expect("it is written");
    verify(&changed, &identities).await.expect_err("a byte more");
    fs::write(&changed, &whole).expect("a file");
    verify(&changed, &identities).await.expect("a whole backup");
}

#[tokio::test]
async fn the_backups_that_a_site_makes_of_itself_are_encrypted_for_the_keys_of_the_setting() {
    let byline = Byline::in_an_empty_folder();
    let public = key(&byline, "key");
    let identities = backup::identities(&byline.folder().join("key")).expect("a key");
    let folder = tempfile::tempdir().expect("a folder");
    let every = Duration::from_secs(3600);
    let to = BackupPlace::Folder(folder.path().to_owned());
    let encrypt_to = vec![public.parse().expect("a public key")];
    let settings = BackupSettings { every, to, keep: 1, encrypt_to };
    let site = Running::start_with(|config| config.backup = Some(settings)).await;
    let mut files = Vec::new();
    for _ in 0..2 {
        let (_nobody_stops_it, stopped) = watch::channel(false);
        scheduled::make_if_due(&site.site, &stopped).await.expect("the database answers");
        let made = names(folder.path());
        assert!(made.len() == 1 && made[0].ends_with(".backup.age"), "{made:?}");
        verify(&folder.path().join(&made[0]), &identities).await.expect("a whole backup");
        files.push(made);
        site.tamper("UPDATE backup_runs SET started_at = started_at - 3600000000").await;
    }
    assert_ne!(files[0], files[1], "the older one is removed");
}

#[tokio::test]
async fn whoever_makes_a_backup_without_the_key_of_a_sealed_site_is_told_so() {
    let byline = Byline::in_an_empty_folder();
    let site = postgres_database().await;
    fs::write(byline.folder().join("site.key"), KEY).expect("a file");
    let with_key = ["--database-url", site.url_text(), "--secret-key-file", "site.key"];
    let served = byline.serve(&with_key).await;
    let mut ada = Client::browser(served.address, false);
    assert_eq!(ada.sign_up("ada").await.status, 303);
    served.terminate().await;

    let said = byline.run(&create(&site, "one", &[]), "").await.succeeded();
    assert!(said.contains("was not given") && said.contains("--secret-key-file"), "{said}");
    assert!(!said.contains("has no secret key"), "{said}");
    byline
        .run(&create(&site, "two", &["--with-secret-key"]), "")
        .await
        .failed_with(&["none was given", "--secret-key-file"]);
    let said = byline.run(&create(&site, "three", &with_key[2..]), "").await.succeeded();
    assert!(said.contains("is not in it") && !said.contains("was not given"), "{said}");
    let target = TestDatabase::in_a_file();
    let said = byline.run(&["backup", "restore", "one", "--to", target.url_text()], "").await.succeeded();
    assert!(said.contains("The secret key was not in the backup"), "{said}");

    let open = postgres_database().await;
    byline.run(&["migrate", "--database-url", open.url_text()], "").await.succeeded();
    let said = byline.run(&create(&open, "four", &[]), "").await.succeeded();
    assert!(said.contains("has no secret key"), "{said}");
}
