//! What a site calls itself, how it looks, and what its pages say around a text.

use byline::config::SiteSetting;

use crate::support::{Page, Running, Several, postgres_database, until};

#[tokio::test]
async fn a_reader_sees_the_name_that_the_operator_has_given_the_site() {
    let site = Running::start_with(|config| {
        config.site.set(SiteSetting::Name, "Marsh <notes>");
        config.site.set(SiteSetting::Description, "Birds & \"tides\"");
    })
    .await;
    let post = site.author("ada").await.publish("The heron", "It stands.").await;
    let mut reader = site.browser();
    let list = reader.page("/").await;
    list.assert_harmless("a name with markup");
    assert_eq!(list.text("head > title"), "Marsh <notes>");
    assert_eq!(
        (list.text("h1"), list.text(".masthead p")),
        ("Marsh <notes>".into(), "Birds & \"tides\"".into())
    );
    assert_eq!(list.link("Marsh <notes>").as_deref(), Some("/"));
    let meta = |page: &Page, selector: &str| page.attribute(selector, "content");
    assert_eq!(meta(&list, "meta[name=description]").as_deref(), Some("Birds & \"tides\""));
    let page = reader.page(&format!("/posts/{post}")).await;
    assert_eq!(page.text("head > title"), "The heron – Marsh <notes>");
    assert_eq!(meta(&page, "meta[property='og:site_name']").as_deref(), Some("Marsh <notes>"));
    assert_eq!(reader.page("/login").await.text("head > title"), "Log in – Marsh <notes>");
    let feed = reader.get("/feed.json").await.json();
    assert_eq!(feed["title"], "Marsh <notes>");
    assert_eq!(reader.get("/@ada/feed.json").await.json()["title"], "ada – Marsh <notes>");
}

#[tokio::test]
async fn a_colour_and_faces_of_the_operator_are_a_style_sheet_that_never_changes() {
    let plain = Running::start().await;
    assert_eq!(plain.browser().page("/").await.count("link[href^='/assets/look/']"), 0);
    let site = Running::start_with(|config| {
        config.site.set(SiteSetting::Accent, "#8a1c4a");
        config.site.set(SiteSetting::Faces, "system");
    })
    .await;
    let mut reader = site.browser();
    let page = reader.page("/").await;
    page.assert_harmless("a colour");
    let address = page.attribute("link[href^='/assets/look/']", "href").expect("a style sheet");
    let sheet = reader.get(&address).await;
    assert_eq!((sheet.status, sheet.header("content-type")), (200, "text/css"));
    assert_eq!(sheet.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(sheet.text().contains("--accent:light-dark(#8a1c4a,"), "{}", sheet.text());
    assert!(sheet.text().contains("--serif:var(--serif-system)"), "{}", sheet.text());
    assert_eq!(page.count("link[rel=preload][as=font]"), 0, "nothing is loaded that is not used");
    assert_eq!(reader.get("/assets/look/00000000.css").await.status, 404);
}

#[tokio::test]
async fn readers_see_people_by_the_names_that_they_give_themselves() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Notes", "On the engine.").await;
    let path = format!("/posts/{post}");
    let mut reader = site.browser();
    for page in ["/", path.as_str()] {
        // The second time from memory.
        for _ in 0..2 {
            assert_eq!(reader.page(page).await.texts(".meta .author"), ["ada"], "{page}");
        }
    }
    let profile = [("display_name", "Ada <Lovelace>"), ("about", "Poet of numbers"), ("links", "")];
    assert_eq!(ada.submit("/account/profile", &profile).await.status, 303);
    for page in ["/", path.as_str()] {
        let shown = reader.page(page).await;
        shown.assert_harmless(page);
        assert_eq!(shown.texts(".meta .author"), ["Ada <Lovelace>"], "{page}");
        assert_eq!(shown.attribute(".meta .author", "href").as_deref(), Some("/@ada"), "{page}");
    }
    assert_eq!(reader.page(&path).await.text(".post-end .about"), "Poet of numbers");
    let feed = reader.get("/feed.json").await.json();
    assert_eq!(feed["items"][0]["authors"][0]["name"], "Ada <Lovelace>");
    assert_eq!(reader.get("/@ada/feed.json").await.json()["title"], "Ada <Lovelace> – Byline");
}

#[tokio::test]
async fn a_name_that_is_changed_at_one_process_is_shown_by_the_others() {
    let site = Several::start(postgres_database().await, 2, &[]).await;
    let mut ada = site.at(&site.browser(), 0);
    assert_eq!(ada.sign_up("ada").await.status, 303);
    let post = ada.publish("Notes", "").await;
    let mut reader = site.at(&site.browser(), 1);
    let paths = ["/".to_owned(), format!("/posts/{post}")];
    for path in &paths {
        until("the post to be there", async || reader.page(path).await.texts(".meta .author") == ["ada"])
            .await;
    }
    let profile = [("display_name", "Ada Lovelace"), ("about", ""), ("links", "")];
    assert_eq!(ada.submit("/account/profile", &profile).await.status, 303);
    for path in &paths {
        let is_shown = async || reader.page(path).await.texts(".meta .author") == ["Ada Lovelace"];
        until("the new name", is_shown).await;
    }
}

