//! What `byline import` understands of the front matter in a folder of Markdown, and which
//! files it names.

use std::process::Command;

use crate::import::{Moving, line};

#[tokio::test]
async fn a_table_of_front_matter_changes_nothing_of_its_post() {
    let moving = Moving::prepare().await;
    moving.write(
        "toml.md",
        "+++\ntitle = 'In TOML'\ndate = 2020-01-01\n[author]\ndate = 1999-01-01\n[cover]\ntitle = 'A cat'\nslug = 'zzz'\n+++\nb\n",
    );
    moving.write("draft.md", "+++\ntitle = 'Draft'\ndraft = true\n[build]\ndraft = false\n+++\nb\n");
    moving.write(
        "yaml.md",
        "---\ntitle: In YAML\ncover:\n  title: A cat\n  slug: zzz\nextra: {title: A dog}\ndate: 2020-01-01\n---\nb\n",
    );
    moving.write(
        "json.md",
        "{\n\"title\": \"In JSON\", \"cover\": {\"title\": \"A cat\", \"slug\": \"zzz\"}, \"date\": \"2020-01-01\"\n}\nb\n",
    );
    let report = moving.imported().await;
    assert!(line(&report, "draft.md").contains("as a draft"), "{report}");
    assert_eq!(
        moving
            .database
            .probe()
            .await
            .texts("SELECT title || '|' || slug || '|' || created_at FROM posts ORDER BY title")
            .await,
        ["JSON|json", "TOML|toml", "YAML|yaml"].map(|post| format!("In {post}|1577836800000000"))
    );
}

#[tokio::test]
async fn what_nobody_could_read_there_is_read_by_nobody_here() {
    let moving = Moving::prepare().await;
    for (name, text) in [
        ("blank.md", "---\ntitle: Secret\npublished: false\n--- \nbody\n"),
        ("dots.md", "---\ntitle: Secret\npublished: no\n...\nbody\n"),
        ("first.md", "--- \ntitle: Secret\ndraft: yes\n---\nbody\n"),
        ("empty.md", "\n---\ntitle: Secret\ndraft: On\n---\nbody\n"),
        ("json.md", "{ \"title\": \"Secret\", \"draft\": true }\nbody\n"),
        ("short.md", "{\"title\": \"Secret\",\n\"draft\": true}\nbody\n"),
        ("headless.md", "---\ntitle: Secret\nheadless: true\n---\nbody\n"),
        ("build.md", "---\ntitle: Secret\nbuild: {render: never}\n---\nbody\n"),
        ("lines.md", "---\ntitle: Secret\n_build:\n  list: never\n  render: never\n---\nbody\n"),
        ("toml.md", "+++\ntitle = 'Secret'\n[build]\nrender = 'never'\n+++\nbody\n"),
        ("expired.md", "---\ntitle: Secret\ndate: 2019-01-01\nexpiryDate: 2020-01-01\n---\nbody\n"),
    ] {
        moving.write(name, text);
    }
    moving.write("waits.md", "---\ntitle: Secret\ndate: 2019-01-01\npublishDate: 2998-01-01\n---\nbody\n");
    let report = moving.imported().await;
    assert!(line(&report, "expired.md").ends_with("as a draft; it has expired there"), "{report}");
    for name in ["headless.md", "build.md", "lines.md", "toml.md"] {
        assert!(line(&report, name).ends_with("as a draft; it had no page there"), "{report}");
    }
    assert!(line(&report, "waits.md").contains("published on 1 January 2998"), "{report}");
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 0, "{report}");
    let drafts = "SELECT COUNT(*) FROM drafts WHERE title = 'Secret' AND content = 'body\n'";
    assert_eq!(moving.database.count(drafts).await, 12, "{report}");
}

