//! `/admin`: what whoever is in charge of the site sees and does in a browser.

use axum::{body::Body, http::Method};
use byline::config::SiteSetting;
use futures::future::join_all;

use crate::support::{Byline, Client, PASSWORD, Running, until};

/// Every page, and every form with its method, of those in charge; ada has the post `post`.
fn every_way_in(post: &str) -> Vec<(Method, String)> {
    let pages = [
        "/admin",
        "/admin/settings",
        "/admin/settings/logo",
        "/admin/settings/icon",
        "/admin/settings/logo/remove",
        "/admin/accounts",
        "/admin/accounts?q=ada",
        "/admin/accounts/ada",
        "/admin/accounts/ada/lock",
        "/admin/accounts/ada/unlock",
        "/admin/accounts/ada/sign-out",
        "/admin/accounts/ada/put-in-charge",
        "/admin/accounts/ada/end-charge",
        "/admin/accounts/ada/delete",
        "/admin/posts",
        "/admin/posts/hidden",
        "/admin/posts/waiting",
        &format!("/admin/posts/{post}/approve"),
        &format!("/admin/posts/{post}/hide"),
        &format!("/admin/posts/{post}/restore"),
        "/admin/reports",
        &format!("/admin/reports/{post}/dismiss"),
        "/admin/sweeps",
        "/admin/sweeps/x/undo",
        "/admin/invitations",
        "/admin/invitations/x/revoke",
        "/admin/audit",
        "/admin/nothing",
    ]
    .map(str::to_owned);
    let calls = [
        "save_settings",
        "remove_picture",
        "lock_account",
        "unlock_account",
        "sign_out_account",
        "put_in_charge",
        "end_charge",
        "delete_account",
        "approve_post",
        "hide_post",
        "restore_post",
        "invite",
        "revoke_invitation",
        "dismiss_reports",
        "sweep",
        "undo_sweep",
    ]
    .map(|name| format!("/api/admin_{name}"));
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    pages.iter().chain(&calls).flat_map(|path| methods.clone().map(|method| (method, path.clone()))).collect()
}

/// Puts somebody in charge who was not.
pub async fn put_in_charge(site: &Running, username: &str) {
    site.tamper(&format!("UPDATE users SET is_admin = 1 WHERE username = '{username}'")).await;
}

#[tokio::test]
async fn to_everybody_else_there_is_no_admin_and_nothing_of_it_is_done() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let bob = site.author("bob").await;
    let post = ada.publish("Mine", "Text").await;
    let key = site.public_key().await;
    put_in_charge(&site, "ada").await;
    // A program of somebody in charge writes as them, and is not in charge.
    let token = site.script().tokens("ada").await.access;
    // The form of each call at once, so that only who asks decides.
    let form = format!(
        "name=bob&id={post}&reason=x&posts=delete&days=1&network=127.0.0.1&minutes=60&names[]=bob&site_name=Taken"
    );
    let nobody = site.browser();
    let others = [
        ("a reader", nobody.clone(), None),
        ("bob", bob, None),
        ("a program with an API key", nobody.clone(), Some(("x-api-key", key.key.clone()))),
        ("a program of ada", nobody, Some(("authorization", token))),
    ];
    // So that using it is not noted once more.
    site.tamper("UPDATE api_keys SET last_used_at = expires_at").await;
    let before = site.dump().await;
    for (who, client, credential) in &others {
        for client in [client.clone(), client.as_script()] {
            let answers = every_way_in(&post).into_iter().map(async |(method, path)| {
                let mut request = client.request(method.clone(), &path);
                if let Some((name, value)) = credential {
                    request = request.header(*name, value);
                }
                let body = if method == Method::GET { String::new() } else { form.clone() };
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                let answer = client.clone().send(request.body(Body::from(body)).expect("a request")).await;
                (format!("{who}: {method} {path}"), answer)
            });
            for (about, answer) in join_all(answers).await {
                assert_eq!(answer.status, 404, "{about}: {}", answer.text());
            }
        }
    }
    assert!(site.dump().await == before, "something was done");

    // A page that exists says no more than one that does not.
    let mut reader = site.browser();
    let unknown = reader.get("/admin/nothing").await;
    let known = reader.get("/admin/settings").await;
    assert_eq!(known.text().replace("settings", "nothing"), unknown.text());
    // It is the same pages that ada opens.
    for path in ["/admin", "/admin/settings", "/admin/accounts/bob", "/admin/audit", "/admin/sweeps"] {
        assert_eq!(ada.get(path).await.status, 200, "{path}");
    }
    site.tamper("UPDATE users SET is_admin = 0").await;
    assert_eq!(ada.get("/admin").await.status, 404, "it ends at once");
}