#[tokio::test]
async fn a_post_ends_with_what_its_author_wrote_before_and_after() {
    let site = Running::start().await;
    let (mut ada, mut bob) = (site.author("ada").await, site.author("bob").await);
    let first = ada.publish("First </nav>", "").await;
    bob.publish("Between", "").await;
    let second = ada.publish("Second", "").await;
    let path = format!("/posts/{second}");
    let mut reader = site.browser();
    let neighbours = |page: &Page| page.texts(".neighbours a");
    // Both kinds of readers, and a reader whose page comes from memory.
    for _ in 0..3 {
        let page = reader.page(&path).await;
        page.assert_harmless("a title with markup");
        assert_eq!(neighbours(&page), ["First </nav>"]);
        assert_eq!(page.attribute(".neighbours a", "href"), Some(site.path_of(&first).await));
    }
    assert_eq!(neighbours(&ada.page(&path).await), ["First </nav>"]);
    let etag = reader.get(&path).await.header("etag").to_owned();
    bob.publish("Of another", "").await;
    assert_eq!(reader.get(&path).await.header("etag"), etag, "another author's posts change nothing");
    let third = ada.publish("Third", "").await;
    assert_eq!(neighbours(&reader.page(&path).await), ["First </nav>", "Third"]);
    let edit = [("version", "1"), ("title", "Third, renamed"), ("content", "")];
    assert_eq!(ada.submit(&format!("/my-posts/{third}/edit"), &edit).await.status, 303);
    assert_eq!(neighbours(&reader.page(&path).await), ["First </nav>", "Third, renamed"]);
    assert_eq!(ada.submit(&format!("/posts/{first}/delete"), &[]).await.status, 303);
    assert_eq!(neighbours(&reader.page(&path).await), ["Third, renamed"]);
}

#[tokio::test]
async fn a_text_says_in_which_language_and_direction_it_runs() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let hebrew =
        "יצאתי שעה לפני הזמן כדי לא להגיע שעה לפני הזמן, ועברתי ליד המאפייה שהייתה סגורה.\n\n> ציטוט";
    let german = "Ich bin eine Stunde zu früh gegangen, um nicht zu früh anzukommen, und die Bäckerei war noch geschlossen.";
    for (title, content, language, direction) in
        [("הדרך", hebrew, "he", "rtl"), ("Der Weg", german, "de", "ltr"), ("42", "", "en", "ltr")]
    {
        let path = format!("/posts/{}", ada.publish(title, content).await);
        for page in [site.browser().page(&path).await, ada.page(&path).await] {
            let found = ["lang", "dir"].map(|name| page.attribute("article", name).unwrap_or_default());
            assert_eq!(found, [language, direction], "{title}");
        }
    }
}

#[tokio::test]
async fn each_entry_of_a_list_says_in_which_language_and_direction_it_runs() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let hebrew = "יצאתי שעה לפני הזמן כדי לא להגיע שעה לפני הזמן, ועברתי ליד המאפייה שהייתה סגורה.";
    ada.publish("הדרך", hebrew).await;
    for path in ["/", "/my-posts", "/@ada", "/search?q=הדרך"] {
        let page = ada.page(path).await;
        assert_eq!(page.attribute("article.entry", "dir").as_deref(), Some("rtl"), "{path}");
        for text in ["article.entry h2", "article.entry .excerpt"] {
            assert_eq!(page.attribute(text, "lang").as_deref(), Some("he"), "{path}");
        }
    }
    // The words of the page itself stay those of its own language.
    assert_eq!(ada.page("/").await.attribute("article.entry .meta", "lang"), None);
}

