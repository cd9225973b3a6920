//! What `byline import` understands of the front matter in a folder of Markdown, and which
//! files it names.

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