#[tokio::test]
async fn another_site_makes_nobody_in_charge_do_anything() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    site.author("bob").await;
    let before = site.count("SELECT COUNT(*) FROM users WHERE locked_at IS NULL").await;
    for client in [ada.clone(), ada.as_script()] {
        let request = client
            .request_of_unknown_origin(Method::POST, "/admin/accounts/bob/lock")
            .header("origin", "https://evil.example")
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = client.clone().send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, 403);
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE locked_at IS NULL").await, before);
}

#[tokio::test]
async fn whoever_is_in_charge_changes_the_settings_and_reads_every_mistake() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    let page = ada.page("/admin/settings").await;
    assert_eq!(page.value("site_name"), "Byline");
    let wrong = ada
        .submit(
            "/admin/settings",
            &[
                ("site_name", " "),
                ("accent", "green</textarea><script>"),
                ("time_zone", "Berlin"),
                ("about_site", "</textarea><script>alert(1)</script>"),
            ],
        )
        .await;
    assert_eq!(wrong.status, 422);
    for field in ["site_name", "accent", "time_zone"] {
        assert_eq!(wrong.page().count(&format!("#{field}-error")), 1, "{field}");
    }
    wrong.page().assert_harmless("settings that come back");
    assert_eq!(site.count("SELECT COUNT(*) FROM site_settings").await, 0, "nothing of it is stored");

    let fields = [
        ("site_name", "Marsh <notes>"),
        ("description", "Of herons"),
        ("about_site", "Some *words*\r\non two lines"),
        ("sign_up", "invite"),
        ("faces", "served"),
    ];
    let saved = ada.submit("/admin/settings", &fields).await;
    assert_eq!(saved.location(), "/admin/settings");
    assert_eq!(site.count("SELECT COUNT(*) FROM site_settings").await, 4, "only what is another than before");
    let mut reader = site.browser();
    assert!(reader.page("/").await.text("head > title").contains("Marsh <notes>"));
    assert!(reader.get("/about").await.text().contains("<em>words</em>"));
    assert_eq!(ada.page("/admin/settings").await.value("description"), "Of herons");

    // What is set back to the beginning is no longer set.
    assert_eq!(ada.submit("/admin/settings", &[("site_name", "Byline")]).await.status, 303);
    assert_eq!(site.count("SELECT COUNT(*) FROM site_settings WHERE name = 'name'").await, 0);
    assert_eq!(
        site.count("SELECT COUNT(*) FROM audit WHERE kind = 'settings_changed' AND username = 'ada'").await,
        2
    );
    assert!(ada.page("/account").await.link("Look after the site").is_some());
}

