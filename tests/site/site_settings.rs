//! Settings of the site that change while it runs.

use std::time::Duration;

use axum::http::Method;
use byline::{accounts::domain::invitations, clock, config::SiteSetting, timestamp::Timestamp};
use serde_json::json;

use crate::support::{Byline, Client, PASSWORD, Running, Several, picture, postgres_database, until};

/// Every field of the sign-up form.
const BOB: [(&str, &str); 3] = [("username", "bob"), ("email", "bob@example.org"), ("password", PASSWORD)];

fn tomorrow() -> Timestamp {
    clock::now().after(Duration::from_secs(24 * 60 * 60))
}

#[tokio::test]
async fn what_the_operator_sets_is_seen_by_readers_of_a_running_site() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--site-name", "Seed", "--site-description", "Of the flags"]).await;
    let mut ada = Client::browser(served.address, false);
    ada.sign_up("ada").await;
    let post = ada.publish("The heron", "It stands.").await;
    let mut reader = Client::browser(served.address, false);
    let address = format!("/posts/{post}");
    for page in ["/", &address] {
        // From memory the second time.
        for _ in 0..2 {
            assert!(reader.page(page).await.text("head > title").contains("Seed"), "{page}");
        }
    }
    for (setting, value) in [
        ("name", "Marsh <notes>"),
        ("language", "de"),
        ("time-zone", "Pacific/Kiritimati"),
        ("accent", "#8a1c4a"),
    ] {
        byline.run(&["site", "set", setting, value], "").await.succeeded();
    }
    until("readers to see the last of them", async || {
        reader.page("/").await.count("link[href^='/assets/look/']") == 1
    })
    .await;
    let list = reader.page("/").await;
    assert_eq!((list.text("h1"), list.text(".masthead p")), ("Marsh <notes>".into(), "Of the flags".into()));
    assert_eq!(list.attribute("html", "lang").as_deref(), Some("de"));
    assert_eq!(list.attribute("body", "lang").as_deref(), Some("en"), "the words of the site itself");
    let sheet = list.attribute("link[href^='/assets/look/']", "href").expect("a style sheet");
    assert!(reader.get(&sheet).await.text().contains("--accent:light-dark(#8a1c4a,"));
    let page = reader.page(&address).await;
    assert_eq!(page.text("head > title"), "The heron – Marsh <notes>");
    assert!(page.attribute("time", "title").expect("a time").ends_with(" +14"), "the zone of the site");
    assert_eq!(reader.get("/feed.json").await.json()["language"], "de");

    byline.run(&["site", "unset", "name"], "").await.succeeded();
    until("the name of before", async || reader.page("/").await.text("h1") == "Seed").await;
    let shown = byline.run(&["site", "show"], "").await.succeeded();
    for line in ["name\tByline\tdefault", "language\tde\tset", "sign-up\topen\tdefault"] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is not in {shown}");
    }
    served.terminate().await;
}

