//! `byline export`: the whole site as Markdown and JSON, or as pages for any file server.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::import::{Moving, hugo};

#[tokio::test]
async fn the_whole_site_is_exported_and_each_author_moves_on_with_it() {
    let moving = Moving::prepare().await;
    hugo(&moving);
    moving.imported().await;
    moving.account("bob").await;
    let export = async || moving.run(&["export", "--to", "out"], "").await;
    assert!(export().await.succeeded().contains("2 authors"));
    let out = moving.byline.folder().join("out");
    for file in
        ["site.json", "authors/ada/profile.json", "authors/bob/profile.json", "authors/ada/pictures.json"]
    {
        assert!(out.join(file).is_file(), "{file}");
    }
    let files = |folder: &str| fs::read_dir(out.join(folder)).map_or(0, Iterator::count);
    assert_eq!((files("authors/ada/posts"), files("authors/ada/drafts")), (2, 1));
    // An earlier export is replaced; what was not exported stays, and is never written over.
    fs::write(out.join("authors/ada/posts/stale.md"), "x").expect("a file");
    fs::write(out.join("mine.txt"), "x").expect("a file");
    export().await.succeeded();
    assert!(!out.join("authors/ada/posts/stale.md").exists() && out.join("mine.txt").exists());
    fs::remove_file(out.join("byline-export.json")).expect("the note");
    export().await.failed_with(&["out", "not empty"]);

    let other = Moving::prepare().await;
    let report = other
        .run(&["import", out.join("authors/ada").to_str().expect("a path"), "--user", "ada"], "")
        .await
        .succeeded();
    assert!(report.contains("3 imported"), "{report}");
    let rows = "SELECT id || slug || tags || created_at || title FROM posts ORDER BY id";
    assert_eq!(
        other.database.probe().await.texts(rows).await,
        moving.database.probe().await.texts(rows).await
    );
    // A draft keeps the address that was chosen for it.
    let rows = "SELECT slug || tags || title FROM drafts ORDER BY id";
    for site in [&moving, &other] {
        assert_eq!(site.database.probe().await.texts(rows).await, ["laterLater"]);
    }
}

/// Every address of the site that a page names.
fn addresses(page: &str) -> Vec<String> {
    let named = [" href=\"/", " src=\"/"].iter().flat_map(|start| page.split(start).skip(1));
    named
        .filter_map(|rest| rest.split('"').next())
        .map(|address| format!("/{}", address.split(['#', '?']).next().expect("a part")))
        .collect()
}

/// All files below a folder.
fn all_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn a_static_site_has_every_page_and_no_link_of_it_leads_nowhere() {
    let moving = Moving::prepare().await;
    hugo(&moving);
    for number in 0..25 {
        moving.write(
            &format!("content/many/post-{number:02}.md"),
            format!("---\ntitle: Post {number}\ndate: 2020-01-02\n---\nText\n"),
        );
    }
    moving.imported().await;
    let export = ["export", "--to", "out", "--static", "--public-url", "https://blog.example"];
    let ended = moving.run(&export, "").await;
    assert!(!ended.stderr.contains("request"), "no line for each page: {}", ended.stderr);
    ended.succeeded();
    let out = moving.byline.folder().join("out");
    for file in [
        "index.html",
        "404.html",
        "@ada/index.html",
        "@ada/first-post/index.html",
        "tags/go/index.html",
        "feed.atom",
        "feed.json",
        "@ada/feed.atom",
        "robots.txt",
        "sitemap.xml",
        "sitemap-pages.xml",
        "2019/05/04/first/index.html",
    ] {
        assert!(out.join(file).is_file(), "{file}");
    }
    let mut pages = 0;
    for file in all_files(&out).iter().filter(|file| file.extension().is_some_and(|ending| ending == "html"))
    {
        let page = fs::read_to_string(file).expect("a page");
        pages += 1;
        for word in ["<form", "leptos-island", "href=\"/login", "href=\"/search", "href=\"/my-posts", "boot-"]
        {
            assert!(!page.contains(word), "{word}: {}", file.display());
        }
        for address in addresses(&page) {
            let target = out.join(address.trim_start_matches('/'));
            let is_there = target.is_file() || target.join("index.html").is_file();
            assert!(is_there, "{address} of {}", file.display());
        }
    }
    // 27 posts, lists of them, and where they were.
    assert!(pages > 60, "{pages}");
    let page = fs::read_to_string(out.join("@ada/first-post/index.html")).expect("a page");
    let (served, mut reader) = moving.serve().await;
    let live = reader.get("/@ada/first-post").await;
    let article = |page: &str| {
        page[page.find("<article").expect("a post")..page.find("</article>").expect("its end")].to_owned()
    };
    assert_eq!(article(&page), article(live.text()));
    served.terminate().await;
    assert!(!page.contains("drafts") && !out.join("@ada/later").exists());
    moving.run(&export, "").await.succeeded();
}