#[tokio::test]
async fn whoever_is_in_charge_takes_a_setting_away_by_emptying_its_field() {
    // The description is one that the file of settings has, so it is emptied above that.
    let site = Running::start_with(|config| config.site.set(SiteSetting::Description, "Of the file")).await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    for (setting, value) in [
        (SiteSetting::Name, "Marsh"),
        (SiteSetting::Accent, "#8a1c4a"),
        (SiteSetting::About, "We watch herons."),
        (SiteSetting::FooterLinks, "Rules /rules"),
        (SiteSetting::Css, "body { color: red }"),
    ] {
        site.set(setting, value).await;
    }
    let stored = async |name: &str| {
        site.count(&format!("SELECT COUNT(*) FROM site_settings WHERE name = '{name}'")).await
    };
    let mut reader = site.browser();
    let page = reader.page("/").await;
    assert_eq!(page.texts(".masthead p"), ["Of the file"]);
    assert_eq!(page.link("Rules").as_deref(), Some("/rules"));
    assert_eq!(page.count("link[href^='/assets/look/'], link[rel=stylesheet][href^='/assets/site/']"), 2);

    // What has no value that stands for none is refused, and nothing beside it is changed.
    for field in ["site_name", "site_language", "time_zone", "hsts"] {
        let refused = ada.submit("/admin/settings", &[(field, ""), ("css", "")]).await;
        assert_eq!(refused.status, 422, "{field}");
        assert_eq!(refused.page().count(&format!("#{field}-error")), 1, "{field}");
    }
    let refused = ada.submit("/admin/settings", &[("site_name", "")]).await;
    refused.page().assert_problem("site_name", "Name of the site: is empty");
    for name in ["name", "accent", "about", "footer-links", "css"] {
        assert_eq!(stored(name).await, 1, "{name}");
    }

    let emptied =
        [("description", ""), ("accent", " "), ("about_site", ""), ("footer_links", "\r\n"), ("css", "")];
    assert_eq!(ada.submit("/admin/settings", &emptied).await.location(), "/admin/settings");
    for name in ["accent", "about", "footer-links", "css"] {
        assert_eq!(stored(name).await, 0, "{name}");
    }
    assert_eq!(
        site.count("SELECT COUNT(*) FROM site_settings WHERE name = 'description' AND value = ''").await,
        1,
        "it stands above that of the file"
    );
    assert_eq!(stored("name").await, 1, "what was not sent stays");
    let page = reader.page("/").await;
    assert_eq!(page.texts(".masthead p"), [""; 0]);
    assert_eq!(page.link("Rules"), None);
    assert_eq!(page.count("link[href^='/assets/look/'], link[rel=stylesheet][href^='/assets/site/']"), 0);
    assert_eq!(reader.get("/about").await.status, 404);
    let form = ada.page("/admin/settings").await;
    for field in ["description", "accent"] {
        assert_eq!(form.value(field), "", "{field}");
    }
    assert_eq!(form.value("site_name"), "Marsh");
}