#[tokio::test]
async fn what_the_operator_sets_by_the_command_line_is_in_the_audit_log() {
    let byline = Byline::in_an_empty_folder();
    let changes = async || {
        let log = byline.run(&["audit"], "").await.succeeded();
        log.lines()
            .filter(|line| line.contains("\tsettings_changed\t"))
            .map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    assert_eq!(changes().await.len(), 0);
    for arguments in [&["set", "name", "Marsh"][..], &["set", "name", "Marsh"], &["unset", "accent"]] {
        byline.run(&[&["site"][..], arguments].concat(), "").await.succeeded();
    }
    let after = changes().await;
    assert_eq!(after.len(), 1, "what is as it was before is not noted: {after:?}");
    let [_, _, username, credential, _, _, detail, ..] = after[0].as_slice() else { panic!("{after:?}") };
    assert_eq!((username.as_str(), credential.as_str(), detail.as_str()), ("", "command line", "name"));

    byline.run(&["site", "unset", "name"], "").await.succeeded();
    assert_eq!(changes().await.len(), 2);
    let said = byline.run(&["site", "unset", "accent"], "").await.succeeded();
    assert_eq!(said, "accent is as this command's settings have it: empty\n");
    byline.run(&["site", "set", "name", ""], "").await.failed_with(&["empty"]);
    std::fs::write(byline.folder().join("logo.png"), picture::png(40, 20)).expect("a file");
    byline.run(&["site", "set", "logo", "logo.png"], "").await.succeeded();
    let after = changes().await;
    assert_eq!(after.len(), 3, "what is refused is not noted: {after:?}");
    assert_eq!(after[2][6], "logo");
}

#[tokio::test]
async fn what_is_set_on_one_process_is_seen_on_another() {
    let several = Several::start(postgres_database().await, 2, &[]).await;
    let mut readers = several.at_each(&several.browser());
    for reader in &mut readers {
        assert_eq!(reader.page("/").await.text("h1"), "Byline");
    }
    Byline::in_an_empty_folder()
        .run(&["site", "set", "name", "Marsh", "--database-url", several.database.url_text()], "")
        .await
        .succeeded();
    for reader in &mut readers {
        until("the new name", async || reader.page("/").await.text("h1") == "Marsh").await;
    }
    several.stop().await;
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_refused_and_nothing_is_stored() {
    let byline = Byline::in_an_empty_folder();
    for (setting, value, words) in [
        ("name", "", &["name", "empty"][..]),
        ("name", &"x".repeat(61), &["60"]),
        ("description", "a\nb", &["description", "line"]),
        ("language", "english", &["language", "pt-BR"]),
        ("time-zone", "Atlantis", &["time-zone", "Europe/Berlin"]),
        ("accent", "green", &["accent", "#1f5f4a"]),
        ("sign-up", "maybe", &["sign-up", "open", "invite", "closed"]),
        ("about", &"x".repeat(100_001), &["about", "100000"]),
        ("approval", "maybe", &["approval", "none", "first-posts"]),
        ("footer-links", "Fine /about\nText javascript:alert(1)", &["footer-links", "line 2"]),
        ("css", &"x".repeat(65_537), &["css", "65536"]),
        ("hsts", "3651", &["hsts", "3650"]),
    ] {
        byline.run(&["site", "set", setting, value], "").await.failed_with(words);
    }
    let unknown = byline.run(&["site", "set", "colour", "#1f5f4a"], "").await;
    assert!(unknown.stderr.contains("accent"), "the settings that there are: {}", unknown.stderr);
    let shown = byline.run(&["site", "show"], "").await.succeeded();
    assert!(shown.lines().all(|line| line.ends_with("\tdefault")), "{shown}");
}

#[tokio::test]
async fn nobody_makes_an_account_on_a_site_that_is_closed_but_who_has_one_logs_in() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    ada.submit("/logout", &[]).await;
    site.set(SiteSetting::SignUp, "closed").await;

    let mut stranger = site.browser();
    let page = stranger.page("/signup").await;
    assert_eq!(page.count("form[action='/signup']"), 0);
    assert!(page.text("main").contains("takes no new accounts"), "{}", page.text("main"));
    assert_eq!(stranger.page("/").await.link("Sign up"), None);
    assert_eq!(stranger.page("/login").await.link("Make an account"), None);
    assert_eq!(stranger.submit("/signup", &BOB).await.status, 403);
    assert_eq!(site.script().submit("/api/sign_up", &BOB).await.status, 403);
    let asked = json!({
        "ClientId": "byline-web", "Username": "bob", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "bob@example.org" }],
    });
    let request = site
        .script()
        .request_of_unknown_origin(Method::POST, "/cognito")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.SignUp")
        .body(asked.to_string().into());
    let cognito = site.script().send(request.expect("a request")).await;
    assert_eq!(cognito.json()["__type"], "NotAuthorizedException", "{}", cognito.text());
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);

    assert_eq!(ada.log_in("ada").await.status, 303);
    site.account("carla").await;
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 2, "the operator makes accounts");
}

#[tokio::test]
async fn a_reader_finds_the_page_about_the_site_once_there_is_one() {
    let site = Running::start().await;
    let mut reader = site.browser();
    assert_eq!(reader.get("/about").await.status, 404);
    assert_eq!(reader.page("/").await.link("About"), None);
    site.set(SiteSetting::About, "We *watch* herons. <script>alert(1)</script>").await;
    assert_eq!(reader.page("/").await.link("About").as_deref(), Some("/about"));
    let page = reader.page("/about").await;
    page.assert_harmless("a text with a script");
    assert_eq!((page.text("h1"), page.text(".prose em")), ("About Byline".into(), "watch".into()));
    site.set(SiteSetting::About, "").await;
    assert_eq!(reader.get("/about").await.status, 404);
}