#[tokio::test]
async fn an_author_chooses_the_language_of_a_post_and_it_goes_with_the_post() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut script = ada.clone().as_script();
    let shown = async |path: &str| {
        let page = site.browser().page(path).await;
        ["lang", "dir"].map(|name| page.attribute("article", name).unwrap_or_default())
    };
    // Published with one, edited to another, by a tag with a country, and back to none.
    let new = [("title", "Ha ha"), ("content", "Ha ha"), ("language", "yi")];
    let post = script.submit("/api/create_post", &new).await.json()["id"].as_str().expect("an id").to_owned();
    let path = site.path_of(&post).await;
    assert_eq!(shown(&path).await, ["yi", "rtl"]);
    let edit = format!("/my-posts/{post}/edit");
    assert_eq!(ada.page(&edit).await.attribute("#language option[selected]", "value").as_deref(), Some("yi"));
    let change = |version: &'static str, language: &'static str| {
        [("version", version), ("title", "Ha ha"), ("content", "Ha ha"), ("language", language)]
    };
    assert_eq!(ada.submit(&edit, &change("1", "pt-BR")).await.status, 303);
    assert_eq!(shown(&path).await, ["pt", "ltr"]);
    assert_eq!(ada.submit(&edit, &change("2", "pt")).await.status, 303, "nothing is changed");
    let unknown = ada.submit(&edit, &change("2", "klingon")).await;
    assert_eq!(unknown.status, 422, "{}", unknown.text());
    assert!(unknown.text().contains("Choose a language of the list"));

    // It stays through an edit without it, the trash, a draft and its publication.
    let without = &change("2", "")[..3];
    assert_eq!(ada.submit(&edit, without).await.status, 303);
    ada.submit(&format!("/posts/{post}/delete"), &[]).await;
    assert_eq!(ada.submit(&format!("/my-posts/trash/{post}"), &[]).await.status, 303);
    assert_eq!(shown(&path).await, ["pt", "ltr"]);
    let draft = script.submit("/api/unpublish_post", &[("id", post.as_str())]).await.json();
    assert_eq!(draft["language"], "pt");
    ada.submit(&format!("/posts/{post}/delete"), &[]).await;
    assert_eq!(ada.submit(&format!("/my-posts/trash/{post}"), &[]).await.status, 303);
    assert_eq!(script.submit("/api/publish_post", &[("id", post.as_str())]).await.status, 200);
    assert_eq!(shown(&path).await, ["pt", "ltr"]);

    let version = script.get(&format!("/api/get_post?id={post}")).await;
    let version = version.json()["version"].to_string();
    let back = [("version", version.as_str()), ("title", "Ha ha"), ("content", "Ha ha"), ("language", "")];
    assert_eq!(ada.submit(&edit, &back).await.status, 303);
    assert_eq!(shown(&path).await, ["en", "ltr"], "as found from the text");
    let stored = site.probe().await.texts("SELECT language FROM posts").await;
    assert_eq!(stored, [""]);

    let written = "---\ntitle: Schluss\nlang: de_AT\n---\n\nEnde.";
    let post = ada.publish("", written).await;
    assert_eq!(shown(&site.path_of(&post).await).await, ["de", "ltr"]);
    let elsewhere = "---\ntitle: End\nlang: klingon\n---\n\nEnd.";
    let post = ada.publish("", elsewhere).await;
    assert_eq!(shown(&site.path_of(&post).await).await, ["en", "ltr"], "an unknown language is left out");
}

#[tokio::test]
async fn a_page_has_no_marks_of_the_framework_and_times_as_html_has_them() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "A *word*. <a href='#' title='<!>'>x</a>").await;
    let mut reader = site.browser();
    for (client, path) in [
        (&mut reader, "/".to_owned()),
        (&mut ada.clone(), format!("/posts/{post}")),
        (&mut ada.clone(), "/account".to_owned()),
        (&mut site.browser(), format!("/posts/{post}")),
    ] {
        let answer = client.get(&path).await;
        let outside: String = answer
            .text()
            .split("<leptos-island")
            .map(|part| part.rsplit("</leptos-island>").next().unwrap_or(part))
            .collect();
        assert!(
            !outside.contains("<!-") && !outside.replace("title=\"<!>\"", "").contains("<!>"),
            "{path}: {outside}"
        );
        for at in answer.page().attributes("time", "datetime") {
            assert_eq!((at.len(), at.ends_with('Z')), (24, true), "{path}: {at}");
        }
    }
}

#[tokio::test]
async fn who_goes_to_log_out_is_asked_first() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let page = ada.page("/logout").await;
    assert_eq!(page.text("h1"), "Log out?");
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"), "a link logs nobody out");
    let answer = site.browser().get("/logout").await;
    assert_eq!((answer.status, answer.location()), (303, "/"));
}

#[tokio::test]
async fn a_wrong_login_is_marked_at_the_name_and_at_the_password() {
    let site = Running::start().await;
    site.author("ada").await;
    let mut reader = site.browser();
    let answer = reader.submit("/login", &[("identifier", "ada"), ("password", "not the right one")]).await;
    let page = answer.page();
    assert_eq!(page.count("#identifier[aria-invalid=true], #password[aria-invalid=true]"), 2);
    let described = page.attribute("#password", "aria-describedby");
    assert_eq!(described.as_deref(), Some("identifier-error"));
    assert_eq!(page.count(".error-summary li"), 1, "it is one mistake");
}

#[tokio::test]
async fn a_form_that_is_too_long_gets_a_page_of_the_site() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let long = "x".repeat(2_000_000);
    let answer = ada.submit("/my-posts/new", &[("title", "Long"), ("content", &long)]).await;
    assert_eq!(answer.status, 413);
    let page = answer.page();
    assert_eq!(page.signed_in_as().as_deref(), Some("ada"));
    assert!(page.text("main").contains("what you typed is still there"), "{}", page.text("main"));
}