#[tokio::test]
async fn whoever_is_in_charge_finds_locks_and_opens_an_account() {
    let site = Running::start().await;
    let (mut ada, mut bob) = (site.author("ada").await, site.author("bob").await);
    put_in_charge(&site, "ada").await;
    site.author("carla").await;
    let names = async |ada: &mut Client, query: &str| {
        ada.page(&format!("/admin/accounts?q={query}")).await.texts("article h2")
    };
    assert_eq!(names(&mut ada, "").await, ["carla", "bob", "ada"]);
    assert_eq!(names(&mut ada, "BOB%40").await, ["bob"], "by the address");
    for nobody in ["%25", "_", "%5C", "b%25b", "%27"] {
        assert_eq!(names(&mut ada, nobody).await, [""; 0], "{nobody} stands for itself");
    }

    let locked = ada.submit("/admin/accounts/bob/lock", &[]).await;
    assert_eq!(locked.location(), "/admin/accounts/bob");
    assert_eq!(bob.get("/my-posts").await.location(), "/login?next=/my-posts");
    assert_eq!(bob.log_in("bob").await.status, 403);
    assert!(ada.page("/admin/accounts/bob").await.link("Unlock it").is_some());
    assert_eq!(ada.submit("/admin/accounts/bob/unlock", &[]).await.status, 303);
    assert_eq!(bob.log_in("bob").await.status, 303);
    assert_eq!(ada.submit("/admin/accounts/bob/sign-out", &[]).await.status, 303);
    assert_eq!(bob.get("/my-posts").await.location(), "/login?next=/my-posts");
    assert_eq!(bob.log_in("bob").await.status, 303);

    // Bob reads what was done, and not from where.
    let activity = bob.page("/account").await.text(".activity");
    assert!(activity.contains("Locked by whoever runs the site"), "{activity}");
    assert_eq!(
        site.count("SELECT COUNT(*) FROM audit WHERE kind = 'locked' AND address = '' AND credential = 'session of ada'")
            .await,
        1
    );
    for (path, status) in [
        ("/admin/accounts/ada/lock", 403),
        ("/admin/accounts/ada/end-charge", 403),
        ("/admin/accounts/nobody/lock", 404),
    ] {
        let answer = ada.submit(path, &[]).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    assert_eq!(ada.get("/admin/accounts/bob/burn").await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_undone_asks_who_it_is_first() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    let mut bob = site.author("bob").await;
    bob.publish("Bob's", "Text").await;
    site.forget_confirmations().await;
    for path in ["/admin/accounts/bob/delete", "/admin/accounts/bob/put-in-charge", "/admin/sweeps"] {
        let expected = format!("/account/confirm?next={path}");
        assert_eq!(ada.get(path).await.location(), expected);
        assert_eq!(ada.submit(path, &[("posts", "delete")]).await.location(), expected);
    }
    assert_eq!(ada.submit("/account/confirm", &[("password", PASSWORD)]).await.status, 303);
    let asked = ada.submit("/admin/accounts/bob/delete", &[]).await;
    asked.page().assert_problem("posts", "Choose what becomes of the posts");
    assert_eq!(ada.submit("/admin/accounts/bob/put-in-charge", &[]).await.status, 303);
    assert_eq!(bob.get("/admin").await.status, 200);
    assert_eq!(ada.submit("/admin/accounts/bob/end-charge", &[]).await.status, 303);
    assert_eq!(bob.get("/admin").await.status, 404);

    let deleted = ada.submit("/admin/accounts/bob/delete", &[("posts", "keep")]).await;
    assert_eq!(deleted.location(), "/admin/accounts");
    until("the account to be gone", async || {
        site.count("SELECT COUNT(*) FROM users WHERE username = 'bob'").await == 0
    })
    .await;
    assert!(site.browser().get("/").await.text().contains("deleted-author"));
}

#[tokio::test]
async fn a_reported_post_is_hidden_or_the_reports_are_settled() {
    let site = Running::start_behind_a_proxy().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    let mut bob = site.author("bob").await;
    let spam = bob.publish("Buy cheap tides", "Now").await;
    let fine = bob.publish("A heron", "Stood there").await;
    let from = |address: &str| site.browser().coming_from(address);
    let report = format!("/posts/{spam}/report");

    // Without a session and without script, from the link on the page.
    let mut reader = from("192.0.2.1");
    let href = reader.page(&format!("/posts/{spam}")).await.link("Report").expect("a link");
    let page = reader.page(&href).await;
    assert_eq!(page.attribute("form.x, main form", "action").as_deref(), Some(report.as_str()));
    let wrong = reader.submit(&report, &[("reason", "boring"), ("detail", &"x".repeat(1001))]).await;
    assert_eq!((wrong.status, wrong.page().count(".field-error")), (422, 2));
    let sent = reader.submit(&report, &[("reason", "spam"), ("detail", "<script>alert(1)</script>")]).await;
    assert_eq!(sent.location(), "/posts/reported/thanks");
    assert!(sent.cookies().next().is_none(), "it leaves no cookie");
    assert_eq!(reader.get("/posts/reported/thanks").await.status, 200);
    assert_eq!(reader.submit(&report, &[("reason", "abuse")]).await.status, 303, "sent twice, it says yes");
    assert_eq!(from("192.0.2.2").submit(&report, &[("reason", "other")]).await.status, 303);
    let of_fine = format!("/posts/{fine}/report");
    assert_eq!(reader.submit(&of_fine, &[("reason", "unlawful")]).await.status, 303);
    assert_eq!(reader.submit("/posts/none/report", &[("reason", "spam")]).await.status, 404);
    assert_eq!(site.count("SELECT COUNT(*) FROM reports").await, 3);

    let page = ada.page("/admin/reports").await;
    page.assert_harmless("reports");
    assert_eq!(page.texts("article h2"), ["A heron", "Buy cheap tides"]);
    assert!(page.text("main").contains("<script>alert(1)</script>"));
    assert_eq!(ada.submit(&format!("/admin/reports/{fine}/dismiss"), &[]).await.status, 303);
    assert_eq!(ada.page("/admin/reports").await.texts("article h2"), ["Buy cheap tides"]);

    let hide = format!("/admin/posts/{spam}/hide");
    assert_eq!(ada.get(&hide).await.status, 200);
    ada.submit(&hide, &[("reason", "")]).await.page().assert_problem(
        "reason",
        "Enter the reason, one line of 500 characters at most; the author reads it",
    );
    assert_eq!(ada.submit(&hide, &[("reason", "It sells")]).await.location(), "/admin/posts/hidden");
    assert_eq!(ada.page("/admin/reports").await.texts("article h2"), [""; 0]);
    assert_eq!(reader.get(&format!("/posts/{spam}")).await.status, 404);
    assert!(bob.page("/my-posts/trash").await.text("main").contains("It sells"));
    let hidden = ada.page("/admin/posts/hidden").await;
    assert!(hidden.text("main").contains("It sells"));
    let restore = hidden.link("Restore").expect("a way back");
    assert_eq!(ada.submit(&restore, &[]).await.status, 303);
    assert_eq!(reader.get(&format!("/posts/{spam}")).await.status, 200);
}

#[tokio::test]
async fn one_network_reports_ten_times_an_hour_and_another_is_not_kept_from_it() {
    let site = Running::start_behind_a_proxy().await;
    let mut bob = site.author("bob").await;
    let mut posts = Vec::new();
    for number in 0..11 {
        posts.push(bob.publish(&format!("Post {number}"), "Text").await);
    }
    let mut flooder = site.browser().coming_from("2001:db8::1");
    for post in &posts[..10] {
        assert_eq!(flooder.submit(&format!("/posts/{post}/report"), &[("reason", "spam")]).await.status, 303);
    }
    let last = format!("/posts/{}/report", posts[10]);
    let mut beside = site.browser().coming_from("2001:db8::ffff:2");
    let refused = beside.submit(&last, &[("reason", "spam")]).await;
    assert_eq!(refused.status, 429, "the same /64");
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds <= 3600));
    assert_eq!(
        site.browser().coming_from("192.0.2.9").submit(&last, &[("reason", "spam")]).await.status,
        303
    );
}