#[tokio::test]
async fn an_invitation_makes_one_account() {
    let site = Running::start().await;
    site.set(SiteSetting::SignUp, "invite").await;
    let mut stranger = site.browser();
    for path in ["/signup", "/signup?invite=guessed"] {
        let page = stranger.page(path).await;
        assert_eq!(page.count("form[action='/signup']"), 0, "{path}");
        assert!(page.text("main").contains("you need an invitation"), "{}", page.text("main"));
    }
    assert_eq!(stranger.submit("/signup", &BOB).await.status, 403);
    assert_eq!(stranger.page("/").await.link("Sign up"), None);

    let invitation = invitations::make(&site.site, tomorrow()).await.expect("an invitation");
    let page = stranger.page(&format!("/signup?invite={}", invitation.expose())).await;
    let invite = page.attribute("form input[name=invite]", "value").expect("it goes with the form");
    let submit = async |fields: &[(&str, &str)]| {
        let fields = [fields, &[("invite", invite.as_str())]].concat();
        site.browser().submit("/signup", &fields).await
    };
    let wrong = submit(&[("username", "b"), BOB[1], BOB[2]]).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.page().attribute("form input[name=invite]", "value").is_some(),
        "a mistake does not use it up"
    );
    assert_eq!(submit(&BOB).await.status, 303);
    let carla = [("username", "carla"), ("email", "carla@example.org"), ("password", PASSWORD)];
    assert_eq!(submit(&carla).await.status, 403, "it is used");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);

    let old = invitations::make(&site.site, tomorrow()).await.expect("an invitation");
    site.tamper("UPDATE invitations SET expires_at = created_at WHERE used_by IS NULL").await;
    let page = stranger.page(&format!("/signup?invite={}", old.expose())).await;
    assert_eq!(page.count("form[action='/signup']"), 0, "it is too old");
}

#[tokio::test]
async fn an_invitation_waits_for_an_address_and_comes_back_if_that_is_not_confirmed() {
    let (_server, site) = Running::start_with_mail().await;
    site.set(SiteSetting::SignUp, "invite").await;
    let invitation = invitations::make(&site.site, tomorrow()).await.expect("an invitation");
    let submit = async |fields: &[(&str, &str)]| {
        let fields = [fields, &[("invite", invitation.expose())]].concat();
        site.browser().submit("/signup", &fields).await.status
    };
    let carla = [("username", "carla"), ("email", "carla@example.org"), ("password", PASSWORD)];
    assert_eq!(submit(&BOB).await, 303);
    assert_eq!(submit(&carla).await, 403, "it is somebody's");
    site.tamper("UPDATE pending_sign_ups SET expires_at = created_at").await;
    assert_eq!(submit(&carla).await, 303, "nobody confirmed the address");
}

#[tokio::test]
async fn links_of_the_operator_are_at_the_foot_of_every_page() {
    let site = Running::start().await;
    let post = site.author("ada").await.publish("The heron", "It stands.").await;
    let mut reader = site.browser();
    let address = site.path_of(&post).await;
    assert_eq!(reader.page(&address).await.link("Our code"), None);
    let links =
        "Our code https://example.org/a?b=1&c=\"2\nWrite <us> mailto:us@example.org\nRules /about#rules";
    site.set(SiteSetting::FooterLinks, links).await;
    for path in ["/", &address, "/login", "/nope"] {
        let page = reader.get(path).await.page();
        page.assert_harmless("links with markup");
        let foot = |selector: &str| page.attributes(&format!(".site-footer {selector}"), "href");
        assert_eq!(foot("a[rel=external]"), ["https://example.org/a?b=1&c=%222"], "{path}");
        assert_eq!(page.link("Write <us>").as_deref(), Some("mailto:us@example.org"), "{path}");
        assert_eq!(page.link("Rules").as_deref(), Some("/about#rules"), "{path}");
    }
}