#[tokio::test]
async fn front_matter_that_is_not_understood_is_published_by_no_import() {
    let moving = Moving::prepare().await;
    for (name, text) in [
        ("end.md", "---\ntitle: A\ndraft: true\n\nbody\n"),
        ("json.md", "{ \"title\": \"A\", \"draft\": true\nbody\n"),
        ("perhaps.md", "---\ntitle: A\ndraft: perhaps\n---\nbody\n"),
        ("expiry.md", "---\ntitle: A\nexpiryDate: soon\n---\nbody\n"),
        ("waits.md", "---\ntitle: A\ndate: 2019-01-01\npublishDate: soon\n---\nbody\n"),
    ] {
        moving.write(name, text);
    }
    moving.write("break.md", "---\n\nA post between two lines.\n\n---\n\nMore\n");
    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for name in ["end.md", "json.md", "perhaps.md", "expiry.md", "waits.md"] {
        assert!(line(&ended.stdout, name).starts_with("refused"), "{ended:?}");
    }
    assert!(line(&ended.stdout, "break.md").starts_with("imported"), "{ended:?}");
    let content = moving.database.text("SELECT content FROM posts").await;
    assert_eq!(content, "---\n\nA post between two lines.\n\n---\n\nMore\n");
}

#[tokio::test]
async fn a_post_that_is_no_markdown_has_a_line_that_says_so() {
    let moving = Moving::prepare().await;
    let front = "---\ntitle: A\n---\n<p>Words</p>\n";
    moving.write("content/posts/good.md", "---\ntitle: Good\n---\nText\n");
    moving.write("content/posts/page.html", front);
    moving.write("content/posts/tool.html", "<p>A page of its own</p>\n");
    moving.write("content/posts/notes.org", "#+title: Notes\n");
    for no_post in ["content/_index.html", "content/posts/style.css", "static/x.html", "layouts/x.html"] {
        moving.write(no_post, front);
    }
    let pipe = moving.byline.folder().join("export/content/posts/pipe.md");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = &ended.stdout;
    for (source, begins, words) in [
        ("page.html", "refused", "no Markdown: its name ends in .html"),
        ("tool.html", "skipped", "HTML without front matter"),
        ("notes.org", "refused", "no Markdown: its name ends in .org"),
        ("pipe.md", "refused", "it is no file"),
        ("good.md", "imported", ""),
    ] {
        let line = line(report, source);
        assert!(line.starts_with(begins) && line.contains(words), "{source}: {line}");
    }
    assert!(report.contains("1 imported, 0 updated, 0 unchanged, 1 skipped, 3 refused"), "{report}");

    let moving = Moving::prepare().await;
    moving.write("_posts/2020-01-01-good.md", "---\ntitle: Good\n---\nText\n");
    moving.write("_posts/2020-01-01-page.html", front);
    moving.write("_posts/2020-01-01-old.textile", "---\ntitle: Old\n---\nh1. Words\n");
    moving.write("_posts/cat.png", "no picture");
    moving.write("index.html", front);
    let ended = moving.import(&[]).await;
    for source in ["page.html", "old.textile"] {
        assert!(line(&ended.stdout, source).starts_with("refused"), "{ended:?}");
    }
    assert!(ended.stdout.contains("1 imported, 0 updated, 0 unchanged, 0 skipped, 2 refused"), "{ended:?}");
}

#[tokio::test]
async fn a_folder_with_no_markdown_is_refused_with_the_names_of_its_texts() {
    let moving = Moving::prepare().await;
    for name in ["a.html", "b.org", "c.adoc", "d.rst"] {
        moving.write(&format!("_posts/2020-01-01-{name}"), "Words\n");
    }
    moving.write("index.html", "---\n---\n");
    let named =
        "the 4 texts in it (_posts/2020-01-01-a.html, _posts/2020-01-01-b.org, _posts/2020-01-01-c.adoc, …)";
    moving.import(&[]).await.failed_with(&["export has no Markdown", named, "convert", "pandoc"]);

    let moving = Moving::prepare().await;
    moving.write("content/one\u{1b}.textile", "h1. One\n");
    let named = "the one text in it (content/one\u{FFFD}.textile)";
    moving.import(&[]).await.failed_with(&["export has no Markdown", named]);
    moving.import(&["--from", "ghost"]).await.failed_with(&["no export that Byline knows"]);
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 0);
}