#[tokio::test]
async fn a_wave_is_swept_away_and_the_sweep_undone() {
    let site = Running::start_behind_a_proxy().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    let sign_up = async |name: &str, address: &str| {
        let mut client = site.browser().coming_from(address);
        client.sign_up(name).await;
        let post = client.publish(&format!("Of {name}"), "Text").await;
        (client, post)
    };
    let (_, one) = sign_up("one", "192.0.2.1").await;
    let (mut two, two_post) = sign_up("two", "192.0.2.200").await;
    let (mut good, good_post) = sign_up("good", "192.0.2.3").await;
    let (_, far) = sign_up("far", "198.51.100.1").await;
    sign_up("locked", "192.0.2.4").await;
    ada.submit("/admin/accounts/locked/lock", &[]).await;

    let asked = "/admin/sweeps?network=192.0.2.0%2F24&minutes=60";
    let page = ada.page(asked).await;
    let mut names = page.attributes("input[name='names[]']", "value");
    names.sort_unstable();
    assert_eq!(names, ["good", "one", "two"], "nobody from elsewhere, nobody who is locked");
    let fields = |names: &[&'static str]| {
        let mut fields = vec![("network", "192.0.2.0/24"), ("minutes", "60"), ("reason", "A wave of spam")];
        fields.extend(names.iter().map(|name| ("names[]", *name)));
        fields
    };
    assert_eq!(ada.submit("/admin/sweeps", &fields(&[])).await.status, 422);
    assert_eq!(ada.submit("/admin/sweeps", &fields(&["far", "ada"])).await.status, 404);
    let swept = ada.submit("/admin/sweeps", &fields(&["one", "two", "far"])).await;
    assert_eq!(swept.location(), "/admin/sweeps");
    let left = "SELECT COUNT(*) FROM sweep_items WHERE state = 'planned'";
    until("the sweep", async || site.count(left).await == 0).await;
    assert_eq!(two.get("/my-posts").await.location(), "/login?next=/my-posts");
    assert_eq!(good.get("/my-posts").await.status, 200);
    let mut reader = site.browser();
    for (post, status) in [(&one, 404), (&two_post, 404), (&good_post, 200), (&far, 200)] {
        assert_eq!(reader.get(&format!("/posts/{post}")).await.status, status);
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE locked_at IS NOT NULL").await, 3);

    // Sent twice, it is undone once; what was locked before the sweep stays so.
    let page = ada.page("/admin/sweeps").await;
    let undo = page.link("Undo").expect("a way back");
    let mut bob = site.author("bob").await;
    put_in_charge(&site, "bob").await;
    assert_eq!(bob.get(&undo).await.status, 200);
    for by in [&mut bob, &mut ada] {
        assert_eq!(by.submit(&undo, &[]).await.status, 303);
    }
    until("the undo", async || {
        site.count("SELECT COUNT(*) FROM sweep_items WHERE state <> 'undone'").await == 0
    })
    .await;
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE locked_at IS NOT NULL").await, 1, "locked stays");
    for post in [&one, &two_post] {
        assert_eq!(reader.get(&format!("/posts/{post}")).await.status, 200);
    }
    assert_eq!(two.log_in("two").await.status, 303);
    // The log names who undid it, not who swept. The note of a post follows its restoration.
    let undone = "kind IN ('sweep_undone', 'unlocked', 'post_restored')";
    let count = format!("SELECT COUNT(*) FROM audit WHERE {undone}");
    until("the notes", async || site.count(&count).await == 5).await;
    let by =
        format!("SELECT kind || ' ' || credential FROM audit WHERE {undone} AND request_id <> '' ORDER BY 1");
    assert_eq!(
        site.probe().await.texts(&by).await,
        [
            "post_restored session of bob",
            "post_restored session of bob",
            "sweep_undone session of bob",
            "unlocked session of bob",
            "unlocked session of bob",
        ]
    );
}

#[tokio::test]
async fn an_invitation_made_in_the_browser_is_shown_once_and_can_be_revoked() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    put_in_charge(&site, "ada").await;
    site.set(SiteSetting::SignUp, "invite").await;
    for wrong in ["", "0", "366", "x"] {
        assert_eq!(ada.submit("/admin/invitations", &[("days", wrong)]).await.status, 422, "{wrong:?}");
    }
    let made = ada.submit("/admin/invitations", &[("days", "3")]).await;
    let link = made.page().value_of("#new-link");
    assert!(made.page().has_button("Copy link"), "{}", made.text());
    let path = link.split_once("/signup").map(|(_, path)| format!("/signup{path}")).expect("a link");
    assert_eq!(site.browser().page(&path).await.count("form[action='/signup']"), 1);
    let listed = ada.page("/admin/invitations").await;
    assert!(!listed.text("main").contains("invite="), "no later page has it");
    let revoke = listed.link("Revoke").expect("a way");
    assert_eq!(ada.get(&revoke).await.status, 200);
    assert_eq!(ada.submit(&revoke, &[]).await.status, 303);
    assert_eq!(site.browser().page(&path).await.count("form[action='/signup']"), 0);
}