#[tokio::test]
async fn a_style_sheet_of_the_operator_is_on_every_page_but_those_that_remove_it() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    site.tamper("UPDATE users SET is_admin = 1").await;
    let post = ada.publish("The heron", "It stands.").await;
    let post = site.path_of(&post).await;
    let mut reader = site.browser();
    let own = "link[rel=stylesheet][href^='/assets/site/']";
    assert_eq!(reader.page("/").await.count(own), 0);
    let sent =
        ada.submit("/admin/settings", &[("css", "body { background: pink }\r\n</style><script>")]).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let mut first = None;
    for path in ["/", &post, "/signup", "/nope"] {
        let page = reader.get(path).await.page();
        page.assert_harmless("a style sheet with markup");
        let sheets = page.attributes("link[rel=stylesheet]", "href");
        let address = page.attribute(own, "href").expect("a style sheet");
        assert_eq!(sheets.last(), Some(&address), "{path}: after all others");
        first = Some(address);
    }
    let first = first.expect("an address");
    let sheet = reader.get(&first).await;
    assert_eq!(sheet.text(), "body { background: pink }\n</style><script>");
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(sheet.header("cache-control"), "public, max-age=31536000, immutable");
    for path in ["/admin", "/admin/settings", "/login"] {
        let client = if path == "/login" { &mut reader } else { &mut ada };
        let page = client.get(path).await.page();
        assert_eq!(page.count(own), 0, "{path}");
        assert!(page.count("link[rel=stylesheet]") > 0, "{path}");
    }
    assert_eq!(ada.page("/my-posts").await.count(own), 1);

    site.set(SiteSetting::Css, "body { color: red }").await;
    let second = reader.page("/").await.attribute(own, "href").expect("another one");
    assert_ne!(second, first);
    let old = reader.get_once(&first).await;
    assert_eq!((old.status, old.location(), old.header("cache-control")), (302, second.as_str(), "no-store"));
    site.set(SiteSetting::Css, "").await;
    assert_eq!(reader.page("/").await.count(own), 0);
    assert_eq!(reader.get(&second).await.status, 404);
    assert_eq!(reader.get("/assets/site/.css").await.status, 404);
}

#[tokio::test]
async fn every_process_serves_the_style_sheet_that_another_has_just_got() {
    let several = Several::start(postgres_database().await, 2, &[]).await;
    let byline = Byline::in_an_empty_folder();
    let file = byline.folder().join("site.css");
    std::fs::write(&file, "main { border: 0 }").expect("a file");
    let named = format!("@{}", file.display());
    byline
        .run(&["site", "set", "css", &named, "--database-url", several.database.url_text()], "")
        .await
        .succeeded();
    let mut readers = several.at_each(&several.browser());
    let mut address = None;
    until("a page with it", async || {
        let page = readers[0].page("/").await;
        address = page.attributes("link[href^='/assets/site/']", "href").pop();
        address.is_some()
    })
    .await;
    let address = address.expect("an address");
    for reader in &mut readers {
        assert_eq!(reader.get(&address).await.text(), "main { border: 0 }");
    }
    byline.run(&["site", "set", "css", "@missing.css"], "").await.failed_with(&["missing.css"]);
    std::fs::write(byline.folder().join("about.md"), "@ada writes here").expect("a file");
    byline.run(&["site", "set", "about", "@about.md"], "").await.succeeded();
    assert_eq!(byline.run(&["site", "show", "about"], "").await.succeeded(), "@ada writes here\n");
    byline.run(&["site", "set", "about", "@missing.md"], "").await.failed_with(&["missing.md"]);
    byline.run(&["site", "set", "about", "@ada writes too"], "").await.succeeded();
    assert_eq!(byline.run(&["site", "show", "about"], "").await.succeeded(), "@ada writes too\n");
    several.stop().await;
}

#[tokio::test]
async fn how_long_browsers_come_by_https_alone_is_said_by_https_alone() {
    let header =
        async |site: &Running| site.browser().get("/").await.header("strict-transport-security").to_owned();
    let site = Running::start_behind_https().await;
    assert_eq!(header(&site).await, "max-age=63072000; includeSubDomains");
    site.set(SiteSetting::Hsts, "30").await;
    assert_eq!(header(&site).await, "max-age=2592000");
    site.set(SiteSetting::Hsts, "off").await;
    assert_eq!(header(&site).await, "");
    let plain = Running::start().await;
    plain.set(SiteSetting::Hsts, "30").await;
    assert_eq!(header(&plain).await, "");
}