#[tokio::test]
async fn whoever_signs_up_by_the_link_of_the_first_start_is_in_charge() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--site-sign-up", "closed"]).await;
    let said = served.terminate_and_hear().await;
    let link = said.lines().find(|line| line.contains("/signup?invite=")).expect("a link").to_owned();
    let path = &link[link.find("/signup").expect("a path")..];
    let served = byline.serve(&["--site-sign-up", "closed"]).await;
    let mut ada = Client::browser(served.address, false);
    let invite = path.trim_start_matches("/signup?invite=").to_owned();
    assert_eq!(ada.page(path).await.value("invite"), invite, "also after a restart");
    let mut mallory = Client::browser(served.address, false);
    let fields = |name: &'static str, email: &'static str, invite: &str| {
        [
            ("username", name.to_owned()),
            ("email", email.to_owned()),
            ("password", PASSWORD.to_owned()),
            ("invite", invite.to_owned()),
        ]
    };
    let submit = async |client: &mut Client, fields: [(&str, String); 4]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        client.submit("/signup", &fields).await.status
    };
    assert_eq!(submit(&mut mallory, fields("mallory", "m@example.org", "guessed")).await, 403);
    assert_eq!(submit(&mut ada, fields("ada", "ada@example.org", &invite)).await, 303);
    assert_eq!(ada.get("/admin").await.status, 200);
    assert_eq!(submit(&mut mallory, fields("mallory", "m@example.org", &invite)).await, 403, "it is used");
    served.terminate().await;
    // The link of the second start went with it, and a third prints none.
    let served = byline.serve(&["--site-sign-up", "closed"]).await;
    let said = served.terminate_and_hear().await;
    assert!(!said.contains("/signup?invite="), "{said}");
}
